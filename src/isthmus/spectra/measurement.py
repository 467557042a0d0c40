"""Measure any trained network: one function, two methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from isthmus.errors import DtypeError, UnsupportedModuleError
from isthmus.formats.reference import agreement
from isthmus.foundation.arrays import check_columns
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.memory import DEFAULT_MEMORY, check_memory
from isthmus.foundation.progress import Report, part, silent
from isthmus.foundation.rows import Rows
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.networks import (
    FullyConnected,
    StandardizedNetwork,
    chain_depth,
    from_torch,
)
from isthmus.networks.evaluation import evaluating
from isthmus.networks.rowwise import RowFunction, row_function
from isthmus.networks.wrappers import in_single_precision, unwrapped
from isthmus.spectra.bottleneck import bracket, chosen, located_truncation_curve
from isthmus.spectra.jacobian import (
    JacobianSpectra,
    cost_lower,
    jacobian_spectra,
    rank_over_points,
)
from isthmus.spectra.layer_hooks import LayerProbes
from isthmus.spectra.layer_spectrum import CHUNK, layer_spectra
from isthmus.spectra.local import local_spectra
from isthmus.spectra.mixed_precision import confirmed_spectra
from isthmus.spectra.model import Model
from isthmus.spectra.module_projections import ProjectionPoint, projection_curve
from isthmus.spectra.profile import RankProfile
from isthmus.spectra.rank_estimate import RankEstimate
from isthmus.spectra.sketch import sketched_spectra
from isthmus.spectra.tolerance_curve import rank_curve

_TRIED_ROWS = (300, 2000)  # rows on which truncations of a chain are compared, fewer of very wide networks:
_TRIED_PRODUCTS = 10**9  # multiplications of one network evaluation there
_CUT_ROWS = 500  # rows on which projections at the cuts of a module are compared
_PROBE_BYTES = 1 << 26  # of inputs that go through a module at a time
_SHARES = (0.4, 0.5)  # of the progress bar: until the Jacobians, until the truncations are done


def measure(
    model: Model,
    x: object,
    *,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    points: int = 500,
    output: str | None = None,
    leading: int | None = None,
    memory: int = DEFAULT_MEMORY,
    seed: int = 0,
    check: bool = True,
    report: Report = silent,
) -> RankProfile:
    """Every measurement of `model` over the rows of `x`.

    A chain of affine maps (convolutions and average pooling included) and one positively homogeneous activation is
    measured in closed form. Any other module is measured locally: derivatives at points, spectra of its layers
    through hooks, projections at the places everything must pass. It is evaluated in eval mode; its modes, the
    random state and its gradients are left as they were.

    Args:
        model: A network, a standardised network (measured in standard units) or any torch module that takes one
            tensor whose first dimension counts rows.
        x: `(n, d_in)`, or `(n, …)` as the module takes it; a numpy memory map is read in chunks.
        tolerance: Which relative sizes count as zero.
        points: At how many rows, evenly spaced, the Jacobian is taken.
        output: Which output, where a module returns a tuple (a position, as text) or a dict (a key).
        leading: Take certified intervals of so many leading singular values instead of all of them; for modules with
            very many inputs and outputs.
        memory: Bytes that intermediate results may take at a time.
        seed: Of the random vectors behind `leading`, or behind the confirmation of single precision.
        check: Compare a model that was loaded from a file with the file's own runtime first.
        report: Told the fraction done.

    Raises:
        DisagreementError: If a model that was loaded from a file computes something else than the file's own runtime.
        NonFiniteError, ShapeError, DtypeError: If `x` does not hold finite rows that fit the model.
        ModelCallError, OutputChoiceError, MixedRowsError, NotDifferentiableError: If a module is not a
            differentiable function of one row.
        MemoryBudgetError: If one row does not fit into `memory`.
        UnsupportedModuleError: If `model` is not a network at all.

    Source:
        Jacot (2023), definitions of the ranks, Proposition 3, experiment on rank recovery.
    """
    check_memory(memory)
    rows = x if isinstance(x, Rows) else Rows(x)
    with flushed_denormals(), torch.no_grad():
        if not isinstance(model, nn.Module):
            return _chain(model, rows, type(model).__name__, tolerance, points, memory, report)
        model, upcast = in_single_precision(unwrapped(model))
        network, reason = _as_chain(model, rows, memory, output, leading)
        function = None if network is not None else row_function(model, rows.spaced(2)[0], output)
        notes = (*upcast, *(agreement(model, rows) if check else ()))
        if network is not None:
            profile = _chain(network, rows, type(model).__name__, tolerance, points, memory, report)
        else:
            assert function is not None
            options = _LocalOptions(points, output, leading, memory, seed)
            profile = _local(function, rows, tolerance, reason, options, report)
        return replace(profile, notes=notes)


@dataclass(frozen=True)
class _LocalOptions:
    points: int
    output: str | None
    leading: int | None
    memory: int
    seed: int


def _as_chain(
    model: nn.Module, rows: Rows, memory: int, output: str | None, leading: int | None
) -> tuple[FullyConnected | None, str]:
    """The module as a chain, or None and the reason why it is none."""
    if output is not None or leading is not None:
        return None, "derivatives were asked for"
    try:
        with evaluating(model):
            return from_torch(model, rows.row_shape if len(rows.row_shape) > 1 else None, memory=memory // 16), ""
    except UnsupportedModuleError as refused:
        return None, str(refused).partition(". Supported")[0]
    except DtypeError:
        return None, "its weights are neither float32 nor float64"


def _chain(
    model: FullyConnected | StandardizedNetwork,
    rows: Rows,
    name: str,
    tolerance: Tolerance,
    points: int,
    memory: int,
    report: Report,
) -> RankProfile:
    if not isinstance(model, FullyConnected | StandardizedNetwork):
        raise UnsupportedModuleError(type(model).__name__, "it is not a network")
    network = model.network if isinstance(model, StandardizedNetwork) else model
    flat = rows.reshaped((rows.width,)) if len(rows.row_shape) > 1 else rows
    check_columns(flat.chunk(0, 1), network.d_in)

    def units(chunk: Tensor) -> Tensor:
        if isinstance(model, StandardizedNetwork):
            chunk = model.inputs.forward(chunk.double())
        return chunk.to(dtype=network.dtype, device=network.device)

    where, index = flat.spaced(points)
    spectra = jacobian_spectra(network, units(where), memory=memory, report=part(report, 0.0, _SHARES[0]))
    tried = min(_TRIED_ROWS[1], max(_TRIED_ROWS[0], _TRIED_PRODUCTS // network.parameter_count))
    found = located_truncation_curve(network, units(flat.spaced(tried)[0]), until=tolerance.relative, extra=2)
    best = chosen(found, tolerance)
    jacobian = rank_over_points(spectra.ranks(tolerance), min(network.widths), tolerance)
    bounds = cost_lower(spectra, network.depth, network.activation.negative_slope)
    size = max(1, min(CHUNK, memory // (16 * sum(network.widths))))
    layers = layer_spectra(network, _reported(flat, size, units, part(report, _SHARES[1], 1.0)))
    return RankProfile(
        model=name,
        method="chain",
        rows=len(rows),
        jacobian_rank=jacobian,
        bottleneck_rank=bracket(jacobian, found, tolerance),
        bottleneck_layer=best.truncation.layer,
        bottleneck_place="",
        bottleneck_error=best.change,
        changes={n.rank: n.change for n in found},
        norm_per_depth=network.norm_per_depth,
        cost_lower=float(bounds.max()),
        cost_row=int(index[int(bounds.argmax())]),
        jacobian=spectra,
        points=index,
        curve=rank_curve(spectra, tolerance),
        layers=tuple(layers),
        tolerance=tolerance,
    )


def _reported(rows: Rows, size: int, units: Callable[[Tensor], Tensor], report: Report) -> Iterator[Tensor]:
    done = 0
    for chunk in rows.chunks(size):
        yield units(chunk)
        done += len(chunk)
        report(done / len(rows), f"row {done} of {len(rows)}")


def _local(
    function: RowFunction,
    rows: Rows,
    tolerance: Tolerance,
    reason: str,
    options: _LocalOptions,
    report: Report,
) -> RankProfile:
    where, index = rows.spaced(options.points)
    depth = chain_depth(function.module) if options.output is None else None
    spectra = _spectra(function, where, tolerance, depth, options, part(report, 0.0, _SHARES[0]))
    found = projection_curve(function, rows.spaced(_CUT_ROWS)[0], until=tolerance.relative)
    jacobian = _sampled_rank(spectra, function, tolerance, reason)
    bounds = None if depth is None else cost_lower(spectra, depth)
    size = max(1, min(CHUNK, _PROBE_BYTES // (8 * function.d_in)))
    layers = LayerProbes(function).collect(_reported(rows, size, lambda chunk: chunk, part(report, _SHARES[1], 1.0)))
    smallest = min(function.d_in, function.d_out)
    best = next((n for n in found if n.change <= tolerance.relative), None)
    return RankProfile(
        model=function.name,
        method="local",
        rows=len(rows),
        jacobian_rank=jacobian,
        bottleneck_rank=_cut_bracket(jacobian, best, smallest, tolerance),
        bottleneck_layer=best.cut if best else 0,
        bottleneck_place=best.name if best else "inputs",
        bottleneck_error=best.change if best else 0.0,
        changes={n.rank: n.change for n in found},
        norm_per_depth=None,
        cost_lower=None if bounds is None else float(bounds.max()),
        cost_row=None if bounds is None else int(index[int(bounds.argmax())]),
        jacobian=spectra,
        points=index,
        curve=rank_curve(spectra, tolerance),
        layers=tuple(layers),
        tolerance=tolerance,
    )


def _spectra(
    function: RowFunction,
    x: Tensor,
    tolerance: Tolerance,
    depth: int | None,
    options: _LocalOptions,
    report: Report,
) -> JacobianSpectra:
    memory, seed = options.memory, options.seed
    if options.leading is not None:
        return sketched_spectra(function.in_double(x), x, options.leading, memory=memory, seed=seed, report=report)
    if depth is not None:  # Proposition 3 sums small powers, to which the smallest values matter
        return local_spectra(function.in_double(x), x, memory=memory, report=report)
    return confirmed_spectra(function, x, tolerance=tolerance, memory=memory, seed=seed, report=report)


def _sampled_rank(spectra: JacobianSpectra, function: RowFunction, tolerance: Tolerance, reason: str) -> RankEstimate:
    smallest = min(function.d_in, function.d_out)
    found = rank_over_points(spectra.ranks(tolerance), smallest, tolerance)
    kind = "certified lower bounds of leading singular values" if spectra.upper is not None else "all singular values"
    said = f"{found.evidence[0]}; local measurement by derivatives at points, {kind}: {reason}"
    shape = f"the function maps {function.d_in} numbers to {function.d_out}"
    return RankEstimate(found.lower, found.upper, tolerance.relative, (said, shape))


def _cut_bracket(
    jacobian: RankEstimate, best: ProjectionPoint | None, smallest: int, tolerance: Tolerance
) -> RankEstimate:
    """The bracket of Rank_BN that the Jacobian's rank and the best projection at a cut give."""
    if best is None or best.rank >= smallest:
        upper, said = smallest, f"the function has {smallest} numbers at its narrower end; no projection does better"
    else:
        upper = best.rank
        said = (
            f"keeping {best.rank} principal directions at {best.name} changes f by {best.change:.2%} of its spread "
            "over the data (exhibited)"
        )
    return RankEstimate(min(jacobian.lower, upper), upper, tolerance.relative, (jacobian.evidence[0], said))
