"""Claim: a probability of p for a rank comes true in a share p of the cases, if only the held-out rows are random.

No network is trained: losses of the rows are drawn from distributions with known means, so that the k to be found, the
smallest whose mean excess is within the margin, is known. Two kinds: `squared`, |e_i + d_ki|² beside |e_i|² with noise
e_i and errors d_ki whose size varies from row to row (log-normal); and `classes`, where k turns some right answers
wrong and a few wrong ones right. Mean excesses of k = 1 … 6 are log-uniform over four decades around the margin.

Kept for each kind and number of rows: how often the interval of two standard errors (with and without the half rows
that `excess_error` adds to classes) and the one between the 2.5 % and 97.5 % points of the resampled answers hold the k
to be found, and how many k they hold; how often k comes true over the probability it was given; how often the answer is
right where the rows can tell it and where `is_undecided`.

Kinds and rules were chosen on seed 100; figures are of seed 0.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from _environment import keep
from isthmus.foundation.likelihood import excess_error
from isthmus.foundation.tolerance import Tolerance
from isthmus.selection.resampling import rank_probabilities
from isthmus.selection.validation_decision import Candidate, RankDecision, rank_interval

ROWS, TRIALS, LARGEST, TOLERANCE = (10, 30, 100, 500), 1000, 6, Tolerance(0.1)
ALLOWED = TOLERANCE.relative**2
BINS = np.linspace(0.0, 1.0, 11)
Floats = NDArray[np.float64]
Draw = tuple[Floats, Floats, int]  # losses of k = 0 … K, of the whole network, the k to be found


def excesses(rng: np.random.Generator, explained: float) -> tuple[Floats, int]:
    """Mean excesses of k = 0 … K, and the k to be found; K where none is within the margin, as in the decision."""
    later = np.sort(10.0 ** rng.uniform(-4.0, -0.3, LARGEST))[::-1]
    means = explained * np.concatenate([[1.0], later])
    within = np.flatnonzero(means <= ALLOWED * explained)
    return means, int(within[0]) if len(within) else LARGEST


def squared(rng: np.random.Generator, n: int) -> Draw:
    means, k = excesses(rng, 1.0)
    noise = rng.normal(size=(n, 4)) * np.sqrt(rng.uniform(0.1, 1.0) / 4.0)
    sizes = rng.normal(size=n) * np.exp(0.5 * rng.normal(size=n) - 0.25)  # mean square 1
    directions = rng.normal(size=(LARGEST + 1, 4))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    errors = np.sqrt(means)[:, None, None] * directions[:, None, :] * sizes[:, None]
    return ((noise + errors) ** 2).sum(2), (noise**2).sum(1), k


def classes(rng: np.random.Generator, n: int) -> Draw:
    wrong, mended = 0.05, 0.1
    means, k = excesses(rng, 0.7)
    whole = (rng.random(n) < wrong).astype(float)
    spoilt = (means + mended * wrong) / (1.0 - wrong)
    draws = rng.random((LARGEST + 1, n))
    losses = np.where(whole == 1.0, draws >= mended, draws < spoilt[:, None])
    return losses.astype(float), whole, k


def resampled_interval(probabilities: Floats) -> tuple[int, int]:
    below = np.cumsum(probabilities)
    return int(np.argmax(below > 0.025)), int(np.argmax(below >= 0.975))


def decision(losses: Floats, whole: Floats, seed: int) -> RankDecision:
    """What `decide_rank` makes of the losses of candidates that it has found."""
    is_classification = set(np.unique(whole)) <= {0.0, 1.0}
    differences = losses - whole
    margin = ALLOWED * max(0.0, float(differences[0].mean()))
    candidates = []
    for k, row in enumerate(differences):
        error = excess_error(torch.from_numpy(row), is_classification=is_classification)
        own = torch.from_numpy(losses[k])
        candidates.append(Candidate(k, 0, float(losses[k].mean()), None, None, float(row.mean()), error, own))
    ends = rank_interval([c.excess for c in candidates], [c.excess_error for c in candidates], margin, most=LARGEST)
    tensors = torch.from_numpy(losses), torch.from_numpy(whole)
    probabilities = rank_probabilities(*tensors, allowed=ALLOWED, is_classification=is_classification, seed=seed)
    errors = float(whole.mean()), 0.0, float(losses[0].mean())
    return RankDecision(*ends, *errors, margin, tuple(candidates), probabilities, TOLERANCE)


def trial(draw: Draw, seed: int) -> dict[str, Any]:
    losses, whole, k = draw
    found = decision(losses, whole, seed)
    plain = ((losses - whole).std(1, ddof=1) / np.sqrt(len(whole))).tolist()
    probabilities = np.array(found.probabilities)
    return {
        "k": k,
        "is_right": found.rank == k,
        "is_undecided": found.is_undecided,
        "two_errors": (found.lower, found.upper),
        "two_plain_errors": rank_interval([c.excess for c in found.candidates], plain, found.margin, most=LARGEST)[1:],
        "resampled": resampled_interval(probabilities),
        "probabilities": probabilities,
    }


def figures(kind: Callable[[np.random.Generator, int], Draw], n: int, seed: int, trials: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, n])
    found = [trial(kind(rng, n), seed=index) for index in range(trials)]
    row: dict[str, Any] = {"kind": kind.__name__, "rows": n, "trials": trials}
    for name in ("two_errors", "two_plain_errors", "resampled"):
        ends = [each[name] for each in found]
        row[name] = {
            "holds": float(np.mean([low <= each["k"] <= high for (low, high), each in zip(ends, found, strict=True)])),
            "ranks": float(np.mean([high - low + 1 for low, high in ends])),
        }
    given = np.concatenate([each["probabilities"] for each in found])
    true = np.concatenate([np.arange(LARGEST + 1) == each["k"] for each in found])
    row["calibration"] = [
        {"given": float(given[inside].mean()), "true": float(true[inside].mean()), "cases": int(inside.sum())}
        for low, high in pairwise(BINS)
        if (inside := (given > low) & (given <= high)).any()
    ]
    undecided, right = (np.array([each[name] for each in found]) for name in ("is_undecided", "is_right"))
    row |= {"undecided": float(undecided.mean()), "right": float(right.mean())}
    row |= {"right_decided": mean(right[~undecided]), "right_undecided": mean(right[undecided])}
    return row


def mean(values: Any) -> float | None:
    return float(values.mean()) if len(values) else None


if __name__ == "__main__":
    seed, trials = (int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else (0, TRIALS)
    rows = [figures(kind, n, seed, trials) for kind in (squared, classes) for n in ROWS]
    for row in rows:
        print({name: value for name, value in row.items() if name != "calibration"})
        print("   ", [(round(b["given"], 2), round(b["true"], 2), b["cases"]) for b in row["calibration"]])
    if len(sys.argv) <= 2:
        keep("rank_probabilities", "A probability of p for a rank comes true in a share p of the cases.", rows)
