"""Jacobian spectra of any differentiable function, by derivatives in the cheaper direction, within a memory budget."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.func import jvp
from torch.nn.attention import SDPBackend, sdpa_kernel

from isthmus.errors import NotDifferentiableError
from isthmus.foundation.memory import rows_within
from isthmus.foundation.progress import Report, silent
from isthmus.networks.evaluation import evaluating
from isthmus.networks.rowwise import RowFunction
from isthmus.spectra.gram import gram_singular_values, singular_values
from isthmus.spectra.point_spectra import JacobianSpectra
from isthmus.spectra.units import Units

_COPIES = 3  # of what a forward pass saves: itself, the gradients of a backward pass, and kernels' scratch space
_IN_CACHE = (
    1 << 27
)  # bytes of a chunk, of which a kernel touches a tenth at a time; larger ones take up to 1.5 times as long
_FORWARD_COST = 3  # a derivative in forward mode repeats the forward pass and has less tuned kernels


def local_spectra(
    function: RowFunction, x: Tensor, *, memory: int, units: Units | None = None, report: Report = silent
) -> JacobianSpectra:
    """Singular values of the Jacobian at the rows of `x` `(n, *input_shape)`, all of them.

    The rows of a batch do not influence each other, so one backward pass from one output gives a row of every
    Jacobian at once: `d_out` passes, or `d_in` passes in forward mode where the inputs are far fewer.

    Args:
        function: Any differentiable function of rows.
        x: Where to differentiate.
        memory: Bytes that Jacobians and saved activations may take.
        units: What inputs and outputs are counted in; as they are if None.
        report: Told the fraction done.

    Returns:
        `(n, min(d_in, d_out))`; derivatives in the dtype of the module, singular values in float64.

    Raises:
        MemoryBudgetError: If one row does not fit: `sketched_spectra` then gives intervals for the leading values.
    """
    with evaluating(function.module):
        rows = rows_at_a_time(function, x, memory)
        found = []
        for begin in range(0, len(x), rows):
            chunk = x[begin : begin + rows]
            jacobian = jacobian_rows(function, chunk, units)
            is_single = jacobian.dtype == torch.float32
            found.append(gram_singular_values(jacobian) if is_single else singular_values(jacobian))
            report((begin + len(chunk)) / len(x), f"Jacobian {begin + len(chunk)} of {len(x)}")
    return JacobianSpectra(torch.cat(found))


def rows_at_a_time(function: RowFunction, x: Tensor, memory: int) -> int:
    """How many rows of `x` are differentiated together: what fits into `memory`, and no more than stay in caches."""
    per_row = bytes_per_row(function, x[:1])
    rows = rows_within(memory, per_row, f"the Jacobian of one row of {function.name}")
    return min(rows, max(1, _IN_CACHE // per_row))


def bytes_per_row(function: RowFunction, row: Tensor) -> int:
    """Bytes that the exact spectrum of one row takes: its Jacobian, twice in float64, and what derivatives save."""
    size = torch.finfo(function.dtype).bits // 8
    smaller = min(function.d_in, function.d_out)
    jacobian = function.d_in * function.d_out * (size + 8) + smaller * smaller * 24
    return jacobian + _COPIES * saved_bytes(function, row)


def saved_bytes(function: RowFunction, row: Tensor) -> int:
    """Bytes that one row's forward pass keeps for its backward pass, weights left out, and at least its output."""
    own = {t.untyped_storage().data_ptr() for t in (*function.module.parameters(), *function.module.buffers())}
    seen: dict[int, int] = {}

    def count(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with evaluating(function.module), torch.enable_grad(), saved_tensors_hooks(count, lambda t: t):
        result = function(row.to(dtype=function.dtype, device=function.device).detach().requires_grad_())
    return sum(seen.values()) + 8 * (result.numel() + row.numel())


def jacobian_rows(function: RowFunction, x: Tensor, units: Units | None = None) -> Tensor:
    """The Jacobians at the rows of `x`, `(n, d_out, d_in)`, in the dtype of the module; call inside `evaluating`."""
    jacobian = _jacobian_rows(function, x.to(dtype=function.dtype, device=function.device).detach())
    return jacobian if units is None else units.of_jacobian(jacobian)


def _jacobian_rows(function: RowFunction, x: Tensor) -> Tensor:
    if function.d_in * _FORWARD_COST < function.d_out:
        try:
            return _forward(function, x)
        except NotImplementedError:  # some kernels have no derivative in forward mode; all have one backward
            pass
    return _reverse(function, x)


def _reverse(function: RowFunction, x: Tensor) -> Tensor:
    with torch.enable_grad():
        x = x.clone().requires_grad_()
        y = function(x)
        result = torch.zeros(len(x), y.shape[1], function.d_in, dtype=x.dtype, device=x.device)
        if not y.requires_grad:  # a constant function
            return result
        for j in range(y.shape[1]):
            is_last = j + 1 == y.shape[1]
            (row,) = pulled_back(function, y[:, j].sum(), x, retain_graph=not is_last)
            result[:, j] = row.flatten(1)
    _check(function, result)
    return result


def pulled_back(function: RowFunction, y: Tensor, x: Tensor, **options: Any) -> tuple[Tensor, ...]:
    """`torch.autograd.grad`, with a typed error where torch refuses.

    Raises:
        NotDifferentiableError: If a part of the module has no derivative in this mode, such as a reentrant checkpoint.
    """
    try:
        return torch.autograd.grad(y, x, materialize_grads=True, **options)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as refused:
        cause = (str(refused).strip().splitlines() or ["no reason given"])[0].rstrip(".")
        remedy = " (turn gradient checkpointing off)" if "checkpoint" in cause else ""
        raise NotDifferentiableError(function.name, f"torch says {cause!r}{remedy}") from refused


def _forward(function: RowFunction, x: Tensor) -> Tensor:
    with torch.no_grad():
        columns = []
        for i in range(function.d_in):
            tangent = torch.zeros_like(x)
            tangent.view(len(x), -1)[:, i] = 1.0
            columns.append(pushed_forward(function, x, tangent))
        result = torch.stack(columns, 2)
    _check(function, result)
    return result


def pushed_forward(function: RowFunction, x: Tensor, tangent: Tensor) -> Tensor:
    """J v at each row, `(n, d_out)`, for one tangent a row, of the shape of `x`.

    Raises:
        NotImplementedError: If a kernel has no derivative in forward mode.
    """
    # The fused kernels of attention have no derivative in forward mode; the formula has.
    with sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():
        # torch compiles its own formulas on the first use and warns about its own way of doing so.
        warnings.simplefilter("ignore", DeprecationWarning)
        result: Tensor = jvp(function, (x,), (tangent,))[1]
    return result


def _check(function: RowFunction, jacobian: Tensor) -> None:
    if not torch.isfinite(jacobian).all():
        raise NotDifferentiableError(function.name, "a derivative at one of the rows is NaN or infinite")
