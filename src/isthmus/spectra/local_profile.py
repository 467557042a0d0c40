"""A function of rows measured by derivatives at points: torch's own, or differences of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from isthmus.foundation.progress import Report, part
from isthmus.foundation.rows import Rows
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import chain_depth
from isthmus.networks.rowwise import RowFunction
from isthmus.spectra.black_box import PASSES, BlackBox
from isthmus.spectra.bottleneck import why_not_shown, within
from isthmus.spectra.chain_profile import SHARES, reported
from isthmus.spectra.jacobian import cost_lower
from isthmus.spectra.kinks import off_kinks
from isthmus.spectra.layer_hooks import LayerProbes
from isthmus.spectra.layer_spectrum import CHUNK, LayerSpectrum
from isthmus.spectra.local import local_spectra
from isthmus.spectra.measure_options import MeasureOptions
from isthmus.spectra.mixed_precision import confirmed_spectra
from isthmus.spectra.module_projections import ProjectionPoint, outputs_at, projection_curve
from isthmus.spectra.point_spectra import JacobianSpectra, rank_over_points
from isthmus.spectra.profile import RankProfile
from isthmus.spectra.rank_estimate import RankEstimate
from isthmus.spectra.sketch import sketched_spectra
from isthmus.spectra.tolerance_curve import rank_curve
from isthmus.spectra.units import SCALED_ROWS, Units, is_spread, units_of

_PROBE_BYTES = 1 << 26  # of inputs that go through a module at a time


def local_profile(
    function: RowFunction, rows: Rows, reason: str, options: MeasureOptions, report: Report
) -> RankProfile:
    """The profile of a function of rows that torch differentiates; `reason` says why it is no chain."""
    where, index = rows.spaced(options.points)
    tolerance = options.tolerance
    depth = chain_depth(function.module) if options.output is None else None
    cut_rows, numbers = rows.spaced(SCALED_ROWS)
    outputs = outputs_at(function, cut_rows, numbers)
    units = units_of(cut_rows, outputs, options.scale_inputs, options.scale_outputs)
    kinks = off_kinks(function, where, memory=options.memory, seed=options.seed)
    spectra = _spectra(function, kinks.x, depth, units, options, part(report, 0.0, SHARES[0]))
    found = projection_curve(function, cut_rows, outputs, units, until=tolerance.relative)
    kind = "certified lower bounds of leading singular values" if spectra.upper is not None else "all singular values"
    jacobian = _sampled_rank(spectra, function, tolerance, reason, kind)
    bounds = None
    if depth is not None:
        exact = function.in_double(kinks.x)
        raw = spectra if units.is_raw else local_spectra(exact, kinks.x, memory=options.memory)
        bounds = cost_lower(raw, depth)
    layers: list[LayerSpectrum] = []
    if options.are_layers_measured:
        size = max(1, min(CHUNK, _PROBE_BYTES // (8 * function.d_in)))
        chunks = reported(rows, size, lambda chunk: chunk, part(report, SHARES[1], 1.0))
        layers = LayerProbes(function).collect(chunks)
    facts = _ranks(function, jacobian, found, outputs, tolerance)
    return RankProfile(
        model=function.name,
        method="local",
        rows=len(rows),
        cost_lower=None if bounds is None else float(bounds.max()),
        cost_row=None if bounds is None else int(index[int(bounds.argmax())]),
        jacobian=spectra,
        points=index,
        curve=rank_curve(spectra, tolerance),
        layers=tuple(layers),
        notes=kinks.notes(index),
        units=units.sentence,
        **facts,
    )


def differences_profile(found: BlackBox, rows: Rows, options: MeasureOptions) -> RankProfile:
    """The profile of a callable whose spectra were `found` by differences of its values."""
    function, spectra, tolerance = found.row_function(), found.spectra.intervals(), options.tolerance
    curve = []
    if found.function.left >= PASSES * len(found.outputs):
        sample = rows.spaced(len(found.outputs))[0]
        curve = projection_curve(function, sample, found.outputs, found.units, until=tolerance.relative)
    kind = "lower ends from random lines" if found.lines else "values less their bars"
    jacobian = _sampled_rank(spectra, function, tolerance, "only values of it are known", kind)
    facts = _ranks(function, jacobian, curve, found.outputs, tolerance, found.how.noise)
    return RankProfile(
        model=found.function.name,
        method="differences",
        rows=len(rows),
        cost_lower=None,
        cost_row=None,
        jacobian=spectra,
        points=found.points,
        curve=rank_curve(spectra, tolerance),
        layers=(),
        notes=found.notes(tolerance),
        units=found.units.sentence,
        **facts,
    )


def _ranks(
    function: RowFunction,
    jacobian: RankEstimate,
    curve: Sequence[ProjectionPoint],
    outputs: Tensor,
    tolerance: Tolerance,
    noise: Tensor | None = None,
) -> dict[str, Any]:
    """What a profile says of both ranks, as its fields: from the Jacobian's and the projections at cuts."""
    best = next((n for n in curve if n.change <= tolerance.relative), None)
    smallest = min(function.d_in, function.d_out)
    why_not = why_not_shown(None if best is None else best.rank, smallest, jacobian, outputs, noise)
    best = None if why_not else best
    bottleneck = _cut_bracket(jacobian, best, smallest, why_not)
    return {
        "jacobian_rank": within(jacobian, bottleneck),
        "bottleneck_rank": bottleneck,
        "bottleneck_layer": best.cut if best else 0,
        "bottleneck_place": best.name if best else "inputs",
        "bottleneck_error": best.change if best else None,
        "changes": {n.rank: n.change for n in curve} if is_spread(outputs, noise) or not jacobian.lower else {},
        "norm_per_depth": None,
        "tolerance": tolerance,
    }


def _spectra(
    function: RowFunction, x: Tensor, depth: int | None, units: Units, options: MeasureOptions, report: Report
) -> JacobianSpectra:
    memory, seed = options.memory, options.seed
    if options.leading is not None:
        exact, leading = function.in_double(x), options.leading
        return sketched_spectra(exact, x, leading, memory=memory, units=units, seed=seed, report=report)
    if depth is not None:  # Proposition 3 sums small powers, to which the smallest values matter
        return local_spectra(function.in_double(x), x, memory=memory, units=units, report=report)
    tolerance = options.tolerance
    return confirmed_spectra(function, x, tolerance=tolerance, memory=memory, units=units, seed=seed, report=report)


def _sampled_rank(
    spectra: JacobianSpectra, function: RowFunction, tolerance: Tolerance, reason: str, kind: str
) -> RankEstimate:
    smallest = min(function.d_in, function.d_out)
    found = rank_over_points(spectra.ranks(tolerance), smallest, tolerance)
    said = f"{found.evidence[0]}; local measurement by derivatives at points, {kind}: {reason}"
    shape = f"the function maps {function.d_in} numbers to {function.d_out}"
    return RankEstimate(found.lower, found.upper, tolerance.relative, (said, shape))


def _cut_bracket(jacobian: RankEstimate, best: ProjectionPoint | None, smallest: int, why_not: str) -> RankEstimate:
    """The bracket of Rank_BN that the Jacobian's rank and the best projection at a cut give, or `why_not` it does."""
    if best is None:
        upper, said = smallest, f"the function has {smallest} numbers at its narrower end; {why_not}"
    else:
        upper = best.rank
        said = (
            f"keeping {best.rank} principal directions at {best.name} changes f by {best.change:.2%} of its spread "
            "over the data (exhibited)"
        )
    return RankEstimate(min(jacobian.lower, upper), upper, jacobian.tolerance, (jacobian.evidence[0], said))
