r"""Upper bounds of R/L: networks of depth L that compute f on Ω, built from a given one and checked."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.costs.affine import affine_cost
from isthmus.costs.constants import with_constant_neurons
from isthmus.costs.construction import StretchedNetwork
from isthmus.costs.coordinates import in_best_coordinates
from isthmus.costs.descent import descended
from isthmus.costs.folding import Written, rewritings
from isthmus.costs.interval import CostBound
from isthmus.costs.levelling import lightened
from isthmus.costs.linear_runs import reduce_norm_and_balance
from isthmus.costs.patches import Patches
from isthmus.costs.path import piecewise_linear
from isthmus.costs.shallow import shallow_cost
from isthmus.costs.splits import Split, in_orthant, splits_of
from isthmus.errors import InexactNetworkError
from isthmus.networks import RELU, FullyConnected

_CLIMB = 10  # middle layers that may help the decoder to build up constants
_MOST_LAYERS = 60  # of networks that are written out and trained on
_SOUGHT = 6  # the cheapest splits, whose coordinates are optimised


@dataclass(frozen=True, eq=False)
class Candidates:
    """What upper bounds at every depth start from; nothing of it depends on L.

    Attributes:
        written: The given network and its rewritings.
        splits: The ways through R^k that compute f on Ω, in the coordinates they have.
    """

    written: list[Written]
    splits: list[Split]

    @staticmethod
    def of(patches: Patches) -> Candidates:
        """Everything that is found for f on Ω, each compared with f."""
        written = rewritings(patches)
        splits = [
            split
            for w in written[:1] + _shallowest(written)
            for split in splits_of(w.network, patches.corners, patches.tolerance)
            if patches.is_computed_by(in_orthant(split).dense())
        ]
        return Candidates(written, splits)


def upper_bounds(patches: Patches, candidates: Candidates, depth: int) -> list[CostBound]:
    r"""Networks of depth L that compute f on Ω, the cheapest first; none where f is only known deeper.

    - The given network and its rewritings, if they have depth L.
    - Theorem 1's construction at every layer of each rewriting: k coordinates of its pre-activations on Ω pass
      identity layers, k the dimension of their affine hull, in the coordinates and at the scales of least ‖w‖² that are
      found. For an affine f this includes $U S^{1/L} \cdots S^{1/L} V^\top$.
    - Closed forms, and the cheapest of all trained on with f held fixed, if it is small.

    Each network is compared with f at the corners of Ω's patches, in sign and in Jacobian, before it counts.

    Args:
        patches: Ω and f.
        candidates: `Candidates.of(patches)`.
        depth: L ≥ 1.
    """
    bounds = [
        CostBound(w.network.norm_per_depth, w.what, f"‖w‖²/{depth} of the given network, {w.what}.", network=w.network)
        for w in candidates.written
        if w.network.depth == depth
    ]
    if patches.is_constant:
        bounds.append(_constant(patches.network, patches.values.mean(0), depth))
    bounds += _closed_forms(patches, depth)
    bounds += _stretched(patches, candidates.splits, depth)
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


def narrowest_split(patches: Patches, candidates: Candidates) -> list[CostBound]:
    r"""f through the fewest coordinates, k: the network whose ‖w‖²/L tends to k. 0 where f is constant on Ω."""
    if patches.is_constant:
        proof = "f is constant on the domain: its cost does not grow with the depth."
        return [replace(_constant(patches.network, patches.values.mean(0), 1), value=0.0, proof=proof)]
    if not candidates.splits:
        return []
    split = min(candidates.splits, key=lambda s: s.network.rank)
    net = in_orthant(split)
    proof = f"Theorem 1: f through {net.rank} coordinates behind layer {split.layer}."
    return [CostBound(float(net.rank), "bottleneck", proof, network=net)]


def _shallowest(written: list[Written]) -> list[Written]:
    least = min(w.network.depth for w in written)
    shallow = [w for w in written[1:] if w.network.depth == least]
    return [min(shallow, key=lambda w: w.network.squared_norm)] if shallow else []


def _stretched(patches: Patches, found: list[Split], depth: int) -> list[CostBound]:
    splits = [
        replace(s, network=s.network.at(depth))
        for s in found
        if s.network.encoder.depth + s.network.decoder.depth <= depth
    ]

    splits = sorted(splits, key=lambda s: lightened(in_orthant(s)).squared_norm)
    sought = [split for index, split in enumerate(splits) if index < _SOUGHT or not split.is_open]
    bounds = []
    for split in sought:
        light = _cheapest(split, patches)
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


def _cheapest(split: Split, patches: Patches) -> StretchedNetwork | None:
    """The split as light as it gets while it computes f, or None if it does not in any form."""
    chosen = in_best_coordinates(split.network, split.latent) if split.is_open else split.network
    chosen = lightened(chosen)
    # On narrow patches the projection loses directions that rounding hides from it: then the network stays as it was.
    for tried in (_lighter(chosen, patches.corners), chosen, lightened(in_orthant(split))):
        light = _climbed(lightened(tried))
        if patches.is_computed_by(light.at(light.encoder.depth + light.decoder.depth).dense()):
            return light
    return None


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


def _lighter(network: StretchedNetwork, corners: Tensor) -> StretchedNetwork:
    """Both halves of reduced norm on what they see of Ω, if that is less."""
    encoder = reduce_norm_and_balance(network.encoder, corners)
    carried = network.encoder(corners).clamp_min(0.0) if not encoder.activation.is_linear else encoder(corners)
    decoder = reduce_norm_and_balance(network.decoder, carried * network.scale**network.count)
    reduced = replace(network, encoder=encoder, decoder=decoder)
    return reduced if reduced.squared_norm < network.squared_norm else network
