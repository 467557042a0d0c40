"""Numbers that columns of a table drive, and numbers that others nearly determine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from _rank_tasks import Floats, standard
from rank_families.active_columns import active_count, apart

Map = Callable[[Floats], Floats]
CURVES: tuple[Map, ...] = (
    lambda t: np.tanh(1.5 * t),
    lambda t: np.square(t) - 1.0,
    lambda t: np.logaddexp(0.0, 3.0 * t) / 3.0,
    lambda t: np.sin(1.5 * t),
    lambda t: t,
)
"""How one number may follow another."""


def driven(rows: Floats, count: int, rng: np.random.Generator) -> Map:
    """Standardised numbers `(n, count)` that hardly depend on each other: linear in some columns, and a little bent."""
    d = rows.shape[1]
    active, scaled = active_count(d, count, rng), standard(lambda x: x, rows)
    linear, bent = (apart(d, count, active, rng) for _ in range(2))

    def respond(x: Floats) -> Floats:
        s = scaled(x)
        return s @ linear + 0.3 * np.tanh(1.5 * s @ bent)

    return standard(respond, rows)


def follow(rows: Floats, cause: Map, share: float) -> Callable[[Floats, Floats], Floats]:
    """A number `(n,)` of which its cause determines a share of the variance, and a driver `(n,)` of its own the rest."""
    usual = standard(lambda z: cause(z)[:, None], rows)
    return lambda z, own: np.sqrt(share) * usual(z)[:, 0] + np.sqrt(1.0 - share) * own


def shares(count: int, rng: np.random.Generator) -> Floats:
    """How much of the variance of followers `(count,)` others determine: half of them, and the last, by 85 to 98 %."""
    is_strict = rng.random(count) < 0.5
    is_strict[-1:] = True
    return np.where(is_strict, rng.uniform(0.85, 0.98, count), rng.uniform(0.3, 0.85, count))


def of_their_own(count: int, rng: np.random.Generator) -> Floats:
    """Root mean square of what followers `(count,)` have of their own, over that of what others do to them."""
    return np.sqrt(1.0 / shares(count, rng) - 1.0)
