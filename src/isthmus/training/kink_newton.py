r"""Newton's method where the minimum lies on kinks."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from isthmus.networks import FullyConnected
from isthmus.training.box import box_minimum
from isthmus.training.objective import Objective
from isthmus.training.slopes import Sloped

_DAMPING = 1e-3  # at first, relative to the mean curvature
_RAISED, _LOWERED = 6.0, 0.2
_ATTEMPTS = 15
_BAND = 1e-2  # pre-activations as near to the kink as this are watched at first, later those that a step may reach
_STIFFNESS = 10.0  # curvature across the kinks that are being followed, relative to the mean curvature
_PASSES = 8  # in which the slopes, and the kinks that a step would cross, come to fit the step
_STILL = 1e-3  # a change of the slopes that leaves the step as it is
_MOST = 2500  # kinks in one model: a small quadratic problem of this size is solved in each pass


class KinkNewton:
    r"""Damped Newton steps on the objective with its kinks in the model.

    To second order, and with $z_a + \nabla z_a \cdot d$ for the pre-activations near their kinks, the change of the
    objective under a step d is

    $$g \cdot d + \tfrac12 d^\top (H + \tau) d + \sum_a \varphi_a \max(z_a + \nabla z_a \cdot d, 0)$$

    with g and H taken at slopes that leave the kinks out. As $\max(u, 0) = \max_{0 \le t \le 1} t u$, its minimum is
    found over the slopes t: a convex quadratic over a box. Where t ends strictly between 0 and 1 the step leads onto
    the kink, where it ends at 0 or 1 the kink is released to that side; no list of active kinks is kept by other rules.
    Slopes change the derivatives of the layers below and above, so the model is made again until they fit. Kinks that
    are ridges (φ ≤ 0) keep the slope of their side: no minimum lies on them. τ grows until the objective falls.

    Args:
        network: Where to start.
        objective: What to minimise, over at most some thousand rows.

    Source:
        Fletcher (1987), composite nonsmooth optimisation.
    """

    def __init__(self, network: FullyConnected, objective: Objective) -> None:
        self._here = Sloped.of(network, objective)
        self._value = self._here.value
        self._followed = torch.zeros_like(self._here.t, dtype=torch.bool)
        self._reach, self._damping = _BAND, 0.0

    @property
    def network(self) -> FullyConnected:
        """Where it is."""
        return self._here.network

    def step(self) -> bool:
        """One step; False, and the network as before, if no damping makes the objective fall."""
        here, followed = self._here, self._followed
        curvature = here.hessian()
        size = float(curvature.diagonal().abs().mean())
        self._damping = self._damping or _DAMPING * size
        across = here.normals(followed)
        stiffness = _STIFFNESS * size / float(across.square().sum(1).mean()) if len(across) else 0.0
        curvature += stiffness * across.T @ across
        pull = stiffness * here.z[followed] @ across
        watched = followed | (here.nearness <= self._reach)
        for attempt in range(_ATTEMPTS):
            damped = curvature.clone()
            damped.diagonal().add_(self._damping)
            factor, failed = torch.linalg.cholesky_ex(damped)
            if not int(failed):
                move, t, is_between = self._model_minimum(factor, pull, watched)
                new = here.moved(move)
                value = self._here.objective.value(new)
                if value < self._value:
                    self._accept(new, value, t, is_between, float(move.norm() / here.vector.norm()))
                    self._damping *= _LOWERED if attempt == 0 else 1.0
                    return True
            self._damping *= _RAISED
        return False

    def _accept(self, network: FullyConnected, value: float, t: Tensor, is_between: Tensor, moved: float) -> None:
        here = Sloped.of(network, self._here.objective)
        self._here = replace(here, t=torch.where(is_between, t, here.t))
        self._value, self._followed, self._reach = value, is_between, min(_BAND, moved)

    def _model_minimum(self, factor: Tensor, pull: Tensor, watched: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(the step, the slopes that fit it, where they lie strictly between both sides)."""
        here = self._here
        by_sign = (here.z > 0).double()
        for _ in range(_PASSES):
            valleys = watched & (here.forces > 0)
            t, force = here.t[valleys], here.forces[valleys]
            columns = force[:, None] * here.normals(valleys)
            rest = here.gradient - t @ columns + pull
            solved = torch.cholesky_solve(torch.cat([columns, rest[None]]).T, factor)
            towards = columns @ solved
            new = box_minimum(towards[:, :-1], towards[:, -1] - force * here.z[valleys], t)
            move = -(solved[:, :-1] @ new + solved[:, -1])
            after = here.z + here.shift(move)
            # Of those that are watched only valleys have a slope of their own.
            here = replace(here, t=torch.where(watched, by_sign, here.t).masked_scatter(valleys, new))
            crossed = ~watched & ((after > 0) != (here.z > 0))
            is_still = not len(t) or float((new - t).abs().max()) < _STILL
            if (is_still and not bool(crossed.any())) or int(watched.sum() + crossed.sum()) > _MOST:
                break
            watched = watched | crossed
        return move, here.t, valleys & (here.t > 0) & (here.t < 1)
