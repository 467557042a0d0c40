r"""ψ ∘ (Ax + b) ∘ φ with bijections φ and ψ: the rank of A, seen through two changes of coordinates."""

from __future__ import annotations

from torch import Tensor

from isthmus.networks.activations import Activation
from isthmus.networks.affine_maps import affine
from isthmus.networks.algebra import add, compose
from isthmus.networks.catalogue.entry import CatalogueEntry, cube, tensor
from isthmus.networks.network import FullyConnected

_LEAKY = Activation(0.25)
_EQUALITY = "Jacot (2023): Rank_J = Rank_BN = rank A for ψ ∘ (Ax + b) ∘ φ with bijections φ, ψ"
_MATRICES: dict[tuple[int, int], list[list[float]]] = {
    (2, 1): [[1, 1], [1, 1]],
    (2, 2): [[1, 1], [0, 1]],
    (3, 2): [[1, 0, 1], [0, 1, 1], [1, 1, 2]],
}


def bijection_entries() -> tuple[CatalogueEntry, ...]:
    """In the plane with leaky and with ReLU networks, ranks 1 and 2; in space with a leaky one, rank 2."""
    leaky = f"{_EQUALITY}; here unit triangular matrices with a leaky ReLU between, invertible each."
    shear = (
        f"{_EQUALITY}; here shears, φ(x, y) = (x, y + |x|) and ψ(u, v) = (u + |v - 1/2|, v), undone by a minus sign."
    )
    found = []
    for (d, rank), matrix in _MATRICES.items():
        phi, psi = _leaky_bijection(d, lower=True), _leaky_bijection(d, lower=False)
        network = _between(phi, matrix, psi)
        found.append(
            CatalogueEntry(f"between leaky bijections, d {d}, rank {rank}", network, cube(d), rank, rank, leaky)
        )
    for rank in (1, 2):
        phi = _shear(tensor([[1, 0], [-1, 0]]), tensor([0, 0]), tensor([[0, 0], [1, 1]]))
        psi = _shear(tensor([[0, 1], [0, -1]]), tensor([-0.5, 0.5]), tensor([[1, 1], [0, 0]]))
        network = _between(phi, _MATRICES[2, rank], psi)
        found.append(CatalogueEntry(f"between ReLU shears, rank {rank}", network, cube(2), rank, rank, shear))
    return tuple(found)


def _between(phi: FullyConnected, matrix: list[list[float]], psi: FullyConnected) -> FullyConnected:
    shift = [0.5, -0.25, 0.25][: len(matrix)]
    return compose(psi, compose(affine(tensor(matrix), tensor(shift)), phi))


def _leaky_bijection(d: int, *, lower: bool) -> FullyConnected:
    unit = tensor([[1.0, 0, 0], [-2.0, 1, 0], [1, 0.5, 1]])[:d, :d]
    first = unit if lower else unit.T.contiguous()
    return FullyConnected((first, first.T.contiguous()), (tensor([0.25, -0.5, 0])[:d], tensor([0, 1, -1])[:d]), _LEAKY)


def _shear(directions: Tensor, shifts: Tensor, outputs: Tensor) -> FullyConnected:
    """The identity plus relu(directions · x + shifts) along the outputs."""
    identity = affine(tensor([[1, 0], [0, 1]]))
    return add(identity, FullyConnected((directions, outputs), (shifts, tensor([0, 0]))))
