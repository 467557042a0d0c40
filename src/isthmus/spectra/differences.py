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

_TIMES_NOISE = 2.0  # how far beyond its expectation the norm of the noise may lie
_BENT = 5.0  # times the noise that an error is told from noise
_CLOSER = 8.0  # times nearer the points of a row that is bent are taken again
_ATTEMPTS = 3


@dataclass(frozen=True, eq=False)
class DifferenceSpectra:
    """Singular values by differences.

    Attributes:
        values: `(n, r)`, descending.
        bars: `(n,)`: each value of a row is off by at most this (Weyl: by the norm of the error of the Jacobian).
        at_kinks: `(n,)`, whether the slopes before and behind a row differ.
    """

    values: Tensor
    bars: Tensor
    at_kinks: Tensor

    def intervals(self) -> JacobianSpectra:
        """Lower and upper ends; a value below its bar has the lower end 0: it was not seen."""
        bars = self.bars[:, None]
        return JacobianSpectra((self.values - bars).clamp_min(0.0), self.values + bars)


def evaluations_per_row(d_in: int) -> int:
    """Evaluations that the spectrum at one row takes: at the row, and at two distances on either side of it."""
    return 4 * d_in + 1


def difference_spectra(
    function: EvaluatedFunction, x: Tensor, how: DifferenceStep, *, memory: int, report: Report = silent
) -> DifferenceSpectra:
    r"""Singular values of the Jacobian at the rows of `x` by central differences D(h).

    Let T = (D(2h) − D(h)) / 3, which is the error of D(h) where f is smooth, and N the norm to be expected of the
    noise. Then the bar is $\|T\| + 2 N$. Where f has a kink at the row itself, D is the same at every distance; the
    second differences S tell: 2 S(h) − S(2h) is half the jump of the slope, and its norm is added. Rows whose error
    is more than noise are taken again from points eight times nearer, and the smaller bar is kept.

    Args:
        function: f.
        x: `(n, d_in)`, float64.
        how: The step and the noise.
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
        found.append(_refined(function, rows, function(rows), how))
        report((begin + len(rows)) / len(x), f"Jacobian {begin + len(rows)} of {len(x)}")
    return DifferenceSpectra(*(torch.cat(parts) for parts in zip(*found, strict=True)))


def _refined(
    function: EvaluatedFunction, x: Tensor, centre: Tensor, how: DifferenceStep
) -> tuple[Tensor, Tensor, Tensor]:
    """Values, bars and kinks of some rows; those that are bent are tried again nearer."""
    step = how.step
    values, bars, bent, kinks = _measured(function, x, centre, how, step)
    for _ in range(_ATTEMPTS - 1):
        again = bent.nonzero()[:, 0]
        step /= _CLOSER
        if not len(again) or len(again) * evaluations_per_row(function.d_in) > function.left:
            break
        nearer = _measured(function, x[again], centre[again], how, step)
        better = nearer[1] < bars[again]
        chosen = again[better]
        values[chosen], bars[chosen], kinks[chosen] = nearer[0][better], nearer[1][better], nearer[3][better]
        bent[again] = nearer[2] & better
    return values, bars, kinks


def _measured(
    function: EvaluatedFunction, x: Tensor, centre: Tensor, how: DifferenceStep, step: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Singular values, bars, whether the error is more than noise, whether there is a kink at the row."""
    steps = torch.maximum(step * how.scale, 1e3 * EPS * x.abs().amax(0))
    if 4 * len(x) * x.shape[1] > function.left:
        raise EvaluationBudgetError(
            function.name, function.evaluations + 4 * len(x) * x.shape[1], function.evaluations + function.left
        )
    near, near_bend = _central(function, x, centre, steps)
    far, far_bend = _central(function, x, centre, 2.0 * steps)
    noise = _noise_norm(how.noise, steps)
    error = torch.linalg.matrix_norm((far - near) / 3.0, ord=2)
    jump = torch.linalg.matrix_norm(2.0 * near_bend - far_bend, ord=2)
    at_kink = jump > 2 * _BENT * noise
    bars = error + _TIMES_NOISE * noise + torch.where(at_kink, jump, 0.0)
    return torch.linalg.svdvals(near), bars, (error > _BENT * noise) | at_kink, at_kink


def _central(function: EvaluatedFunction, x: Tensor, centre: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
    """First differences over their distance, and second ones over twice it, `(n, m, d)` each."""
    n, d = x.shape
    offsets = torch.diag(steps)
    ahead, behind = x[:, None] + offsets, x[:, None] - offsets
    # What was really added: x + h is rounded.
    distance = torch.diagonal(ahead - behind, dim1=1, dim2=2)
    values = function(torch.cat([ahead.reshape(-1, d), behind.reshape(-1, d)]), " near a row")
    plus, minus = values.reshape(2, n, d, -1)
    first = (plus - minus) / distance[:, :, None]
    second = (plus - 2.0 * centre[:, None] + minus) / distance[:, :, None]
    return first.mT, second.mT


def _noise_norm(noise: Tensor, steps: Tensor) -> float:
    """The spectral norm to be expected of independent noise in a matrix of central differences."""
    columns = float(noise.norm()) / float(steps.min())
    rows = float(noise.max()) * float((1.0 / steps).norm())
    return float((columns + rows) / 2.0**0.5)
