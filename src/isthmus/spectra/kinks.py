"""Rows at which a function has no one derivative, told from rows where it has, and moved onto a neighbouring piece."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.foundation.memory import rows_within
from isthmus.networks import FullyConnected
from isthmus.networks.evaluation import evaluating
from isthmus.networks.rowwise import RowFunction
from isthmus.spectra.local import pulled_back, saved_bytes

_LOOK = 1e-6  # in units of the spread: how far on either side the slopes are compared
_MOVE = 1e-4  # how far a row is moved
_SAME = 1e-4  # relative difference of slopes that curvature and rounding do not explain
_TRIES = 3
_EVERY = 8  # one row in so many is looked at in double precision in any case
_ULPS = 8.0  # a step in single precision is at least so many roundings
_EPS = torch.finfo(torch.float64).eps


@dataclass(frozen=True, eq=False)
class Kinks:
    """Where to differentiate instead.

    Attributes:
        x: `(n, …)`, the rows, those at a kink moved by a ten-thousandth of the spread.
        moved: `(n,)`, which were.
        left: `(n,)`, at which the derivative is not that of the values wherever the row was moved.
    """

    x: Tensor
    moved: Tensor
    left: Tensor

    def notes(self, index: Tensor) -> tuple[str, ...]:
        """What a reader should know, with the numbers of the rows `(n,)`."""
        found = []
        if bool(self.moved.any()):
            found.append(
                f"{_rows(index[self.moved])} at a kink, where there is no one derivative: it was taken a "
                "ten-thousandth of the spread away, on a neighbouring piece."
            )
        if bool(self.left.any()):
            found.append(
                f"{_rows(index[self.left])} where the derivative that torch gives is not that of the values (a "
                "straight-through estimator, rounding, or kinks everywhere): do not rely on the ranks there."
            )
        return tuple(found)


def _rows(numbers: Tensor) -> str:
    shown = ", ".join(map(str, numbers[:5].tolist())) + (", …" if len(numbers) > 5 else "")
    return f"Row {shown} lies" if len(numbers) == 1 else f"{len(numbers)} rows ({shown}) lie"


def off_kinks(single: RowFunction, x: Tensor, *, memory: int, seed: int = 0) -> Kinks:
    r"""The rows of `x` `(n, …)`, moved where the slopes ahead, behind and of autodiff differ along a random line.

    With g the gradient of $w^\top f$, w and u random, a row is at a kink where $g^\top u$ is not the slope of
    $w^\top f$ along u on both sides. This takes no knowledge of the module, needs three passes forward and one back,
    and also sees kinks that cancel in the values and not in autodiff. In single precision alone nothing can be seen.

    Double precision looks at the rows where gradients in single precision, which need no differences of values, change
    along that line or values jump, and at one row in eight; where one of these is at a kink all the same, at all.
    """
    function = single.in_double(x)
    nothing = torch.zeros(len(x), dtype=torch.bool)
    if function.dtype != torch.float64:
        return Kinks(x, nothing, nothing)
    rows, generator = x.double(), torch.Generator().manual_seed(seed)
    scale, direction = _spread(rows), _direction(rows, generator)
    w = torch.randn(function.d_out, generator=generator, dtype=torch.float64)
    at_kink = _at_kinks(single, function, rows, scale * direction, w, memory)
    moved, left = at_kink.clone(), at_kink
    for attempt in range(_TRIES):
        if not bool(left.any()):
            break
        step = _MOVE * 3.0**attempt * scale * (direction if attempt == 0 else _direction(rows, generator))
        rows = torch.where(_as_rows(left, rows), x.double() + step, rows)
        again = left.nonzero()[:, 0]
        left = left.clone()
        left[again] = _differ(function, rows[again], scale * direction, w, memory)
    rows = torch.where(_as_rows(left, rows), x.double(), rows)
    return Kinks(rows if bool(moved.any()) else x, moved & ~left, left)


def off_kinks_of_chain(network: FullyConnected, x: Tensor, *, seed: int = 0) -> Kinks:
    """The rows of `x` `(n, d_in)`, moved where a pre-activation is exactly 0 and is not a little further on."""
    nothing = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    if network.activation.is_linear:
        return Kinks(x, nothing, nothing)
    direction = _direction(x.double(), torch.Generator().manual_seed(seed)).to(x.device)
    further = x + (_MOVE * _spread(x.double()) * direction).to(x.dtype)
    moved = nothing
    for here, there in zip(network.pre_activations(x)[:-1], network.pre_activations(further)[:-1], strict=True):
        moved = moved | ((here == 0) & (there != 0)).any(1)
    return Kinks(torch.where(moved[:, None], further, x) if bool(moved.any()) else x, moved.cpu(), nothing.cpu())


def _spread(x: Tensor) -> Tensor:
    """The standard deviation of each input, or its size or 1 where it does not vary."""
    deviation, size = x.std(0, correction=0), x.abs().amax(0)
    return torch.where(deviation > 0, deviation, torch.where(size > 0, size, 1.0))


def _direction(x: Tensor, generator: torch.Generator) -> Tensor:
    """A random direction of one row, each entry about 1."""
    return torch.randn(x.shape[1:], generator=generator, dtype=torch.float64)


def _as_rows(mask: Tensor, x: Tensor) -> Tensor:
    return mask.reshape(-1, *[1] * (x.ndim - 1))


def _at_kinks(single: RowFunction, function: RowFunction, x: Tensor, line: Tensor, w: Tensor, memory: int) -> Tensor:
    """At which rows of `x` `(n, …)` the slopes along `line` are not one, `(n,)`."""
    if single.dtype != torch.float32:
        return _differ(function, x, line, w, memory)
    suspect = torch.zeros(len(x), dtype=torch.bool)
    with evaluating(single.module):
        size = rows_within(memory, 3 * saved_bytes(single, x[:1]), f"one row of {single.name}")
        for begin in range(0, len(x), size):
            suspect[begin : begin + size] = _change(single, x[begin : begin + size], line, w).cpu()
    asked = suspect.clone()
    asked[::_EVERY] = True
    found = torch.zeros_like(asked)
    found[asked] = _differ(function, x[asked], line, w, memory)
    if bool((found & ~suspect).any()):  # what single precision does not see may be anywhere
        found[~asked] = _differ(function, x[~asked], line, w, memory)
    return found


def _change(single: RowFunction, x: Tensor, line: Tensor, w: Tensor) -> Tensor:
    """Whether the gradient of wᵀf changes from one side of a row to the other, or its value jumps."""
    x, line, w = (each.to(dtype=single.dtype, device=single.device) for each in (x, line, w))
    # Large numbers swallow small steps.
    step = torch.maximum(_LOOK * line.abs(), _ULPS * torch.finfo(x.dtype).eps * x.abs()) * line.sign()
    (here, y), (ahead, above), (behind, below) = (_gradient(single, x + s * step, w) for s in (0.0, 1.0, -1.0))
    size = torch.stack([here, ahead, behind]).norm(dim=2).amax(0)
    apart = torch.stack([ahead - behind, ahead - here, behind - here]).norm(dim=2).amax(0)
    jump = ((above - below) @ w).abs() - 2.0 * (here * step.flatten(1)).sum(1).abs()
    seen = (apart <= _SAME * size) & (jump <= _SAME * (y.abs() @ w.abs()))
    change: Tensor = ~seen
    return change  # also where something is not finite


def _gradient(function: RowFunction, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient of wᵀf at each row, `(n, d_in)`, and f there."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        y = function(x)
        gradient = torch.zeros_like(x)
        if y.requires_grad:
            (gradient,) = pulled_back(function, (y @ w).sum(), x)
    return gradient.flatten(1), y.detach()


def _differ(function: RowFunction, x: Tensor, line: Tensor, w: Tensor, memory: int) -> Tensor:
    """At which rows of `x` `(n, …)` the three slopes along `line` are not one, `(n,)`."""
    found = []
    with evaluating(function.module):
        size = rows_within(memory, 3 * saved_bytes(function, x[:1]), f"one row of {function.name}")
        for rows in x.split(size):
            found.append(
                _differ_at(function, rows.to(function.device), line.to(function.device), w.to(function.device))
            )
    return torch.cat(found).cpu()


def _differ_at(function: RowFunction, x: Tensor, line: Tensor, w: Tensor) -> Tensor:
    gradient, y = _gradient(function, x, w)
    with torch.no_grad():
        along = gradient * line.flatten()
        slope, size = along.sum(1), along.norm(dim=1)
        allowed = _SAME * size + 5e3 * _EPS * (y.abs() @ w.abs()) / _LOOK
        at_kink = torch.zeros(len(x), dtype=torch.bool, device=x.device)
        for side in (1.0, -1.0):
            near = _slope(function, x, y, side * _LOOK, line, w)
            doubtful = ((near - slope).abs() > allowed).nonzero()[:, 0]
            if len(doubtful):  # a bend counts twice over twice the distance, a kink does not
                far = _slope(function, x[doubtful], y[doubtful], 2.0 * side * _LOOK, line, w)
                off = (2.0 * near[doubtful] - far - slope[doubtful]).abs()
                at_kink[doubtful] |= off > allowed[doubtful]
        return at_kink


def _slope(function: RowFunction, x: Tensor, y: Tensor, step: float, line: Tensor, w: Tensor) -> Tensor:
    """The slope of wᵀf along `line` between the rows and `step` from them, `(n,)`."""
    result: Tensor = (function(x + step * line) - y) @ w / step
    return result
