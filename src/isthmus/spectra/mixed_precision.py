"""Jacobian spectra in single precision, confirmed row by row by one pass in double precision."""

from __future__ import annotations

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

_LIMIT = 1e-6  # estimated error over σ_1 up to which a row is confirmed, a tenth of what is promised
_SMALLEST = 1e-3  # of σ_1: values below it would be known to less than 1 %
_NEAR = 0.01  # relative distance to the tolerance within which double precision decides
_FEWEST_PASSES = 4  # below, the confirmation costs more than single precision saves
_PILOT = 8  # rows that are tried first
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

    Let E be the error of a Jacobian computed in single precision and u a standard normal vector. Then
    $\mathbb E\|u^\top E\|^2 = \|E\|_F^2$, which bounds the error of every singular value (Weyl), and $u^\top J$ in
    double precision takes one backward pass. A row is confirmed if

    1. $\|u^\top E\| \le 10^{-6} \sigma_1$,
    2. $\sigma_{\min} \ge 10^{-3} \sigma_1$: smaller values may be rounding, and a function of lower rank is one whose
       small values are looked at,
    3. no $\sigma_i / \sigma_1$ is within 1 % of the tolerance, so that no rank is decided by rounding.

    All other rows are differentiated in double precision. A row whose error $\|E\|_F$ exceeds $\delta \sigma_1$ is
    confirmed with probability at most $0.8 \cdot 10^{-6} / \delta$ (E of rank 1 is the worst case): 8 % at the
    promised 1e-5, one in a thousand at an error of 1e-3, which it takes to move a value across the default tolerance.

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
    generator = torch.Generator().manual_seed(seed)
    probes = torch.randn(len(x), function.d_out, generator=generator, dtype=torch.float64).to(function.device)
    values = torch.zeros(len(x), min(function.d_in, function.d_out), dtype=torch.float64, device=function.device)
    with evaluating(function.module):
        size = rows_at_a_time(exact, x, memory)
        begin = tried = refused = 0
        while begin < len(x):
            part = slice(begin, begin + (min(size, _PILOT) if begin == 0 else size))
            rows = x[part]
            doubtful = torch.ones(len(rows), dtype=torch.bool, device=function.device)
            if refused <= _FUTILE * tried:
                values[part], doubtful = _attempt(single, exact, rows, probes[part], tolerance, units)
                tried, refused = tried + len(rows), refused + int(doubtful.sum())
            if doubtful.any():
                values[part][doubtful] = singular_values(jacobian_rows(exact, rows[doubtful.to(rows.device)], units))
            begin += len(rows)
            report(begin / len(x), f"Jacobian {begin} of {len(x)}")
    return JacobianSpectra(values)


def _attempt(
    single: RowFunction, exact: RowFunction, x: Tensor, probes: Tensor, tolerance: Tolerance, units: Units | None
) -> tuple[Tensor, Tensor]:
    """Singular values from single precision, and which rows they are not confirmed for, `(n,)`."""
    try:
        jacobian = jacobian_rows(single, x, units).double()
    except NotDifferentiableError:  # infinite in single precision only, perhaps
        values = torch.zeros(len(x), min(single.d_in, single.d_out), dtype=torch.float64, device=single.device)
        return values, torch.ones(len(x), dtype=torch.bool, device=single.device)
    values = gram_singular_values(jacobian)
    first = values[:, :1]
    error = (_pulled_back(exact, x, probes, units) - (probes[:, None, :] @ jacobian)[:, 0]).norm(dim=1)
    is_confirmed = (
        (error <= _LIMIT * first[:, 0])
        & (values[:, -1] >= _SMALLEST * first[:, 0])
        & ((values - tolerance.relative * first).abs() > _NEAR * tolerance.relative * first).all(1)
    )
    return values, ~is_confirmed


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
