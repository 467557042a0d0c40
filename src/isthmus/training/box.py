"""The least value of a convex quadratic over a box."""

from __future__ import annotations

import torch
from torch import Tensor

_ROUNDING = (
    1e-12  # a change that does not count; and of the diagonal's mean, added so that dependent columns have one answer
)
_HALVINGS = 40


def box_minimum(q: Tensor, c: Tensor, start: Tensor, *, steps: int = 100) -> Tensor:
    r"""The s in $[0, 1]^m$ that minimises $\frac12 s^\top Q s + c^\top s$, by Newton steps on the free variables.

    Variables that are at an end of their interval and pushed outwards, by the gradient or by the step itself, are held
    there; the step of the others is projected on the box and halved until it descends.

    Args:
        q: Q, positive semidefinite, `(m, m)`.
        c: `(m,)`.
        start: `(m,)`.
        steps: At most so many.

    Source:
        Bertsekas (1982), projected Newton methods.
    """
    if not len(c):
        return start
    q = q + _ROUNDING * q.diagonal().mean() * torch.eye(len(c), dtype=q.dtype, device=q.device)
    s = start.clamp(0.0, 1.0)
    for _ in range(steps):
        gradient = q @ s + c
        step = _free_step(q, gradient, s)
        new = _descended(q, gradient, s, step)
        is_still = float((new - s).abs().max()) <= _ROUNDING
        s = new
        if is_still:
            break
    return s


def _free_step(q: Tensor, gradient: Tensor, s: Tensor) -> Tensor:
    """The Newton step of the variables that may move."""
    low, high = s <= 0.0, s >= 1.0
    is_free = ~((low & (gradient > 0)) | (high & (gradient < 0)))
    while True:
        free, step = is_free.nonzero()[:, 0], torch.zeros_like(s)
        if not len(free):
            return step
        factor, failed = torch.linalg.cholesky_ex(q[free][:, free])
        if int(failed):
            return step
        step[free] = -torch.cholesky_solve(gradient[free, None], factor)[:, 0]
        outwards = is_free & ((low & (step < 0)) | (high & (step > 0)))
        if not bool(outwards.any()):
            return step
        is_free = is_free & ~outwards


def _descended(q: Tensor, gradient: Tensor, s: Tensor, step: Tensor) -> Tensor:
    """`s` after the longest of the steps 1, 1/2, 1/4, … that descends; `s` itself if none does."""
    for halvings in range(_HALVINGS):
        move = (s + 0.5**halvings * step).clamp(0.0, 1.0) - s
        slope = gradient @ move
        if slope < 0 and slope + 0.5 * (move @ (q @ move)) <= 1e-4 * slope:
            return (s + move).clamp(0.0, 1.0)
    return s
