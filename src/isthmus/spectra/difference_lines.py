"""Differences of a function along straight lines, as matrices with what is known of their errors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.spectra.difference_step import EPS, DifferenceStep
from isthmus.spectra.evaluated import EvaluatedFunction
from isthmus.spectra.units import Units
from isthmus.spectra.value_bars import EntryNoise

_BENT = 5.0  # times the noise that an error is told from noise
_HELD = 1 << 22  # numbers of points that are made at a time
_ROUNDINGS = 1e3  # of a row that an offset is at least


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines along which f is differenced.

    Attributes:
        offsets: `(q, d)`, from a row to the nearer of the two points on either side.
        weights: `(q,)`: half the change of f between the nearer points, times its weight, is a column of a matrix.
    """

    offsets: Tensor
    weights: Tensor


@dataclass(frozen=True, eq=False)
class LineDifferences:
    r"""Matrices D(h) of differences, with T = (D(2h) − D(h)) / 3, which is their error where f is smooth.

    Attributes:
        matrices: D(h) in the units of the outputs, `(n, m, q)`.
        truncation: T, `(n, m, q)`.
        jump: $\|2 S(h) − S(2h)\|$ of the second differences S, `(n,)`: of the jump of the slope where there is a kink.
        noise: Of the entries of D(h).
        at_kink: `(n,)`, whether the slopes before and behind a row differ.
        is_bent: `(n,)`, whether the error is more than noise: f is bent or has a kink within reach.
    """

    matrices: Tensor
    truncation: Tensor
    jump: Tensor
    noise: EntryNoise
    at_kink: Tensor
    is_bent: Tensor

    def bound(self) -> Tensor:
        r"""A bound of the norm of the error, `(n,)`, for every distance t < h of one kink.

        It moves D(h) by (h − t)/2h of the jump of the slope, T is t/12h of it, and 2 S(h) − S(2h) = (2h − 3t)/4h of it,
        so that $3\|T\| + \|2 S(h) − S(2h)\| + 2 N$ holds, N the norm to be expected of the noise.
        """
        size: Tensor = torch.linalg.matrix_norm(self.truncation, ord=2)
        return 3.0 * size + self.jump + 2.0 * self.noise.norm()


def coordinate_lines(how: DifferenceStep, units: Units, x: Tensor, step: float) -> Lines:
    """Each input in turn, so that D(h) is the Jacobian in the units, for rows `(n, d)`."""
    steps = torch.maximum(step * how.scale, _ROUNDINGS * EPS * x.abs().amax(0))
    return Lines(torch.diag(steps), units.inputs / steps)


def random_lines(how: DifferenceStep, units: Units, x: Tensor, step: float, gaussian: Tensor) -> Lines:
    """Along the columns of `gaussian` `(d, q)` in the units, so that D(h) is the Jacobian in the units times them."""
    directions = units.inputs[:, None] * gaussian
    sizes = (directions / how.scale[:, None]).norm(dim=0).clamp_min(1e-300)
    # Of a line through all inputs each moves by a small part of the step.
    least = _ROUNDINGS * EPS * float((x.abs().amax(0) / how.scale).norm())
    distance = max(step, least)
    return Lines((distance * directions / sizes).T.contiguous(), sizes / distance)


def differences_along(
    function: EvaluatedFunction, x: Tensor, centre: Tensor, lines: Lines, how: DifferenceStep, units: Units
) -> LineDifferences:
    """Differences of f at the rows `x` `(n, d)`, where it is `centre` `(n, m)`, over one and two offsets of the lines.

    Raises:
        EvaluationBudgetError: If the budget does not allow four evaluations of each row and line.
    """
    needed = 4 * len(x) * len(lines.offsets)
    if needed > function.left:
        raise function.exceeded(needed)
    near, near_bend = _central(function, x, centre, lines, 1.0)
    far, far_bend = _central(function, x, centre, lines, 2.0)
    weigh = units.outputs[:, None]
    noise = EntryNoise(how.noise * units.outputs, lines.weights / 2.0**0.5)
    truncation = weigh * (far - near) / 3.0
    jump = torch.linalg.matrix_norm(weigh * (2.0 * near_bend - far_bend), ord=2)
    at_kink = jump > 2 * _BENT * noise.norm()
    is_bent = (torch.linalg.matrix_norm(truncation, ord=2) > _BENT * noise.norm()) | at_kink
    return LineDifferences(weigh * near, truncation, jump, noise, at_kink, is_bent)


def _central(
    function: EvaluatedFunction, x: Tensor, centre: Tensor, lines: Lines, times: float
) -> tuple[Tensor, Tensor]:
    """First and second differences over so many offsets, each over its distance, `(n, m, q)` each."""
    n, d = x.shape
    first, second = [], []
    size = max(1, _HELD // (n * d))
    for offsets, weights in zip(lines.offsets.split(size), lines.weights.split(size), strict=True):
        ahead, behind = x[:, None] + times * offsets, x[:, None] - times * offsets
        # What was really added: x + h is rounded.
        longer = (ahead - behind).norm(dim=2) / (2.0 * offsets.norm(dim=1)).clamp_min(1e-300)
        values = function(torch.cat([ahead.reshape(-1, d), behind.reshape(-1, d)]))
        plus, minus = values.reshape(2, n, len(offsets), -1)
        over = (weights / (2.0 * longer).clamp_min(1e-300))[:, :, None]
        first.append((plus - minus) * over)
        second.append((plus - 2.0 * centre[:, None] + minus) * over)
    return torch.cat(first, 1).mT, torch.cat(second, 1).mT
