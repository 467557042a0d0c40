"""Which columns of a table matter, and in which directions."""

from __future__ import annotations

import numpy as np

from _rank_tasks import Floats


def apart(d: int, k: int, active: int, rng: np.random.Generator) -> Floats:
    """k orthonormal directions `(d, k)` of `active` columns; the other columns are nuisance."""
    directions = np.zeros((d, k))
    directions[rng.permutation(d)[:active]] = np.linalg.qr(rng.standard_normal((active, k)))[0]
    return directions


def active_count(d: int, k: int, rng: np.random.Generator) -> int:
    """How many of d columns matter: from a third of them to all, k + 1 at least."""
    return int(rng.integers(max(k + 1, d // 3), d + 1))
