"""`.safetensors` files of anyone, with a small description of the layers they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from isthmus.errors import FileFormatError
from isthmus.foundation.files import read_json

_REMEDY = (
    'Describe the layers beside it, in a file of the same name that ends in .json: {"layers": [{"type": "Linear", '
    '"name": "0"}, {"type": "ReLU"}, …]}; name is the prefix of the tensors, further entries are options of torch.nn.'
)
_WEIGHTED = {
    "Linear": ("out_features", "in_features"),
    "Conv1d": ("out_channels", "in_channels"),
    "Conv2d": ("out_channels", "in_channels"),
    "Conv3d": ("out_channels", "in_channels"),
    "BatchNorm1d": ("num_features",),
    "BatchNorm2d": ("num_features",),
    "LayerNorm": ("normalized_shape",),
}
_OTHERS = (
    *("ReLU", "LeakyReLU", "GELU", "Tanh", "Sigmoid", "SiLU", "ELU", "Softplus", "Softmax", "Hardtanh", "Identity"),
    *("Flatten", "Unflatten", "AvgPool1d", "AvgPool2d", "AdaptiveAvgPool2d", "MaxPool2d", "ZeroPad2d", "Dropout"),
)


def described_network(path: Path, tensors: dict[str, Tensor]) -> nn.Sequential:
    """The layers that the `.json` beside `path` names, with these tensors as weights, in eval mode.

    Raises:
        FileFormatError: If there is no description, it names an unknown layer or option, or a tensor is missing,
            unused or of the wrong shape.
    """
    description = path.with_suffix(".json")
    if not description.is_file():
        raise FileFormatError(path, "it holds tensors and does not say to which layers they belong", _REMEDY)
    found = read_json(description, _REMEDY)
    layers = found.get("layers") if isinstance(found, dict) else None
    if not isinstance(layers, list) or not layers:
        raise FileFormatError(description, "it has no list named layers", _REMEDY)
    left = dict(tensors)
    built = [_layer(description, entry, left) for entry in layers]
    if left:
        raise FileFormatError(description, f"no layer uses the tensors {', '.join(sorted(left)[:5])}", _REMEDY)
    return nn.Sequential(*built).eval()


def _layer(description: Path, entry: Any, left: dict[str, Tensor]) -> nn.Module:
    if not isinstance(entry, dict) or entry.get("type") not in (*_WEIGHTED, *_OTHERS):
        kind = entry.get("type") if isinstance(entry, dict) else entry
        known = ", ".join((*_WEIGHTED, *_OTHERS))
        raise FileFormatError(description, f"the layer {kind!r} is not one of {known}", _REMEDY)
    kind, name = str(entry["type"]), str(entry.get("name", ""))
    options = {key: value for key, value in entry.items() if key not in ("type", "name")}
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    mine = {key.rpartition(".")[2]: left.pop(key) for key in list(left) if name and key.rpartition(".")[0] == name}
    try:
        layer: nn.Module = getattr(nn, kind)(**_sizes(kind, options, mine), **options)
        if mine:
            layer = layer.to(next(t.dtype for t in mine.values() if t.is_floating_point()))
        layer.load_state_dict(mine)
    except (TypeError, ValueError, RuntimeError, KeyError, StopIteration) as refused:
        cause = " ".join(str(refused).split())
        raise FileFormatError(description, f"layer {name or kind} does not fit ({cause})", _REMEDY) from refused
    return layer


def _sizes(kind: str, options: dict[str, Any], tensors: dict[str, Tensor]) -> dict[str, Any]:
    """The sizes that the weight fixes, as torch calls them."""
    if kind not in _WEIGHTED:
        return {}
    if "weight" not in tensors:
        raise KeyError("there is no tensor named weight under this name")
    shape = tensors["weight"].shape
    if kind == "LayerNorm":
        return {"normalized_shape": tuple(shape)}
    found: dict[str, Any] = dict(zip(_WEIGHTED[kind], shape, strict=False))
    if kind.startswith("Conv"):
        found["in_channels"] = shape[1] * int(options.get("groups", 1))
        found["kernel_size"] = tuple(shape[2:])
    if not kind.startswith("BatchNorm"):
        found["bias"] = "bias" in tensors
    return found
