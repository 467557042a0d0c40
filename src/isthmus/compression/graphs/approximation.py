"""Graphs whose stretches have matrices of lower rank, or fewer channels, and compute nearly the same on the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.compression.graphs.convolution_runs import factored, multiplied_convolutions
from isthmus.compression.graphs.network import GraphNetwork
from isthmus.compression.graphs.readers import by_channel, read_again
from isthmus.compression.narrowing import NeuronOrder, common_price
from isthmus.compression.refitting import Targets
from isthmus.compression.weighted_rank import WeightedSvd, allocated_ranks
from isthmus.formats.onnx_stretches import Stage, Stretch, Window
from isthmus.spectra.running_covariance import Moments, MomentSum

_ROWS = 1000  # rows over which sensitivities are averaged
_EXACT, _PROBES = 32, 16  # up to so many outputs each is followed back; of more, random combinations are


def smaller_graphs(
    network: GraphNetwork, targets: Targets, wanted: int, generator: torch.Generator
) -> Iterator[tuple[GraphNetwork, str]]:
    """Matrices and kernels of low rank in their channels, and fewer channels; of about `wanted` numbers."""
    whole = with_factors_multiplied(network)
    statistics = stage_statistics(whole, targets.x, generator)
    svds = [
        WeightedSvd.of_outputs(layer, each.before, each.before_effect)
        for layer, each in zip(whole.layers, statistics, strict=True)
    ]
    yield with_stage_ranks(whole, svds, allocated_ranks(svds, wanted - whole.rest)), "low rank"
    if len(whole.layers) != len(network.layers):
        statistics = stage_statistics(network, targets.x, generator)
    narrow = _narrowed(network, statistics, wanted)
    if narrow is not None:
        yield narrow, "fewer channels"


@dataclass(frozen=True, eq=False)
class StageStatistics:
    r"""Of one stage, over rows and places.

    Attributes:
        before: Moments of W a + b less b.
        before_effect: What a small error there does to the outputs, $\sum_p J_p^\top J_p$ over places, `(n, n)`.
        after: Moments of σ(W a + b).
        after_effect: As `before_effect`.
    """

    before: Moments
    before_effect: Tensor
    after: Moments
    after_effect: Tensor


def stage_statistics(network: GraphNetwork, x: Tensor, generator: torch.Generator) -> list[StageStatistics]:
    """Of every stage of every stretch, over at most a thousand rows."""
    stages = [stage for stretch in network.stretches for stage in stretch.stages]
    sums = [(MomentSum(len(stage.layer.bias)), MomentSum(len(stage.layer.bias))) for stage in stages]
    effects = [tuple(torch.zeros(2, *[len(stage.layer.bias)] * 2).double()) for stage in stages]
    x = x[:: max(1, len(x) // _ROWS)].clone().requires_grad_()
    with torch.enable_grad():
        for outputs, taps in network.tapped(x):
            inside = [tensor for _, *values in taps for tensor in values]
            for stage, pair, (z, values) in zip(stages, sums, _pairs(inside), strict=True):
                pair[0].add(stage.samples(z.detach()) - stage.layer.bias)
                pair[1].add(stage.samples(values.detach()))
            for probe in _probes(outputs, generator):
                found = torch.autograd.grad((outputs * probe).sum(), inside, retain_graph=True, allow_unused=True)
                for stage, totals, gradients in zip(stages, effects, _pairs(found), strict=True):
                    for total, gradient in zip(totals, gradients, strict=True):
                        if gradient is not None:
                            samples = stage.samples(gradient)
                            total.addmm_(samples.T, samples, alpha=1.0 / len(x))
    return [
        StageStatistics(before.result(), effect[0], after.result(), effect[1])
        for (before, after), effect in zip(sums, effects, strict=True)
    ]


def _pairs(values: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
    return list(zip(values[::2], values[1::2], strict=True))


def _probes(outputs: Tensor, generator: torch.Generator) -> Iterator[Tensor]:
    """Single outputs, or random combinations that are right in the mean."""
    if outputs.shape[1] <= _EXACT:
        yield from torch.eye(outputs.shape[1], dtype=outputs.dtype)
        return
    for _ in range(_PROBES):
        signs = torch.randint(0, 2, outputs.shape, generator=generator).to(outputs) * 2.0 - 1.0
        yield signs / _PROBES**0.5


def with_factors_multiplied(network: GraphNetwork) -> GraphNetwork:
    """The graph with every two factors of one matrix or kernel as that one again, whatever it takes."""
    return network.with_stretches([_multiplied(stretch) for stretch in network.stretches])


def _multiplied(stretch: Stretch) -> Stretch:
    pointwise: list[Stage] = []
    for stage in stretch.stages:
        last = pointwise[-1] if pointwise else None
        if last is not None and last.is_open and stage.window is None and last.window is None:
            weight = stage.layer.weight @ last.layer.weight
            bias = torch.addmv(stage.layer.bias, stage.layer.weight, last.layer.bias)
            pointwise[-1] = replace(stage, layer=replace(stage.layer, weight=weight, bias=bias))
        elif last is not None and stage.window == Window((1, 1)):
            joint = multiplied_convolutions([last, stage], is_worth=lambda before, after: True)
            pointwise[-1:] = joint
        else:
            pointwise.append(stage)
    return replace(stretch, stages=tuple(pointwise))


def with_stage_ranks(network: GraphNetwork, svds: Sequence[WeightedSvd], ranks: Sequence[int | None]) -> GraphNetwork:
    """The graph with some of its stages as two factors; None leaves one as it is."""
    given = iter(zip(svds, ranks, strict=True))
    stretches = []
    for stretch in network.stretches:
        stages: list[Stage] = []
        for stage in stretch.stages:
            svd, rank = next(given)
            stages += [stage] if rank is None else factored(stage, *svd.factors(rank))
        stretches.append(replace(stretch, stages=tuple(stages)))
    return network.with_stretches(stretches)


def _narrowed(network: GraphNetwork, statistics: Sequence[StageStatistics], wanted: int) -> GraphNetwork | None:
    """With fewer channels, all worth a common price; None where no stretch has two stages with a kink between them."""
    given = iter(statistics)
    orders: list[list[NeuronOrder | None]] = []
    for stretch in network.stretches:
        found: list[NeuronOrder | None] = []
        for stage, last in zip(stretch.stages, [False] * (len(stretch.stages) - 1) + [True], strict=True):
            each = next(given)
            is_bent = not last and not stage.layer.activation.is_linear
            found.append(NeuronOrder.of(each.after, each.after_effect) if is_bent else None)
        orders.append(found)
    worth = [
        None if order is None else order.gains / _cost(stretch.stages[number], stretch.stages[number + 1])
        for stretch, found in zip(network.stretches, orders, strict=True)
        for number, order in enumerate(found)
    ]
    if all(each is None for each in worth):
        return None
    flat = [order for found in orders for order in found]

    def size(counts: Sequence[int | None]) -> int:
        return _with_counts(network, flat, counts, is_told=False).parameter_count

    return _with_counts(network, flat, common_price(worth, size, wanted), is_told=True)


def _cost(stage: Stage, reader: Stage) -> float:
    """Numbers that one channel takes."""
    return stage.layer.weight.shape[1] + 1 + reader.layer.weight.numel() / len(stage.layer.bias)


def _with_counts(
    network: GraphNetwork, orders: Sequence[NeuronOrder | None], counts: Sequence[int | None], *, is_told: bool
) -> GraphNetwork:
    """With so many channels; where `is_told`, their readers are told by them what the others are."""
    given = iter(zip(orders, counts, strict=True))
    stretches = []
    for stretch in network.stretches:
        stages = list(stretch.stages)
        for number in range(len(stages)):
            order, count = next(given)
            if order is None or count is None:
                continue
            stage, reader = stages[number], stages[number + 1]
            view = by_channel(stage, reader)
            if is_told:
                layer, view = order.kept(stage.layer, view, count)
            else:
                layer = replace(stage.layer, weight=stage.layer.weight[:count], bias=stage.layer.bias[:count])
                view = replace(view, weight=view.weight[:, :count])
            stages[number], stages[number + 1] = replace(stage, layer=layer), read_again(reader, view)
        stretches.append(replace(stretch, stages=tuple(stages)))
    return network.with_stretches(stretches)
