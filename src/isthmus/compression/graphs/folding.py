"""Exact folds inside the stretches of a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from isthmus.compression.affine_runs import Precision
from isthmus.compression.backward_bounds import Interval
from isthmus.compression.domain import Domain
from isthmus.compression.exact_folding import folded
from isthmus.compression.fold import Fold
from isthmus.compression.graphs.bounds import given_by, pre_activations, read_by, stretch_bounds
from isthmus.compression.graphs.channel_signs import Reading, channel_signs
from isthmus.compression.graphs.convolution_runs import with_low_ranks, with_runs_multiplied
from isthmus.compression.graphs.network import GraphNetwork
from isthmus.compression.graphs.readers import by_channel, read_again, takes_constants
from isthmus.compression.neuron_folding import (
    Hidden,
    made_linear,
    without_constant,
    without_inactive,
    without_proportional,
)
from isthmus.compression.signs import LayerSigns
from isthmus.formats.onnx_stretches import Stage
from isthmus.networks.chain import Chain

_REFUTING = 2000  # rows at which signs on a box are looked at


def folded_graph(
    network: GraphNetwork, domain: Domain, precision: Precision, generator: torch.Generator
) -> tuple[GraphNetwork, list[Fold]]:
    """The graph with smaller stretches that compute the same on the domain, and the folds that lead to them.

    Convolutions first: runs, then channels, then the runs that come of it and low ranks; then matrices, as a chain.

    Args:
        network: The graph in float64.
        domain: Where f is kept, of its flattened input.
        precision: What counts as rounding.
        generator: Draws points of boxes that refute signs.
    """
    folds: list[Fold] = []
    shortened = []
    for stretch in network.stretches:
        count = _convolutions(stretch.stages)
        stages, found = with_runs_multiplied(stretch.stages[:count])
        shortened.append(replace(stretch, stages=(*stages, *stretch.stages[count:])))
        folds += found
    network = network.with_stretches(shortened)
    smaller = []
    for stretch, reading in zip(network.stretches, _readings(network, domain), strict=True):
        stages, found = _folded_stages(stretch.stages, reading, precision, generator)
        smaller.append(replace(stretch, stages=tuple(stages)))
        folds += found
    return network.with_stretches(smaller), folds


def _folded_stages(
    stages: Sequence[Stage], reading: Reading, precision: Precision, generator: torch.Generator
) -> tuple[list[Stage], list[Fold]]:
    count = _convolutions(stages)
    folds: list[Fold] = []
    result = list(stages)
    if count:
        signs = channel_signs(stages, reading, precision.unit)
        for number in range(min(count, len(stages) - 1)):
            result[number], result[number + 1], found = _folded_channels(
                result[number], result[number + 1], signs[number], reading.sizes[number], precision
            )
            folds += found
        short, found = with_runs_multiplied(result[:count])
        folds += found
        short, found = with_low_ranks(short, precision)
        folds += found
        result, count = [*short, *result[count:]], len(short)
    if count == len(result):
        return result, folds
    inside = _matrix_domain(result[:count], result[count], reading)
    chain, found = folded(Chain(tuple(stage.layer for stage in result[count:])), inside, precision, generator)
    return [*result[:count], *(Stage(layer) for layer in chain.layers)], [*folds, *found]


def _folded_channels(
    stage: Stage, reader: Stage, signs: LayerSigns, size: tuple[int, ...], precision: Precision
) -> tuple[Stage, Stage, list[Fold]]:
    hidden = Hidden(stage.layer, by_channel(stage, reader), torch.arange(len(stage.layer.bias)), signs)
    # Its stage has the number of channels that it was given, of which signs are known.
    hidden, folds = without_inactive(hidden)
    hidden, found = made_linear(hidden)
    folds += found
    is_shiftable = takes_constants(stage, reader, size)
    hidden, found = without_constant(hidden, precision, is_shiftable=is_shiftable)
    folds += found
    hidden, found = without_proportional(hidden, precision)
    return replace(stage, layer=hidden.layer), read_again(reader, hidden.reader), [*folds, *found]


def _convolutions(stages: Sequence[Stage]) -> int:
    """How many stages at the beginning are convolutions."""
    return next((number for number, stage in enumerate(stages) if stage.window is None), len(stages))


def _matrix_domain(convolutions: Sequence[Stage], first: Stage, reading: Reading) -> Domain:
    """Where the matrices behind some convolutions must compute what they do."""
    a, channels = reading.rows, reading.bounds
    for stage in convolutions:
        a = stage.linked(stage.layer.activation(stage.affine(a, stage.layer.weight, stage.layer.bias)))
        channels = None if channels is None else given_by(stage, pre_activations(stage, channels))
    rows = a.reshape(-1, a.shape[-1])
    lower, upper = (torch.full_like(rows[0], side) for side in (-torch.inf, torch.inf))
    if not reading.is_box:
        return Domain(rows, lower, upper)
    bounds = None if channels is None else read_by(first, channels)
    if bounds is None or not bool(torch.isfinite(bounds.size).all()):
        return Domain(rows, lower, upper, is_everywhere=True)
    return Domain(rows, bounds.lower, bounds.upper)


def _readings(network: GraphNetwork, domain: Domain) -> list[Reading]:
    """What each stretch reads: at all rows, where these are the domain, else at some that refute."""
    bounds: dict[str, Interval] = {}
    rows = domain.rows
    if domain.is_box:
        rows = rows[:: -(-len(rows) // _REFUTING)]
        given = Interval(*(side.reshape(network.row_shape) for side in (domain.lower, domain.upper)))
        steps = network.graph.steps
        bounds = stretch_bounds(steps.steps, steps.constants, network.stretches, {steps.input_name: given})
    seen: list[list[Interval]] = []
    read: list[list[Tensor]] = [[] for _ in network.stretches]
    sizes: list[tuple[tuple[int, ...], ...]] = []
    for _, taps in network.tapped(rows):
        found, sizes = [], []
        for stretch, (a, *values), kept in zip(network.stretches, taps, read, strict=True):
            kept.append(a if any(stage.window is None for stage in stretch.stages) else a[:1])
            stages = list(zip(stretch.stages, values[::2], strict=True))
            sizes.append(tuple(() if stage.window is None else tuple(z.shape[2:]) for stage, z in stages))
            samples = [stage.samples(z) for stage, z in stages]
            found.append([Interval(each.amin(0), each.amax(0)) for each in samples])
        seen = found if not seen else [_joint(*pair) for pair in zip(seen, found, strict=True)]
    return [
        Reading(torch.cat(parts), tuple(each), size, bounds.get(stretch.output), domain.is_box)
        for stretch, parts, each, size in zip(network.stretches, read, seen, sizes, strict=True)
    ]


def _joint(first: list[Interval], second: list[Interval]) -> list[Interval]:
    return [
        Interval(torch.minimum(a.lower, b.lower), torch.maximum(a.upper, b.upper))
        for a, b in zip(first, second, strict=True)
    ]
