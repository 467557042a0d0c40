"""ONNX operators that move, cut, repeat and rename numbers, and those that compute shapes."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from isthmus.formats.onnx_operators.elementwise import element_type
from isthmus.formats.onnx_operators.translation import Node, Translation, integers, translated


def _reshape(node: Node, x: Tensor, shape: Tensor | None = None) -> Tensor:
    sizes = integers(shape if shape is not None else node.get("shape")) or []
    if not node.get("allowzero", 0):
        sizes = [x.shape[i] if size == 0 else size for i, size in enumerate(sizes)]
    return x.reshape(sizes)


def _flatten(node: Node, x: Tensor) -> Tensor:
    axis = node.get("axis", 1)
    axis += x.ndim if axis < 0 else 0
    return x.reshape(math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))


def _slice(node: Node, x: Tensor, *given: Tensor | None) -> Tensor:
    starts, ends, axes, steps = [
        integers(given[i] if i < len(given) else node.get(name))
        for i, name in enumerate(("starts", "ends", "axes", "steps"))
    ]
    assert starts is not None
    assert ends is not None
    for i, axis in enumerate(range(len(starts)) if axes is None else axes):
        step = steps[i] if steps else 1
        numbers = range(x.shape[axis])[slice(starts[i], ends[i], step)]
        x = x.index_select(axis, torch.tensor(list(numbers), dtype=torch.long, device=x.device))
    return x


def _squeeze(node: Node, x: Tensor, axes: Tensor | None = None) -> Tensor:
    chosen = integers(axes if axes is not None else node.get("axes"))
    if chosen is None:
        chosen = [i for i, size in enumerate(x.shape) if size == 1]
    if any(x.shape[axis] != 1 for axis in chosen):
        raise node.refuse(f"axes {chosen} of shape {tuple(x.shape)} do not all have size 1")
    return x.squeeze(tuple(chosen))


def _unsqueeze(node: Node, x: Tensor, axes: Tensor | None = None) -> Tensor:
    chosen = integers(axes if axes is not None else node.get("axes")) or []
    for axis in sorted(a % (x.ndim + len(chosen)) for a in chosen):
        x = x.unsqueeze(axis)
    return x


def _concat(node: Node, *inputs: Tensor) -> Tensor:
    return torch.cat(inputs, node.get("axis", 1))


def _split(node: Node, x: Tensor, sizes: Tensor | None = None) -> tuple[Tensor, ...]:
    """Parts of given sizes, or as many equal ones as there are outputs; from opset 18 on the last may be smaller."""
    axis = node.get("axis", 0)
    given = integers(sizes if sizes is not None else node.get("split"))
    if given is None:
        count, total = node.get("num_outputs", node.outputs), x.shape[axis]
        size = -(-total // count)
        given = [min(size, max(total - i * size, 0)) for i in range(count)]
        if node.since < 18 and total % count:
            raise node.refuse(f"{total} numbers do not split into {count} equal parts")
    return tuple(x.split(given, axis))


def _pad(node: Node, x: Tensor, *given: Tensor | None) -> Tensor:
    pads, value, axes = (*given, *[None] * 3)[:3]
    numbers = integers(pads if pads is not None else node.get("pads", node.get("paddings"))) or []
    chosen = [a % x.ndim for a in integers(axes) or range(x.ndim)]
    sides = {axis: (numbers[i], numbers[i + len(chosen)]) for i, axis in enumerate(chosen)}
    mode = node.get("mode", "constant")
    if mode == "constant":
        flat = [p for axis in reversed(range(x.ndim)) for p in sides.get(axis, (0, 0))]
        filling = value if value is not None else torch.tensor(node.get("value", 0.0))
        if not bool((filling != 0).any()):
            return F.pad(x, flat)
        return torch.where(F.pad(torch.ones_like(x, dtype=torch.bool), flat), F.pad(x, flat), filling.to(x))
    for axis, (before, after) in sides.items():
        x = x.index_select(axis, _mirrored(node, x.shape[axis], before, after, mode).to(x.device))
    return x


def _mirrored(node: Node, size: int, before: int, after: int, mode: str) -> Tensor:
    """Which numbers of an axis stand in each place after padding."""
    places = torch.arange(-before, size + after)
    if mode == "edge":
        return places.clamp(0, size - 1)
    if mode == "wrap":
        return places % size
    if mode == "reflect":
        if size == 1:
            return torch.zeros_like(places)
        around = places % (2 * size - 2)
        return torch.where(around < size, around, 2 * size - 2 - around)
    raise node.refuse(f"its mode {mode!r} is not known")


def _constant_of_shape(node: Node, shape: Tensor) -> Tensor:
    value = node.get("value")
    filled = torch.zeros(()) if value is None else value.reshape(())
    return filled.expand(integers(shape) or []).to(shape.device)


def _shape(node: Node, x: Tensor) -> Tensor:
    sizes = list(x.shape)[node.get("start", 0) : node.get("end")]
    return torch.tensor(sizes, dtype=torch.int64, device=x.device)


def _depth_to_space(node: Node, x: Tensor) -> Tensor:
    block, (n, c, h, w) = node.get("blocksize"), x.shape
    if node.get("mode", "DCR") == "DCR":
        parts = x.reshape(n, block, block, c // block**2, h, w).permute(0, 3, 4, 1, 5, 2)
    else:
        parts = x.reshape(n, c // block**2, block, block, h, w).permute(0, 1, 4, 2, 5, 3)
    return parts.reshape(n, c // block**2, h * block, w * block)


def _space_to_depth(node: Node, x: Tensor) -> Tensor:
    block, (n, c, h, w) = node.get("blocksize"), x.shape
    parts = x.reshape(n, c, h // block, block, w // block, block)
    order = (0, 3, 5, 1, 2, 4) if node.get("mode", "DCR") == "DCR" else (0, 1, 3, 5, 2, 4)
    return parts.permute(order).reshape(n, c * block**2, h // block, w // block)


def _range(node: Node, start: Tensor, limit: Tensor, delta: Tensor) -> Tensor:
    count = max(0, math.ceil((limit.item() - start.item()) / delta.item()))
    return start + torch.arange(count, dtype=start.dtype, device=start.device) * delta


def _eye_like(node: Node, x: Tensor) -> Tensor:
    kind = node.get("dtype")
    to = x.dtype if kind is None else element_type(node, kind)
    return torch.ones(x.shape, device=x.device).triu(node.get("k", 0)).tril(node.get("k", 0)).to(to)


def _trilu(node: Node, x: Tensor, k: Tensor | None = None) -> Tensor:
    diagonal = 0 if k is None else int(k)
    return x.triu(diagonal) if node.get("upper", 1) else x.tril(diagonal)


def _expand(node: Node, x: Tensor, shape: Tensor) -> Tensor:
    return x.expand(torch.broadcast_shapes(x.shape, integers(shape) or []))


def _tile(node: Node, x: Tensor, repeats: Tensor) -> Tensor:
    return x.repeat(integers(repeats) or [])


def _transpose(node: Node, x: Tensor) -> Tensor:
    return x.permute(node.get("perm", list(reversed(range(x.ndim)))))


def _size(node: Node, x: Tensor) -> Tensor:
    return torch.tensor(x.numel(), dtype=torch.int64, device=x.device)


def _reverse_sequence(node: Node, x: Tensor, lengths: Tensor) -> Tensor:
    time, batch = node.get("time_axis", 0), node.get("batch_axis", 1)
    moved = x.movedim((batch, time), (0, 1))
    steps = torch.arange(moved.shape[1], device=x.device).expand(moved.shape[:2])
    turned = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
    taken = torch.stack([row.index_select(0, order) for row, order in zip(moved, turned, strict=True)])
    return taken.movedim((0, 1), (batch, time))


def _center_crop_pad(node: Node, x: Tensor, shape: Tensor) -> Any:
    for axis, size in zip(node.get("axes", range(x.ndim)), integers(shape) or [], strict=True):
        have = x.shape[axis]
        begin = (have - size) // 2 if have >= size else -((size - have) // 2)
        flat = [0] * (2 * (x.ndim - 1 - axis % x.ndim)) + [-begin, size - have + begin]
        x = F.pad(x, flat)
    return x


SHAPES: dict[str, Translation] = {
    "CenterCropPad": translated(_center_crop_pad, "axes"),
    "Concat": translated(_concat, "axis"),
    "ConstantOfShape": translated(_constant_of_shape, "value"),
    "DepthToSpace": translated(_depth_to_space, "blocksize mode"),
    "Expand": translated(_expand),
    "EyeLike": translated(_eye_like, "dtype k"),
    "Flatten": translated(_flatten, "axis"),
    "Pad": translated(_pad, "mode pads paddings value"),
    "Range": translated(_range, "stash_type"),
    "Reshape": translated(_reshape, "allowzero shape"),
    "ReverseSequence": translated(_reverse_sequence, "time_axis batch_axis"),
    "Shape": translated(_shape, "start end"),
    "Size": translated(_size),
    "Slice": translated(_slice, "starts ends axes"),
    "SpaceToDepth": translated(_space_to_depth, "blocksize mode"),
    "Split": translated(_split, "axis split num_outputs", since=2, outputs=0),
    "Squeeze": translated(_squeeze, "axes"),
    "Tile": translated(_tile, since=6),
    "Transpose": translated(_transpose, "perm"),
    "Trilu": translated(_trilu, "upper"),
    "Unsqueeze": translated(_unsqueeze, "axes"),
}
"""By name."""
