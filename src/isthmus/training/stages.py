"""A computation in stages, each of which ends in a network, that goes on where it was killed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from isthmus.errors import FileFormatError
from isthmus.formats.serialization import safetensors_bytes
from isthmus.formats.storage import read_safetensors
from isthmus.foundation.files import write_atomically
from isthmus.networks import Activation, FullyConnected

_FORMAT = "isthmus-stages"
_REMEDY = "Delete it to start from the beginning."


class Stages:
    """The networks of the stages that are done, kept in one safetensors file, which is written after every stage.

    A stage that was not done when the process was killed is done again.

    Args:
        path: The file to resume from and to save to; None keeps nothing.
        key: Names the computation; a file with another key is ignored and overwritten.
        device: Where the networks are wanted.

    Raises:
        FileFormatError: If the file is damaged; the message says how to start afresh.
    """

    def __init__(self, path: Path | None, *, key: str, device: torch.device | str) -> None:
        self._path, self._key, self._device = path, key, device
        self._done: dict[str, FullyConnected] = {}
        if path is not None and path.is_file():
            self._done = _loaded(path, key)

    def network(self, name: str, made: Callable[[], FullyConnected]) -> FullyConnected:
        """The network of the stage `name`: the one that is kept, or else `made` now and kept."""
        if name not in self._done:
            self._done[name] = _copied(made())
            self._save()
        # Made now or read from a file, the same memory layout: what follows must round in the same way.
        return _copied(self._done[name].to(device=self._device))

    def _save(self) -> None:
        if self._path is None:
            return
        tensors: dict[str, Tensor] = {}
        slopes: dict[str, float] = {}
        for name, network in self._done.items():
            slopes[name] = network.activation.negative_slope
            for layer, (w, b) in enumerate(zip(network.weights, network.biases, strict=True)):
                tensors[f"{name}.{layer}.weight"], tensors[f"{name}.{layer}.bias"] = w.cpu(), b.cpu()
        metadata = {"format": _FORMAT, "key": self._key, "negative_slopes": json.dumps(slopes)}
        write_atomically(self._path, safetensors_bytes(tensors, metadata))


def _loaded(path: Path, key: str) -> dict[str, FullyConnected]:
    tensors, metadata = read_safetensors(path, _REMEDY)
    if metadata.get("format") != _FORMAT:
        raise FileFormatError(path, "it is not a checkpoint of a computation in stages", _REMEDY)
    if metadata.get("key") != key:
        return {}
    try:
        return {
            name: _network(tensors, name, Activation(slope))
            for name, slope in json.loads(metadata["negative_slopes"]).items()
        }
    except (KeyError, TypeError, ValueError) as damaged:
        raise FileFormatError(path, f"its content does not fit together ({damaged})", _REMEDY) from damaged


def _network(tensors: dict[str, Tensor], name: str, activation: Activation) -> FullyConnected:
    depth = sum(other.startswith(f"{name}.") and other.endswith(".weight") for other in tensors)
    weights = tuple(tensors[f"{name}.{layer}.weight"] for layer in range(depth))
    biases = tuple(tensors[f"{name}.{layer}.bias"] for layer in range(depth))
    return FullyConnected(weights, biases, activation)


def _copied(network: FullyConnected) -> FullyConnected:
    return FullyConnected(
        tuple(w.clone(memory_format=torch.contiguous_format) for w in network.weights),
        tuple(b.clone() for b in network.biases),
        network.activation,
    )
