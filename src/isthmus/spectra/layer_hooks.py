"""Layer spectra of any module, collected by hooks while rows stream through."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from isthmus.foundation.threads import side_by_side
from isthmus.networks.evaluation import evaluating
from isthmus.networks.rowwise import RowFunction
from isthmus.spectra.gram import singular_values
from isthmus.spectra.layer_spectrum import Bend, LayerSpectrum, shown_deviations
from isthmus.spectra.running_covariance import MomentSum

_CHANNELS_FIRST = (nn.modules.conv._ConvNd,)
_ACTIVATIONS = tuple(
    getattr(nn.modules.activation, name)
    for name in nn.modules.activation.__all__
    if name not in ("MultiheadAttention", "Softmax", "Softmax2d", "LogSoftmax", "Softmin", "GLU")
)
_WIDEST = 4096  # channels whose covariance is still decomposed


class LayerProbes:
    r"""Hooks on the layers of a module that hold a weight, in the order in which they are first called.

    The weight of a layer counts as the matrix of outputs by everything else (for a convolution, channels by channels
    × kernel). Its activations are the vectors of its output features at every position (pixel, token) of every row,
    after the activation module that directly follows it, if one does.
    """

    def __init__(self, function: RowFunction) -> None:
        self._function = function
        self._layers: dict[nn.Module, _Layer] = {}
        self._last: tuple[nn.Module, Tensor] | None = None
        self._arrived: Tensor | None = None
        self._names = {part: name for name, part in function.module.named_modules()}

    def collect(self, chunks: Iterable[Tensor]) -> list[LayerSpectrum]:
        """Send all rows through, chunk by chunk, and return what every layer did to them."""
        handles: list[RemovableHandle] = []
        try:
            for part in self._names:
                if isinstance(part, _ACTIVATIONS):
                    handles.append(part.register_forward_pre_hook(self._arriving, prepend=True))
                    handles.append(part.register_forward_hook(self._activated))
                elif _weight(part) is not None:
                    handles.append(part.register_forward_hook(self._passed))
            with evaluating(self._function.module), torch.no_grad():
                for chunk in chunks:
                    self._function(chunk.to(dtype=self._function.dtype, device=self._function.device))
                    self._flush()
        finally:
            for handle in handles:
                handle.remove()
        numbered = list(enumerate(self._layers.items(), 1))
        return list(side_by_side(lambda each: each[1][1].spectrum(each[0], self._names[each[1][0]]), numbered))

    def _passed(self, part: nn.Module, _: Any, output: Any) -> None:
        self._flush()
        z = output[0] if isinstance(output, tuple) else output
        if isinstance(z, Tensor) and z.ndim >= 2:
            self._layers.setdefault(part, _Layer(part))
            self._last = part, z.detach()

    def _arriving(self, part: nn.Module, inputs: Any) -> None:
        # A copy: the activation may work in place. It belongs to the last layer also where a norm stands between.
        z = inputs[0] if inputs else None
        is_next = self._last is not None and isinstance(z, Tensor) and z.shape == self._last[1].shape
        self._arrived = z.detach().clone() if is_next and z is not None else None

    def _activated(self, part: nn.Module, _: Any, output: Any) -> None:
        z, self._arrived = self._arrived, None
        if z is None or self._last is None or not isinstance(output, Tensor):
            return
        self._layers[self._last[0]].add(z, output.detach())
        self._last = None

    def _flush(self) -> None:
        if self._last is not None:
            layer, z = self._last
            self._layers[layer].add(z, None)
            self._last = None


class _Layer:
    def __init__(self, part: nn.Module) -> None:
        self._part = part
        self._moments: MomentSum | None = None
        self._bend = Bend()
        self._features: Callable[[Tensor], Tensor] = _last_dimension
        if isinstance(part, _CHANNELS_FIRST):
            self._features = _first_dimension

    def add(self, z: Tensor, a: Tensor | None) -> None:
        rows = self._features(z if a is None else a)
        if rows.shape[1] <= _WIDEST:
            if self._moments is None:
                self._moments = MomentSum(rows.shape[1], rows.device)
            self._moments.add(rows)
        if a is not None:
            self._bend.add(z, a)

    def spectrum(self, number: int, name: str) -> LayerSpectrum:
        weight = _weight(self._part)
        assert weight is not None
        values = singular_values(weight.detach().flatten(1))
        deviations = () if self._moments is None else shown_deviations(self._moments)
        return LayerSpectrum(number, tuple(values.tolist()), deviations, self._bend.impact(), name)


def _weight(part: nn.Module) -> Tensor | None:
    """The weight of a layer, outputs first; None where there is none or it is no matrix."""
    weight = getattr(part, "weight", None)
    if weight is None:
        weight = getattr(part, "in_proj_weight", None)
    if not isinstance(weight, Tensor) or weight.ndim < 2 or not weight.is_floating_point():
        return None
    if isinstance(part, nn.modules.conv._ConvTransposeNd):
        return weight.transpose(0, 1)
    return weight


def _last_dimension(z: Tensor) -> Tensor:
    return z.reshape(-1, z.shape[-1])


def _first_dimension(z: Tensor) -> Tensor:
    return z.transpose(1, -1).reshape(-1, z.shape[1])
