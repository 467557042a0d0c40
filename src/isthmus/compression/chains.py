"""Chains: exact folds, then approximations if a tolerance or a rank is given."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from isthmus.compression.affine_runs import ROOMS, Precision
from isthmus.compression.compressed import Compressed, CompressedChain, CurvePoint, Size, interface_of
from isthmus.compression.domain import Domain
from isthmus.compression.exact_folding import folded
from isthmus.compression.fold import Fold
from isthmus.compression.options import Options
from isthmus.compression.output_units import OutputUnits, lost_outputs
from isthmus.compression.own_outputs import OwnOutputs
from isthmus.compression.path import Step, smaller_chains, through_rank, within_tolerance
from isthmus.compression.refitting import Targets, relative_error
from isthmus.compression.weights import check_weight
from isthmus.errors import UnmetToleranceError
from isthmus.formats.reference import agreement
from isthmus.foundation.arrays import check_columns
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.rows import Rows
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE
from isthmus.networks import StandardizedNetwork
from isthmus.networks.chain import Chain
from isthmus.networks.chain_conversion import chain_of


def compress_chain(model: object, rows: Rows, options: Options) -> Compressed:
    """The smaller chain in the place of a model that is one; arguments and errors as of `compress`."""
    chain, dtype = _exact(model)
    matrix = _rows(model, rows, chain.d_in)
    domain = Domain.of(matrix, options.box)
    generator = torch.Generator().manual_seed(options.seed)
    with flushed_denormals(), torch.no_grad():
        points, wanted = domain.points(generator), chain.exact(matrix)
        units = OutputUnits.of(model, matrix, wanted.to(dtype), options.scale_outputs)
        own = model(points) if isinstance(model, StandardizedNetwork) else chain.in_reverse(points)
        before = chain.with_open_end.exact(points)
        given = _Given(chain, points, OwnOutputs.of(chain.layers[-1].activation(before), before, own, dtype))
        options.report(0.1, "proving the signs of neurons")
        smaller, folds, dtype, notes = _folded(given, domain, units, generator)
        error = relative_error(units.counted(smaller.to(dtype)(matrix)), units.counted(wanted))
        found = _Found(smaller, "exact folds", error, ())
        if options.tolerance is not None or options.rank is not None:
            options.report(0.4, "approximating")
            found = _approximated(found, chain, matrix, units, options, dtype, generator)
        options.report(1.0, f"{found.chain.parameter_count:,} parameters")
        written = found.chain.to(dtype)
        if found.curve and options.scale_outputs != "data":
            notes += lost_outputs(written(matrix).double(), wanted, options.tolerance or DEFAULT_TOLERANCE)
        return CompressedChain(
            chain=written,
            before=_size_before(model, chain),
            after=Size(written.parameter_count, written.depth, written.flops, written.widths),
            folds=tuple(folds),
            rank=0 if written.is_constant else min(written.widths),
            error=found.error,
            units=units.words,
            largest_change=given.own.change(written(points)),
            rounding=given.own.rounding,
            domain=domain.in_words,
            method=found.method,
            curve=found.curve,
            notes=notes,
            interface=interface_of(model, written, options.names),
            _points=points,
        )


@dataclass(frozen=True, eq=False)
class _Given:
    """The given chain, points of the domain, and what it gives there."""

    chain: Chain
    points: Tensor
    own: OwnOutputs


@dataclass(frozen=True, eq=False)
class _Found:
    """A network, how it was made, its error, and what was seen on the way."""

    chain: Chain
    method: str
    error: float
    curve: tuple[CurvePoint, ...]


def _exact(model: object) -> tuple[Chain, torch.dtype]:
    """The model as a chain, and its own precision."""
    chain = chain_of(model)
    dtype = model.network.dtype if isinstance(model, StandardizedNetwork) else chain.dtype
    for layer in chain.layers:
        for what, tensor in ((f"the weight of {layer.name}", layer.weight), (f"the bias of {layer.name}", layer.bias)):
            check_weight(what, tensor)
    return chain, dtype


def _rows(model: object, rows: Rows, d_in: int) -> Tensor:
    """The rows as a matrix in float64, the model compared with its file's own runtime on them."""
    if isinstance(model, nn.Module):
        agreement(model, rows)
    matrix = rows.matrix()
    check_columns(matrix, d_in)
    return matrix.double().cpu()


def _folded(
    given: _Given, domain: Domain, units: OutputUnits, generator: torch.Generator
) -> tuple[Chain, list[Fold], torch.dtype, tuple[str, ...]]:
    """The folded chain, its folds, the precision it is written in, and what is to be said of that.

    Outputs are folded in units of theirs, so that what is rounding beside a large one is none beside itself. What
    counts as rounding in a matrix may show in the outputs: then less does, and at last nothing. Where single precision
    does not hold f in the units of its data, it is written in double precision.
    """
    unit, units = torch.finfo(given.own.dtype).eps, units.rounded
    counted, state = units.of_chain(given.chain), generator.get_state()
    for dtype in dict.fromkeys((given.own.dtype, torch.float64)):
        for room in ROOMS:
            generator.set_state(state)
            chain, folds = folded(counted, domain, Precision(unit, room), generator)
            chain = units.undone(chain)
            if given.own.are_kept_by(chain.to(dtype)(given.points)):
                is_double = dtype != given.own.dtype
                notes = ("It is written in double precision: in single precision f would change.",) if is_double else ()
                return chain, folds, dtype, notes
    return given.chain, [], torch.float64, ("Folding would change f by more than rounding: it is written as it is.",)


def _approximated(
    found: _Found,
    given: Chain,
    rows: Tensor,
    units: OutputUnits,
    options: Options,
    dtype: torch.dtype,
    generator: torch.Generator,
) -> _Found:
    given, folded_chain = (units.of_chain(chain.to(torch.float64)) for chain in (given, found.chain))
    targets, rank, tolerance = Targets.of(given, rows, generator), options.rank, options.tolerance
    start = Step(folded_chain, found.method, targets.error(folded_chain.to(dtype)))
    seen = [start]
    if rank is not None:
        start = through_rank(folded_chain, targets, rank, dtype, generator)
        seen.append(start)
    if tolerance is not None:
        error = max(start.error, targets.judged(start.chain.to(dtype)))
        if error > tolerance.relative:
            raise UnmetToleranceError(tolerance.relative, error, rank)
        start, more = within_tolerance(start, targets, tolerance.relative, dtype, generator, smaller_chains, rank=rank)
        seen += more[1:]
    curve = tuple(CurvePoint(step.method, step.chain.parameter_count, step.error) for step in seen)
    chain = units.undone(start.chain)
    error = relative_error(units.counted(chain.to(dtype)(targets.judge_x)), targets.judge_y)
    return replace(found, chain=chain, method=start.method, error=error, curve=curve)


def _size_before(model: object, chain: Chain) -> Size:
    """The size of the model as it is held: of a norm its vectors, not the matrix that they are."""
    if not isinstance(model, nn.Module):
        return Size(chain.parameter_count, chain.depth, chain.flops, chain.widths)
    layers = [layer for layer in chain.layers if not layer.name.startswith("BatchNorm")]
    held = [*model.parameters(), *(buffer for buffer in model.buffers() if buffer.is_floating_point())]
    widths = (chain.d_in, *(len(layer.bias) for layer in layers))
    return Size(sum(t.numel() for t in held), len(layers), 2 * sum(layer.weight.numel() for layer in layers), widths)
