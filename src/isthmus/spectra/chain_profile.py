"""A chain of affine maps and one activation, measured in closed form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from torch import Tensor

from isthmus.foundation.arrays import check_columns
from isthmus.foundation.progress import Report, part
from isthmus.foundation.rows import Rows
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import FullyConnected, StandardizedNetwork
from isthmus.spectra.bottleneck import bracket, chosen, located_truncation_curve, within
from isthmus.spectra.isometry import BottleneckCertificate, certificate_at
from isthmus.spectra.jacobian import cost_lower, jacobian_spectra, spaced
from isthmus.spectra.kinks import off_kinks_of_chain
from isthmus.spectra.layer_spectrum import CHUNK, LayerSpectrum, layer_spectra
from isthmus.spectra.point_spectra import rank_over_points
from isthmus.spectra.profile import RankProfile
from isthmus.spectra.tangent_kernel import tangent_kernel_traces
from isthmus.spectra.tolerance_curve import rank_curve

_TRIED_ROWS = (300, 2000)  # rows on which truncations of a chain are compared, fewer of very wide networks:
_TRIED_PRODUCTS = 10**9  # multiplications of one network evaluation there
_KERNEL_ROWS = (4, 100)  # rows at which the trace of the tangent kernel is taken, fewer of wide networks:
_KERNEL_PRODUCTS = 2 * 10**9  # multiplications of one derivative by all parameters there
SHARES = (0.4, 0.5)  # of the progress bar: until the Jacobians, until the truncations are done


def chain_profile(
    model: FullyConnected | StandardizedNetwork,
    rows: Rows,
    name: str,
    tolerance: Tolerance,
    points: int,
    memory: int,
    report: Report,
) -> RankProfile:
    """The profile of a network of ours over `rows`, a standardised one in standard units."""
    network = model.network if isinstance(model, StandardizedNetwork) else model
    flat = rows.reshaped((rows.width,)) if len(rows.row_shape) > 1 else rows
    check_columns(flat.chunk(0, 1), network.d_in)

    def units(chunk: Tensor) -> Tensor:
        if isinstance(model, StandardizedNetwork):
            chunk = model.inputs.forward(chunk.double())
        return chunk.to(dtype=network.dtype, device=network.device)

    where, index = flat.spaced(points)
    kinks = off_kinks_of_chain(network, units(where))
    spectra = jacobian_spectra(network, kinks.x, memory=memory, report=part(report, 0.0, SHARES[0]))
    tried = min(_TRIED_ROWS[1], max(_TRIED_ROWS[0], _TRIED_PRODUCTS // network.parameter_count))
    found = located_truncation_curve(network, units(flat.spaced(tried)[0]), until=tolerance.relative, extra=2)
    best = chosen(found, tolerance)
    jacobian = rank_over_points(spectra.ranks(tolerance), min(network.widths), tolerance)
    bottleneck = bracket(jacobian, found, tolerance)
    bounds = cost_lower(spectra, network.depth, network.activation.negative_slope)
    size = max(1, min(CHUNK, memory // (16 * sum(network.widths))))
    layers = layer_spectra(network, reported(flat, size, units, part(report, SHARES[1], 1.0)))
    certificate = certificate_at(network, kinks.x, index, spectra)
    return RankProfile(
        model=name,
        method="chain",
        rows=len(rows),
        jacobian_rank=within(jacobian, bottleneck),
        bottleneck_rank=bottleneck,
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
        layers=_with_distances(layers, certificate),
        certificate=certificate,
        kernel_per_depth=_kernel_per_depth(network, kinks.x, memory),
        tolerance=tolerance,
        notes=kinks.notes(index),
    )


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


def reported(rows: Rows, size: int, units: Callable[[Tensor], Tensor], report: Report) -> Iterator[Tensor]:
    """The rows, `size` at a time and in the `units` of the model, with their progress."""
    done = 0
    for chunk in rows.chunks(size):
        yield units(chunk)
        done += len(chunk)
        report(done / len(rows), f"row {done} of {len(rows)}")
