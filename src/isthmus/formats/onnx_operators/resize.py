"""ONNX operators that read an image between its pixels.

Resize is linear in its input, so each axis is multiplied by the matrix of its interpolation weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from isthmus.formats.onnx_operators.translation import Node, Translation, integers, translated


def _upsample(node: Node, x: Tensor, scales: Tensor | None = None) -> Tensor:
    """Resize as it was called before opset 10: nearest or linear, places counted from the corner."""
    factors = [float(s) for s in (scales if scales is not None else torch.tensor(node.get("scales"))).tolist()]
    mode = {"bilinear": "linear"}.get(node.get("mode", "nearest"), node.get("mode", "nearest"))
    for axis, factor in enumerate(factors):
        if factor != 1.0:
            size = math.floor(x.shape[axis] * factor)
            x = _along(x, axis, _weights(node, x.shape[axis], size, factor, mode, "asymmetric", "floor"))
    return x


def _resize(
    node: Node, x: Tensor, roi: Tensor | None = None, scales: Tensor | None = None, sizes: Tensor | None = None
) -> Tensor:
    if node.since < 11:  # then the scales stood where the regions stand now
        return _upsample(node, x, roi)
    way = node.get("coordinate_transformation_mode", "half_pixel")
    axes = [a % x.ndim for a in node.get("axes", range(x.ndim))]
    for axis, (factor, size) in zip(axes, _targets(node, x, axes, scales, sizes), strict=True):
        if size != x.shape[axis] or factor != 1.0:
            arguments = (factor, node.get("mode", "nearest"), way, node.get("nearest_mode", "round_prefer_floor"))
            x = _along(x, axis, _weights(node, x.shape[axis], size, *arguments))
    return x


def _targets(
    node: Node, x: Tensor, axes: list[int], scales: Tensor | None, sizes: Tensor | None
) -> list[tuple[float, int]]:
    """The scale and the new size of each axis."""
    have = [x.shape[axis] for axis in axes]
    if scales is not None and scales.numel():
        # The scales are single precision, and so are the sizes they give.
        return [(float(s), math.floor(h * float(s))) for h, s in zip(have, scales.float(), strict=True)]
    wanted = integers(sizes)
    if not wanted:
        raise node.refuse("it has neither scales nor sizes")
    factors = [w / h for w, h in zip(wanted, have, strict=True)]
    policy = node.get("keep_aspect_ratio_policy", "stretch")
    if policy == "stretch":
        return list(zip(factors, wanted, strict=True))
    factor = {"not_larger": min, "not_smaller": max}[policy](factors)
    return [(factor, math.floor(factor * h + 0.5)) for h in have]


def _places(node: Node, have: int, size: int, factor: float, way: str) -> Tensor:
    """Where in the input each number of the output is taken, `(size,)`."""
    x = torch.arange(size, dtype=torch.float64)
    match way:
        case "half_pixel":
            return (x + 0.5) / factor - 0.5
        case "half_pixel_symmetric":
            return have / 2 * (1 - size / (factor * have)) + (x + 0.5) / factor - 0.5
        case "pytorch_half_pixel":
            return (x + 0.5) / factor - 0.5 if size > 1 else torch.zeros_like(x)
        case "tf_half_pixel_for_nn":
            return (x + 0.5) / factor
        case "asymmetric":
            return x / factor
        case "align_corners":
            length = factor * have
            return torch.zeros_like(x) if length == 1 else x * (have - 1) / (length - 1)
    raise node.refuse(f"its coordinate_transformation_mode {way!r} is not translated")


def _nearest(node: Node, places: Tensor, how: str) -> Tensor:
    match how:
        case "round_prefer_floor":
            return (places - 0.5).ceil()
        case "round_prefer_ceil":
            return (places + 0.5).floor()
        case "floor":
            return places.floor()
        case "ceil":
            return places.ceil()
    raise node.refuse(f"its nearest_mode {how!r} is not known")


def _weights(node: Node, have: int, size: int, factor: float, mode: str, way: str, nearest: str) -> Tensor:
    """The matrix `(size, have)` of one axis."""
    places = _places(node, have, size, factor, way)
    matrix = torch.zeros(size, have, dtype=torch.float64)
    rows = torch.arange(size)
    if mode == "nearest":
        matrix[rows, _nearest(node, places, nearest).clamp(0, have - 1).long()] = 1.0
        return matrix
    if mode not in ("linear", "cubic"):
        raise node.refuse(f"its mode {mode!r} is not known")
    shrunk = min(factor, 1.0) if node.get("antialias", 0) else 1.0
    reach = (1 if mode == "linear" else 2) / shrunk
    kernel = _linear if mode == "linear" else _cubic(node.get("cubic_coeff_a", -0.75))
    floors = places.floor()
    total = torch.zeros(size, dtype=torch.float64)
    excludes = bool(node.get("exclude_outside", 0))
    for step in range(-math.ceil(reach), math.ceil(reach) + 1):
        neighbour = floors + step
        weight = kernel((neighbour - places) * shrunk)
        if excludes:
            weight = weight.where((neighbour >= 0) & (neighbour < have), 0.0)
        matrix[rows, neighbour.clamp(0, have - 1).long()] += weight
        total += weight
    return matrix / total[:, None]


def _linear(distance: Tensor) -> Tensor:
    return (1 - distance.abs()).clamp_min(0.0)


def _cubic(a: float) -> Callable[[Tensor], Tensor]:
    def kernel(distance: Tensor) -> Tensor:
        d = distance.abs()
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
        return near.where(d <= 1, far.where(d < 2, 0.0))

    return kernel


def _along(x: Tensor, axis: int, matrix: Tensor) -> Tensor:
    return (x.movedim(axis, -1) @ matrix.to(x).T).movedim(-1, axis)


def _grid_sample(node: Node, x: Tensor, grid: Tensor) -> Tensor:
    mode = node.get("mode", "linear")
    torch_mode = {"linear": "bilinear", "cubic": "bicubic"}.get(mode, mode)
    return F.grid_sample(
        x, grid, torch_mode, node.get("padding_mode", "zeros"), align_corners=bool(node.get("align_corners", 0))
    )


RESIZE: dict[str, Translation] = {
    "GridSample": translated(_grid_sample, "align_corners mode padding_mode"),
    "Resize": translated(
        _resize,
        "antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside extrapolation_value "
        "keep_aspect_ratio_policy mode nearest_mode",
        since=10,
    ),
    "Upsample": translated(_upsample, "mode scales", since=7),
}
"""By name."""
