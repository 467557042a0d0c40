"""Networks on disk: safetensors with a small description, never a pickle."""

from __future__ import annotations

from pathlib import Path

import safetensors
from safetensors import SafetensorError
from torch import Tensor

from isthmus.errors import FileFormatError, FileMissingError, IsthmusError
from isthmus.formats.serialization import safetensors_bytes
from isthmus.foundation.files import write_atomically
from isthmus.networks.activations import activation
from isthmus.networks.network import FullyConnected
from isthmus.networks.scaling import Affine, StandardizedNetwork

FORMAT = "isthmus-network"
REMEDY = (
    "Pass a folder made by `isthmus fit`, a .safetensors file saved by isthmus (or of anyone, with a .json of its "
    "layers beside it), or an .onnx or .pt2 file."
)
_VERSION = "1"
_MODEL_FILE = "model.safetensors"


def save(model: FullyConnected | StandardizedNetwork, path: str | Path) -> None:
    """Write a network to a `.safetensors` file, atomically.

    Tensors `weight.ℓ` `(n_ℓ, n_{ℓ-1})` and `bias.ℓ` `(n_ℓ,)` for ℓ = 1 … L, and for a standardised network
    `input.mean`, `input.scale`, `output.mean`, `output.scale`; the metadata names the format and the activation.
    """
    write_atomically(Path(path), safetensors_bytes(*content(model)))


def content(model: FullyConnected | StandardizedNetwork) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the metadata that `save` writes; `ours` makes the network of them again."""
    network = model.network if isinstance(model, StandardizedNetwork) else model
    tensors: dict[str, Tensor] = {}
    for layer, (w, b) in enumerate(zip(network.weights, network.biases, strict=True), start=1):
        tensors[f"weight.{layer}"], tensors[f"bias.{layer}"] = w.cpu().contiguous(), b.cpu().contiguous()
    if isinstance(model, StandardizedNetwork):
        for side, affine in (("input", model.inputs), ("output", model.outputs)):
            tensors[f"{side}.mean"], tensors[f"{side}.scale"] = affine.mean, affine.scale
    metadata = {"format": FORMAT, "version": _VERSION, "activation": network.activation.name}
    # A clone of each: safetensors refuses views that share storage, and a trained network is views of one vector.
    return {name: t.clone() for name, t in tensors.items()}, metadata


def load_network(path: str | Path) -> FullyConnected | StandardizedNetwork:
    """The network in a RUN folder or a `.safetensors` file written by `save`.

    Args:
        path: A folder made by `isthmus fit`, or one `.safetensors` file.

    Returns:
        A `StandardizedNetwork` where the file holds a standardisation, else the bare `FullyConnected`.

    Raises:
        FileMissingError: If there is nothing at `path`.
        FileFormatError: If the file is damaged or is not a network of ours.

    Example:
        >>> import tempfile, torch
        >>> from isthmus import load_network
        >>> from isthmus.formats import save
        >>> from isthmus.networks.catalogue import catalogue
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save(catalogue(0)[0].network, f"{folder}/f.safetensors")
        ...     load_network(f"{folder}/f.safetensors").depth
        1
    """
    path = Path(path)
    if path.is_dir():
        path = path / _MODEL_FILE
    if not path.is_file():
        raise FileMissingError(path, REMEDY)
    tensors, metadata = read_safetensors(path, REMEDY)
    return ours(path, tensors, metadata)


def ours(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> FullyConnected | StandardizedNetwork:
    """The network that `save` has written as these tensors and metadata.

    Raises:
        FileFormatError: If they are not a network of ours, or do not fit together.
    """
    if metadata.get("format") != FORMAT:
        raise FileFormatError(path, f"its format is {metadata.get('format')!r}, not {FORMAT!r}", REMEDY)
    if metadata.get("version") != _VERSION:
        raise FileFormatError(path, f"its version is {metadata.get('version')!r}", "Update isthmus, or fit again.")
    try:
        return _assembled(tensors, metadata)
    except (KeyError, IsthmusError) as damaged:
        raise FileFormatError(path, f"its content does not fit together ({damaged})", REMEDY) from damaged


def read_safetensors(path: Path, remedy: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All tensors (on the CPU) and the metadata of a safetensors file; a damaged file raises `FileFormatError`."""
    try:
        with safetensors.safe_open(path, framework="pt") as stream:
            return {name: stream.get_tensor(name) for name in stream.keys()}, stream.metadata() or {}  # noqa: SIM118
    except FileNotFoundError as missing:
        raise FileMissingError(path, remedy) from missing
    except (SafetensorError, OSError, ValueError) as damaged:
        raise FileFormatError(path, f"it is damaged or not a safetensors file ({damaged})", remedy) from damaged


def _assembled(tensors: dict[str, Tensor], metadata: dict[str, str]) -> FullyConnected | StandardizedNetwork:
    depth = sum(name.startswith("weight.") for name in tensors)
    network = FullyConnected(
        tuple(tensors[f"weight.{layer}"] for layer in range(1, depth + 1)),
        tuple(tensors[f"bias.{layer}"] for layer in range(1, depth + 1)),
        activation(metadata["activation"]),
    )
    if "input.mean" not in tensors:
        return network
    inputs = Affine(tensors["input.mean"], tensors["input.scale"])
    outputs = Affine(tensors["output.mean"], tensors["output.scale"])
    return StandardizedNetwork(network, inputs, outputs)
