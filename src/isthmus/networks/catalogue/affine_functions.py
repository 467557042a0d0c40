"""Affine maps of each rank, shallow and deep, and a constant that a network computes the long way."""

from __future__ import annotations

from isthmus.networks.activations import ABSOLUTE, RELU
from isthmus.networks.affine_maps import affine
from isthmus.networks.catalogue.entry import (
    EXACTLY_REWRITTEN,
    CatalogueEntry,
    cube,
    tensor,
)
from isthmus.networks.depth import deepened
from isthmus.networks.network import FullyConnected

_COLUMNS = tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]])  # independent: a unit matrix on top
_ROWS = tensor([[1, 2, -1], [0, 1, 3], [0, 0, 1]])  # independent: unit triangular
_AXIOM = "Rank axiom 4 (Jacot 2023): an affine map has the rank of its matrix"


def affine_entries() -> tuple[CatalogueEntry, ...]:
    """x ↦ Mx + c with rank M = 0, …, 3; the same behind hidden layers; a constant."""
    shift = tensor([1, -2, 0.5, 0])
    plain = tuple(
        CatalogueEntry(
            f"affine of rank {rank}",
            affine(_COLUMNS[:, :rank] @ _ROWS[:rank], shift),
            cube(3),
            rank,
            rank,
            f"{_AXIOM}; here a product of {rank} independent columns and {rank} independent rows.",
        )
        for rank in range(4)
    )
    return (*plain, *_deep(), _dead())


def _deep() -> tuple[CatalogueEntry, ...]:
    matrices = {1: tensor([[1, 2], [2, 4]]), 2: tensor([[1, 2], [0, 1]])}
    reason = f"{_AXIOM}; the hidden layers pass every value on Ω unchanged (`deepened`)."
    found = []
    for sigma in (RELU, EXACTLY_REWRITTEN, ABSOLUTE):
        for rank, matrix in matrices.items():
            flat = affine(matrix, tensor([0.5, -0.25]), sigma)
            # |z - c| + c needs a bound c; the others can write z by σ(z) and σ(-z). Seven is below both outputs.
            bound = tensor([-7, -7]) if sigma == ABSOLUTE else None
            deep = deepened(flat, 3, outputs_above=bound)
            name = f"affine of rank {rank} at depth 3, {sigma.name}"
            found.append(CatalogueEntry(name, deep, cube(2), rank, rank, reason))
    return tuple(found)


def _dead() -> CatalogueEntry:
    network = FullyConnected(
        (tensor([[1, 1], [-1, 2]]), tensor([[1, -1], [2, 1]]), tensor([[3, 1], [1, 2]])),
        (tensor([-4, -4]), tensor([1, -1]), tensor([0, 1])),
    )
    proof = "|x + y| ≤ 2 and |2y - x| ≤ 3 on Ω, so the first layer is dead, f is constant and factors through R^0."
    return CatalogueEntry("constant behind a dead layer", network, cube(2), 0, 0, proof)
