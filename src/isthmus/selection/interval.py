"""Which ranks agree with the data, and with other draws of as many rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

_TAIL = 0.025  # of the probability outside either end
_SURE = 2.0  # standard errors: about 95 %


def expected_rank(probabilities: Tensor) -> float:
    """Mean of k = 0 … K over their probabilities `(K + 1,)`."""
    return float(probabilities @ torch.arange(len(probabilities)).to(probabilities))


def jackknife_error(left_out: Sequence[float]) -> float:
    r"""Standard error of a statistic of all rows, from its values with each of g parts of them left out; 0 for g < 2.

    $$\sqrt{\tfrac{g - 1}{g} \sum_j (\theta_{(j)} - \bar\theta)^2}$$

    Source:
        Tukey (1958), the jackknife.
    """
    count = len(left_out)
    if count < 2:
        return 0.0
    mean = sum(left_out) / count
    return math.sqrt((count - 1) / count * sum((each - mean) ** 2 for each in left_out))


def rank_interval(probabilities: Tensor, rank: int, spread: float) -> tuple[int, int]:
    """Ends of the interval of ranks: the 2.5 % and 97.5 % points of the probabilities, widened by the draw of the rows.

    The probabilities are of the rank given these rows. Where evidence without one of the folds says something else, so
    would other rows: the interval reaches at least as far as two standard errors of the expected rank.

    Args:
        probabilities: Of k = 0 … K, `(K + 1,)`.
        rank: The answer.
        spread: Standard error of the expected rank over draws of the rows.
    """
    below, most, middle = probabilities.cumsum(0), len(probabilities) - 1, expected_rank(probabilities)
    lower, upper = int((below > _TAIL).int().argmax()), int((below >= 1.0 - _TAIL).int().argmax())
    lower = min(lower, rank, round(middle - _SURE * spread))
    upper = max(upper, rank, round(middle + _SURE * spread))
    return max(0, lower), min(most, upper)
