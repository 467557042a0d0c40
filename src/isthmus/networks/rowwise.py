"""Any torch module as a function of one row: one tensor in, one chosen tensor out, differentiable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.func import functional_call

from isthmus.errors import (
    DtypeError,
    IsthmusError,
    MixedRowsError,
    ModelCallError,
    NonFiniteError,
    NotDifferentiableError,
    OutputChoiceError,
    RandomOutputError,
    RowCountError,
)
from isthmus.networks.evaluation import evaluating
from isthmus.networks.wrappers import check_callable, name_of, unwrapped

_REPEATED = 64.0  # roundings by which sums in another order, as on graphics processors, may differ
_SAME = 1e-3  # relative difference of one row alone and in a batch that float32 kernels do not explain


@dataclass(frozen=True, eq=False)
class RowFunction:
    """A module as a map of rows, `(n, *input_shape)` to `(n, d_out)`; the module is called, never changed.

    Attributes:
        module: Any module that takes one tensor whose first dimension counts rows.
        output: Which output: a key of a dict, a position in a tuple as text, an attribute; None where there is one.
        input_shape: Shape of one row.
        dtype: dtype the module computes in.
        device: Where its weights are.
        d_out: Numbers in one flattened output.
        state: Weights and buffers to call it with, detached, buffers copied: a module that counts its calls must find
            its counter as it was.
        channels_last: Whether images are handed over with the channels of a pixel side by side in memory.
    """

    module: nn.Module
    output: str | None
    input_shape: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device
    d_out: int
    state: Mapping[str, Tensor]
    channels_last: bool = False

    @property
    def name(self) -> str:
        """What messages call it."""
        return name_of(self.module)

    @property
    def d_in(self) -> int:
        """Numbers in one input."""
        return int(torch.Size(self.input_shape).numel())

    def __call__(self, x: Tensor) -> Tensor:
        """f at the rows of `x` `(n, *input_shape)`, flattened to `(n, d_out)`; the weights are constants."""
        if self.channels_last:
            x = x.contiguous(memory_format=torch.channels_last)
        result = functional_call(self.module, dict(self.state), (x,), tie_weights=False)
        chosen = _selected(result, self.output, self.name)
        if chosen.ndim == 0 or len(chosen) != len(x):
            raise RowCountError(self.name, len(x), 0 if chosen.ndim == 0 else len(chosen))
        return chosen.reshape(len(x), -1)

    def in_double(self, x: Tensor) -> RowFunction:
        """The same function in float64 where the module can be called so at the rows of `x`, else itself.

        Single precision hides small singular values behind rounding; a module that makes float32 tensors of its own
        cannot do better.
        """
        if self.dtype == torch.float64:
            return self
        state = {name: t.double() if t.is_floating_point() else t for name, t in self.state.items()}
        exact = replace(self, dtype=torch.float64, state=state)
        result = exact._attempted(x)
        if result is None or result.dtype != torch.float64 or not bool(torch.isfinite(result).all()):
            return self
        return exact

    def in_channels_last(self, x: Tensor) -> RowFunction:
        """The same function with images and kernels in the layout that convolutions need not reorder, else itself.

        A backward pass of float32 through small convolutions takes two thirds of the time. A module that takes views
        of its activations may refuse the layout, one that reads their memory gives other numbers; both keep theirs.
        """
        if len(self.input_shape) != 3 or not any(isinstance(part, nn.Conv2d) for part in self.module.modules()):
            return self
        state = {
            name: t.contiguous(memory_format=torch.channels_last) if t.ndim == 4 else t
            for name, t in self.state.items()
        }
        relaid = replace(self, state=state, channels_last=True)
        before, after = self._attempted(x), relaid._attempted(x)
        if before is None or after is None or float((after - before).abs().amax()) > _SAME * float(before.abs().amax()):
            return self
        return relaid

    def _attempted(self, x: Tensor) -> Tensor | None:
        """f at the first rows of `x`; None where the module refuses."""
        try:
            with evaluating(self.module), torch.no_grad():
                return self(x[:2].to(dtype=self.dtype, device=self.device))
        except (RuntimeError, ValueError, TypeError, AssertionError, NotImplementedError):
            return None


def row_function(module: nn.Module, x: Tensor, output: str | None = None) -> RowFunction:
    """`module` as a function of the rows of `x` `(n, …)`, after every check that can be made before work starts.

    Raises:
        NonFiniteError: If a weight is NaN or infinite, or a constant NaN.
        ModelCallError: If the module cannot be called on the rows, or looks inputs up in a table.
        OutputChoiceError: If there are several outputs and none or an unknown one was chosen.
        DtypeError: If the output does not hold real numbers.
        RandomOutputError: If it gives the same rows other outputs the next time.
        MixedRowsError: If the output of a row depends on other rows.
        RowCountError: If the output has another number of rows than the input.
        NotDifferentiableError: If no derivative of the output with respect to the input exists.
    """
    module = unwrapped(module)
    check_callable(module, tuple(x.shape[1:]))
    _check_weights(module)
    dtype, device = _home(module)
    if dtype not in (torch.float32, torch.float64):
        raise DtypeError(f"the weights of {name_of(module)}", dtype)
    first = x[:2].to(dtype=dtype, device=device)
    shape = tuple(x.shape[1:])
    state = {name: t.detach() for name, t in module.named_parameters()}
    state.update({name: t.detach().clone() for name, t in module.named_buffers()})
    probe = RowFunction(module, output, shape, dtype, device, 0, state)
    with evaluating(module), torch.enable_grad():
        result = _tried(probe, first.requires_grad_())
        _check_output(probe, result, first)
        with torch.no_grad():
            _check_rows(probe, first, result)
    return replace(probe, d_out=result.shape[1])


def _check_weights(module: nn.Module) -> None:
    """Refuse NaN, and infinity in what was trained: a constant may hold it, as a mask before a softmax does."""
    bad = [(name, ~torch.isfinite(tensor)) for name, tensor in module.named_parameters()]
    bad += [(name, torch.isnan(tensor)) for name, tensor in module.named_buffers()]
    for name, is_bad in bad:
        if bool(is_bad.any()):
            where = is_bad.nonzero()[0].tolist()
            raise NonFiniteError(f"the weight {name}", where[0] if where else 0, where[-1] if where else 0)


def _home(module: nn.Module) -> tuple[torch.dtype, torch.device]:
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            return tensor.dtype, tensor.device
    return torch.get_default_dtype(), torch.device("cpu")


def _tried(function: RowFunction, x: Tensor) -> Tensor:
    module = function.module
    remedy = "Pass rows of the shape, columns and dtype the model takes: its forward must accept one tensor (n, …)."
    if any(isinstance(part, nn.Embedding | nn.EmbeddingBag) for part in module.modules()):
        remedy = "It looks inputs up in a table (Embedding): measure the part after the embedding, on embedded inputs."
    try:
        return function(x)
    except IsthmusError:
        raise
    except (RuntimeError, ValueError, TypeError, IndexError, AttributeError, NotImplementedError) as refused:
        # torch's own message is the cause; its first line names the shapes.
        cause = str(refused).strip().splitlines() or [type(refused).__name__]
        raise ModelCallError(function.name, function.input_shape, cause[0].rstrip("."), remedy) from refused


def _check_output(function: RowFunction, result: Tensor, x: Tensor) -> None:
    if not result.is_floating_point():
        if result.is_complex():
            raise DtypeError(f"the output of {function.name}", result.dtype)
        raise NotDifferentiableError(function.name, f"its output has dtype {result.dtype}")
    if not result.requires_grad and _varies(function, x):
        raise NotDifferentiableError(function.name, "no derivative reaches its input")


def _varies(function: RowFunction, x: Tensor) -> bool:
    """Whether the output changes with the input at all: a constant function has a Jacobian, which is zero."""
    with torch.no_grad():
        return not torch.equal(function(x), function(x.detach() * 1.5 + 1.0))


def _check_rows(function: RowFunction, x: Tensor, together: Tensor) -> None:
    size = float(together.abs().amax())
    spread = float((_tried(function, x) - together).abs().amax())
    if spread > _REPEATED * torch.finfo(together.dtype).eps * size:
        raise RandomOutputError(function.name, spread, f"its outputs are up to {size:.2g} large")
    for row in range(len(x)):
        change = float((_tried(function, x[row : row + 1]) - together[row : row + 1]).abs().amax())
        if size > 0 and change > _SAME * size:
            raise MixedRowsError(function.name, change / size)


def _selected(result: object, output: str | None, name: str) -> Tensor:
    if isinstance(result, Tensor):
        if output not in (None, "0"):
            raise OutputChoiceError(name, ["0"], output)
        return result
    choices: dict[str, object] = {}
    if isinstance(result, Mapping):
        choices = {str(key): value for key, value in result.items()}
    elif isinstance(result, Sequence):
        named = getattr(result, "_fields", [str(i) for i in range(len(result))])
        choices = dict(zip(named, result, strict=True))
    elif hasattr(result, "__dict__"):
        choices = dict(vars(result))
    tensors = {key: value for key, value in choices.items() if isinstance(value, Tensor)}
    if output is None and len(tensors) == 1:
        return next(iter(tensors.values()))
    if output is None or output not in tensors:
        raise OutputChoiceError(name, list(tensors) or ["none: it returns no tensor"], output)
    return tensors[output]
