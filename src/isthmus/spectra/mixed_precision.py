"""Jacobian spectra in single precision, and in double precision where it decides."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from isthmus.errors import NotDifferentiableError
from isthmus.foundation.progress import Report, silent
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks.evaluation import evaluating
from isthmus.networks.rowwise import RowFunction
from isthmus.spectra.gram import gram_singular_values, singular_values
from isthmus.spectra.local import jacobian_rows, local_spectra, rows_at_a_time
from isthmus.spectra.point_spectra import JacobianSpectra
from isthmus.spectra.units import Units

_PROMISED = 1e-5  # error over σ_1 of every singular value
_LIMIT = _PROMISED / 10  # estimated error over σ_1 up to which a row is confirmed
_SMALLEST = 1e-3  # of σ_1: values below it would be known to less than 1 %
_NEAR = 0.01  # relative distance to the tolerance within which double precision decides
_FEWEST_PASSES = 4  # below, the confirmation costs more than single precision saves
_PILOT = 8  # rows that are tried first, each of them confirmed
_EVERY = 8  # afterwards one row in so many
_LIKE = 2.0  # times the range of confirmed rows within which another row is like them
_BESIDE = 1e-6  # of the size of a row: rounding moves a pre-activation by less
_FUTILE = 1 / 3  # share of unconfirmed rows above which the rest is done in double precision at once


def confirmed_spectra(
    function: RowFunction,
    x: Tensor,
    *,
    tolerance: Tolerance,
    memory: int,
    units: Units | None = None,
    seed: int = 0,
    report: Report = silent,
) -> JacobianSpectra:
    r"""Singular values of the Jacobian at the rows of `x` `(n, *input_shape)`: each to 1e-5 of the largest.

    Single precision, and double precision where it decides: rows whose smallest value is below $10^{-3} \sigma_1$
    (smaller values may be rounding, and a function of lower rank is one whose small values are looked at) and rows
    with a value within 1 % of the tolerance are differentiated in double precision.

    Of the others the first eight, one in eight, and every one that is unlike those in the size of its input or of
    $\sigma_1$, are confirmed. Let E be the error of a Jacobian in single precision and u a standard normal vector.
    Then $\mathbb E\|u^\top E\|^2 = \|E\|_F^2$, which bounds the error of every singular value (Weyl), and
    $u^\top J$ in double precision takes one backward pass. A row is confirmed if
    $\|u^\top E\| \le 10^{-6} \sigma_1$; one of error $\|E\|_F = \delta \sigma_1$ is so with probability at most
    $0.8 \cdot 10^{-6} / \delta$. Where one is not, and single precision does not give the derivative a millionth of
    the row beside it either, as within rounding of a kink, the fault may be in any: every other row is confirmed, or
    differentiated in double precision.

    To count a wrong rank without a word, a row like its neighbours would have to be off by $10^{-3} \sigma_1$, a
    thousand times what all confirmed rows are. What is left is a row within rounding of a kink: there the derivative is
    that of a piece which meets it.

    Args:
        function: Any differentiable function of rows.
        x: Where to differentiate.
        tolerance: At which ranks are going to be decided.
        memory: Bytes that Jacobians and saved activations may take.
        units: What inputs and outputs are counted in; as they are if None.
        seed: Of u.
        report: Told the fraction done.

    Raises:
        MemoryBudgetError: If one row does not fit.
        NotDifferentiableError: If a derivative is NaN or infinite in double precision.
    """
    single, exact = function.in_channels_last(x), function.in_double(x)
    pays = min(function.d_out, function.d_in) >= _FEWEST_PASSES
    if single.dtype == torch.float64 or exact.dtype != torch.float64 or not pays:
        return local_spectra(exact, x, memory=memory, units=units, report=report)
    values = torch.zeros(len(x), min(function.d_in, function.d_out), dtype=torch.float64, device=function.device)
    with evaluating(function.module):
        size, in_double = rows_at_a_time(single, x, memory), rows_at_a_time(exact, x, memory)
        rest = max(1, len(x) - _PILOT)
        size = math.ceil(rest / math.ceil(rest / size))  # equal chunks: small ones take longer for each row
        check = _Check(exact, in_double, units, tolerance, torch.Generator().manual_seed(seed))
        trusted = torch.zeros(len(x), dtype=torch.bool, device=function.device)
        begin = tried = refused = 0
        while begin < len(x):
            part = slice(begin, begin + (min(size, _PILOT) if begin == 0 else size))
            rows = x[part]
            doubtful = torch.ones(len(rows), dtype=torch.bool, device=function.device)
            check.trusted = torch.zeros_like(doubtful)
            if refused <= _FUTILE * tried:
                values[part], doubtful = _attempt(single, rows, units, check)
                tried, refused = tried + len(rows), refused + int(doubtful.sum())
            trusted[part] = check.trusted
            if doubtful.any():
                values[part][doubtful] = _exact_values(exact, rows[doubtful.to(rows.device)], units, in_double)
            begin += len(rows)
            report(begin / len(x), f"Jacobian {begin} of {len(x)}")
        if not check.is_sampled and trusted.any():  # before the first failure
            values[trusted] = _exact_values(exact, x[trusted.to(x.device)], units, in_double)
    return JacobianSpectra(values)


def _exact_values(exact: RowFunction, x: Tensor, units: Units | None, rows: int) -> Tensor:
    return torch.cat([singular_values(jacobian_rows(exact, part, units)) for part in x.split(rows)])


def _attempt(single: RowFunction, x: Tensor, units: Units | None, check: _Check) -> tuple[Tensor, Tensor]:
    """Singular values from single precision, and which rows they are not good enough for, `(n,)`."""
    try:
        jacobian = jacobian_rows(single, x, units).double()
    except NotDifferentiableError:  # infinite in single precision only, perhaps
        values = torch.zeros(len(x), min(single.d_in, single.d_out), dtype=torch.float64, device=single.device)
        return values, torch.ones(len(x), dtype=torch.bool, device=single.device)
    values = gram_singular_values(jacobian)
    return values, check.doubtful(x, jacobian, values)


class _Check:
    """Which rows single precision is not good enough for; remembers what the confirmed ones were like.

    Attributes:
        is_sampled: Whether no row has failed so far, so that not all are confirmed.
        trusted: `(n,)`, which of the last rows were taken without being confirmed.
    """

    def __init__(
        self, exact: RowFunction, rows: int, units: Units | None, tolerance: Tolerance, generator: torch.Generator
    ) -> None:
        self._rows = rows  # at a time
        self._exact, self._units, self._tolerance, self._generator = exact, units, tolerance, generator
        self._range: tuple[Tensor, Tensor] | None = None
        self.is_sampled, self.trusted = True, torch.zeros(1, dtype=torch.bool)

    def doubtful(self, x: Tensor, jacobian: Tensor, values: Tensor) -> Tensor:
        """`(n,)`, of the rows `x` with Jacobians `(n, d_out, d_in)` and singular values from single precision."""
        first, limit = values[:, :1], self._tolerance.relative
        is_near = ((values - limit * first).abs() <= _NEAR * limit * first).any(1)
        doubtful: Tensor = is_near | (values[:, -1] < _SMALLEST * first[:, 0])
        sizes = torch.stack([x.flatten(1).abs().amax(1).to(first), first[:, 0]], 1)
        asked = torch.arange(len(x), device=first.device) % _EVERY == 0
        if self._range is None or not self.is_sampled:
            asked = torch.ones_like(asked)
        else:
            low, high = self._range
            asked |= ((sizes < low / _LIKE) | (sizes > high * _LIKE)).any(1)
        failed = self._failed(x, jacobian, first[:, 0], asked & ~doubtful)
        if self.is_sampled and self._is_faulty(x, jacobian, first[:, 0], failed):
            self.is_sampled = False
            failed |= self._failed(x, jacobian, first[:, 0], ~asked & ~doubtful)
        self.trusted = ~asked & ~doubtful & self.is_sampled
        confirmed = sizes[asked & ~doubtful & ~failed]
        if len(confirmed):
            low, high = confirmed.amin(0), confirmed.amax(0)
            if self._range is not None:
                low, high = torch.minimum(low, self._range[0]), torch.maximum(high, self._range[1])
            self._range = low, high
        return doubtful | failed

    def _is_faulty(self, x: Tensor, jacobian: Tensor, first: Tensor, failed: Tensor) -> bool:
        """Whether any of the `failed` rows is no row within rounding of a kink.

        There single precision is on another of the pieces that meet, and right at the row moved a little to one side.
        """
        at = failed.nonzero()[:, 0].to(x.device)
        if not len(at):
            return False
        size = x[at].abs() + x[at].flatten(1).abs().mean(1).reshape(-1, *[1] * (x.ndim - 1))
        move = _BESIDE * size * torch.randn(x[at].shape, generator=self._generator, dtype=torch.float64).to(size).sign()
        explained = torch.zeros(len(at), dtype=torch.bool, device=first.device)
        for side in (1.0, -1.0):
            moved = x[at].double() + side * move
            left = ~explained
            promised = self._failed(moved, jacobian[failed], first[failed], left, _PROMISED)
            explained |= left & ~promised
        return not bool(explained.all())

    def _failed(self, x: Tensor, jacobian: Tensor, first: Tensor, asked: Tensor, limit: float = _LIMIT) -> Tensor:
        """Which of the rows that are `asked` for, `(n,)`, are not confirmed in double precision."""
        failed = torch.zeros_like(asked)
        for rows in asked.nonzero()[:, 0].split(self._rows):
            if not len(rows):
                break
            u = torch.randn(len(rows), jacobian.shape[1], generator=self._generator, dtype=torch.float64).to(first)
            exact = _pulled_back(self._exact, x[rows.to(x.device)], u, self._units)
            error = (exact - (u[:, None, :] @ jacobian[rows])[:, 0]).norm(dim=1)
            failed[rows] = error > limit * first[rows]
        return failed


def _pulled_back(function: RowFunction, x: Tensor, u: Tensor, units: Units | None) -> Tensor:
    """Jᵀ u at each row in the units, `(n, d_in)`, for one u `(n, d_out)` a row."""
    u = u if units is None else u * units.outputs.to(u)
    with torch.enable_grad():
        x = x.to(dtype=function.dtype, device=function.device).detach().clone().requires_grad_()
        y = function(x)
        if not y.requires_grad:  # a constant function
            return torch.zeros(len(x), function.d_in, dtype=function.dtype, device=function.device)
        (result,) = torch.autograd.grad(y, x, u, materialize_grads=True)
    gradient = result.flatten(1)
    return gradient if units is None else gradient * units.inputs.to(gradient)
