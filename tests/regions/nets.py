"""Networks for the tests of regions, and what holds for the regions of every network."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from isthmus.networks import RELU, FullyConnected


def default_init(widths, *, scale=1.0, seed=0):
    """torch's own initial weights, times `scale`; biases as they are."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = [nn.Linear(i, o) for i, o in pairwise(widths)]
    return FullyConnected(
        tuple(scale * layer.weight.double() for layer in layers), tuple(layer.bias.double() for layer in layers)
    )


def layers(*maps, activation=RELU):
    """A network from (W, b) pairs of nested lists."""
    weights, biases = zip(*maps, strict=True)
    return FullyConnected(
        tuple(torch.tensor(w, dtype=torch.float64) for w in weights),
        tuple(torch.tensor(b, dtype=torch.float64) for b in biases),
        activation,
    )


def autograd_jacobians(network, points):
    """Jf at the rows of `points`, by reverse mode."""
    with torch.enable_grad():
        x = torch.from_numpy(points)
        return torch.func.vmap(torch.func.jacrev(lambda v: network(v[None])[0]))(x).numpy()


def assert_a_tiling(regions, area):
    """The regions tile Ω: they fill it, no two share a pattern, and the complex is one disc."""
    v, e, f = regions.planar.counts
    assert v - e + f == 2  # with the outside
    assert np.isclose(regions.areas.sum(), area, rtol=1e-9)
    assert (regions.areas > 0).all()
    assert len(np.unique(regions.patterns, axis=0)) == len(regions)


def assert_continuous(regions):
    """The affine maps of two neighbours agree at both ends of the edge they share."""
    halves = regions.planar.halves
    sides = halves[:, 3].reshape(-1, 2).astype(int) - 1
    inner = (sides >= 0).all(axis=1)
    ends = regions.vertices[halves[:, 0].reshape(-1, 2)[inner]]
    matrices = regions.slice_jacobians()
    constants = np.stack([regions[i].constant for i in range(len(regions))])
    one, other = (np.einsum("eij,evj->evi", matrices[s], ends) + constants[s][:, None, :] for s in sides[inner].T)
    scale = np.abs(regions.outputs).max() + np.abs(matrices).max()
    assert np.abs(one - other).max(initial=0.0) <= 1e-11 * scale


def assert_jacobians_are_autograds(regions):
    """The affine piece is autograd's at an interior point, where rounding cannot move that point out of the region."""
    thick = regions.inner_radii > 1e-9 * np.ptp(regions.vertices, axis=0).max()
    assert thick.mean() > 0.9
    expected = autograd_jacobians(regions.network, regions.interior_points[thick])
    found = regions.slice_jacobians()[thick]
    scale = np.abs(expected).max() + 1e-300
    assert np.abs(found - expected).max() <= 1e-12 * scale
