"""The cost of a function of one variable at depth 2 as one linear programme on a grid of neurons.

Shares nothing with the library: neurons are columns of values at test points, ‖a‖ for two outputs is the least sum
over a fine set of unit vectors, c² is the maximum of its tangents. Restricting the neurons makes the value too large
(by the grid), the tangents make it too small (by step²/4).
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog


def least_shallow_norm(knots, values, *, inside=12, angles=60, outputs=90, step=0.02):
    """R(f; 2) approximately; `values` is (n + 1, d) with d = 1 or 2."""
    knots, values = np.asarray(knots, float), np.asarray(values, float)
    d = values.shape[1]
    places = np.unique(np.concatenate([knots, np.linspace(knots[0], knots[-1], inside + 2), [0.0]]))
    places = places[(places >= knots[0]) & (places <= knots[-1])]
    facing = [(1.0, -t) for t in places] + [(-1.0, t) for t in places]
    start = np.arctan2(-knots[0], 1.0)
    stop = np.arctan2(knots[-1], -1.0)
    one_sign = [(np.cos(a), np.sin(a)) for a in np.linspace(start, stop, angles)]
    neurons = np.array(facing + one_sign)
    neurons /= np.linalg.norm(neurons, axis=1, keepdims=True)
    columns = np.maximum(0.0, np.outer(places, neurons[:, 0]) + neurons[:, 1])
    wanted = np.stack([np.interp(places, knots, v) for v in values.T], axis=1)
    units = np.array([[1.0], [-1.0]])
    if d == 2:
        turn = np.arange(outputs) * 2 * np.pi / outputs
        units = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    atoms = np.einsum("tn,ud->tdnu", columns, units).reshape(len(places) * d, -1)
    # Variables: atoms ≥ 0, then c and one bound of c² for each output.
    equal = np.hstack([atoms, np.tile(np.eye(d), (len(places), 1)), np.zeros((len(atoms), d))])
    reach = 2 * np.abs(values).max() + 2
    tangents = np.arange(-reach, reach + step, step)
    below = np.zeros((len(tangents) * d, equal.shape[1]))
    for i in range(d):
        rows = slice(i * len(tangents), (i + 1) * len(tangents))
        below[rows, atoms.shape[1] + i] = 2 * tangents
        below[rows, atoms.shape[1] + d + i] = -1
    cost = np.concatenate([np.full(atoms.shape[1], 2.0), np.zeros(d), np.ones(d)])
    bounds = [(0, None)] * atoms.shape[1] + [(None, None)] * d + [(0, None)] * d
    found = linprog(
        cost,
        A_ub=below,
        b_ub=np.tile(tangents**2, d),
        A_eq=equal,
        b_eq=wanted.reshape(-1),
        bounds=bounds,
        method="highs",
    )
    assert found.status == 0, found.message
    return float(found.fun)
