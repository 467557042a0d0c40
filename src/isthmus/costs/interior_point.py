r"""The convex programme behind `shallow_cost`, solved by an interior-point method.

In the notation of `isthmus.costs.shallow`, maximise over $M = [U, V]$ `(d, 2)`, places' $p_t$ `(d,)` and $\tau \ge 0$

$$2 \langle M, [\beta, \alpha] \rangle + 2 \sum_t s_t\, p_t \cdot m_t - \|V\|^2 \quad\text{with}\quad
  \|p_t\| \le 1,\; \|p_t - M e_t\| \le 1,\; M^\top M \preceq I - \tau Q,\; M^\top M \preceq 4 I.$$

Newton's method on the barrier $-\theta\,\text{objective} - \sum \log(1 - \|\cdot\|^2) - \log\det - \log\tau$ while θ
grows. The $p_t$ meet each other only through M, so a step solves n systems of size d and one of size 2d + 1. At the
centre the multipliers of the constraints are the neurons: those of the balls at t are the right and the left part of
the kink, those of the two matrix inequalities the affine part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.costs.kink_programme import KinkProgramme

Floats = NDArray[np.float64]

_GROWTH = 6.0
_NEWTON_STEPS = 60
_SHARPEST = 1e14
"""Where θ times the objective's scale ends: beyond it, 1 − ‖·‖² is rounding."""


@dataclass(frozen=True, eq=False)
class Centre:
    """A point near the central path.

    Attributes:
        m: M, `(d, 2)`.
        left: l_t, the left-facing part of each kink, `(n, d)`.
        one_signed: What neurons of one sign on the domain add to the affine part, `(d, 2)`.
        crossing: What neurons with a kink inside the domain, two a place, add to it, `(d, 2)`.
    """

    m: Floats
    left: Floats
    one_signed: Floats
    crossing: Floats


def centres(programme: KinkProgramme, scale: float) -> list[Centre]:
    """The last points of the central path, the sharpest one last.

    Args:
        programme: The data.
        scale: Size of the objective at its maximum, within a few orders.
    """
    d, n = programme.affine.shape[0], len(programme.changes)
    state = _State(np.zeros((d, 2)), 0.5, np.zeros((n, d)))
    found: list[Centre] = []
    theta = 1.0 / scale
    while theta * scale < _SHARPEST:
        theta *= _GROWTH
        settled = _centred(programme, state, theta)
        if settled is None:
            break
        state = settled
        found.append(_read(programme, state, theta))
    return found[-6:]


@dataclass(frozen=True, eq=False)
class _State:
    m: Floats
    tau: float
    p: Floats


def _gaps(programme: KinkProgramme, state: _State) -> tuple[Floats, Floats, Floats, Floats]:
    """1 − ‖p‖², 1 − ‖p − q‖² and the two matrices that must be positive definite."""
    gram = state.m.T @ state.m
    q = programme.directions @ state.m.T
    return (
        1 - np.sum(state.p**2, 1),
        1 - np.sum((state.p - q) ** 2, 1),
        np.eye(2) - state.tau * programme.sign_form - gram,
        4 * np.eye(2) - gram,
    )


def _value(programme: KinkProgramme, state: _State, theta: float) -> float:
    """The barrier function; infinite outside."""
    first, second, low, high = _gaps(programme, state)
    dets = [a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0] for a in (low, high)]
    is_inside = state.tau > 0 and min(dets) > 0 and min(low[0, 0], low[1, 1], high[0, 0], high[1, 1]) > 0
    if not is_inside or (first <= 0).any() or (second <= 0).any():
        return float("inf")
    gain = 2 * np.sum(state.m * programme.affine) - np.sum(state.m[:, 1] ** 2)
    gain += 2 * np.sum(programme.lengths[:, None] * state.p * programme.changes)
    logs = np.log(first).sum() + np.log(second).sum() + np.log(dets).sum() + np.log(state.tau)
    return float(-theta * gain - logs)


def _centred(programme: KinkProgramme, state: _State, theta: float) -> _State | None:
    """Newton's method from `state`; None where rounding stops it before the quadratic phase."""
    value, decrement = _value(programme, state, theta), float("inf")
    for _ in range(_NEWTON_STEPS):
        try:
            step, decrement = _newton(programme, state, theta)
        except np.linalg.LinAlgError:
            break
        if not np.isfinite(decrement) or decrement < 1e-16:
            break
        size = 1.0 if decrement < 0.05 else 1 / (1 + np.sqrt(decrement))
        trial, moved = state, value
        while size > 1e-10:
            trial = _State(state.m + size * step.m, state.tau + size * step.tau, state.p + size * step.p)
            moved = _value(programme, trial, theta)
            if moved < value - 1e-4 * size * decrement or (decrement < 1e-3 and np.isfinite(moved)):
                break
            size /= 2
        else:
            break
        if size == 1.0 and decrement < 1e-10:
            state = trial
            break
        state, value = trial, moved
    return state if decrement < 1e-2 else None


def _newton(programme: KinkProgramme, state: _State, theta: float) -> tuple[_State, float]:
    """The Newton step and its squared decrement."""
    d, n = state.m.shape[0], len(state.p)
    first, second, low, high = _gaps(programme, state)
    gradient, hessian = _matrix_terms(programme, state, theta, low, high)
    r = state.p - programme.directions @ state.m.T
    eye = np.eye(d)
    # Of −log(1 − ‖x‖²): gradient 2x/g, Hessian 2I/g + 4xxᵀ/g².
    inner = 2 / first[:, None, None] * eye + 4 / first[:, None, None] ** 2 * state.p[:, :, None] * state.p[:, None, :]
    outer = 2 / second[:, None, None] * eye + 4 / second[:, None, None] ** 2 * r[:, :, None] * r[:, None, :]
    pull = 2 * r / second[:, None]
    slope = 2 * state.p / first[:, None] + pull - 2 * theta * programme.lengths[:, None] * programme.changes
    # Eliminate p: with H_pp = inner + outer and H_pq = −outer, what is left for q is outer − outer H_pp⁻¹ outer.
    solved = (
        np.linalg.solve(inner + outer, np.concatenate([outer, slope[:, :, None]], 2)) if n else np.zeros((0, d, d + 1))
    )
    left_over = outer - outer @ solved[:, :, :d]
    pulled = -pull + (outer @ solved[:, :, d:])[:, :, 0]
    e = programme.directions
    hessian[: 2 * d, : 2 * d] += np.einsum("na,nij,nb->aibj", e, left_over, e).reshape(2 * d, 2 * d)
    reduced = gradient.copy()
    reduced[: 2 * d] += (e.T @ pulled).reshape(-1)
    diagonal = np.diag(hessian)
    if not (np.isfinite(hessian).all() and (diagonal > 0).all()):
        raise np.linalg.LinAlgError("rounding has taken the Hessian's sign")
    scale = 1 / np.sqrt(diagonal)
    step = -scale * np.linalg.solve(scale[:, None] * hessian * scale, scale * reduced)
    dm = step[: 2 * d].reshape(2, d).T
    dp = (solved[:, :, :d] @ (e @ dm.T)[:, :, None])[:, :, 0] - solved[:, :, d]
    plain = gradient.copy()
    plain[: 2 * d] += (e.T @ -pull).reshape(-1)
    decrement = -float(plain @ step + np.sum(slope * dp))
    return _State(dm, float(step[-1]), dp), decrement


def _matrix_terms(
    programme: KinkProgramme, state: _State, theta: float, low: Floats, high: Floats
) -> tuple[Floats, Floats]:
    """Gradient and Hessian of everything but the balls, by the columns of M, one after the other, and τ."""
    d, m = state.m.shape[0], state.m
    gradient, hessian = np.zeros(2 * d + 1), np.zeros((2 * d + 1, 2 * d + 1))
    gradient[: 2 * d] = -2 * theta * programme.affine.T.reshape(-1)
    gradient[d : 2 * d] += 2 * theta * m[:, 1]
    hessian[d : 2 * d, d : 2 * d] += 2 * theta * np.eye(d)
    for matrix, form in ((low, programme.sign_form), (high, np.zeros((2, 2)))):
        z = np.linalg.inv(matrix)
        z = (z + z.T) / 2
        gradient[: 2 * d] += 2 * (m @ z).T.reshape(-1)
        gradient[-1] += np.sum(z * form)
        hessian[: 2 * d, : 2 * d] += 2 * np.kron(z, np.eye(d))
        # dW = −(MᵀdM + dMᵀM) − Q dτ as (w₁₁, w₂₂, w₁₂); its square in the metric tr(Z·Z·).
        change = np.zeros((3, 2 * d + 1))
        change[0, :d] = 2 * m[:, 0]
        change[1, d : 2 * d] = 2 * m[:, 1]
        change[2, :d], change[2, d : 2 * d] = m[:, 1], m[:, 0]
        change[:, -1] = form[0, 0], form[1, 1], form[0, 1]
        a, b, c = z[0, 0], z[1, 1], z[0, 1]
        metric = np.array(
            [[a * a, c * c, 2 * a * c], [c * c, b * b, 2 * b * c], [2 * a * c, 2 * b * c, 2 * (a * b + c * c)]]
        )
        hessian += change.T @ metric @ change
    gradient[-1] -= 1 / state.tau
    hessian[-1, -1] += 1 / state.tau**2
    return gradient, hessian


def _read(programme: KinkProgramme, state: _State, theta: float) -> Centre:
    """The multipliers at the centre, as neurons."""
    first, second, low, high = _gaps(programme, state)
    right = state.p / first[:, None]
    left = (state.p - programme.directions @ state.m.T) / second[:, None]
    # The two add up to θ s_t m_t; divided by s_t θ they are coefficients. What is off goes to the larger one.
    scale = theta * programme.lengths[:, None]
    is_right = np.sum(right**2, 1) >= np.sum(left**2, 1)
    left = np.where(is_right[:, None], left / scale, programme.changes - right / scale)
    made = [state.m @ np.linalg.inv(matrix) / theta for matrix in (low, high)]
    return Centre(state.m, left, made[0], made[1])
