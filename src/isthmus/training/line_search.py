"""How far to go along a direction."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

_DECREASE, _CURVATURE = 1e-4, 0.9  # of the strong Wolfe conditions, as usual for quasi-Newton directions
_MOST = 25  # evaluations of one search
_INSIDE = 0.1  # a step is taken at least this share of the bracket away from its ends
_FARTHEST = 10.0  # times the last step, at most, for the next one while there is no bracket


@dataclass(frozen=True, eq=False)
class Point:
    """A point of a line.

    Attributes:
        step: How far along, in directions.
        value: The objective.
        slope: Its derivative along the direction.
        gradient: All of its gradient.
    """

    step: float
    value: float
    slope: float
    gradient: Tensor


def wolfe_step(along: Callable[[float], Point], start: Point, first: float, *, evaluations: int) -> Point:
    r"""A step that meets the strong Wolfe conditions.

    With φ the objective along the direction they are $\varphi(t) \le \varphi(0) + 10^{-4}\, t\, \varphi'(0)$ and
    $|\varphi'(t)| \le 0.9\, |\varphi'(0)|$: then the change of the gradient has positive curvature along the step.

    Args:
        along: The point of a step.
        start: The point of step 0, of negative slope.
        first: The step to try first.
        evaluations: At most so many; no more than 25 are taken.

    Returns:
        The point; where the evaluations do not suffice, the lowest that was found, which may be `start`.

    Source:
        Nocedal and Wright (2006), algorithms 3.5 and 3.6.
    """
    left = min(evaluations, _MOST)
    previous, step = start, first
    while left > 0:
        point, left = along(step), left - 1
        if not math.isfinite(point.value):
            step = (previous.step + step) / 2.0 if previous.step else step / 10.0
            continue
        is_high = point.value > start.value + _DECREASE * step * start.slope
        if is_high or (previous.step > 0.0 and point.value >= previous.value):
            return _zoomed(along, start, previous, point, left)
        if abs(point.slope) <= -_CURVATURE * start.slope:
            return point
        if point.slope >= 0.0:
            return _zoomed(along, start, point, previous, left)
        low, high = point.step + 0.01 * (point.step - previous.step), point.step * _FARTHEST
        previous, step = point, _between(low, high, _cubic(previous, point), guard=0.0)
    return previous


def _zoomed(along: Callable[[float], Point], start: Point, low: Point, high: Point, left: int) -> Point:
    """A step between two, of which `low` is the lower and slopes towards the other."""
    for _ in range(left):
        width = abs(high.step - low.step)
        if width * abs(low.slope) <= 1e-9 * abs(start.value):
            break  # all that could be gained is rounding
        begin, end = sorted((low.step, high.step))
        point = along(_between(begin, end, _cubic(low, high), guard=_INSIDE * width))
        if point.value > start.value + _DECREASE * point.step * start.slope or not point.value < low.value:
            high = point
            continue
        if abs(point.slope) <= -_CURVATURE * start.slope:
            return point
        if point.slope * (high.step - low.step) >= 0.0:
            high = low
        low = point
    return low


def _cubic(a: Point, b: Point) -> float:
    """The minimum of the cubic through two points and their slopes; NaN where it has none."""
    if not math.isfinite(b.value) or not math.isfinite(b.slope):
        return math.nan
    bend = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.step - b.step)
    square = bend * bend - a.slope * b.slope
    if square < 0.0:
        return math.nan
    root = math.copysign(math.sqrt(square), b.step - a.step)
    below = b.slope - a.slope + 2.0 * root
    return b.step - (b.step - a.step) * (b.slope + root - bend) / below if below != 0.0 else math.nan


def _between(low: float, high: float, wanted: float, *, guard: float) -> float:
    """`wanted`, kept within the bracket and `guard` away from its ends; the middle where it is NaN."""
    if math.isnan(wanted):
        return (low + high) / 2.0
    return min(max(wanted, low + guard), high - guard)
