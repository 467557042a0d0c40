"""Which class is the most probable where, along a line: exactly, from the affine pieces of the outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.errors import DomainError, ShapeError
from isthmus.foundation.show import show, show_html
from isthmus.regions.enumeration import piecewise_linear
from isthmus.regions.line import knots
from isthmus.spectra import Model

if TYPE_CHECKING:
    import plotly.graph_objects as go

Floats = NDArray[np.float64]

_ROUNDING = 1e-12  # of the range: a class that is ahead on less than this owes it to the last digits


@dataclass(frozen=True)
class ClassOrder:
    r"""Which of the outputs $f_c(z)$ is the largest along the line, for z in a range.

    A class can be the largest on several intervals, or on none. The direction of the line has no meaning of its own.
    Where z is an encoder's, the order is one that this function has chosen, and the data need not have it: a steep
    encoder can put classes with gaps between them in any order, and lead past a third class between two that merely
    touch. Classes that overlap, so that the rows between them are of both in changing shares, have to be neighbours.

    Attributes:
        edges: $z_0 < z_1 < … < z_m$: the ends of the range, and between them where the largest output changes.
        labels: The class of each of the m intervals; neighbours differ. Where outputs tie along an interval it is the
            first of them.
        classes: All classes, in the order of the outputs.
    """

    edges: tuple[float, ...]
    labels: tuple[Any, ...]
    classes: tuple[Any, ...]

    @property
    def intervals(self) -> tuple[tuple[float, float, Any], ...]:
        """(lower, upper, class), from one end of the range to the other."""
        return tuple(zip(self.edges[:-1], self.edges[1:], self.labels, strict=True))

    @property
    def order(self) -> tuple[Any, ...]:
        """The classes that have an interval, by their centres.

        Unlike the place where a class begins, the centre gives the reverse order when z is reversed.
        """
        return tuple(sorted(self.centres, key=self.centres.__getitem__))

    @property
    def centres(self) -> dict[Any, float]:
        """Class -> the mean of z over all its intervals, of the classes that have one."""
        lengths, moments = dict.fromkeys(self.labels, 0.0), dict.fromkeys(self.labels, 0.0)
        for lower, upper, label in self.intervals:
            lengths[label] += upper - lower
            moments[label] += (upper - lower) * (lower + upper) / 2
        return {label: moments[label] / lengths[label] for label in lengths}

    @property
    def is_simple(self) -> bool:
        """Whether every class has exactly one interval, so that the order says it all."""
        return len(self.labels) == len(self.classes) == len(set(self.labels))

    @property
    def absent(self) -> tuple[Any, ...]:
        """The classes without an interval: they are the most probable nowhere in the range."""
        return tuple(label for label in self.classes if label not in self.labels)

    def plot(self) -> go.Figure:
        """A plotly figure of the line: where each class is ahead, its centre, and where the line changes hands."""
        return show(self)

    def _repr_html_(self) -> str:
        return show_html(self)


def class_order(decoder: Model, lower: float, upper: float, labels: Sequence[Any] | None = None) -> ClassOrder:
    """The classes along the line, from its affine pieces: on each, the upper envelope of straight lines.

    Intervals shorter than 1e-12 of the range are rounding and join the one before.

    Args:
        decoder: Of one input, with one output a class.
        lower: Where the range begins.
        upper: Where it ends.
        labels: Of the outputs; 0, 1, 2, … if None.

    Raises:
        ShapeError: If the decoder does not take one number, has a single output, or the labels do not fit.
        DomainError: If the range is empty or not finite.
        UnsupportedModuleError: If the decoder is no piecewise-linear network.
    """
    network = piecewise_linear(decoder)
    classes = tuple(range(network.d_out) if labels is None else labels)
    if network.d_in != 1 or network.d_out < 2:
        raise ShapeError(
            f"The decoder maps {network.d_in} numbers to {network.d_out}; classes have an order along one number, and "
            "there are two at least. In the plane, use enumerate_regions(…).decision_boundary()."
        )
    if len(classes) != network.d_out:
        raise ShapeError(f"{len(classes)} labels were given for {network.d_out} outputs. Name each output once.")
    if not (np.isfinite([lower, upper]).all() and lower < upper):
        raise DomainError(f"The range from {lower:g} to {upper:g} is empty or unbounded. Give the lower end first.")
    at = knots(network, lower, upper)
    values = network(torch.from_numpy(at)[:, None]).numpy()
    found = [
        start
        for a, b, left, right in zip(at[:-1], at[1:], values[:-1], values[1:], strict=True)
        for start in _envelope(float(a), float(b), left, right)
    ]
    runs = _runs(found)
    ends = [start for start, _ in runs[1:]] + [upper]
    kept = [run for run, end in zip(runs, ends, strict=True) if end - run[0] > _ROUNDING * (upper - lower)]
    runs = _runs(kept)
    edges = (float(lower), *(float(start) for start, _ in runs[1:]), float(upper))
    return ClassOrder(edges, tuple(classes[owner] for _, owner in runs), classes)


def _runs(found: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
    """The first of each run of equal owners."""
    return [next(run) for _, run in groupby(found, key=lambda start: start[1])]


def _envelope(a: float, b: float, left: Floats, right: Floats) -> Iterator[tuple[float, int]]:
    """(start, class) of the largest of some straight lines on [a, b], by their values `(c,)` at both ends."""
    first, last = int(left.argmax()), int(right.argmax())
    yield a, first
    if first == last:  # the largest at both ends is so between them
        return
    ahead, behind = left[first] - left[last], right[last] - right[first]
    share = ahead / (ahead + behind)
    middle, there = a + share * (b - a), left + share * (right - left)
    highest = int(there.argmax())
    is_higher = there[highest] > max(there[first], there[last])
    if highest in (first, last) or not is_higher or not a < middle < b:
        yield middle, last
        return
    yield from _envelope(a, middle, left, there)
    yield from _envelope(middle, b, there, right)
