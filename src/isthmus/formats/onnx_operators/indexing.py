"""ONNX operators that pick numbers by position or by size, and those that put them somewhere."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.formats.onnx_operators.translation import Node, Translation, translated

_REDUCTIONS = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}


def _wrapped(index: Tensor, size: int) -> Tensor:
    return torch.where(index < 0, index + size, index).long()


def _gather(node: Node, x: Tensor, index: Tensor) -> Tensor:
    axis = node.get("axis", 0) % x.ndim
    taken = x.index_select(axis, _wrapped(index, x.shape[axis]).flatten())
    return taken.reshape([*x.shape[:axis], *index.shape, *x.shape[axis + 1 :]])


def _gather_elements(node: Node, x: Tensor, index: Tensor) -> Tensor:
    axis = node.get("axis", 0) % x.ndim
    return x.gather(axis, _wrapped(index, x.shape[axis]))


def _scatter_elements(node: Node, x: Tensor, index: Tensor, updates: Tensor) -> Tensor:
    axis = node.get("axis", 0) % x.ndim
    index, how = _wrapped(index, x.shape[axis]), node.get("reduction", "none")
    if how == "none":
        return x.scatter(axis, index, updates)
    if how not in _REDUCTIONS:
        raise node.refuse(f"its reduction {how!r} is not known")
    return x.scatter_reduce(axis, index, updates, _REDUCTIONS[how], include_self=True)


def _positions(index: Tensor, shape: torch.Size) -> tuple[Tensor, ...]:
    return tuple(_wrapped(part, size) for part, size in zip(index.unbind(-1), shape, strict=False))


def _gather_nd(node: Node, x: Tensor, index: Tensor) -> Tensor:
    batch = node.get("batch_dims", 0)
    if batch == 0:
        return x[_positions(index, x.shape)]
    shape = x.shape[:batch]
    flat, places = x.flatten(0, batch - 1), index.flatten(0, batch - 1)
    taken = torch.stack([row[_positions(where, row.shape)] for row, where in zip(flat, places, strict=True)])
    return taken.reshape([*shape, *taken.shape[1:]])


def _scatter_nd(node: Node, x: Tensor, index: Tensor, updates: Tensor) -> Tensor:
    how, places = node.get("reduction", "none"), _positions(index, x.shape)
    if how in ("none", "add"):
        return x.index_put(places, updates, accumulate=how == "add")
    if how not in _REDUCTIONS:
        raise node.refuse(f"its reduction {how!r} is not known")
    depth = len(places)
    sizes = x.shape[:depth]
    row = sum((p * sizes[i + 1 :].numel() for i, p in enumerate(places)), torch.zeros_like(places[0]))
    flat, changes = x.reshape(sizes.numel(), -1), updates.reshape(row.numel(), -1)
    where = row.reshape(-1, 1).expand_as(changes)
    return flat.scatter_reduce(0, where, changes, _REDUCTIONS[how], include_self=True).reshape(x.shape)


def _top_k(node: Node, x: Tensor, k: Tensor | None = None) -> tuple[Tensor, Tensor]:
    count = int(k) if k is not None else node.get("k")
    axis, largest = node.get("axis", -1), bool(node.get("largest", 1))
    # Stable: among equals the first comes first, as ONNX wants it.
    order = x.argsort(dim=axis, descending=largest, stable=True).narrow(axis, 0, count)
    return x.gather(axis, order), order


def _arg(node: Node, x: Tensor) -> Tensor:
    axis, is_last = node.get("axis", 0) % x.ndim, bool(node.get("select_last_index", 0))
    ordered = x.flip(axis) if is_last else x
    found = ordered.argsort(dim=axis, descending=node.operator == "ArgMax", stable=True).narrow(axis, 0, 1)
    found = x.shape[axis] - 1 - found if is_last else found
    return found if node.get("keepdims", 1) else found.squeeze(axis)


def _hardmax(node: Node, x: Tensor) -> Tensor:
    """1 at the first largest number along an axis, 0 elsewhere; before opset 13 along all axes from it on."""
    axis = node.get("axis", 1 if node.since < 13 else -1) % x.ndim
    shape = x.shape
    if node.since < 13:
        x = x.reshape([*shape[:axis], -1])
    first = x.argsort(dim=axis, descending=True, stable=True).narrow(axis, 0, 1)
    return torch.zeros_like(x).scatter(axis, first, 1.0).reshape(shape)


def _compress(node: Node, x: Tensor, condition: Tensor) -> Tensor:
    axis = node.get("axis")
    flat = x.flatten() if axis is None else x
    return flat.index_select(axis or 0, condition.nonzero().flatten())


def _one_hot(node: Node, index: Tensor, depth: Tensor, values: Tensor) -> Tensor:
    axis, size = node.get("axis", -1), int(depth)
    steps = torch.arange(size, device=index.device)
    hits = _wrapped(index, size).unsqueeze(-1) == steps
    placed = hits.movedim(-1, axis if axis >= 0 else hits.ndim + axis)
    return torch.where(placed, values[1], values[0])


def _cumulative(node: Node, x: Tensor, axis: Tensor) -> Tensor:
    along = int(axis) % x.ndim
    x = x.flip(along) if node.get("reverse", 0) else x
    is_sum = node.operator == "CumSum"
    if node.get("exclusive", 0):
        first = torch.zeros_like if is_sum else torch.ones_like
        x = torch.cat([first(x.narrow(along, 0, 1)), x.narrow(along, 0, x.shape[along] - 1)], along)
    x = x.cumsum(along).to(x.dtype) if is_sum else x.cumprod(along).to(x.dtype)
    return x.flip(along) if node.get("reverse", 0) else x


INDEXING: dict[str, Translation] = {
    "ArgMax": translated(_arg, "axis keepdims select_last_index"),
    "ArgMin": translated(_arg, "axis keepdims select_last_index"),
    "Compress": translated(_compress, "axis"),
    "CumProd": translated(_cumulative, "exclusive reverse"),
    "CumSum": translated(_cumulative, "exclusive reverse"),
    "Gather": translated(_gather, "axis"),
    "GatherElements": translated(_gather_elements, "axis"),
    "GatherND": translated(_gather_nd, "batch_dims"),
    "Hardmax": translated(_hardmax, "axis"),
    "OneHot": translated(_one_hot, "axis"),
    "Scatter": translated(_scatter_elements, "axis"),
    "ScatterElements": translated(_scatter_elements, "axis reduction"),
    "ScatterND": translated(_scatter_nd, "reduction"),
    "TopK": translated(_top_k, "axis k largest sorted", outputs=2),
}
"""By name."""
