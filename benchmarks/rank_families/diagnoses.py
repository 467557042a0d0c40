"""A family of classes in a tree: laboratory values and symptoms lead by stages to a diagnosis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from _rank_tasks import Floats, Teacher, standard


def _findings(d: int, rng: np.random.Generator) -> Callable[[int], Floats]:
    """Laboratory values in units of their own, `(n, d)`, a fifth of the columns symptoms, which are there or not."""
    organs = max(5, d // 6)
    loading = rng.standard_normal((organs, d)) / np.sqrt(organs)
    unit, spread, own = np.exp(1.5 * rng.standard_normal(d)), rng.uniform(0.15, 0.6, d), rng.uniform(0.2, 0.5, d)
    is_symptom, odds = rng.random(d) < 0.2, rng.uniform(-0.8, 0.8, d)

    def draw(n: int) -> Floats:
        common = rng.standard_normal((n, organs)) @ loading
        value = np.sqrt(1.0 - own) * common + np.sqrt(own) * rng.standard_normal((n, d))
        return np.where(is_symptom, (value > odds).astype(float), unit * np.exp(spread * value))

    return draw


def _scores(rows: Floats, k: int, rng: np.random.Generator) -> Callable[[Floats], Floats]:
    """k scores of some columns: gaps between values, ratios, and points for what is far from normal, as doctors use."""
    d = rows.shape[1]
    part, scaled = max(3, min(10, d // 4)), standard(lambda x: x, rows)
    reads = np.stack([rng.choice(d, part, replace=False) for _ in range(k)])
    weight = rng.uniform(0.4, 1.0, (k, part)) * rng.choice((-1.0, 1.0), (k, part))
    limit, ratio = rng.uniform(-0.5, 0.8, (k, part)), rng.uniform(0.0, 0.5, k)

    def respond(x: Floats) -> Floats:
        s = np.arcsinh(scaled(x)[:, reads])
        beyond = np.tanh(2.0 * (s - limit))
        return ((s + 0.6 * beyond) * weight).sum(2) + ratio * s[..., 0] * s[..., 1]

    return respond


def _tree(k: int, leaves: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Splits (leaf that is split, score asked) of a tree that grows from one leaf; the first k ask each score once."""
    asked = [*rng.permutation(k), *rng.integers(k, size=leaves)]
    return [(int(rng.integers(max(0, number - 2), number + 1)), int(asked[number])) for number in range(leaves - 1)]


def diagnoses(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """k scores are asked one after the other, some twice, and each answer leads to the next question or a diagnosis.

    Logits are logarithms of the products of the answers' probabilities along a path. The odds of what a question parts
    are a strictly rising function of its score, and every score is asked: rank k. Diagnoses are up to 9, some rare.
    """
    draw = _findings(d_in, rng)
    rows = draw(2000)
    encode = standard(_scores(rows, k, rng), rows)
    leaves = k + 2 + int(rng.integers(3))
    splits = _tree(k, leaves, rng)
    slope = rng.uniform(3.0, 6.0, leaves - 1) * rng.choice((-1.0, 1.0), leaves - 1)
    cuts, sample, at = [], encode(rows), np.zeros(len(rows), dtype=np.int64)
    for number, (leaf, score) in enumerate(splits):
        cuts.append(float(np.quantile(sample[at == leaf, score], rng.uniform(0.25, 0.75))))
        at[(at == leaf) & (slope[number] * (sample[:, score] - cuts[-1]) > 0.0)] = number + 1

    def decode(z: Floats) -> Floats:
        logs = [np.zeros(len(z))]
        for (leaf, score), rises, cut in zip(splits, slope, cuts, strict=True):
            odds = rises * (z[:, score] - cut)
            stays, leaves_ = -np.logaddexp(0.0, odds), -np.logaddexp(0.0, -odds)
            logs.append(logs[leaf] + leaves_)
            logs[leaf] = logs[leaf] + stays
        logits = np.stack(logs, 1)
        return logits - logits.mean(1, keepdims=True)

    return Teacher(draw, encode, decode, is_classification=True)
