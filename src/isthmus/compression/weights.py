"""Weights that are no numbers, refused before anything is made of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from isthmus.errors import NonFiniteError


def check_weights(module: nn.Module) -> None:
    """Refuse a module with a weight that is NaN or infinite, before its layers are looked for.

    Raises:
        NonFiniteError: With the weight's name.
    """
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if tensor.is_floating_point():
            check_weight(f"the weight {name}", tensor)


def check_weight(what: str, tensor: Tensor) -> None:
    """Refuse a weight that is not finite; `what` is how the message calls it."""
    if not bool(torch.isfinite(tensor).all()):
        place = (~torch.isfinite(tensor)).nonzero()[0].tolist() or [0]
        raise NonFiniteError(what, place[0], place[-1])
