"""The affine map of a network on each of its regions, from the activation patterns; never from differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Words = NDArray[np.uint64]

_CHUNK_NUMBERS = 2_000_000  # float64 numbers in one stack of tangents: 16 MB, near the size of a cache


@njit(cache=True, error_model="numpy")
def _mask(tangents: Any, patterns: Any, word: int, slope: float) -> None:
    """Multiply what passes neuron j of region f by σ′: 1 where the pattern has bit j, else `slope`."""
    count, rows, n = tangents.shape
    factors = np.empty(n)
    for f in range(count):
        for j in range(n):
            bit = (patterns[f, word + (j >> 6)] >> np.uint64(j & 63)) & np.uint64(1)
            factors[j] = slope + (1.0 - slope) * np.float64(bit)
        for i in range(rows):
            for j in range(n):
                tangents[f, i, j] *= factors[j]


def words_of(widths: Sequence[int]) -> list[int]:
    """The first word of each hidden layer of the given widths in a pattern, and the total."""
    return [0, *np.cumsum([(n + 63) // 64 for n in widths]).tolist()]


def jacobians(weights: Sequence[Floats], slope: float, patterns: Words) -> Floats:
    r"""$W_L D_{L-1} \cdots D_1 W_1$ for each activation pattern, `(F, n_L, n_0)`.

    Multiplied from the end with fewer rows: tangents of the inputs forward, or cotangents of the outputs backward.

    Args:
        weights: $W_1, …, W_L$.
        slope: σ′ of an inactive neuron; of an active one it is 1.
        patterns: `(F, words)`.
    """
    d_in, d_out = weights[0].shape[1], weights[-1].shape[0]
    words = words_of([w.shape[0] for w in weights[:-1]])[: len(weights) - 1]
    forward = d_in <= d_out
    factors = [w.T for w in weights] if forward else list(reversed(weights))
    places = words if forward else words[::-1]
    result = np.empty((len(patterns), d_out, d_in))
    rows = max(1, _CHUNK_NUMBERS // (min(d_in, d_out) * max(w.shape[0] for w in weights)))
    for begin in range(0, len(patterns), rows):
        chosen = patterns[begin : begin + rows]
        product = np.empty((len(chosen), *factors[0].shape))
        product[:] = factors[0]
        for factor, word in zip(factors[1:], places, strict=True):
            _mask(product, chosen, word, slope)
            product = (product.reshape(-1, product.shape[2]) @ factor).reshape(len(chosen), -1, factor.shape[1])
        result[begin : begin + rows] = product.transpose(0, 2, 1) if forward else product
    return result


def clearances(
    weights: Sequence[Floats], biases: Sequence[Floats], slope: float, patterns: Words, points: Floats
) -> Floats:
    r"""For each region the distance from `points` `(F, d)` to the nearest zero set of a hidden neuron, `(F,)`.

    On the region $\tilde z_j$ is affine with a gradient that its pattern gives, so the distance is
    $|\tilde z_j| / \|\nabla \tilde z_j\|$; neurons without gradient there are nowhere zero or everywhere.
    """
    nearest = np.full(len(points), np.inf)
    rows = max(1, _CHUNK_NUMBERS // (points.shape[1] * max(w.shape[0] for w in weights)))
    words = words_of([w.shape[0] for w in weights[:-1]])
    for begin in range(0, len(points), rows):
        chosen, values = patterns[begin : begin + rows], points[begin : begin + rows]
        tangents = np.repeat(np.eye(points.shape[1])[None], len(chosen), axis=0)
        for w, b, word in zip(weights[:-1], biases[:-1], words, strict=False):
            tangents, values = tangents @ w.T, values @ w.T + b
            steep = np.linalg.norm(tangents, axis=1)
            distance = np.divide(np.abs(values), steep, out=np.full_like(values, np.inf), where=steep > 0.0)
            nearest[begin : begin + rows] = np.minimum(nearest[begin : begin + rows], distance.min(axis=1))
            stacked = np.ascontiguousarray(np.concatenate([tangents, values[:, None]], axis=1))
            _mask(stacked, chosen, word, slope)
            tangents, values = stacked[:, :-1], stacked[:, -1]
    return nearest


def singular_values(matrices: Floats) -> Floats:
    """Singular values of a stack of matrices `(F, m, d)`, descending, `(F, min(m, d))`.

    Two columns take one Jacobi rotation, which is as accurate as a full decomposition and far cheaper; everything
    else is LAPACK's.
    """
    if matrices.shape[1] == 1 or matrices.shape[2] == 1:
        return np.asarray(np.linalg.norm(matrices, axis=(1, 2))[:, None])
    if matrices.shape[2] == 2:
        return np.asarray(_two_columns(np.ascontiguousarray(matrices)))
    return np.asarray(np.linalg.svd(matrices, compute_uv=False), dtype=np.float64)


@njit(cache=True, error_model="numpy")
def _two_columns(matrices: Any) -> Any:
    count, m, _ = matrices.shape
    values = np.zeros((count, 2))
    for f in range(count):
        largest = np.abs(matrices[f]).max()
        if largest == 0.0:
            continue
        aa = bb = ab = 0.0
        for i in range(m):
            u, v = matrices[f, i, 0] / largest, matrices[f, i, 1] / largest
            aa, bb, ab = aa + u * u, bb + v * v, ab + u * v
        c, s = 1.0, 0.0
        if ab != 0.0:
            half = (bb - aa) / (2.0 * ab)
            t = (1.0 if half >= 0.0 else -1.0) / (abs(half) + np.hypot(1.0, half))
            c = 1.0 / np.sqrt(1.0 + t * t)
            s = c * t
        # The norms of the rotated columns, not the roots of the quadratic: a small one keeps its digits.
        first = second = 0.0
        for i in range(m):
            u, v = matrices[f, i, 0] / largest, matrices[f, i, 1] / largest
            first += (c * u - s * v) ** 2
            second += (s * u + c * v) ** 2
        values[f, 0] = largest * np.sqrt(max(first, second))
        values[f, 1] = largest * np.sqrt(min(first, second))
    return values
