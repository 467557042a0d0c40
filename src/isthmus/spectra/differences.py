"""Jacobian spectra of a function of which only values are known, with an error bar for every singular value."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.errors import EvaluationBudgetError
from isthmus.foundation.memory import rows_within
from isthmus.foundation.progress import Report, silent
from isthmus.spectra.difference_step import EPS, DifferenceStep
from isthmus.spectra.evaluated import EvaluatedFunction
from isthmus.spectra.point_spectra import JacobianSpectra
from isthmus.spectra.units import Units
from isthmus.spectra.value_bars import EntryNoise, value_bars

_BENT = 5.0  # times the noise that an error is told from noise
_CLOSER = 8.0  # times nearer the points of a row that is bent are taken again
_ATTEMPTS = 3


@dataclass(frozen=True, eq=False)
class DifferenceSpectra:
    """Singular values by differences.

    Attributes:
        values: `(n, r)`, descending.
        bars: `(n, r)`: each value is off by at most this.
        at_kinks: `(n,)`, whether the slopes before and behind a row differ.
    """

    values: Tensor
    bars: Tensor
    at_kinks: Tensor

    def intervals(self) -> JacobianSpectra:
        """Lower and upper ends; a value below its bar has the lower end 0: it was not seen."""
        lower, upper = (self.values - self.bars).clamp_min(0.0), self.values + self.bars
        # Values descend, so that what is known of one bounds its neighbours.
        return JacobianSpectra(lower.flip(1).cummax(1).values.flip(1), upper.cummin(1).values)


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
    r"""Singular values of the Jacobian at the rows of `x` by central differences D(h).

    Let T = (D(2h) − D(h)) / 3, which is the error of D(h) where f is smooth, and N the norm to be expected of the
    noise. Where the error is noise alone, the bar of each value is that of `value_bars`. Where it is more, f is bent or
    has a kink within reach, and the bar of all is a bound of the norm of the error (Weyl): a kink at a distance t < h
    moves D(h) by (h − t)/2h of the jump of the slope, T is t/12h of it, and the second differences S show
    2 S(h) − S(2h) = (2h − 3t)/4h of it, so that $3\|T\| + \|2 S(h) − S(2h)\| + 2 N$ holds for every t. Such rows are
    taken again from points eight times nearer, and the smaller bars are kept.

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
    """
    outputs = len(how.noise)
    each = rows_within(memory, 8 * 6 * function.d_in * (outputs + function.d_in), f"the differences of {function.name}")
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    for begin in range(0, len(x), each):
        rows = x[begin : begin + each]
        found.append(_refined(function, rows, function(rows, numbers[begin : begin + each]), how, units))
        report((begin + len(rows)) / len(x), f"Jacobian {begin + len(rows)} of {len(x)}")
    return DifferenceSpectra(*(torch.cat(parts) for parts in zip(*found, strict=True)))


def _refined(
    function: EvaluatedFunction, x: Tensor, centre: Tensor, how: DifferenceStep, units: Units
) -> tuple[Tensor, Tensor, Tensor]:
    """Values, bars and kinks of some rows; those that are bent are tried again nearer."""
    step = how.step
    values, bars, bent, kinks = _measured(function, x, centre, how, units, step)
    for _ in range(_ATTEMPTS - 1):
        again = bent.nonzero()[:, 0]
        step /= _CLOSER
        if not len(again) or len(again) * evaluations_per_row(function.d_in) > function.left:
            break
        nearer = _measured(function, x[again], centre[again], how, units, step)
        better = nearer[1][:, 0] < bars[again, 0]
        chosen = again[better]
        values[chosen], bars[chosen], kinks[chosen] = nearer[0][better], nearer[1][better], nearer[3][better]
        bent[again] = nearer[2] & better
    return values, bars, kinks


def _measured(
    function: EvaluatedFunction, x: Tensor, centre: Tensor, how: DifferenceStep, units: Units, step: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Singular values, bars, whether the error is more than noise, whether there is a kink at the row."""
    steps = torch.maximum(step * how.scale, 1e3 * EPS * x.abs().amax(0))
    if 4 * len(x) * x.shape[1] > function.left:
        raise EvaluationBudgetError(
            function.name, function.evaluations + 4 * len(x) * x.shape[1], function.evaluations + function.left
        )
    near, near_bend = _central(function, x, centre, steps)
    far, far_bend = _central(function, x, centre, 2.0 * steps)
    noise = EntryNoise(how.noise * units.outputs, units.inputs / steps / 2.0**0.5)
    truncation = units.of_jacobian((far - near) / 3.0)
    error = torch.linalg.matrix_norm(truncation, ord=2)
    jump = torch.linalg.matrix_norm(units.of_jacobian(2.0 * near_bend - far_bend), ord=2)
    at_kink = jump > 2 * _BENT * noise.norm()
    is_bent = (error > _BENT * noise.norm()) | at_kink
    values, bars = value_bars(units.of_jacobian(near), truncation, noise)
    bars[is_bent] = (3.0 * error + jump + 2.0 * noise.norm())[is_bent, None]
    return values, bars, is_bent, at_kink


def _central(function: EvaluatedFunction, x: Tensor, centre: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
    """First differences over their distance, and second ones over twice it, `(n, m, d)` each."""
    n, d = x.shape
    offsets = torch.diag(steps)
    ahead, behind = x[:, None] + offsets, x[:, None] - offsets
    # What was really added: x + h is rounded.
    distance = torch.diagonal(ahead - behind, dim1=1, dim2=2)
    values = function(torch.cat([ahead.reshape(-1, d), behind.reshape(-1, d)]))
    plus, minus = values.reshape(2, n, d, -1)
    first = (plus - minus) / distance[:, :, None]
    second = (plus - 2.0 * centre[:, None] + minus) / distance[:, :, None]
    return first.mT, second.mT
