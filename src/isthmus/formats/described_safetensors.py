"""`.safetensors` files of anyone, with a small description of the layers they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from isthmus.errors import FileFormatError
from isthmus.formats.described_blocks import Added, Attention, Gated, Prepended, Residual, Token, Transposed
from isthmus.foundation.files import read_json

_REMEDY = (
    'Describe the layers beside it, in a file of the same name that ends in .json: {"layers": [{"type": "Linear", '
    '"name": "0"}, {"type": "ReLU"}, …]}; name is the prefix of the tensors, further entries are options of torch.nn. '
    'All entries are in docs/described-files.md; {"unused": ["head"]} names tensors that no layer uses.'
)
_WEIGHTED = {
    "Linear": ("out_features", "in_features"),
    "Conv1d": ("out_channels", "in_channels"),
    "Conv2d": ("out_channels", "in_channels"),
    "Conv3d": ("out_channels", "in_channels"),
    "BatchNorm1d": ("num_features",),
    "BatchNorm2d": ("num_features",),
    "LayerNorm": ("normalized_shape",),
    "RMSNorm": ("normalized_shape",),
    "GroupNorm": ("num_channels",),
}
_OTHERS = (
    *("ReLU", "LeakyReLU", "GELU", "Tanh", "Sigmoid", "SiLU", "ELU", "Softplus", "Softmax", "Hardtanh", "Identity"),
    *("Flatten", "Unflatten", "AvgPool1d", "AvgPool2d", "AdaptiveAvgPool2d", "MaxPool2d", "ZeroPad2d", "Dropout"),
)
_BLOCKS = ("Residual", "Attention", "Gated", "Scaler", "Add", "Prepend", "Token", "Transpose")
_TOLD = ("type", "name", "weight", "bias", "transposed")


def described_network(path: Path, tensors: dict[str, Tensor], metadata: Mapping[str, str]) -> nn.Sequential:
    """The layers that the `.json` beside `path` names, with these tensors as weights, in eval mode.

    A tensor may be used by several layers; one that was stored once for several names (tied weights, of which the
    metadata of a file say which) is found under each.

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
    builder = _Builder(description, tensors, metadata)
    built = builder.sequence(layers)
    builder.check_unused(found.get("unused", []))
    return built.eval()


class _Builder:
    """Layers from their entries; remembers which tensors were used."""

    def __init__(self, description: Path, tensors: dict[str, Tensor], metadata: Mapping[str, str]) -> None:
        self._description = description
        # What is stored once for several names is listed in the metadata by the names that were left out.
        self._tied = {name: kept for name, kept in metadata.items() if kept in tensors and name not in tensors}
        self._tensors = {**tensors, **{name: tensors[kept] for name, kept in self._tied.items()}}
        self._used: set[str] = set()

    def sequence(self, entries: Any) -> nn.Sequential:
        """One layer after the other."""
        if not isinstance(entries, list):
            raise self._refused("layers", f"{entries!r} is no list of layers")
        return nn.Sequential(*(self.layer(entry) for entry in entries))

    def layer(self, entry: Any) -> nn.Module:
        """The layer that an entry describes."""
        kind = entry.get("type") if isinstance(entry, dict) else entry
        if not isinstance(entry, dict) or kind not in (*_WEIGHTED, *_OTHERS, *_BLOCKS):
            known = ", ".join((*_WEIGHTED, *_OTHERS, *_BLOCKS))
            raise FileFormatError(self._description, f"the layer {kind!r} is not one of {known}", _REMEDY)
        options = {key: value for key, value in entry.items() if key not in _TOLD}
        try:
            if kind in _BLOCKS:
                return self._block(str(kind), {key: value for key, value in entry.items() if key != "type"})
            return self._torch_layer(str(kind), entry, options)
        except FileFormatError:  # of a layer inside
            raise
        except (TypeError, ValueError, RuntimeError, KeyError, StopIteration) as refused:
            raise self._refused(str(entry.get("name") or kind), " ".join(str(refused).split())) from refused

    def check_unused(self, named: Any) -> None:
        """Every tensor is used or named as unused, by its name or a prefix of it."""
        if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
            raise FileFormatError(self._description, "its entry unused is no list of names", _REMEDY)
        kept = {self._tied.get(name, name) for name in self._used}
        left = sorted(name for name in self._tensors if name not in self._used | kept and name not in self._tied)
        stray = [each for each in named if not any(_is_under(name, each) for name in left)]
        if stray:
            cause = f"it calls {stray[0]!r} unused, which is no tensor that is left over"
            raise FileFormatError(self._description, cause, _REMEDY)
        left = [name for name in left if not any(_is_under(name, each) for each in named)]
        if left:
            raise FileFormatError(self._description, f"no layer uses the tensors {', '.join(left[:5])}", _REMEDY)

    def _torch_layer(self, kind: str, entry: dict[str, Any], options: dict[str, Any]) -> nn.Module:
        options = {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
        mine = self._own(entry)
        layer: nn.Module = getattr(nn, kind)(**_sizes(kind, options, mine), **options)
        if mine:
            layer = layer.to(next(t.dtype for t in mine.values() if t.is_floating_point()))
        layer.load_state_dict(mine)
        return layer

    def _own(self, entry: dict[str, Any]) -> dict[str, Tensor]:
        """The tensors of a layer by the names that torch gives them."""
        name = str(entry.get("name", ""))
        mine = {
            key.rpartition(".")[2]: self._take(key) for key in self._tensors if name and key.rpartition(".")[0] == name
        }
        mine |= {key: self._take(str(entry[key])) for key in ("weight", "bias") if key in entry}
        if entry.get("transposed") and "weight" in mine:
            mine["weight"] = mine["weight"].transpose(0, 1).contiguous()
        return mine

    def _block(self, kind: str, given: dict[str, Any]) -> nn.Module:
        made = self._made(kind, given)
        if given:
            raise TypeError(f"it does not take {next(iter(given))!r}")
        return made

    def _made(self, kind: str, given: dict[str, Any]) -> nn.Module:
        """The block; what it takes is taken out of `given`."""
        if kind == "Residual":
            return Residual(self.sequence(given.pop("layers")))
        if kind == "Gated":
            activation = self.layer({"type": given.pop("activation", "SiLU")})
            gate, up, down = (self._linear(given.pop(part)) for part in ("gate", "up", "down"))
            return Gated(gate, up, down, activation)
        if kind == "Attention":
            parts = ["fused"] if "fused" in given else ["query", "key", "value"]
            projections = [self._linear(given.pop(part)) for part in parts]
            output, heads = self._linear(given.pop("output")), int(given.pop("heads"))
            return Attention(projections, output, heads, bool(given.pop("causal", False)), given.pop("rotary", None))
        if kind == "Scaler":
            return self._scaler(given.pop("mean", None), given.pop("scale", None))
        if kind in ("Add", "Prepend"):
            return (Added if kind == "Add" else Prepended)(self._take(str(given.pop("tensor"))))
        if kind == "Token":
            return Token(given.pop("index", None))
        return Transposed(*given.pop("dims"))

    def _linear(self, entry: Any) -> nn.Linear:
        layer = self.layer({"type": "Linear", **entry})
        assert isinstance(layer, nn.Linear)
        return layer

    def _scaler(self, mean: str | None, scale: str | None) -> nn.Module:
        """(x − mean) / scale, column by column, as the layer of torch that chains know."""
        given = [None if name is None else self._take(name).flatten() for name in (mean, scale)]
        example = next(each for each in given if each is not None)
        layer = nn.BatchNorm1d(len(example), eps=0.0, affine=False, dtype=example.dtype)
        assert layer.running_mean is not None
        assert layer.running_var is not None
        if given[0] is not None:
            layer.running_mean.copy_(given[0])
        if given[1] is not None:
            layer.running_var.copy_(given[1].square())
        return layer

    def _take(self, name: str) -> Tensor:
        if name not in self._tensors:
            raise ValueError(f"there is no tensor named {name}")
        self._used.add(name)
        return self._tensors[name]

    def _refused(self, name: str, cause: str) -> FileFormatError:
        return FileFormatError(self._description, f"layer {name} does not fit ({cause})", _REMEDY)


def _is_under(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def _sizes(kind: str, options: dict[str, Any], tensors: dict[str, Tensor]) -> dict[str, Any]:
    """The sizes that the weight fixes, as torch calls them."""
    if kind not in _WEIGHTED:
        return {}
    if "weight" not in tensors:
        raise ValueError("there is no tensor named weight under this name")
    shape = tensors["weight"].shape
    if kind == "RMSNorm":
        return {"normalized_shape": tuple(shape)}
    if kind == "LayerNorm":
        return {"normalized_shape": tuple(shape), "bias": "bias" in tensors}
    found: dict[str, Any] = dict(zip(_WEIGHTED[kind], shape, strict=False))
    if kind.startswith("Conv"):
        found["in_channels"] = shape[1] * int(options.get("groups", 1))
        found["kernel_size"] = tuple(shape[2:])
    if kind.startswith(("Linear", "Conv")):
        found["bias"] = "bias" in tensors
    return found
