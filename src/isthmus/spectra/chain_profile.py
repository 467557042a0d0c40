"""A chain of affine maps and one activation, measured in closed form."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from isthmus.errors import NonFiniteOutputError
from isthmus.foundation.arrays import check_columns
from isthmus.foundation.progress import Report, part
from isthmus.foundation.rows import Rows
from isthmus.networks import FullyConnected, StandardizedNetwork
from isthmus.spectra.bottleneck import TruncationPoint, bracket, chosen, is_shown, located_truncation_curve, within
from isthmus.spectra.jacobian import jacobian_spectra, largest_cost_lower
from isthmus.spectra.kinks import off_kinks_of_chain
from isthmus.spectra.layer_spectrum import CHUNK, LayerSpectrum, layer_spectra
from isthmus.spectra.measure_options import MeasureOptions
from isthmus.spectra.point_spectra import rank_over_points
from isthmus.spectra.profile import RankProfile
from isthmus.spectra.tolerance_curve import rank_curve
from isthmus.spectra.units import SCALED_ROWS, Units, units_of, units_of_standardized

_TRIED_ROWS = (300, 2000)  # rows on which truncations of a chain are compared, fewer of very wide networks:
_TRIED_PRODUCTS = 10**9  # multiplications of one network evaluation there
SHARES = (0.4, 0.5)  # of the progress bar: until the Jacobians, until the truncations are done


def chain_profile(
    model: FullyConnected | StandardizedNetwork, rows: Rows, name: str, options: MeasureOptions, report: Report
) -> RankProfile:
    """The profile of a network of ours over `rows`, a standardised one in its own units unless told otherwise."""
    network = model.network if isinstance(model, StandardizedNetwork) else model
    tolerance, memory = options.tolerance, options.memory
    flat = rows.reshaped((rows.width,)) if len(rows.row_shape) > 1 else rows
    check_columns(flat.chunk(0, 1), network.d_in)

    def inside(chunk: Tensor) -> Tensor:
        if isinstance(model, StandardizedNetwork):
            chunk = model.inputs.forward(chunk.double())
        return chunk.to(dtype=network.dtype, device=network.device)

    units = _units(model, name, inside, flat, options)
    where, index = flat.spaced(options.points)
    kinks = off_kinks_of_chain(network, inside(where))
    spectra = jacobian_spectra(network, kinks.x, memory=memory, units=units, report=part(report, 0.0, SHARES[0]))
    raw = None if units.is_raw else lambda at: jacobian_spectra(network, kinks.x[at], memory=memory)
    bound, best_row = largest_cost_lower(spectra, raw, network.depth, network.activation.negative_slope)
    tried = min(_TRIED_ROWS[1], max(_TRIED_ROWS[0], _TRIED_PRODUCTS // network.parameter_count))
    told = units.of_network(network, are_inputs_counted=False)
    sample = inside(flat.spaced(tried)[0])
    found = located_truncation_curve(told, sample, until=tolerance.relative, extra=2)
    narrowest = min(network.widths)
    jacobian = rank_over_points(spectra.ranks(tolerance), narrowest, tolerance)
    best: TruncationPoint | None = chosen(found, tolerance)
    if best is not None and not is_shown(best.rank, jacobian, network(sample)):
        best = None
    bottleneck = bracket(jacobian, best, narrowest, tolerance)
    layers: list[LayerSpectrum] = []
    if options.are_layers_measured:
        size = max(1, min(CHUNK, memory // (16 * sum(network.widths))))
        layers = layer_spectra(network, reported(flat, size, inside, part(report, SHARES[1], 1.0)))
    return RankProfile(
        model=name,
        method="chain",
        rows=len(rows),
        jacobian_rank=within(jacobian, bottleneck),
        bottleneck_rank=bottleneck,
        bottleneck_layer=network.widths.index(narrowest) if best is None else best.truncation.layer,
        bottleneck_place="",
        bottleneck_error=0.0 if best is None else best.change,
        changes={n.rank: n.change for n in found},
        norm_per_depth=network.norm_per_depth,
        cost_lower=bound,
        cost_row=int(index[best_row]),
        jacobian=spectra,
        points=index,
        curve=rank_curve(spectra, tolerance),
        layers=tuple(layers),
        tolerance=tolerance,
        notes=kinks.notes(index),
        units=units.sentence,
    )


def _units(
    model: FullyConnected | StandardizedNetwork,
    name: str,
    inside: Callable[[Tensor], Tensor],
    rows: Rows,
    options: MeasureOptions,
) -> Units:
    chosen, numbers = rows.spaced(SCALED_ROWS)
    network = model.network if isinstance(model, StandardizedNetwork) else model
    x = inside(chosen)
    outputs = network(x)
    if not bool(torch.isfinite(outputs).all()):
        row, column = (~torch.isfinite(outputs)).nonzero()[0].tolist()
        raise NonFiniteOutputError(name, int(numbers[row]), column)
    if isinstance(model, StandardizedNetwork):
        return units_of_standardized(model, options.scale_inputs, options.scale_outputs)
    return units_of(x, outputs, options.scale_inputs, options.scale_outputs)


def reported(rows: Rows, size: int, units: Callable[[Tensor], Tensor], report: Report) -> Iterator[Tensor]:
    """The rows, `size` at a time and in the `units` of the model, with their progress."""
    done = 0
    for chunk in rows.chunks(size):
        yield units(chunk)
        done += len(chunk)
        report(done / len(rows), f"row {done} of {len(rows)}")
