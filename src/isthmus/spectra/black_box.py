"""Any callable on arrays, measured by its values alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from isthmus.errors import OptionError, RandomOutputError, UnsupportedModuleError
from isthmus.foundation.progress import Report, silent
from isthmus.foundation.rows import Rows
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks.rowwise import RowFunction
from isthmus.spectra.difference_sketch import FEWEST_LINES, MOST_LINES, evaluations_along, sketched_differences
from isthmus.spectra.difference_step import DifferenceStep, difference_step
from isthmus.spectra.differences import DifferenceSpectra, difference_spectra, evaluations_per_row
from isthmus.spectra.evaluated import EvaluatedFunction
from isthmus.spectra.measure_options import MeasureOptions
from isthmus.spectra.units import SCALED_ROWS, Units, units_of

PASSES = 40
"""Evaluations of each row that the projections of a callable take at most."""
_FEWEST = 10  # rows over which a spread is still taken
_ENOUGH = 10  # rows that must be affordable for differences in every input, or they are taken along fewer lines
_LINES_EACH = 16  # random lines for each leading singular value


@dataclass(frozen=True, eq=False)
class BlackBox:
    """A callable with its spectra.

    Attributes:
        function: f, which has counted its evaluations.
        how: Step and noise of the differences.
        spectra: At the points.
        points: Which rows, `(n,)`.
        lines: Along how many random lines of a row differences were taken; 0 where along each input.
        asked: At how many rows the spectra were asked for.
        outputs: f at the rows over which spreads were taken, `(n, m)`.
        units: What inputs and outputs are counted in.
    """

    function: EvaluatedFunction
    how: DifferenceStep
    spectra: DifferenceSpectra
    points: Tensor
    lines: int
    asked: int
    outputs: Tensor
    units: Units

    def row_function(self) -> RowFunction:
        """The same function for what only needs its values."""
        shape = self.function.row_shape
        outputs = len(self.how.noise)
        return RowFunction(_Called(self.function), None, shape, torch.float64, torch.device("cpu"), outputs, {})

    def unseen(self, tolerance: Tolerance) -> int:
        """The largest number over the points of directions that may lie above the tolerance and below their bar."""
        ends = self.spectra.intervals()
        assert ends.upper is not None
        largest = ends.singular_values[:, :1]
        possible = (ends.upper > tolerance.relative * largest).sum(1)
        return int((possible - ends.ranks(tolerance)).max())

    def notes(self, tolerance: Tolerance) -> tuple[str, ...]:
        """How the differences were taken, how exact they are, and what f did that it should not."""
        spectra, f = self.spectra, self.function
        first = spectra.values[:, 0]
        known = "no step changed an output: f is constant around these rows, and may vary elsewhere."
        if bool((first > 0).any()):
            error = float((spectra.bars.amax(1) / first)[first > 0].median())
            known = f"each singular value is known to {error:.1g} of the largest or better (median)."
        found = [
            f"Derivatives are differences of {f.name}'s values: {f.evaluations} evaluations in {f.calls} calls, over "
            f"{self.how.step:.1g} of the spread of each input, for a noise of {_share(self.how.noise, f):.1g} of the "
            f"outputs; {known}"
        ]
        if self.lines:
            found.append(
                f"They were taken along {self.lines} random lines of a row, fewer than its {f.d_in} inputs: singular "
                "values are known as intervals, of which each end holds with a probability of 0.9999, and ranks are "
                "least ones."
            )
        if self.unseen(tolerance):
            found.append(
                f"Up to {self.unseen(tolerance)} directions lie below what the noise lets see: they are neither "
                "counted nor known to be absent."
            )
        if bool(spectra.at_kinks.any()):
            rows = self.points[spectra.at_kinks].tolist()
            shown = ", ".join(map(str, rows[:5])) + (", …" if len(rows) > 5 else "")
            found.append(f"The slopes before and behind differ at {len(rows)} rows ({shown}): f has a kink there.")
        if len(self.points) < self.asked:
            found.append(f"The budget of evaluations allowed {len(self.points)} rows instead of {self.asked}.")
        if f.changes_argument:
            found.append(f"{f.name} changes its argument; it was given copies.")
        if f.spread > 0:
            found.append(f"{f.name} does not repeat itself: two evaluations of one row differ by up to {f.spread:.2g}.")
        if f.unrepeated:
            few = f"{f.unrepeated} of {len(self.outputs)} rows"
            found.append(
                f"At {few} they differ by more than ten times the noise that was measured, so that the error bars do "
                "not hold: do not rely on them."
            )
        return tuple(found)


def _share(noise: Tensor, function: EvaluatedFunction) -> float:
    return float(noise.norm()) / max(function.size, 1e-300)


def black_box(call: Callable[[Any], Any], rows: Rows, options: MeasureOptions, report: Report = silent) -> BlackBox:
    """Measure the spectra of a callable at evenly spaced rows, as many as the budget allows.

    Differences are taken in every input where the budget allows ten rows of them, else along random lines. Two fifths
    of the budget at most are left for projections.

    Args:
        call: Takes an array of rows in the dtype of the data, returns one output a row.
        rows: The data.
        options: Points, memory, evaluations, units, how many leading singular values are wanted, and the seed of the
            lines along which the noise is measured.
        report: Told the fraction done.

    Raises:
        UnsupportedModuleError: If `call` is no function.
        EvaluationBudgetError: If the budget does not allow one row.
        RandomOutputError: If chance hides every derivative.
        ModelCallError, RowCountError, DtypeError, NonFiniteError, MixedRowsError, NotDifferentiableError: If f is no
            differentiable function of one row.
    """
    evaluations = options.evaluations
    if evaluations < 1:
        raise OptionError("evaluations", evaluations, "a positive number")
    check_function(call)
    scaled, numbers = rows.spaced(min(SCALED_ROWS, max(_FEWEST, evaluations // 100)))
    kept = PASSES * min(len(scaled), evaluations // 100) + len(scaled)
    function = EvaluatedFunction(call, rows.row_shape, _dtype(rows), evaluations, kept)
    outputs = function(scaled.double().flatten(1), numbers)
    how = difference_step(function, rows.spaced(options.points)[0].double().flatten(1), options.seed)
    units = units_of(scaled, outputs, options.scale_inputs, options.scale_outputs, how.noise)
    asked = min(options.points, len(rows))
    lines = _lines(function, asked, options.leading)
    cost = evaluations_along(lines) if lines else evaluations_per_row(function.d_in)
    if function.left < cost:
        raise function.exceeded(cost)
    where, index = rows.spaced(min(asked, function.left // cost))
    x = where.double().flatten(1)
    take = partial(sketched_differences, lines=lines, seed=options.seed) if lines else difference_spectra
    spectra = take(function, x, index, how, units, memory=options.memory, report=report)
    function.budget, function.reserved = evaluations, 0
    function.watch_again(scaled.double().flatten(1), outputs, how.noise)
    if function.spread > 0 and not bool((spectra.intervals().singular_values > 0).any()):
        raise RandomOutputError(function.name, function.spread, "no derivative at any row rises above that")
    return BlackBox(function, how, spectra, index, lines, asked, outputs, units)


def _lines(function: EvaluatedFunction, asked: int, leading: int | None) -> int:
    """Along how many random lines of a row to take differences; 0 where along each input."""
    rows = min(asked, _ENOUGH)
    if leading is not None:
        lines = _LINES_EACH * leading
    elif function.left >= rows * evaluations_per_row(function.d_in):
        return 0
    else:
        lines = (function.left // rows - 1) // 4
    lines = min(max(lines, FEWEST_LINES), MOST_LINES)
    return lines if lines < function.d_in else 0


def check_function(call: object) -> None:
    """Refuse what cannot be called on rows, with the remedy where it has functions that can."""
    if callable(call):
        return
    reason = "it is not a network"
    functions = [name for name in ("decision_function", "predict_proba", "predict", "transform") if hasattr(call, name)]
    if functions:
        reason = f"it is no function; pass one of its functions ({', '.join(functions)})"
    raise UnsupportedModuleError(type(call).__name__, reason)


def _dtype(rows: Rows) -> Any:
    return np.float32 if rows.chunk(0, 1).dtype == torch.float32 else np.float64


class _Called(nn.Module):
    """The callable where a module is expected."""

    def __init__(self, function: EvaluatedFunction) -> None:
        super().__init__()
        self._function = (function,)

    def forward(self, x: Tensor) -> Tensor:
        (function,) = self._function
        return function(x.flatten(1).double())
