r"""Random compositions h ∘ g through R^k with a point at which the Jacobian is known."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.networks.affine_maps import affine
from isthmus.networks.algebra import add, compose
from isthmus.networks.catalogue.entry import EXACTLY_REWRITTEN, CatalogueEntry, cube
from isthmus.networks.depth import deepened
from isthmus.networks.network import FullyConnected
from isthmus.networks.rewriting import rewritten

_PROOF = (
    "f = h ∘ g through R^k, so Rank_BN ≤ k. Around the origin g is x ↦ Px, and around g(0) = 0 h is z ↦ Uz, the ridges "
    "being off by 1/4; P holds a unit matrix in its columns, U in its rows, so Jf(0) = UP has rank k and Rank_J ≥ k."
)
_SIZES = ((1, 1, 3), (2, 1, 2), (3, 1, 1), (2, 2, 2), (3, 2, 3), (3, 2, 2), (3, 3, 4))


def through_entries(seed: int) -> tuple[CatalogueEntry, ...]:
    """One for each of several (d_in, k, d_out), and a leaky one."""
    generator = torch.Generator().manual_seed(seed)
    relu = [
        CatalogueEntry(f"random R^{d} → R^{k} → R^{m}", _composition(d, k, m, generator), cube(d), k, k, _PROOF)
        for d, k, m in _SIZES
    ]
    leaky = rewritten(_composition(2, 1, 3, generator), EXACTLY_REWRITTEN)
    return (*relu, CatalogueEntry(f"random R^2 → R^1 → R^3, {EXACTLY_REWRITTEN.name}", leaky, cube(2), 1, 1, _PROOF))


def _composition(d: int, k: int, m: int, generator: torch.Generator) -> FullyConnected:
    eye = torch.eye(k, dtype=torch.float64)
    inner = torch.cat([eye, _quarters(k, d - k, generator)], 1)
    outer = torch.cat([eye, _quarters(m - k, k, generator)]) if m > k else eye[:m]
    reach_x = torch.ones(d, dtype=torch.float64)
    g, reach_z = _bent(inner, reach_x, generator)
    h, _ = _bent(outer, reach_z, generator)
    return compose(h, g)


def _bent(matrix: Tensor, reach: Tensor, generator: torch.Generator) -> tuple[FullyConnected, Tensor]:
    """x ↦ Mx plus ridges Q relu(Rx - 1/4), for |x| ≤ reach, and how far its values reach."""
    out, fan_in = matrix.shape
    spread = matrix.abs() @ reach
    carried = deepened(affine(matrix), 2, outputs_above=-spread - 1.0)  # one neuron a value, always on
    ridges, outputs = _quarters(4, fan_in, generator), _quarters(out, 4, generator)
    ridge = FullyConnected((ridges, outputs), (torch.full((4,), -0.25).to(reach), torch.zeros(out).to(reach)))
    return add(carried, ridge), spread + outputs.abs() @ (ridges.abs() @ reach)


def _quarters(rows: int, columns: int, generator: torch.Generator) -> Tensor:
    """Multiples of 1/4 between 1/4 and 1 in size, of either sign."""
    size = torch.randint(1, 5, (rows, columns), generator=generator)
    sign = 2 * torch.randint(0, 2, (rows, columns), generator=generator) - 1
    return (size * sign).to(torch.float64) / 4
