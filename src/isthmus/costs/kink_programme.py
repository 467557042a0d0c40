"""The data of the convex programme that `shallow_cost` solves, and its dual in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.costs.path import PiecewiseLinear

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class KinkProgramme:
    r"""$f = \alpha + \beta x + \sum_t m_t \sigma(x - t)$ and the cone K, in the notation of `isthmus.costs.shallow`.

    Attributes:
        affine: [β, α], `(d, 2)`.
        changes: m_t, the changes of slope, `(n, d)`.
        directions: e_t, unit vectors (1, −t)/s_t, `(n, 2)`.
        lengths: s_t = √(1 + t²), `(n,)`.
        sign_form: Q, of norm 1, `(2, 2)`.
        edges: Unit vectors along the edges of K, in rows, `(2, 2)`.
    """

    affine: Floats
    changes: Floats
    directions: Floats
    lengths: Floats
    sign_form: Floats
    edges: Floats

    def has_one_sign(self, e: Floats) -> bool:
        """Whether a neuron with (w, b) = e has one sign on the domain."""
        return float(e @ self.sign_form @ e) >= 0


def programme_of(f: PiecewiseLinear) -> tuple[KinkProgramme, Floats]:
    """The programme, in a basis `(d, d')` of the outputs that f really moves in: f = basis · its outputs."""
    slopes = f.slopes
    changes = np.diff(slopes, axis=0)
    # A change within the rounding of the slopes is none.
    unit = np.finfo(np.float64).eps * np.abs(f.values).max(0) / np.diff(f.knots)[:, None]
    changes[np.abs(changes) <= 4 * (unit[1:] + unit[:-1])] = 0.0
    is_kink = changes.any(1)
    t, changes = f.knots[1:-1][is_kink], changes[is_kink]
    affine = np.stack([slopes[0], f.values[0] - slopes[0] * f.knots[0]], axis=1)
    everything = np.concatenate([affine.T, changes])
    basis = np.eye(len(affine)) if len(affine) <= len(everything) else np.linalg.qr(everything.T)[0]
    low, high = np.array([f.knots[0], 1.0]), np.array([f.knots[-1], 1.0])
    form = np.outer(low, high) + np.outer(high, low)
    edges = np.stack([[1.0, -1.0] * low[::-1], [-1.0, 1.0] * high[::-1]])
    s = np.hypot(1.0, t)
    programme = KinkProgramme(
        basis.T @ affine,
        changes @ basis,
        np.stack([1 / s, -t / s], axis=1),
        s,
        form / np.linalg.norm(form, 2),
        edges / np.linalg.norm(edges, axis=1, keepdims=True),
    )
    return programme, basis


def feasible(programme: KinkProgramme, m: Floats) -> Floats:
    """M, scaled down if it violates a constraint of the dual."""
    values, vectors = np.linalg.eigh(m.T @ m)
    if programme.has_one_sign(vectors[:, 1]):
        inside = values[1]
    else:
        inside = np.sum((programme.edges @ m.T) ** 2, 1).max()
    # A few units of rounding more than what was computed.
    scaled: Floats = m / max(1.0, np.sqrt(max(inside, values[1] / 4)) * (1 + 8 * np.finfo(np.float64).eps))
    return scaled


def dual_value(programme: KinkProgramme, m: Floats) -> float:
    """The objective of the dual at a feasible M: no network of depth 2 for f has a smaller ‖w‖²."""
    kinks = _lens(programme.changes, programme.directions @ m.T)
    return float(2 * np.sum(m * programme.affine) + 2 * programme.lengths @ kinks - np.sum(m[:, 1] ** 2))


def _lens(changes: Floats, q: Floats) -> Floats:
    r"""$\varphi(m, q) = \max \{p \cdot m : \|p\| \le 1, \|p - q\| \le 1\}$ for each row, `(n,)`.

    The maximum lies on the first ball alone, on the second alone, or where their surfaces meet.
    """
    norms = np.linalg.norm(changes, axis=1)
    unit = changes / np.where(norms > 0, norms, 1.0)[:, None]
    on_first = np.linalg.norm(unit - q, axis=1) <= 1
    on_second = np.linalg.norm(unit + q, axis=1) <= 1
    along = np.sum(unit * q, 1)
    squared = np.sum(q * q, 1)
    share = along / np.where(squared > 0, squared, 1.0)
    across = np.linalg.norm(unit - share[:, None] * q, axis=1)
    meeting = along / 2 + np.sqrt(np.maximum(0.0, 1 - squared / 4)) * across
    values: Floats = norms * np.where(on_first, 1.0, np.where(on_second, 1 + along, meeting))
    return values
