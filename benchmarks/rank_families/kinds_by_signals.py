"""Five families of classes told from signals: pen strokes, circuits, cells, breezes and rhythms.

Causes are drawn and what is learned from is made of them (`Teacher.shown`), which tells them. That the logits have rank
k is argued at each.
"""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from _rank_tasks import Floats, Teacher, standard
from rank_families.kinds_by_measures import classes_of, sharpened


def strokes(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """A pen draws k joined strokes whose directions differ; signs are told by how far each stroke turns from theirs.

    The picture has √d_in by √d_in pixels, but no fewer than 8 by 8, dark near the line. Cosines of turns from k + 2 or
    more signs tell k directions.
    """
    side, count = max(8, int(np.sqrt(d_in))), classes_of(k, rng)
    usual = np.cumsum(rng.uniform(-1.2, 1.2, k))
    pixel = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2) / (side - 1.0)

    def draw(n: int) -> Floats:
        return usual + rng.uniform(-0.9, 0.9, (n, k))

    def picture(turn: Floats) -> Floats:
        step = np.stack((np.cos(turn), np.sin(turn)), 2) / np.sqrt(k)
        joint = np.cumsum(step, 1)
        path = np.concatenate((np.zeros((len(turn), 1, 2)), joint), 1)
        path = 0.5 + 0.5 * (path - path.mean(1, keepdims=True))
        along = np.linspace(0.0, 1.0, 4)[None, None, :, None]
        points = (path[:, :-1, None] * (1.0 - along) + path[:, 1:, None] * along).reshape(len(turn), -1, 2)
        near = np.square(pixel[None, :, None] - points[:, None]).sum(3)
        return np.exp(-near / (2.0 * 0.12**2)).sum(2)

    rows = draw(2000)
    encode = standard(lambda turn: turn, rows)
    sign, care = draw(count), rng.uniform(0.7, 1.3, k)
    like = sharpened(lambda z: (care * np.cos(1.4 * (z[:, None] - encode(sign)))).sum(2), encode(rows), rng)
    return Teacher(draw, encode, like, shown=picture, is_classification=True)


def circuits(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """k parts of a chain of filters drift; its response at d_in or more frequencies tells which, and how.

    A part is too large, too small or within bounds: the logits of k parts rise with their own drift alone.
    """
    frequency = np.geomspace(0.1, 10.0, max(d_in, 4 * k))
    corner, damping = np.geomspace(0.2, 5.0, k) * rng.uniform(0.8, 1.25, k), rng.uniform(0.15, 0.5, k)
    drawn_with = np.eye(k) + 0.3 * rng.standard_normal((k, k)) / np.sqrt(k)

    def draw(n: int) -> Floats:
        return rng.standard_normal((n, k)) @ drawn_with

    def response(drift: Floats) -> Floats:
        ratio = frequency / (corner * np.exp(0.3 * drift))[:, :, None]
        gain = 1.0 / (1.0 - np.square(ratio) + 2.0j * damping[:, None] * ratio)
        return 20.0 * np.log10(np.abs(1.0 + gain).prod(1))

    rows = draw(2000)
    encode = standard(lambda drift: drift, rows)
    falls = np.arange(k) <= rng.integers(k)
    bound = rng.uniform(0.3, 1.0, 2 * k)

    def fault(z: Floats) -> Floats:
        rise, fall = np.logaddexp(0.0, 3.0 * (z - bound[:k])), np.logaddexp(0.0, 3.0 * (-z - bound[k:]))
        return np.hstack((np.zeros((len(z), 1)), rise, fall[:, falls]))

    return Teacher(draw, encode, sharpened(fault, encode(rows), rng), shown=response, is_classification=True)


def cells(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Cells are sorted by k markers one after another, as gates on a cytometer; dyes spill over into d_in detectors.

    A cell takes a gate with the logistic probability of its marker and leaves the sequence there; k + 1 leaves, and
    more by a second pass, tell the odds at each of the k gates.
    """
    count = classes_of(k, rng)
    spill = rng.exponential(size=(k, d_in)) * (rng.random((k, d_in)) < 0.5) + 0.02
    ground, mixing = rng.exponential(size=d_in), np.eye(k) + 0.4 * rng.standard_normal((k, k)) / np.sqrt(k)

    def draw(n: int) -> Floats:
        return (1.2 * rng.standard_normal((n, k)) + 0.6 * rng.choice((-1.0, 1.0), (n, k))) @ mixing

    def detected(marker: Floats) -> Floats:
        return np.arcsinh(2.0 * (np.exp(marker) @ spill + 0.3 * ground))

    rows = draw(2000)
    encode = standard(lambda marker: marker, rows)
    gates = np.concatenate((rng.permutation(k), rng.integers(k, size=count - 1 - k)))
    side, steep = rng.choice((-1.0, 1.0), count - 1), rng.uniform(1.5, 3.0, count - 1)
    place = np.quantile(encode(rows), rng.uniform(0.3, 0.7, k), axis=0).diagonal()

    def leaves(z: Floats) -> Floats:
        odds = steep * side * (z - place)[:, gates]
        taken, passed = -np.logaddexp(0.0, -odds), -np.logaddexp(0.0, odds)
        before = np.hstack((np.zeros((len(z), 1)), np.cumsum(passed, 1)))
        return before + np.hstack((taken, np.zeros((len(z), 1))))

    return Teacher(draw, encode, sharpened(leaves, encode(rows), rng), shown=detected, is_classification=True)


def breezes(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Wind of k patterns and others that do not matter; regimes are bilinear in strengths, as conversions of energy.

    Random quadratic forms of k strengths and their linear parts, k + 2 or more, have independent gradients.
    """
    count, others = classes_of(k, rng), max(2, min(d_in // 4, 12))
    wave = np.linspace(0.0, 2.0 * np.pi, d_in)[:, None]
    order, phase = 1.0 + np.arange(k + others) % max(3, d_in // 3), rng.uniform(0.0, 2.0 * np.pi, k + others)
    pattern = rng.permutation((np.cos(order * wave + phase) + 0.3 * rng.standard_normal((d_in, k + others))).T)

    def draw(n: int) -> Floats:
        return rng.standard_normal((n, k + others)) * np.concatenate((np.ones(k), np.full(others, 0.7)))

    rows = draw(2000)
    encode = standard(lambda strength: strength[:, :k] + 0.3 * np.square(strength[:, :k]), rows)
    form, line = 0.5 * rng.standard_normal((count, k, k)) / np.sqrt(k), rng.standard_normal((k, count))
    regime = sharpened(lambda z: np.einsum("ni,cij,nj->nc", z, form, np.tanh(z)) + z @ line, encode(rows), rng)
    return Teacher(draw, encode, regime, shown=lambda strength: strength @ pattern, is_classification=True)


def rhythms(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """k oscillations of known frequencies are heard together; kinds are told by their delays, each around its own.

    Sums over the k delays of von Mises terms; each kind is either of two patterns of delays.
    """
    count, time = classes_of(k, rng), np.linspace(0.0, 1.0, max(d_in, 4 * k))
    pitch, loud = 1.0 + np.arange(k) + rng.uniform(-0.2, 0.2, k), rng.uniform(0.7, 1.3, k)

    def draw(n: int) -> Floats:
        return np.clip(0.7 * rng.standard_normal((n, k)), -1.5, 1.5)

    def heard(delay: Floats) -> Floats:
        return np.tanh((loud[:, None] * np.sin(2.0 * np.pi * pitch[:, None] * time + delay[:, :, None])).sum(1))

    rows = draw(2000)
    encode = standard(lambda delay: delay, rows)
    usual = rng.uniform(-1.8, 1.8, (count, 2, k))

    def kind(z: Floats) -> Floats:
        return logsumexp((1.5 * np.cos(z[:, None, None] - usual)).sum(3), axis=2)

    return Teacher(draw, encode, sharpened(kind, encode(rows), rng), shown=heard, is_classification=True)
