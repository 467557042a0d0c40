"""Evaluate a user's module without leaving a trace: modes, random state, gradients and switches are put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Inside the block `module` is in eval mode; afterwards every part is in the mode it was in before.

    The random state is restored as well. The transformer layers' own shortcut, which has no derivative, is off.
    """
    modes = {part: part.training for part in module.modules()}
    is_fast = torch.backends.mha.get_fastpath_enabled()
    with torch.random.fork_rng(devices=_cuda_devices(module)):
        try:
            for part in modes:
                # Not .eval(): exported programs refuse it, and a class may override it.
                part.training = False
            torch.backends.mha.set_fastpath_enabled(False)
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(is_fast)
            for part, mode in modes.items():
                part.training = mode


def _cuda_devices(module: nn.Module) -> list[int]:
    return sorted({p.device.index or 0 for p in module.parameters() if p.device.type == "cuda"})
