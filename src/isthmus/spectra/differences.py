"""Jacobian spectra of a function of which only values are known, with an error bar for every singular value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.foundation.memory import rows_within
from isthmus.foundation.progress import Report, silent
from isthmus.spectra.difference_lines import coordinate_lines, differences_along
from isthmus.spectra.difference_step import DifferenceStep
from isthmus.spectra.evaluated import EvaluatedFunction
from isthmus.spectra.point_spectra import JacobianSpectra
from isthmus.spectra.units import Units
from isthmus.spectra.value_bars import value_bars

_CLOSER = 8.0  # times nearer the points of a row that is bent are taken again
_ATTEMPTS = 3


@dataclass(frozen=True, eq=False)
class DifferenceSpectra:
    """Singular values by differences.

    Attributes:
        values: `(n, r)`, descending.
        bars: `(n, r)`: each value is off by at most this.
        at_kinks: `(n,)`, whether the slopes before and behind a row differ.
        is_leading: Whether there are more singular values, each at most the last with its bar.
    """

    values: Tensor
    bars: Tensor
    at_kinks: Tensor
    is_leading: bool = False

    def intervals(self) -> JacobianSpectra:
        """Lower and upper ends; a value below its bar has the lower end 0: it was not seen."""
        lower, upper = (self.values - self.bars).clamp_min(0.0), self.values + self.bars
        # Values descend, so that what is known of one bounds its neighbours.
        return JacobianSpectra(lower.flip(1).cummax(1).values.flip(1), upper.cummin(1).values, self.is_leading)


def evaluations_per_row(d_in: int) -> int:
    """Evaluations that the spectrum at one row takes: at the row, and at two distances on either side of it."""
    return 4 * d_in + 1


def difference_spectra(
    function: EvaluatedFunction,
    x: Tensor,
    numbers: Tensor,
    how: DifferenceStep,
    units: Units,
    *,
    memory: int,
    report: Report = silent,
) -> DifferenceSpectra:
    r"""Singular values of the Jacobian at the rows of `x` by central differences in each input.

    Where the error is noise alone, the bar of each value is that of `value_bars`; where it is more, the bar of all is
    the bound of its norm (Weyl). Such rows are taken again from points eight times nearer, and the smaller bars are
    kept.

    Args:
        function: f.
        x: `(n, d_in)`, float64.
        numbers: Of the rows in the data, `(n,)`.
        how: The step and the noise.
        units: What inputs and outputs are counted in.
        memory: Bytes that differences may take at a time.
        report: Told the fraction done.

    Raises:
        EvaluationBudgetError: If the budget does not allow all rows.
        MemoryBudgetError: If one row does not fit.
    """

    def attempt(rows: Tensor, centre: Tensor, step: float) -> Attempt:
        found = differences_along(function, rows, centre, coordinate_lines(how, units, rows, step), how, units)
        values, bars = value_bars(found.matrices, found.truncation, found.noise)
        bars[found.is_bent] = found.bound()[found.is_bent, None]
        return values, bars, found.is_bent, found.at_kink

    each = rows_within(memory, 8 * 6 * function.d_in * len(how.noise), f"the differences of {function.name}")
    cost = evaluations_per_row(function.d_in)
    return refined(function, x, numbers, attempt, how.step, each, cost, report)


Attempt = tuple[Tensor, Tensor, Tensor, Tensor]
"""Values, bars, which rows are bent, which lie at a kink."""


def refined(
    function: EvaluatedFunction,
    x: Tensor,
    numbers: Tensor,
    attempt: Callable[[Tensor, Tensor, float], Attempt],
    step: float,
    rows_at_a_time: int,
    cost: int,
    report: Report,
) -> DifferenceSpectra:
    """What `attempt` finds at the rows of `x`; those that are bent are tried again nearer while the budget lasts.

    Args:
        function: f.
        x: `(n, d_in)`.
        numbers: Of the rows in the data.
        attempt: Takes rows, f there, and the step.
        step: The first one.
        rows_at_a_time: Handed to `attempt`.
        cost: Evaluations that one row takes.
        report: Told the fraction done.
    """
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    for begin in range(0, len(x), rows_at_a_time):
        rows = x[begin : begin + rows_at_a_time]
        centre = function(rows, numbers[begin : begin + rows_at_a_time])
        values, bars, bent, kinks = attempt(rows, centre, step)
        nearer_step, after = step, len(x) - begin - len(rows)
        for _ in range(_ATTEMPTS - 1):
            again = bent.nonzero()[:, 0]
            nearer_step /= _CLOSER
            if not len(again) or (len(again) + after) * cost > function.left:
                break
            nearer = attempt(rows[again], centre[again], nearer_step)
            better = nearer[1][:, 0] < bars[again, 0]
            chosen = again[better]
            values[chosen], bars[chosen], kinks[chosen] = nearer[0][better], nearer[1][better], nearer[3][better]
            bent[again] = nearer[2] & better
        found.append((values, bars, kinks))
        report((begin + len(rows)) / len(x), f"Jacobian {begin + len(rows)} of {len(x)}")
    values, bars, kinks = (torch.cat(parts) for parts in zip(*found, strict=True))
    return DifferenceSpectra(values, bars, kinks)
