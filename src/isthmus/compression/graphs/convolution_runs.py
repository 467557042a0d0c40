"""Convolutions that follow each other without a kink, as one where that is exact and smaller, or as two of low rank."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from isthmus.compression.affine_runs import Precision, with_short_runs
from isthmus.compression.fold import Fold
from isthmus.formats.onnx_stretches import Stage, Window
from isthmus.networks.chain import Chain, Layer


def with_runs_multiplied(stages: Sequence[Stage]) -> tuple[list[Stage], list[Fold]]:
    """The convolutions with runs multiplied out where that is smaller."""
    merged = multiplied_convolutions(stages, is_worth=lambda before, after: after <= before)
    proof = "no activation between them, and no zeros around what the second reads: one convolution"
    names = tuple(stage.layer.name for stage in stages)
    return merged, [Fold("linear run", names, (), proof)] if len(merged) < len(stages) else []


def with_low_ranks(stages: Sequence[Stage], precision: Precision) -> tuple[list[Stage], list[Fold]]:
    """The convolutions through their numerical rank, each where that is smaller."""
    result: list[Stage] = []
    folds: list[Fold] = []
    for stage in stages:
        short, found = with_short_runs(Chain((stage.layer,)), precision)
        folds += found
        result += [stage] if short.depth == 1 else factored(stage, short.layers[0], short.layers[1])
    return result, folds


def factored(stage: Stage, inner: Layer, outer: Layer) -> list[Stage]:
    """A stage as two: to fewer channels with its kernel, and from these at every place by itself."""
    window = None if stage.window is None else Window((1, 1))
    return [replace(stage, layer=inner, links=()), replace(stage, layer=outer, window=window)]


def multiplied_convolutions(stages: Sequence[Stage], is_worth: Callable[[int, int], bool]) -> list[Stage]:
    """The stages with convolutions that follow each other as one, where it is one and is worth its numbers."""
    result: list[Stage] = []
    for stage in stages:
        joint = _product(result[-1], stage) if result else None
        before = 0 if joint is None else sum(each.layer.weight.numel() for each in (result[-1], stage))
        if joint is not None and is_worth(before, joint.layer.weight.numel()):
            result[-1] = joint
        else:
            result.append(stage)
    return result


def _product(first: Stage, second: Stage) -> Stage | None:
    r"""Both as one convolution; None where they are none.

    $y_q = W_1 x$ around $q s_1 - p_1$ and $z_r = W_2 y$ around $r s_2$ read x at $(r s_2 + j d_2) s_1 + i d_1 - p_1$:
    one kernel over all sums of offsets. Where the second reads zeros around y, these are no values of $W_1 x + b_1$,
    unless the first is a matrix at every place, without a bias: then they are those of zeros around x.
    """
    one, two = first.window, second.window
    if one is None or two is None or not first.is_open:
        return None
    padding = one.padding
    if two.is_padded:
        if not one.is_pointwise or bool(first.layer.bias.any()):
            return None
        padding = two.padding
    kernel = _kernel_product(first, second, one, two)
    bias = second.layer.bias + _kernel(second, two).sum((2, 3)) @ first.layer.bias
    stride = (one.stride[0] * two.stride[0], one.stride[1] * two.stride[1])
    window = Window((kernel.shape[2], kernel.shape[3]), stride, padding)
    name = f"{first.layer.name} to {second.layer.name}"
    return Stage(Layer(kernel.flatten(1), bias, second.layer.activation, name), window, second.links)


def _kernel_product(first: Stage, second: Stage, one: Window, two: Window) -> Tensor:
    inner, outer = _kernel(first, one), _kernel(second, two)
    step = [d * s for d, s in zip(two.dilation, one.stride, strict=True)]
    size = [
        (outer.shape[2 + axis] - 1) * step[axis] + (inner.shape[2 + axis] - 1) * one.dilation[axis] + 1
        for axis in (0, 1)
    ]
    kernel = inner.new_zeros(outer.shape[0], inner.shape[1], *size)
    for row, column in torch.cartesian_prod(*(torch.arange(n) for n in outer.shape[2:])).tolist():
        product = torch.einsum("om,mihw->oihw", outer[:, :, row, column], inner)
        rows, columns = (
            slice(
                at * step[axis],
                at * step[axis] + (inner.shape[2 + axis] - 1) * one.dilation[axis] + 1,
                one.dilation[axis],
            )
            for axis, at in ((0, row), (1, column))
        )
        kernel[:, :, rows, columns] += product
    return kernel


def _kernel(stage: Stage, window: Window) -> Tensor:
    return stage.layer.weight.view(len(stage.layer.bias), -1, *window.kernel)
