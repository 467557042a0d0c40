"""The tripod: every Jacobian has rank at most 1, and still one number is not enough."""

from __future__ import annotations

from isthmus.networks.affine_maps import before_affine
from isthmus.networks.catalogue.entry import (
    EXACTLY_REWRITTEN,
    CatalogueEntry,
    cube,
    tensor,
)
from isthmus.networks.network import FullyConnected
from isthmus.networks.rewriting import rewritten

_PROOF = (
    "Jacot (2023), Proposition 1: Rank_J < Rank_BN can occur. At most one of the three neurons is positive at a point "
    "of Ω, so Rank_J = 1. Were f = h ∘ g with g into R: take a point in each active set; f differs there, so g does. "
    "Join the two with the lowest and the highest g outside the third active set (its complement in Ω is connected): "
    "on the way g takes its value at the third point, but f is never on the third leg. So Rank_BN ≥ 2; two inputs."
)


def tripod() -> FullyConnected:
    r"""The square [−1, 1]² onto three segments that meet in 0, each active set onto one.

    $$f(x, y) = v_1 (y - \tfrac12)_+ + v_2 (2x - y - \tfrac74)_+ + v_3 (-2x - y - \tfrac74)_+$$

    with $v = (0, 1), (1, -1), (-1, -1)$. In the square the three half-planes are disjoint: $y > 1/2$ and
    $\pm 2x > 7/4 + y > 9/4$ exclude each other, and so do $2x > 7/4 + y$ and $-2x > 7/4 + y$, as $y \ge -1$.

    Source:
        Jacot (2023), Proposition 1 (the statement; this witness is ours).
    """
    return FullyConnected(
        (tensor([[0, 1], [2, -1], [-2, -1]]), tensor([[0, 1, -1], [1, -1, -1]])),
        (tensor([-0.5, -1.75, -1.75]), tensor([0, 0])),
    )


def tripod_entries() -> tuple[CatalogueEntry, ...]:
    """In the plane, with three outputs, with a leaky ReLU, and constant along a third input."""
    plane = tripod()
    unit = tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    legs = FullyConnected((plane.weights[0], unit), (plane.biases[0], tensor([0, 0, 0])))
    in_space = before_affine(plane, tensor([[1, 0, 0], [0, 1, 0]]))
    along = (
        f"{_PROOF} In space: restricted to the third input 0 it is the tripod, and it factors through the other two."
    )
    return (
        CatalogueEntry("tripod", plane, cube(2), 1, 2, _PROOF),
        CatalogueEntry("tripod with three outputs", legs, cube(2), 1, 2, _PROOF),
        CatalogueEntry(f"tripod, {EXACTLY_REWRITTEN.name}", rewritten(plane, EXACTLY_REWRITTEN), cube(2), 1, 2, _PROOF),
        CatalogueEntry("tripod along a third input", in_space, cube(3), 1, 2, along),
    )
