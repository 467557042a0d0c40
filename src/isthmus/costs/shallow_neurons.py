"""Neurons of a depth-2 network for f from a choice of left-facing parts, pairs and an output bias."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.costs.interior_point import Centre
from isthmus.costs.kink_programme import KinkProgramme
from isthmus.networks import RELU, FullyConnected

Floats = NDArray[np.float64]
_NOTHING = 1e-15  # of the largest singular value: less is rounding


@dataclass(frozen=True, eq=False)
class Design:
    r"""A depth-2 network $\sum_j a_j \sigma(e_j \cdot (x, 1)) + c$ with unit $e_j$.

    Attributes:
        directions: e_j, `(m, 2)`.
        outputs: a_j, `(m, d)`.
        shift: c, `(d,)`.
    """

    directions: Floats
    outputs: Floats
    shift: Floats

    @property
    def cost(self) -> float:
        """Its ‖w‖² after rescaling."""
        return float(2 * np.linalg.norm(self.outputs, axis=1).sum() + self.shift @ self.shift)


def design(programme: KinkProgramme, left: Floats, shift: Floats, crossing: Floats | None = None) -> Design:
    r"""The cheapest network with these left-facing parts, this output bias and this pair.

    Args:
        programme: f.
        left: l_t, `(n, d)`.
        shift: c, `(d,)`.
        crossing: $a e^\top$ with a unit e whose zero is inside the domain, `(d, 2)`: what a pair makes.
    """
    s, e = programme.lengths[:, None], programme.directions
    rest = _rest(programme, left, shift)
    directions, outputs = [e, -e], [s * (programme.changes - left), s * left]
    if crossing is not None:
        u, values, vt = np.linalg.svd(crossing)
        directions.append(np.stack([vt[0], -vt[0]]))
        outputs.append(np.stack([values[0] * u[:, 0], -values[0] * u[:, 0]]))
        rest = rest - values[0] * np.outer(u[:, 0], vt[0])
    for a, vector in _one_signed(programme, rest):
        directions.append(vector[None])
        outputs.append(a[None])
    joint = np.concatenate(outputs)
    is_there = np.linalg.norm(joint, axis=1) > 0
    return Design(np.concatenate(directions)[is_there], joint[is_there], shift)


def variants(programme: KinkProgramme, centre: Centre) -> list[Design]:
    """Networks near a centre of the dual: with and without a pair, with and without parts that are nearly nothing."""
    shift = centre.m[:, 1]
    met = _met(programme, centre, shift)
    found = []
    for left in (centre.left, met, _without_specks(programme, met)):
        rest = _rest(programme, left, shift)
        found.append(design(programme, left, shift))
        for crossing in (centre.crossing, rest):
            if not programme.has_one_sign(np.linalg.svd(crossing)[2][0]):
                found.append(design(programme, left, shift, crossing))
    return found


def _rest(programme: KinkProgramme, left: Floats, shift: Floats) -> Floats:
    """What the kinks leave of the affine part, `(d, 2)`."""
    rest = programme.affine + (programme.lengths[:, None] * left).T @ programme.directions
    rest[:, 1] -= shift
    return rest


def _met(programme: KinkProgramme, centre: Centre, shift: Floats) -> Floats:
    """The left parts, changed a little so that the rest is what the centre says, which rounding kept it from."""
    residual = _rest(programme, centre.left, shift) - centre.one_signed - centre.crossing
    s, e = programme.lengths, programme.directions
    # Where both parts are large, a shift between them is (nearly) free.
    weights = np.minimum(np.linalg.norm(centre.left, axis=1), np.linalg.norm(programme.changes - centre.left, axis=1))
    gram = np.einsum("n,na,nb->ab", weights * s**2, e, e)
    turn = residual @ np.linalg.pinv(gram, hermitian=True)
    met: Floats = centre.left - (weights * s)[:, None] * (e @ turn.T)
    return met


def _without_specks(programme: KinkProgramme, left: Floats) -> Floats:
    """The barrier keeps every part a little above zero; here nearly nothing is nothing."""
    size = 1e-5 * np.linalg.norm(programme.changes, axis=1)
    left = np.where((np.linalg.norm(left, axis=1) <= size)[:, None], 0.0, left)
    is_left = np.linalg.norm(programme.changes - left, axis=1) <= size
    return np.where(is_left[:, None], programme.changes, left)


def network_of(plan: Design, basis: Floats) -> FullyConnected:
    """The network of least ‖w‖² among the rescalings of a design; outputs in the coordinates of f."""
    norms = np.linalg.norm(plan.outputs, axis=1, keepdims=True)
    if len(norms) == 0:
        hidden, outgoing = np.zeros((1, 2)), np.zeros((len(basis), 1))
    else:
        hidden, outgoing = np.sqrt(norms) * plan.directions, basis @ (plan.outputs / np.sqrt(norms)).T
    arrays = hidden[:, :1], outgoing, hidden[:, 1], basis @ plan.shift
    first, second, before, after = (torch.from_numpy(np.ascontiguousarray(a)) for a in arrays)
    return FullyConnected((first, second), (before, after), RELU)


def _one_signed(programme: KinkProgramme, b: Floats) -> list[tuple[Floats, Floats]]:
    r"""$a_j$ and $e_j \in K$ with $\sum_j a_j e_j^\top = B$ and least $\sum_j \|a_j\|$; see `shallow` for the proof."""
    u, s, vt = np.linalg.svd(b, full_matrices=False)
    root = (vt.T * s) @ vt
    if np.sum(root * programme.sign_form) < 0:
        columns = b @ np.linalg.inv(programme.edges)
        return list(zip(columns.T, programme.edges, strict=True))
    parts = [(s[i] * u[:, i], vt[i]) for i in range(len(s)) if s[i] > _NOTHING * s[0]]
    if not all(programme.has_one_sign(e) for _, e in parts):
        # The chord from one edge through S ends inside the arc.
        edge, polar = programme.edges[0], u @ vt
        # 1 over eᵀ S⁻¹ e by the singular values: rounding can leave S singular, on one processor and not on another.
        share = 1 / float(((vt @ edge) ** 2 / np.maximum(s, _NOTHING * s[0])).sum())
        values, vectors = np.linalg.eigh(root - share * np.outer(edge, edge))
        parts = [(share * polar @ edge, edge), (values[1] * polar @ vectors[:, 1], vectors[:, 1])]
    # In ±K: in −K where the coordinates along the edges are negative.
    inverse = np.linalg.inv(programme.edges)
    return [(-a, -e) if (e @ inverse).sum() < 0 else (a, e) for a, e in parts]
