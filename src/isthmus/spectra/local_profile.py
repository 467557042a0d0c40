"""A function of rows measured by derivatives at points: torch's own, or differences of values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from isthmus.foundation.progress import Report, part
from isthmus.foundation.rows import Rows
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import chain_depth
from isthmus.networks.rowwise import RowFunction
from isthmus.spectra.black_box import BlackBox
from isthmus.spectra.bottleneck import within
from isthmus.spectra.chain_profile import SHARES, reported
from isthmus.spectra.jacobian import cost_lower
from isthmus.spectra.kinks import off_kinks
from isthmus.spectra.layer_hooks import LayerProbes
from isthmus.spectra.layer_spectrum import CHUNK
from isthmus.spectra.local import local_spectra
from isthmus.spectra.mixed_precision import confirmed_spectra
from isthmus.spectra.module_projections import ProjectionPoint, projection_curve
from isthmus.spectra.point_spectra import JacobianSpectra, rank_over_points
from isthmus.spectra.profile import RankProfile
from isthmus.spectra.rank_estimate import RankEstimate
from isthmus.spectra.sketch import sketched_spectra
from isthmus.spectra.tolerance_curve import rank_curve

_CUT_ROWS = 500  # rows on which projections at the cuts of a module are compared
_PROBE_BYTES = 1 << 26  # of inputs that go through a module at a time
_PASSES = 40  # evaluations of each of those rows that the projections of a callable take at most


@dataclass(frozen=True)
class LocalOptions:
    """What was asked of a local measurement, as `measure` names it."""

    points: int
    output: str | None
    leading: int | None
    memory: int
    seed: int


def local_profile(
    function: RowFunction,
    rows: Rows,
    tolerance: Tolerance,
    reason: str,
    options: LocalOptions,
    report: Report,
) -> RankProfile:
    """The profile of a function of rows that torch differentiates; `reason` says why it is no chain."""
    where, index = rows.spaced(options.points)
    depth = chain_depth(function.module) if options.output is None else None
    kinks = off_kinks(function.in_double(where), where, memory=options.memory, seed=options.seed)
    spectra = _spectra(function, kinks.x, tolerance, depth, options, part(report, 0.0, SHARES[0]))
    found = projection_curve(function, rows.spaced(_CUT_ROWS)[0], until=tolerance.relative)
    kind = "certified lower bounds of leading singular values" if spectra.upper is not None else "all singular values"
    jacobian = _sampled_rank(spectra, function, tolerance, reason, kind)
    bounds = None if depth is None else cost_lower(spectra, depth)
    size = max(1, min(CHUNK, _PROBE_BYTES // (8 * function.d_in)))
    layers = LayerProbes(function).collect(reported(rows, size, lambda chunk: chunk, part(report, SHARES[1], 1.0)))
    facts = _ranks(function, jacobian, found, tolerance)
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
        **facts,
    )


def evaluations_of_cuts(evaluations: int) -> int:
    """How many of the evaluations of a callable are kept for projections: two fifths of them at most."""
    return _PASSES * _rows_of_cuts(evaluations)


def _rows_of_cuts(evaluations: int) -> int:
    return min(_CUT_ROWS, evaluations // 100)


def differences_profile(found: BlackBox, rows: Rows, tolerance: Tolerance, evaluations: int) -> RankProfile:
    """The profile of a callable whose spectra were `found` by differences of its values."""
    function, spectra = found.row_function(), found.spectra.intervals()
    cut_rows = _rows_of_cuts(evaluations)
    curve = projection_curve(function, rows.spaced(cut_rows)[0], until=tolerance.relative) if cut_rows else []
    jacobian = _sampled_rank(spectra, function, tolerance, "only values of it are known", "values less their bars")
    facts = _ranks(function, jacobian, curve, tolerance)
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
        **facts,
    )


def _ranks(
    function: RowFunction, jacobian: RankEstimate, curve: Sequence[ProjectionPoint], tolerance: Tolerance
) -> dict[str, Any]:
    """What a profile says of both ranks, as its fields: from the Jacobian's and the projections at cuts."""
    best = next((n for n in curve if n.change <= tolerance.relative), None)
    bottleneck = _cut_bracket(jacobian, best, min(function.d_in, function.d_out), tolerance)
    return {
        "jacobian_rank": within(jacobian, bottleneck),
        "bottleneck_rank": bottleneck,
        "bottleneck_layer": best.cut if best else 0,
        "bottleneck_place": best.name if best else "inputs",
        "bottleneck_error": best.change if best else 0.0,
        "changes": {n.rank: n.change for n in curve},
        "norm_per_depth": None,
        "tolerance": tolerance,
    }


def _spectra(
    function: RowFunction,
    x: Tensor,
    tolerance: Tolerance,
    depth: int | None,
    options: LocalOptions,
    report: Report,
) -> JacobianSpectra:
    memory, seed = options.memory, options.seed
    if options.leading is not None:
        return sketched_spectra(function.in_double(x), x, options.leading, memory=memory, seed=seed, report=report)
    if depth is not None:  # Proposition 3 sums small powers, to which the smallest values matter
        return local_spectra(function.in_double(x), x, memory=memory, report=report)
    return confirmed_spectra(function, x, tolerance=tolerance, memory=memory, seed=seed, report=report)


def _sampled_rank(
    spectra: JacobianSpectra, function: RowFunction, tolerance: Tolerance, reason: str, kind: str
) -> RankEstimate:
    smallest = min(function.d_in, function.d_out)
    found = rank_over_points(spectra.ranks(tolerance), smallest, tolerance)
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
