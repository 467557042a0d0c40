"""How probably k linear combinations of the inputs are enough, weighed from what the folds say."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise

import torch
from torch import Tensor

from isthmus.foundation.statistics import standard_error, weighted_mean
from isthmus.selection.embedding_path import EmbeddingPath
from isthmus.selection.posterior import posterior
from isthmus.spectra import spaced

INDEX_FEATURES = ("intercept", "gain", "surprise", "agreement")
"""What is weighed; the columns of `index_features`."""
_ROWS = 2000  # at which directions of folds are compared
_MOST_GAIN = 6.0  # standard errors that no more are told from
_SMALL, _LARGE = 0.1, 30.0  # of surprise for a number of A, below and above which it says no more


@dataclass(frozen=True)
class IndexEvidence:
    """What is known about k = 0 … K combinations: tuples of K + 1 numbers, the last three of K.

    Attributes:
        weighed: The probability of each k.
        errors: Held-out squared error of processes of k combinations, summed over the standardised outputs.
        gains: By how many standard errors one combination more lowers it, rows paired.
        surprises: By how much one combination more lowers −log of the evidence, for each direction that it may take,
            mean over the folds.
        agreements: How well the folds agree on the k + 1st: the smallest canonical correlation of their first k + 1
            combinations, as far as it is above what chance gives; mean over pairs of folds.
    """

    weighed: tuple[float, ...]
    errors: tuple[float, ...]
    gains: tuple[float, ...]
    surprises: tuple[float, ...]
    agreements: tuple[float, ...]


def weigh_index_evidence(
    paths: Sequence[EmbeddingPath],
    held: Tensor,
    x: Tensor,
    weights: Tensor,
    dimensions: int,
    of_rank: Tensor | None = None,
) -> tuple[Tensor, IndexEvidence]:
    """Probabilities of k = 0 … K, `(K + 1,)`, and what they were weighed from.

    Where the rank is known, so is more: `given_the_rank`.

    None are enough with at least the probability that what the best number of them gains on the mean is chance: a few
    rows far out can have much evidence and predict nothing.

    Args:
        paths: Of the folds, at least one.
        held: The rows that they hold out, `(m,)`, fold after fold.
        x: Inputs of all rows `(n, d)`.
        weights: How much each row counts, `(n,)`, positive.
        dimensions: In how many directions the inputs vary.
        of_rank: Probabilities of the bottleneck rank, `(R + 1,)`; None where they are not known.
    """
    count = min(len(path.losses) for path in paths)
    losses = torch.cat([path.losses[:count] for path in paths], 1)
    counted = weights[held].double()
    errors = torch.stack([weighted_mean(row, counted) for row in losses])
    gains = [_significance(fewer - more, counted) for fewer, more in pairwise(losses)]
    surprises = torch.stack([path.surprises[:count] for path in paths]).mean(0)
    falls = ((surprises[:-1] - surprises[1:]) / dimensions).tolist()
    agreements = [_agreement(paths, spaced(x, _ROWS), k, dimensions) for k in range(1, count)]
    table = index_features(gains, falls, agreements)
    enough = torch.cat([torch.sigmoid(table @ torch.tensor(index_weights(), dtype=table.dtype)), table.new_ones(1)])
    of_best = _significance(losses[0] - losses[int(errors.argmin())], counted)
    enough[0] = max(float(enough[0]), math.erfc(of_best / math.sqrt(2.0)) if of_best > 0.0 else 1.0)
    chances = posterior(enough)
    if of_rank is not None and count > 1:
        chances = given_the_rank(chances, of_rank)
    plain = tuple(chances.tolist()), tuple(errors.tolist()), tuple(gains), tuple(falls), tuple(agreements)
    return chances, IndexEvidence(*plain)


def given_the_rank(chances: Tensor, of_rank: Tensor) -> Tensor:
    """Probabilities of k = 0 … K combinations that agree with those of the rank, `(K + 1,)` and `(R + 1,)`.

    That the outputs depend on nothing is one event, with the one probability that the rank gives it. Of k ≥ 1 the rank
    is at most k, and at least 1; K stands for more, so no rank excludes it.
    """
    below = of_rank.cumsum(0).to(chances)
    carried = (below - below[0])[: len(chances) - 1]
    allowed = torch.full_like(chances, 1.0 - float(below[0]))
    allowed[: len(carried)] = carried
    some = (chances * allowed)[1:]
    if float(some.sum()) == 0.0:  # the combinations' own evidence excludes all that the rank allows
        some = allowed[1:]
    tiny = torch.finfo(some.dtype).tiny  # where the rank is 0 for sure, none is left
    return torch.cat([below[:1], (1.0 - below[0]) * some / some.sum().clamp_min(tiny)])


def _significance(gains: Tensor, weights: Tensor) -> float:
    """Mean of the gains of rows `(m,)` in its standard errors."""
    error = standard_error(gains, weights)
    return float(weighted_mean(gains, weights)) / error if error > 0.0 else 0.0


def index_features(gains: Sequence[float], surprises: Sequence[float], agreements: Sequence[float]) -> Tensor:
    """What speaks for "k combinations are enough" at k = 0 … K − 1: `(K, 4)`, columns as in `INDEX_FEATURES`.

    The gain of one more between −6 and 6; the logarithm of the fall of surprise, between 0.1 and 30; the agreement.
    """
    table = [
        (1.0, max(-_MOST_GAIN, min(gain, _MOST_GAIN)), math.log(min(max(fall, _SMALL), _LARGE)), agreement)
        for gain, fall, agreement in zip(gains, surprises, agreements, strict=True)
    ]
    return torch.tensor(table, dtype=torch.float64)


@cache
def index_weights() -> list[float]:
    """Weights of the `index_features`, as `benchmarks/index_weights.py` has fitted them."""
    text = resources.files("isthmus.selection").joinpath("index_weights.json").read_text("utf-8")
    found: list[float] = json.loads(text)["weights"]
    return found


def _agreement(paths: Sequence[EmbeddingPath], x: Tensor, k: int, dimensions: int) -> float:
    """Of the folds about k combinations; 0 where they span all directions, which agree whatever they are."""
    if k >= dimensions or len(paths) < 2:
        return 0.0
    bases = []
    for path in paths:
        z = x.double() @ path.directions[k - 1, :k].T
        bases.append(torch.linalg.qr(z - z.mean(0))[0])
    squares = [
        float(torch.linalg.svdvals(one.T @ other)[-1]) ** 2 for at, one in enumerate(bases) for other in bases[:at]
    ]
    chance = k / dimensions
    return max(0.0, (sum(squares) / len(squares) - chance) / (1.0 - chance))
