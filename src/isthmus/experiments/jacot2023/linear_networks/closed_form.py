"""What a magnitude costs least, by a search in one variable that shares nothing with training."""

from __future__ import annotations

import math


def minimum(truth: float, ridge: float, p: float) -> tuple[float, float]:
    r"""(argmin, min) over s ≥ 0 of $(s - s^*)^2 + \lambda s^p$, by bisection of the derivative.

    Zero is a candidate for p < 2; another is the largest root of the derivative, right of its lowest point.
    """
    if p >= 2.0:
        s = truth / (1.0 + ridge)
        return s, (s - truth) ** 2 + ridge * s**p

    def slope(s: float) -> float:
        return 2 * (s - truth) + ridge * p * math.pow(s, p - 1)

    # For p < 1 the slope is least where 2 = λ p (1 − p) s^{p−2}; for p ≥ 1 it only rises.
    low = (ridge * p * (1 - p) / 2) ** (1 / (2 - p)) if p < 1.0 else 1e-12 * truth
    high, root = truth, 0.0
    if low < high and slope(low) < 0.0:
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if slope(middle) < 0.0 else (low, middle)
        root = low
    return min(((s, (s - truth) ** 2 + ridge * s**p) for s in (0.0, root)), key=lambda found: found[1])
