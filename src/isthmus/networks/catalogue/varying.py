"""Functions whose Jacobian has another rank in another region."""

from __future__ import annotations

import torch

from isthmus.networks.affine_maps import affine
from isthmus.networks.algebra import maximum, minimum
from isthmus.networks.catalogue.entry import CatalogueEntry, cube, tensor
from isthmus.networks.network import FullyConnected


def varying_entries() -> tuple[CatalogueEntry, ...]:
    """Ranks 0 … d over the orthants; a ramp; a map that is constant in most of the square."""
    corner = (
        "f is linear with an invertible matrix where all inputs are positive, so Rank_J = d, and it has d inputs. "
        "Elsewhere the rank is the number of active neurons, 0 to d."
    )
    orthants = tuple(
        CatalogueEntry(f"orthants in dimension {d}: ranks 0 to {d}", _orthants(d), cube(d), d, d, corner)
        for d in (2, 3)
    )
    x, zero, half = affine(tensor([[1]])), affine(tensor([[0]])), affine(tensor([[0]]), tensor([0.5]))
    ramp = minimum(maximum(x, zero), half)
    scalar = "Slope 1 on (0, 1/2), so Rank_J = 1; constant on both sides of it; one number in, one number out."
    return (*orthants, CatalogueEntry("ramp", ramp, cube(1), 1, 1, scalar), _corner())


def _orthants(d: int) -> FullyConnected:
    return FullyConnected(
        (torch.eye(d, dtype=torch.float64), tensor([[1, 0, 0], [1, 1, 0], [0, 2, 1]])[:d, :d].contiguous()),
        (torch.zeros(d, dtype=torch.float64), torch.zeros(d, dtype=torch.float64)),
    )


def _corner() -> CatalogueEntry:
    """(p, p + q) with p = relu(x + y - 7/8), q = relu(x - y - 7/8)."""
    network = FullyConnected(
        (tensor([[1, 1], [1, -1]]), tensor([[1, 0], [1, 1]])), (tensor([-0.875, -0.875]), tensor([0, 0]))
    )
    proof = "Both neurons are active where x > 7/8 + |y|, a triangle of area 1/64: rank 2 there, and two inputs."
    return CatalogueEntry("rank 2 in a triangle of area 1/64", network, cube(2), 2, 2, proof)
