"""A chain of affine maps and one activation, measured in closed form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from isthmus.errors import NonFiniteOutputError
from isthmus.foundation.arrays import check_columns
from isthmus.foundation.progress import Report, part
from isthmus.foundation.rows import Rows
from isthmus.networks import FullyConnected, StandardizedNetwork
from isthmus.spectra.bottleneck import (
    bracket,
    chosen,
    located_truncation_curve,
    tried_rows,
    why_not_shown,
    within,
)
from isthmus.spectra.isometry import BottleneckCertificate, certificate_at
from isthmus.spectra.jacobian import cost_lower, jacobian_spectra, spaced
from isthmus.spectra.kinks import off_kinks_of_chain
from isthmus.spectra.layer_spectrum import CHUNK, LayerSpectrum, layer_spectra
from isthmus.spectra.measure_options import MeasureOptions
from isthmus.spectra.point_spectra import JacobianSpectra, rank_over_points
from isthmus.spectra.profile import RankProfile
from isthmus.spectra.tangent_kernel import tangent_kernel_traces
from isthmus.spectra.tolerance_curve import rank_curve
from isthmus.spectra.units import SCALED_ROWS, Units, is_spread, units_of_chain

_KERNEL_ROWS = (4, 100)  # rows at which the trace of the tangent kernel is taken, fewer of wide networks:
_KERNEL_PRODUCTS = 2 * 10**9  # multiplications of one derivative by all parameters there
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
    told = units.of_network(network, are_inputs_counted=False)
    sample = inside(flat.spaced(tried_rows(network))[0])
    found = located_truncation_curve(told, sample, until=tolerance.relative, extra=2)
    narrowest = min(network.widths)
    jacobian = rank_over_points(spectra.ranks(tolerance), narrowest, tolerance)
    smallest = chosen(found, tolerance)
    why_not = why_not_shown(smallest.rank, narrowest, jacobian, network(sample))
    best = None if why_not else smallest
    bottleneck = bracket(jacobian, best, narrowest, why_not)
    facts: dict[str, Any] = {"cost_lower": None, "cost_row": None, "layers": ()}
    if options.are_layers_measured:
        size = max(1, min(CHUNK, memory // (16 * sum(network.widths))))
        chunks = reported(flat, size, inside, part(report, SHARES[1], 1.0))
        raw = spectra if units.is_raw else jacobian_spectra(network, kinks.x, memory=memory)
        facts = _of_the_weights(network, kinks.x, index, raw, layer_spectra(network, chunks), memory)
    return RankProfile(
        model=name,
        method="chain",
        rows=len(rows),
        jacobian_rank=within(jacobian, bottleneck),
        bottleneck_rank=bottleneck,
        bottleneck_layer=network.widths.index(narrowest) if best is None else best.truncation.layer,
        bottleneck_place="",
        bottleneck_error=None if best is None else best.change,
        changes={n.rank: n.change for n in found} if is_spread(network(sample)) or not jacobian.lower else {},
        norm_per_depth=network.norm_per_depth,
        jacobian=spectra,
        points=index,
        curve=rank_curve(spectra, tolerance),
        tolerance=tolerance,
        notes=kinks.notes(index),
        units=units.sentence,
        **facts,
    )


def _of_the_weights(
    network: FullyConnected,
    x: Tensor,
    index: Tensor,
    spectra: JacobianSpectra,
    layers: Sequence[LayerSpectrum],
    memory: int,
) -> dict[str, Any]:
    """What a profile says of the network as it is, as its fields, from its spectra at the rows `x` without units."""
    bounds = cost_lower(spectra, network.depth, network.activation.negative_slope)
    certificate = certificate_at(network, x, index, spectra)
    return {
        "cost_lower": float(bounds.max()),
        "cost_row": int(index[int(bounds.argmax())]),
        "layers": _with_distances(layers, certificate),
        "certificate": certificate,
        "kernel_per_depth": _kernel_per_depth(network, x, memory),
    }


def _with_distances(
    layers: Sequence[LayerSpectrum], certificate: BottleneckCertificate | None
) -> tuple[LayerSpectrum, ...]:
    if certificate is None:
        return tuple(layers)
    pairs = zip(layers, certificate.distances, strict=True)
    return tuple(replace(layer, isometry_distance=distance) for layer, distance in pairs)


def _kernel_per_depth(network: FullyConnected, points: Tensor, memory: int) -> float:
    """Tr Θ/L, the mean over as many of the points as time and memory allow."""
    outputs = min(network.widths[-2:])
    affordable = max(_KERNEL_ROWS[0], _KERNEL_PRODUCTS // (network.parameter_count * outputs))
    held = max(1, memory // (16 * outputs * max(network.widths)))
    rows = spaced(points, min(_KERNEL_ROWS[1], affordable, held))
    return float(tangent_kernel_traces(network, rows).mean()) / network.depth


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
    return units_of_chain(model, x, outputs, options.scale_inputs, options.scale_outputs)


def reported(rows: Rows, size: int, units: Callable[[Tensor], Tensor], report: Report) -> Iterator[Tensor]:
    """The rows, `size` at a time and in the `units` of the model, with their progress."""
    done = 0
    for chunk in rows.chunks(size):
        yield units(chunk)
        done += len(chunk)
        report(done / len(rows), f"row {done} of {len(rows)}")
