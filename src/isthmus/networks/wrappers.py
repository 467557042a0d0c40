"""Modules as people have them: compiled, parallel, scripted, lazy, in half precision."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from isthmus.errors import DtypeError, MixedRowsError, ModelCallError, NotDifferentiableError
from isthmus.networks.evaluation import evaluating

_HALVES = (torch.float16, torch.bfloat16)
_QUANTIZED = ("torch.ao.nn.quantized", "torch.ao.nn.intrinsic.quantized", "torch.nn.quantized")


class ScriptedModule(nn.Module):
    """A scripted or traced module as one part: it keeps its weights to itself, and no hook reaches inside."""

    def __init__(self, script: torch.jit.ScriptModule) -> None:
        super().__init__()
        self._hidden = (script,)  # in a tuple, so that it is no part whose weights are exchanged
        kinds = [t for t in (*script.parameters(), *script.buffers()) if t.is_floating_point()]
        self.register_buffer("dtype_of_weights", torch.empty(0, dtype=kinds[0].dtype if kinds else torch.float32))

    def forward(self, x: Tensor) -> object:
        """What the script returns in eval mode."""
        (script,) = self._hidden
        with evaluating(script):
            return script(x)


def name_of(module: nn.Module) -> str:
    """What messages call it: the file that it was loaded from, else its class."""
    return getattr(module, "file_name", "") or type(module).__name__


def unwrapped(module: nn.Module) -> nn.Module:
    """The module inside `torch.compile`, `DataParallel` and the like, which computes the same; a script as one part."""
    if isinstance(module, torch.jit.ScriptModule):
        return ScriptedModule(module)
    while True:
        if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
            module = module.module
        elif type(module).__name__ == "OptimizedModule" and isinstance(getattr(module, "_orig_mod", None), nn.Module):
            module = module._orig_mod  # type: ignore[assignment]
        else:
            return module


def in_single_precision(module: nn.Module) -> tuple[nn.Module, tuple[str, ...]]:
    """A copy with weights in float32 where they are in half precision, and the sentence that says so.

    Raises:
        DtypeError: If such a module cannot be copied.
    """
    kinds = {t.dtype for t in (*module.parameters(), *module.buffers())} & set(_HALVES)
    if not kinds:
        return module, ()
    name = str(next(iter(kinds))).removeprefix("torch.")
    try:
        single = copy.deepcopy(module).float()
    except (RuntimeError, TypeError) as refused:
        raise DtypeError(f"the weights of {name_of(module)}", next(iter(kinds))) from refused
    return single, (f"Its weights are {name}; it is computed in float32, so rounding to {name} is not part of it.",)


def check_callable(module: nn.Module, shape: tuple[int, ...]) -> None:
    """Refuse what is known to be no differentiable function of one row, before torch's own message would say less.

    Raises:
        ModelCallError: If a lazy layer has no weights yet.
        NotDifferentiableError: If a part computes with integers.
        MixedRowsError: If a part normalises by the rows of a batch, also in eval mode.
    """
    name = name_of(module)
    if any(nn.parameter.is_lazy(t) for t in (*module.parameters(), *module.buffers())):
        raise ModelCallError(name, shape, "a lazy layer has no weights yet", "Call the model once on a batch first.")
    for part in module.modules():
        if isinstance(part, torch.jit.ScriptModule):
            remedy = "Script the whole module, or measure it before it is scripted."
            raise ModelCallError(name, shape, "a part of it is scripted or traced, which no hook reaches", remedy)
        if type(part).__module__.startswith(_QUANTIZED):
            kind = f"{type(part).__name__} is quantised: it rounds what it is given to integers"
            raise NotDifferentiableError(name, kind)
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and part.running_mean is None:
            raise MixedRowsError(name, None)
