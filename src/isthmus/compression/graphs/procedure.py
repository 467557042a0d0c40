"""Graphs: exact folds inside their stretches, then approximations if a tolerance is given; the rest is copied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from isthmus.compression.affine_runs import ROOMS, Precision
from isthmus.compression.compressed import CurvePoint, Size
from isthmus.compression.domain import Domain
from isthmus.compression.fold import Fold
from isthmus.compression.graphs.approximation import smaller_graphs
from isthmus.compression.graphs.compressed_graph import CompressedGraph
from isthmus.compression.graphs.folding import folded_graph
from isthmus.compression.graphs.network import GraphNetwork
from isthmus.compression.options import Options
from isthmus.compression.output_units import OutputUnits, lost_outputs
from isthmus.compression.own_outputs import OwnOutputs
from isthmus.compression.path import Step, within_tolerance
from isthmus.compression.refitting import Targets, relative_error
from isthmus.errors import IncompressibleModelError, ModelCallError, OptionError, UnmetToleranceError
from isthmus.formats.onnx_graph import OnnxGraph, number_count
from isthmus.formats.onnx_stretches import positions
from isthmus.formats.reference import agreement
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.rows import Rows
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE

_OLDEST = 7  # the opset from which on Gemm and BatchNormalization mean what they do now

_SHARED = "Layers share their weights, which would be written apart and take more than is saved: it is left as it is."
_NO_CURVE: tuple[CurvePoint, ...] = ()


def compress_graph(model: Any, graph: OnnxGraph, rows: Rows, options: Options) -> CompressedGraph:
    """The smaller graph in the place of a model that branches or convolves; arguments and errors as of `compress`."""
    _check(graph, options)
    agreement(model, rows)
    matrix = rows.matrix().double().cpu()
    domain = Domain.of(matrix, options.box)
    generator = torch.Generator().manual_seed(options.seed)
    with flushed_denormals(), torch.no_grad():
        given = _network(graph, rows.row_shape, matrix)
        points, wanted = domain.points(generator), given(matrix)
        units = OutputUnits.of(model, matrix, wanted.to(graph.dtype), options.scale_outputs)
        own = _own(given, points, graph.dtype)
        options.report(0.1, "proving the signs of channels")
        network, folds, notes = _folded(given, own, points, domain, generator)
        error = relative_error(units.counted(network.to(graph.dtype)(matrix)), units.counted(wanted))
        method, curve = "exact folds", _NO_CURVE
        if options.tolerance is not None:
            options.report(0.4, "approximating")
            network, method, error, curve = _approximated(given, network, matrix, units, options, generator)
        written = network.to(graph.dtype)
        proto = graph.written(written.stretches, graph.dtype)
        if number_count(proto) > number_count(graph.plain):
            network, written, proto, folds = given, given.to(graph.dtype), graph.plain, []
            method, error, curve, notes = "exact folds", 0.0, _NO_CURVE, (*notes, _SHARED)
        options.report(1.0, f"{number_count(proto):,} parameters")
        if curve and options.scale_outputs != "data":
            notes += lost_outputs(written(matrix).double(), wanted, options.tolerance or DEFAULT_TOLERANCE)
        return CompressedGraph(
            network=written,
            model=proto,
            before=_size(given, number_count(graph.plain), matrix),
            after=_size(network, number_count(proto), matrix),
            folds=tuple(folds),
            rank=None,
            error=error,
            units=units.words,
            largest_change=own.change(written(points)),
            rounding=own.rounding,
            domain=domain.in_words,
            method=method,
            curve=curve,
            notes=notes,
            _points=points,
        )


def _check(graph: OnnxGraph, options: Options) -> None:
    if options.rank is not None:
        raise OptionError("rank", options.rank, "left out: of a graph that branches or convolves no layer carries all")
    if graph.has_halves:
        raise IncompressibleModelError("The graph", "it holds numbers of half precision")
    if graph.opset < _OLDEST:
        raise IncompressibleModelError("The graph", f"its operators are those of opset {graph.opset}, before {_OLDEST}")
    if not graph.stretches:
        operators = ", ".join(sorted({step.node.operator for step in graph.steps.steps}))
        raise IncompressibleModelError("The graph", f"no matrix or kernel in it is constant ({operators})")


def _network(graph: OnnxGraph, row_shape: tuple[int, ...], matrix: Tensor) -> GraphNetwork:
    """The graph as it is given, in float64; of any number of rows where it only says that it takes so many."""
    inside = sum(stretch.number_count for stretch in graph.stretches)
    rest = number_count(graph.written(graph.stretches, graph.dtype)) - inside
    network = GraphNetwork(graph, graph.stretches, row_shape, rest)
    if graph.rows is None:
        return network
    free = GraphNetwork(replace(graph, rows=None), graph.stretches, row_shape, rest)
    x = matrix[torch.arange(2 * graph.rows + 1) % len(matrix)]
    try:
        found = free(x)
    except ModelCallError:
        return network
    wanted = network(x)
    return free if found.shape == wanted.shape and torch.allclose(found, wanted, rtol=1e-9, atol=0.0) else network


def _own(given: GraphNetwork, points: Tensor, dtype: torch.dtype) -> OwnOutputs:
    """The outputs, and their rounding: of double precision that of single precision, so many times smaller."""
    outputs, before = given(points), given.with_open_ends(points)
    single = given.to(torch.float32)(points).double()
    share = torch.finfo(dtype).eps / torch.finfo(torch.float32).eps
    return OwnOutputs.of(outputs, before, outputs + share * (single - outputs), dtype)


def _folded(
    given: GraphNetwork, own: OwnOutputs, points: Tensor, domain: Domain, generator: torch.Generator
) -> tuple[GraphNetwork, list[Fold], tuple[str, ...]]:
    """The folded graph, its folds and what is to be said: less is rounding where that shows in the outputs."""
    unit, state = torch.finfo(own.dtype).eps, generator.get_state()
    for room in ROOMS:
        generator.set_state(state)
        network, folds = folded_graph(given, domain, Precision(unit, room), generator)
        if own.are_kept_by(network.to(own.dtype)(points)):
            return network, folds, ()
    return given, [], ("Folding would change f by more than rounding: it is written as it is.",)


def _approximated(
    given: GraphNetwork,
    network: GraphNetwork,
    matrix: Tensor,
    units: OutputUnits,
    options: Options,
    generator: torch.Generator,
) -> tuple[GraphNetwork, str, float, tuple[CurvePoint, ...]]:
    assert options.tolerance is not None
    tolerance, dtype = options.tolerance.relative, given.graph.dtype
    counted = [each.in_units(units.units) for each in (given, network)]
    targets = Targets.of(counted[0], matrix, generator)
    start = Step(counted[1], "exact folds", targets.error(counted[1].to(dtype)))
    error = max(start.error, targets.judged(start.chain.to(dtype)))
    if error > tolerance:
        raise UnmetToleranceError(tolerance, error, None)
    found, seen = within_tolerance(start, targets, tolerance, dtype, generator, smaller_graphs)
    curve = tuple(CurvePoint(step.method, step.chain.parameter_count, step.error) for step in seen)
    return found.chain.in_units(None), found.method, targets.judged(found.chain.to(dtype)), curve


def _size(network: GraphNetwork, parameters: int, matrix: Tensor) -> Size:
    """Of a graph and one row."""
    (_, taps) = next(iter(network.tapped(matrix[:1])))
    stages = [
        (stage, z)
        for stretch, (_, *values) in zip(network.stretches, taps, strict=True)
        for stage, z in zip(stretch.stages, values[::2], strict=True)
    ]
    flops = sum(2 * stage.layer.weight.numel() * positions(stage, z) for stage, z in stages)
    return Size(parameters, len(stages), flops, network.widths)
