"""ONNX operators that sum over axes: reductions, products of matrices, normalisations."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from isthmus.formats.onnx_operators.translation import Node, Translation, integers, plain, translated

_ONE_AXIS_SOFTMAX = 13  # before this opset everything from the axis on was one long axis


def _reduced(function: Callable[[Tensor, list[int], bool], Tensor]) -> Translation:
    def reduce(node: Node, x: Tensor, axes: Tensor | None = None) -> Tensor:
        chosen = integers(axes if axes is not None else node.get("axes"))
        if not chosen:
            # Along no axis nothing is summed; squares, logarithms and the like are still taken.
            chosen = [] if node.get("noop_with_empty_axes", 0) else list(range(x.ndim))
        return function(x, chosen, bool(node.get("keepdims", 1)))

    return translated(reduce, "axes keepdims noop_with_empty_axes")


def _sum(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    return x.sum(axes, keep).to(x.dtype) if axes else x


def _mean(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    return x.mean(axes, keep) if axes else x


def _largest(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    return x.amax(axes, keep) if axes else x


def _smallest(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    return x.amin(axes, keep) if axes else x


def _product(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    for axis in sorted((a % x.ndim for a in axes), reverse=True):
        x = x.prod(axis, keep)
    return x


def _log_sum_exp(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    return x.logsumexp(axes, keep) if axes else x


_REDUCTIONS = {
    "ReduceL1": lambda x, axes, keep: _sum(x.abs(), axes, keep),
    "ReduceL2": lambda x, axes, keep: _sum(x * x, axes, keep).sqrt(),
    "ReduceLogSum": lambda x, axes, keep: _sum(x, axes, keep).log(),
    "ReduceLogSumExp": _log_sum_exp,
    "ReduceMax": _largest,
    "ReduceMean": _mean,
    "ReduceMin": _smallest,
    "ReduceProd": _product,
    "ReduceSum": _sum,
    "ReduceSumSquare": lambda x, axes, keep: _sum(x * x, axes, keep),
}


def _gemm(node: Node, a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
    if a.ndim != 2 or b.ndim != 2:
        raise node.refuse(f"it multiplies matrices, and its inputs have {a.ndim} and {b.ndim} dimensions")
    product = (a.T if node.get("transA", 0) else a) @ (b.T if node.get("transB", 0) else b)
    product = product * float(node.get("alpha", 1.0))
    return product if c is None else product + float(node.get("beta", 1.0)) * c


def _softmax(function: Callable[..., Tensor]) -> Translation:
    def normalise(node: Node, x: Tensor) -> Tensor:
        if node.since >= _ONE_AXIS_SOFTMAX:
            return function(x, dim=node.get("axis", -1))
        axis = node.get("axis", 1)
        axis += x.ndim if axis < 0 else 0
        return function(x.reshape([*x.shape[:axis], -1]), dim=-1).reshape(x.shape)

    return translated(normalise, "axis")


def _batch_norm(node: Node, x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, var: Tensor) -> Tensor:
    if node.get("training_mode", 0) or (node.since < 7 and not node.get("is_test", 0)):
        raise node.refuse("it is in training mode, where rows depend on each other")
    if not node.get("spatial", 1):
        raise node.refuse("it keeps statistics of every position (spatial is 0)")
    return F.batch_norm(x, mean, var, scale, bias, False, 0.0, float(node.get("epsilon", 1e-5)))


def _layer_norm(node: Node, x: Tensor, scale: Tensor, bias: Tensor | None = None) -> tuple[Tensor, ...]:
    axes = list(range(node.get("axis", -1) % x.ndim, x.ndim))
    mean = x.mean(axes, keepdim=True)
    inverse = (x.var(axes, correction=0, keepdim=True) + float(node.get("epsilon", 1e-5))).rsqrt()
    result = (x - mean) * inverse * scale
    return (result if bias is None else result + bias), mean, inverse


def _rms_norm(node: Node, x: Tensor, scale: Tensor) -> Tensor:
    axes = list(range(node.get("axis", -1) % x.ndim, x.ndim))
    return x * ((x * x).mean(axes, keepdim=True) + float(node.get("epsilon", 1e-5))).rsqrt() * scale


def _instance_norm(node: Node, x: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    axes, shape = list(range(2, x.ndim)), (-1, *[1] * (x.ndim - 2))
    variance = x.var(axes, correction=0, keepdim=True)
    normal = (x - x.mean(axes, keepdim=True)) / (variance + float(node.get("epsilon", 1e-5))).sqrt()
    return normal * scale.reshape(shape) + bias.reshape(shape)


def _group_norm(node: Node, x: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    groups = node.get("num_groups")
    if node.since < 21:  # one scale a group, not a channel
        scale, bias = (each.repeat_interleave(x.shape[1] // groups) for each in (scale, bias))
    return F.group_norm(x, groups, scale, bias, float(node.get("epsilon", 1e-5)))


def _lrn(node: Node, x: Tensor) -> Tensor:
    size = node.get("size")
    before = (size - 1) // 2
    square = F.pad((x * x).movedim(1, -1), (before, size - 1 - before)).unfold(-1, size, 1).sum(-1).movedim(-1, 1)
    base = float(node.get("bias", 1.0)) + float(node.get("alpha", 1e-4)) / size * square
    result: Tensor = x / base ** float(node.get("beta", 0.75))
    return result


def _lp_norm(node: Node, x: Tensor) -> Tensor:
    axis, p = node.get("axis", -1), node.get("p", 2)
    if p not in (1, 2):
        raise node.refuse(f"its p is {p}, not 1 or 2")
    total = x.abs().sum(axis, keepdim=True) if p == 1 else (x * x).sum(axis, keepdim=True)
    length = total.where(total != 0, 1.0) ** (1.0 / p)  # the root of zero has no derivative
    return torch.where(total == 0, 0.0, x / length)


def _einsum(node: Node, *inputs: Tensor) -> Tensor:
    return torch.einsum(node.get("equation").replace(" ", ""), *inputs)


REDUCTIONS: dict[str, Translation] = {
    **{name: _reduced(function) for name, function in _REDUCTIONS.items()},
    "BatchNormalization": translated(_batch_norm, "epsilon momentum spatial is_test training_mode"),
    "Det": plain(torch.linalg.det),
    "Einsum": translated(_einsum, "equation"),
    "Gemm": translated(_gemm, "alpha beta transA transB broadcast"),
    "GlobalAveragePool": plain(lambda x: x.mean(tuple(range(2, x.ndim)), keepdim=True)),
    "GlobalMaxPool": plain(lambda x: x.amax(tuple(range(2, x.ndim)), keepdim=True)),
    "GroupNormalization": translated(_group_norm, "epsilon num_groups stash_type"),
    "InstanceNormalization": translated(_instance_norm, "epsilon"),
    "LRN": translated(_lrn, "alpha beta bias size"),
    "LayerNormalization": translated(_layer_norm, "axis epsilon stash_type", outputs=3),
    "LogSoftmax": _softmax(torch.log_softmax),
    "LpNormalization": translated(_lp_norm, "axis p"),
    "MatMul": plain(torch.matmul),
    "RMSNormalization": translated(_rms_norm, "axis epsilon stash_type"),
    "Softmax": _softmax(torch.softmax),
}
"""By name."""
