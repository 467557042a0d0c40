r"""Upper bounds of R/L: networks of depth L that compute f on Ω, built from a given one and checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.costs.affine import affine_cost
from isthmus.costs.constants import with_constant_neurons
from isthmus.costs.construction import StretchedNetwork
from isthmus.costs.coordinates import in_best_coordinates, in_coordinates
from isthmus.costs.descent import descended
from isthmus.costs.interval import CostBound
from isthmus.costs.levelling import lightened
from isthmus.costs.patches import Patches
from isthmus.costs.path import piecewise_linear
from isthmus.costs.shallow import shallow_cost
from isthmus.errors import InexactNetworkError
from isthmus.functions import RELU, FullyConnected
from isthmus.training import condense, tidy

_SLACK = 1e-9  # signs and directions within this of the largest are rounding
_MOST_COORDINATES = 64  # beyond, coordinates are not sought: the middle would cost more than anything known
_CLIMB = 10  # middle layers that may help the decoder to build up constants
_CUTS = (0.01, 0.1, 1.0)  # directions below so many tolerances are tried to be left out
_MOST_LAYERS = 60  # of networks that are written out and trained on
_SOUGHT = 6  # the cheapest splits, whose coordinates are optimised


@dataclass(frozen=True, eq=False)
class Written:
    r"""f on Ω as a network that is as shallow and as light as exact steps make it.

    Attributes:
        network: f, without layers on which σ acts linearly on all of Ω, tidied.
        what: Which exact steps were taken, in words.
    """

    network: FullyConnected
    what: str


def rewritings(patches: Patches) -> list[Written]:
    """The given network and what exact norm reduction makes of it; only those that compute f on Ω."""
    given = patches.network
    found = [Written(_light(given), "rebalanced")]
    for network, what in ((given, "tidied"), (folded(given, patches.corners), "without its linear layers, tidied")):
        for light in (tidy(network, patches.corners), tidy(condense(network, patches.corners), patches.corners)):
            # Condensing keeps neurons by their pattern at the corners, where kinks of neighbours meet: checked.
            if patches.is_computed_by(light):
                found.append(Written(_light(light), what))
    return found


def _light(network: FullyConnected) -> FullyConnected:
    return _levelled(with_constant_neurons(_levelled(network)))


def _levelled(network: FullyConnected) -> FullyConnected:
    if network.depth == 1:
        return network
    head = replace(network, weights=network.weights[:1], biases=network.biases[:1])
    tail = replace(network, weights=network.weights[1:], biases=network.biases[1:])
    return lightened(StretchedNetwork(head, torch.ones_like(head.biases[0]), 0, tail)).dense()


def folded(network: FullyConnected, corners: Tensor) -> FullyConnected:
    """The network without the hidden layers on which no neuron has a kink between the corners."""
    weights, biases = [network.weights[0]], [network.biases[0]]
    for layer, z in enumerate(network.pre_activations(corners)[:-1]):
        slopes = _slopes(z, network.activation.negative_slope)
        w, b = network.weights[layer + 1], network.biases[layer + 1]
        if slopes is None:
            weights.append(w)
            biases.append(b)
        else:
            weights[-1], biases[-1] = (w * slopes) @ weights[-1], torch.addmv(b, w * slopes, biases[-1])
    return replace(network, weights=tuple(weights), biases=tuple(biases))


def _slopes(z: Tensor, negative_slope: float) -> Tensor | None:
    if negative_slope == 1.0:
        return torch.ones_like(z[0])
    slack = _SLACK * float(z.abs().max())
    is_above, is_below = (z >= -slack).all(0), (z <= slack).all(0)
    if not bool((is_above | is_below).all()):
        return None
    return torch.where(is_above, torch.ones_like(z[0]), negative_slope)


def upper_bounds(patches: Patches, written: list[Written], depth: int) -> list[CostBound]:
    r"""Networks of depth L that compute f on Ω, the cheapest first; none where f is only known deeper.

    - The given network and its rewritings, if they have depth L.
    - Theorem 1's construction at every layer of each rewriting: k coordinates of its activations on Ω pass identity
      layers, k the dimension of their affine hull, in the coordinates and at the scales of least ‖w‖² that are found.
      For an affine f this includes $U S^{1/L} \cdots S^{1/L} V^\top$.
    - Closed forms, and the cheapest of all trained on with f held fixed, if it is small.

    Each network is compared with f at the corners of Ω's patches, in sign and in Jacobian, before it counts.

    Args:
        patches: Ω and f.
        written: `rewritings(patches)`, which do not depend on L.
        depth: L ≥ 1.
    """
    bounds = [
        CostBound(w.network.norm_per_depth, w.what, f"‖w‖²/{depth} of the given network, {w.what}.", network=w.network)
        for w in written
        if w.network.depth == depth
    ]
    if patches.is_constant:
        bounds.append(_constant(patches.network, patches.values.mean(0), depth))
    bounds += _closed_forms(patches, depth)
    for w in written[:1] + _shallowest(written):
        bounds += _stretched(patches, w.network, depth)
    bounds.sort(key=lambda bound: bound.value)
    if bounds and depth <= _MOST_LAYERS:
        bounds = [*_trained(bounds[0], patches), *bounds]
    return bounds


def _closed_forms(patches: Patches, depth: int) -> list[CostBound]:
    """The cheapest networks where they are known: affine maps by linear networks, depth 2 in one variable."""
    f = patches.network
    if f.activation.is_linear:
        matrix, x = patches.jacobians[0], patches.centres[:1]
        net = affine_cost(matrix, f(x)[0] - matrix @ x[0], depth).network
        by, proof = "closed form", "f is affine and the activation linear: balanced factors, and the best biases known."
    elif f.activation == RELU and f.d_in == 1 and depth == 2 and patches.is_box:
        low, high = float(patches.corners.min()), float(patches.corners.max())
        try:
            net = shallow_cost(piecewise_linear(f, low, high)).network
        except InexactNetworkError:
            return []
        by, proof = "closed form", "Depth 2 in one variable: the minimum over all measures on neurons."
    else:
        return []
    return [CostBound(net.norm_per_depth, by, proof, network=net)] if patches.is_computed_by(net) else []


def _trained(bound: CostBound, patches: Patches) -> list[CostBound]:
    """The cheapest network trained further under the constraint that it computes f, where that gains anything."""
    assert bound.network is not None
    network = bound.network.dense() if isinstance(bound.network, StretchedNetwork) else bound.network
    found = descended(network, patches)
    if found.squared_norm >= network.squared_norm:
        return []
    proof = f"{bound.proof.removesuffix('.')}, trained on under the constraint that it computes f."
    return [CostBound(found.norm_per_depth, f"{bound.by}, trained on", proof, network=found)]


def _constant(network: FullyConnected, value: Tensor, depth: int) -> CostBound:
    layers = range(depth - 1)
    weights = [value.new_zeros(1, network.d_in if layer == 0 else 1) for layer in layers]
    weights.append(value.new_zeros(len(value), 1 if depth > 1 else network.d_in))
    biases = [*(value.new_zeros(1) for _ in layers), value]
    net = with_constant_neurons(FullyConnected(tuple(weights), tuple(biases), network.activation))
    return CostBound(net.norm_per_depth, "constant", "f is constant: one neuron a layer builds it up.", network=net)


def narrowest_split(patches: Patches, written: list[Written]) -> list[CostBound]:
    r"""f through the fewest coordinates, k: the network whose ‖w‖²/L tends to k. 0 where f is constant on Ω."""
    if patches.is_constant:
        proof = "f is constant on the domain: its cost does not grow with the depth."
        return [replace(_constant(patches.network, patches.values.mean(0), 1), value=0.0, proof=proof)]
    found = []
    for w in written[:1] + _shallowest(written):
        for split in _splits(w.network, patches.corners, patches.tolerance):
            net = _in_orthant(split, is_signed=w.network.activation.is_linear)
            if patches.is_computed_by(net.dense()):
                proof = f"Theorem 1: f through {net.rank} coordinates behind layer {split.layer}."
                found.append(CostBound(float(net.rank), "bottleneck", proof, network=net))
    return sorted(found, key=lambda bound: bound.value)[:1]


def _shallowest(written: list[Written]) -> list[Written]:
    least = min(w.network.depth for w in written)
    shallow = [w for w in written[1:] if w.network.depth == least]
    return [min(shallow, key=lambda w: w.network.squared_norm)] if shallow else []


@dataclass(frozen=True, eq=False)
class _Split:
    layer: int
    network: StretchedNetwork
    latent: Tensor
    is_open: bool  # whether coordinates are still to be chosen


def _stretched(patches: Patches, network: FullyConnected, depth: int) -> list[CostBound]:
    is_signed = network.activation.is_linear
    splits = [
        replace(s, network=s.network.at(depth))
        for s in _splits(network, patches.corners, patches.tolerance)
        if s.network.encoder.depth + s.network.decoder.depth <= depth
    ]

    splits = sorted(splits, key=lambda s: lightened(_in_orthant(s, is_signed=is_signed)).squared_norm)
    sought = [split for index, split in enumerate(splits) if index < _SOUGHT or not split.is_open]
    bounds = []
    for split in sought:
        light = _cheapest(split, patches, is_signed=is_signed)
        if light is None:
            continue
        bounds.append(
            CostBound(
                light.norm_per_depth,
                f"{light.rank} coordinate{'s' * (light.rank != 1)} behind layer {split.layer}",
                f"Theorem 1: f through {light.rank} coordinates of layer {split.layer}, with {light.count} "
                "layers that only carry them.",
                network=light,
            )
        )
    return bounds


def _cheapest(split: _Split, patches: Patches, *, is_signed: bool) -> StretchedNetwork | None:
    """The split as light as it gets while it computes f, or None if it does not in any form."""
    chosen = in_best_coordinates(split.network, split.latent, is_signed=is_signed) if split.is_open else split.network
    chosen = lightened(chosen)
    # On narrow patches tidying loses directions that rounding hides from it: then the network stays as it was.
    for tried in (_tidied(chosen, patches.corners), chosen, lightened(_in_orthant(split, is_signed=is_signed))):
        light = _climbed(lightened(tried))
        if patches.is_computed_by(light.at(light.encoder.depth + light.decoder.depth).dense()):
            return light
    return None


def _in_orthant(split: _Split, *, is_signed: bool) -> StretchedNetwork:
    """The split with its coordinates as they are, shifted to where σ lets them pass."""
    if not split.is_open:
        return split.network
    eye = torch.eye(split.latent.shape[1]).double()
    return in_coordinates(split.network, split.latent, eye, is_signed=is_signed)


def _climbed(network: StretchedNetwork) -> StretchedNetwork:
    """With constant neurons in both halves, of which the decoder's may start in the middle."""
    taken = min(network.count, _CLIMB)
    layers, zeros = [torch.diag(network.scale)] * taken, [torch.zeros_like(network.scale)] * taken
    decoder = replace(
        network.decoder,
        weights=(*layers, *network.decoder.weights),
        biases=(*zeros, *network.decoder.biases),
    )
    climbed = StretchedNetwork(
        with_constant_neurons(network.encoder),
        network.scale,
        network.count - taken,
        with_constant_neurons(decoder),
    )
    return min((network, lightened(climbed)), key=lambda n: n.squared_norm)


def _tidied(network: StretchedNetwork, corners: Tensor) -> StretchedNetwork:
    """Both halves tidied on what they see of Ω."""
    encoder = tidy(network.encoder, corners)
    carried = network.encoder(corners).clamp_min(0.0) if not encoder.activation.is_linear else encoder(corners)
    decoder = tidy(network.decoder, carried * network.scale**network.count)
    tidied = replace(network, encoder=encoder, decoder=decoder)
    return tidied if tidied.squared_norm < network.squared_norm else network


def _splits(network: FullyConnected, corners: Tensor, tolerance: float) -> Iterator[_Split]:
    """f through the affine hull of Ω, of each layer's pre-activations, and through the neurons of each layer.

    Where directions of a hull are near the tolerance several dimensions are tried: the comparison with f decides.
    """
    activations, z = network.trace(corners)
    for layer, values in enumerate([corners, *z]):
        for basis, mean in _hulls(values, tolerance):
            yield _through(network, layer, values, basis, mean)
    for layer, a in enumerate(activations[1:], start=1):
        if a.shape[1] <= _MOST_COORDINATES and bool((a >= 0).all()):
            head = replace(network, weights=network.weights[:layer], biases=network.biases[:layer])
            tail = replace(network, weights=network.weights[layer:], biases=network.biases[layer:])
            yield _Split(layer, StretchedNetwork(head, torch.ones_like(a[0]), 0, tail), a, False)


def _hulls(values: Tensor, tolerance: float) -> Iterator[tuple[Tensor, Tensor]]:
    """(an orthonormal basis of directions `(n, k)`, the mean), for the dimensions k that count as the hull's."""
    mean = values.mean(0)
    _, s, vt = torch.linalg.svd(values - mean, full_matrices=False)
    scale = max(float(s[0]), _SLACK * float(values.abs().max()) * len(values) ** 0.5)
    for k in sorted({max(1, int((s > cut * scale).sum())) for cut in (_SLACK, *(tolerance * c for c in _CUTS))}):
        if k <= _MOST_COORDINATES:
            yield vt[:k].T, mean


def _through(network: FullyConnected, layer: int, values: Tensor, basis: Tensor, mean: Tensor) -> _Split:
    r"""f through $z = B^\top(\tilde Z_\ell - \text{mean})$, σ left to the decoder; ℓ = 0: the inputs."""
    w, b = network.weights, network.biases
    inward, offset = basis.T, -basis.T @ mean
    if layer == 0:
        encoder = replace(network, weights=(inward,), biases=(offset,))
        first = torch.addmv(b[0], w[0], mean)
        decoder = replace(network, weights=(w[0] @ basis, *w[1:]), biases=(first, *b[1:]))
    else:
        own = torch.addmv(offset, inward, b[layer - 1])
        encoder = replace(network, weights=(*w[: layer - 1], inward @ w[layer - 1]), biases=(*b[: layer - 1], own))
        decoder = replace(network, weights=(basis, *w[layer:]), biases=(mean, *b[layer:]))
    latent = (values - mean) @ basis
    return _Split(layer, StretchedNetwork(encoder, torch.ones_like(latent[0]), 0, decoder), latent, True)
