"""How weak a further direction may be and still be learned: what a selection could have seen."""

from __future__ import annotations

import math
from collections.abc import Sequence


def detection_limit(
    rank: int, errors: Sequence[float], sensitivities: Sequence[float], ridge_share: float
) -> float | None:
    r"""The least $\sigma_{k+1}/\sigma_1$ of a direction that pays for its norm at the λ that the rows have chosen.

    A deep network pays about λ for each number that it passes through (its norm $\lambda \lVert w \rVert^2 / L$ tends
    to λ times the rank), and a direction lowers the loss by at most its square. With $e_0 - e_k$ gained by k numbers of
    sizes $r_1 = 1, r_2, \dots$ relative to the first,

    $$\sigma_{k+1}/\sigma_1 = \sqrt{\frac{\lambda}{e_0 - e_k} \sum_{j \le k} r_j^2}$$

    λ is chosen by held-out rows, so few rows and much noise raise it. Weaker directions are left out by the networks;
    linear functions may show some of them all the same.

    Args:
        rank: k.
        errors: Held-out loss through 0, 1, 2, … numbers.
        sensitivities: Of number 1, 2, … of the network through as many, relative to the first.
        ridge_share: λ in losses of the best constant.

    Returns:
        None where nothing was learned, which a further direction could be compared with; 1 at most.

    Source:
        Jacot (2023), Theorem 1, for the limit of the cost; how well it tells what is found is measured
        (`benchmarks/detection_limit.py`).
    """
    gained = errors[0] - errors[rank]
    if rank == 0 or gained <= 0.0:
        return None
    squares = 1.0 + sum(size**2 for size in sensitivities[1:rank])
    return min(1.0, math.sqrt(ridge_share * errors[0] / gained * squares))
