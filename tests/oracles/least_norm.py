"""The least ‖w‖² of linear networks for a given map, by direct optimisation over the weights (augmented Lagrangian).

It knows nothing of singular values. The last weight is corrected at the end so that the map is met exactly: what is
returned is the norm of a network that computes it, so it can only be too large.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from scipy.optimize import minimize


def least_norm_of_factors(matrix, depth, seed, *, rounds=12):
    """Σ‖W_ℓ‖² of matrices with product `matrix`, minimised."""
    d_out, d_in = matrix.shape
    if d_out < d_in:  # reversed and transposed factors have the same norm; the correction needs full column rank
        return least_norm_of_factors(matrix.T, depth, seed, rounds=rounds)
    widths = [d_in, *[max(d_out, d_in)] * (depth - 1), d_out]
    shapes = [(o, i) for i, o in pairwise(widths)]
    generator = torch.Generator().manual_seed(seed)
    start = [(torch.eye(*s) + 0.3 * torch.randn(*s, generator=generator)).double() for s in shapes]

    def split(flat):
        return [p.reshape(s) for p, s in zip(flat.split([s[0] * s[1] for s in shapes]), shapes, strict=True)]

    def product(factors):
        result = factors[0]
        for w in factors[1:]:
            result = w @ result
        return result

    def corrected(factors):
        before = product(factors[:-1]) if depth > 1 else torch.eye(d_in, dtype=torch.float64)
        return [*factors[:-1], factors[-1] + (matrix - product(factors)) @ torch.linalg.pinv(before)]

    # From weights that meet the constraint: from afar the norm pulls all of them to zero.
    start = corrected(start)
    mean = torch.stack([w.norm().log() for w in start]).mean().exp()
    flat = torch.cat([(w * mean / w.norm()).flatten() for w in start])
    factors = corrected(split(_lagrangian(lambda flat: product(split(flat)) - matrix, flat, rounds)))
    if float((product(factors) - matrix).abs().max()) > 1e-10:
        return float("inf")  # a start that collapsed to zero, from where nothing can be corrected
    return sum(float(w.square().sum()) for w in factors)


def least_norm_of_vectors(vector, depth, seed, *, rounds=12):
    """Σ‖w_ℓ‖² of vectors with entrywise product `vector`, none of it zero, minimised."""
    generator = torch.Generator().manual_seed(seed)
    start = torch.rand(depth, len(vector), generator=generator).double() + 0.5
    start[-1] *= vector / start.prod(0)
    weights = _lagrangian(lambda flat: flat.reshape(depth, -1).prod(0) / vector - 1, start.flatten(), rounds)
    weights = weights.reshape(depth, -1)
    weights[-1] *= vector / weights.prod(0)
    return float(weights.square().sum())


def _lagrangian(residual, flat, rounds):
    """argmin ‖w‖² subject to residual(w) = 0."""
    multiplier, weight = torch.zeros_like(residual(flat)), 1e4
    for _ in range(rounds):

        def objective(values, multiplier=multiplier, weight=weight):
            w = torch.tensor(values, requires_grad=True)
            r = residual(w)
            value = w.square().sum() + (multiplier * r).sum() + weight / 2 * r.square().sum()
            (gradient,) = torch.autograd.grad(value, w)
            return float(value.detach()), gradient.numpy()

        options = {"maxiter": 3000, "maxfun": 4000, "gtol": 1e-9, "ftol": 1e-15}
        flat = torch.from_numpy(
            np.array(minimize(objective, flat.numpy(), jac=True, method="L-BFGS-B", options=options).x)
        )
        r = residual(flat)
        if float(r.abs().max()) < 1e-9:
            break
        multiplier = multiplier + weight * r
        weight = min(weight * 2, 1e5)
    return flat
