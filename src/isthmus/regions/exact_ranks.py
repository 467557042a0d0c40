"""Ranks over all regions: what sampling can only bound from below."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import FullyConnected
from isthmus.regions.hull import AffineHull
from isthmus.regions.rational import rational_jacobian_rank
from isthmus.spectra import RankEstimate

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# A region thinner than this share of the domain may be an artefact of rounding: no rank is decided on it alone.
SLIVER = 1e-9


def ranks_of(singular_values: Floats, network: FullyConnected, tolerance: Tolerance) -> Integers:
    """At each region the number of singular values `(N, r)` above `tolerance` times the largest there, `(N,)`.

    Where f is constant, rounded weights leave a Jacobian of rounding errors, which is no rank: a region whose largest
    singular value is within rounding of what the layers of `network` could produce has rank 0.
    """
    layers = math.prod(float(np.linalg.norm(w.numpy(), 2)) for w in network.weights)
    floor = np.finfo(np.float64).eps * max(layers, 1e3 * float(singular_values.max(initial=0.0)))
    largest = singular_values[:, :1]
    return np.asarray(((singular_values > tolerance.relative * largest) & (largest > floor)).sum(axis=1))


def jacobian_rank_over(ranks: Integers, radii: Floats, extent: float, tolerance: Tolerance) -> RankEstimate:
    """The largest of the `ranks` of all regions; those thinner than 1e-9 of the domain count for the upper end only.

    Args:
        ranks: Of each region, `(N,)`.
        radii: A ball of this radius fits into the region, `(N,)`.
        extent: The domain's largest side.
        tolerance: At which the ranks were counted.
    """
    thick = radii > SLIVER * extent
    upper = int(ranks.max())
    lower = int(ranks[thick].max(initial=0))
    thin = int((~thick).sum())
    below = (
        f"all {len(ranks)} regions were enumerated; no region that is thick enough to decide on has rank above {lower}"
    )
    if (thick & (ranks == lower)).any():
        where = int(np.flatnonzero(thick & (ranks == lower))[0])
        below = (
            f"region {where} of {len(ranks)} has {lower} singular values above {tolerance.relative:g} of the largest "
            "(all regions enumerated)"
        )
    above = f"no region has more than {upper}" + (f"; {thin} are too thin to decide on alone" if thin else "")
    return RankEstimate(lower, upper, tolerance.relative, (below, above))


def rational_rank_over(network: FullyConnected, patterns: Sequence[tuple[NDArray[np.bool_], ...]]) -> RankEstimate:
    """The largest rank over the rational numbers among the regions with these `patterns`."""
    best, where = -1, -1
    for i, pattern in enumerate(patterns):
        rank = rational_jacobian_rank(network, pattern)
        if rank > best:
            best, where = rank, i
        if best == min(network.widths):
            break
    evidence = f"region {where} of {len(patterns)} has a Jacobian of rank {best} over the rational numbers"
    return RankEstimate(best, best, 0.0, (evidence, "no region has more"))


def bottleneck_bracket(below: RankEstimate, hulls: Sequence[AffineHull]) -> RankEstimate:
    """Rank_BN is at least the Jacobian rank `below` and at most the dimension of the smallest hull of a layer."""
    narrowest = min(hulls, key=lambda hull: hull.dimension)
    above = f"over all of the domain the activations of layer {narrowest.layer} lie in {narrowest.dimension} dimensions"
    return RankEstimate(below.lower, max(narrowest.dimension, below.lower), below.tolerance, (below.evidence[0], above))
