"""Which regions share one affine map: connected pieces, and distinct ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Two affine maps are one when they differ by less than this share of their own size. Products of a dozen matrices
# carry relative rounding near 1e-13; genuine neighbours that differ by less than 1e-9 are the same to any user.
_SAME = 1e-9


@njit(cache=True, error_model="numpy")
def _root(parents: Any, i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i


@njit(cache=True, error_model="numpy")
def _differ(maps: Any, a: int, b: int) -> bool:
    apart = one = other = 0.0
    for i in range(maps.shape[1]):
        apart += (maps[a, i] - maps[b, i]) ** 2
        one += maps[a, i] ** 2
        other += maps[b, i] ** 2
    return bool(apart > _SAME * _SAME * max(one, other))


@njit(cache=True, error_model="numpy")
def _joined(maps: Any, pairs: Any) -> Any:
    parents = np.arange(len(maps))
    for k in range(len(pairs)):
        a, b = _root(parents, pairs[k, 0]), _root(parents, pairs[k, 1])
        if a != b and not _differ(maps, pairs[k, 0], pairs[k, 1]):
            parents[max(a, b)] = min(a, b)
    for i in range(len(parents)):
        parents[i] = _root(parents, i)
    return parents


@njit(cache=True, error_model="numpy")
def _close_pairs(maps: Any, keys: Any, order: Any, window: Any) -> int:
    """Number of groups of equal maps; equal maps have keys within `window` of each other."""
    parents = np.arange(len(maps))
    for i in range(len(order)):
        k = i + 1
        while k < len(order) and keys[order[k]] - keys[order[i]] <= window[order[i]]:
            a, b = _root(parents, order[i]), _root(parents, order[k])
            if a != b and not _differ(maps, order[i], order[k]):
                parents[a] = b
            k += 1
    count = 0
    for i in range(len(parents)):
        count += int(_root(parents, i) == i)
    return count


def connected_pieces(matrices: NDArray[np.float64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Merge neighbours with the same matrix; f is continuous, so their constants agree as well.

    Args:
        matrices: A on each region, `(N, m, d)`.
        pairs: Neighbouring regions, `(M, 2)`.

    Returns:
        The number of its piece for each region, `(N,)`, from 0 without gaps.
    """
    roots = _joined(np.ascontiguousarray(matrices.reshape(len(matrices), -1)), pairs)
    return np.asarray(np.unique(roots, return_inverse=True)[1])


def distinct_pieces(matrices: NDArray[np.float64], constants: NDArray[np.float64], labels: NDArray[np.int64]) -> int:
    """The number of different affine maps among the pieces.

    Args:
        matrices: A on each region, `(N, m, d)`.
        constants: c on each region, `(N, m)`.
        labels: The piece of each region.
    """
    first = np.unique(labels, return_index=True)[1]
    maps = np.concatenate([matrices[first].reshape(len(first), -1), constants[first]], axis=1)
    # Equal maps have nearly equal sums along any direction, so only neighbours in that order need to be compared.
    direction = np.random.default_rng(0).standard_normal(maps.shape[1])
    keys = maps @ direction
    window = 2 * _SAME * np.linalg.norm(maps, axis=1) * np.linalg.norm(direction)
    return int(_close_pairs(maps, keys, np.argsort(keys), window))
