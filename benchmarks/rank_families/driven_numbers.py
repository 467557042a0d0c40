"""Numbers that columns of a table drive, and numbers that others nearly determine."""

from __future__ import annotations

from collections.abc import Callable, Iterable

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


def followers(rows: Floats, own: Map, causes: Iterable[Map], rates: Floats) -> Map:
    """Standardised numbers `(n, k)`: the first is driven, each other follows those before it.

    Args:
        rows: Of the table, by which numbers are standardised.
        own: Drivers `(n, k)` of rows.
        causes: What each follower follows, `(n,)` of the numbers before it; at least k − 1.
        rates: `(k - 1,)`: how much of a follower's variance its cause determines; the rest is its driver's.
    """
    known = own(rows)
    usual, steps = known[:, :1], []
    for i, (cause, rate) in enumerate(zip(causes, rates, strict=False), start=1):
        steps.append(_follower(usual, cause, rate))
        usual = np.column_stack([usual, steps[-1](usual, known[:, i])])

    def respond(x: Floats) -> Floats:
        drivers = own(x)
        found = drivers[:, :1]
        for i, step in enumerate(steps, start=1):
            found = np.column_stack([found, step(found, drivers[:, i])])
        return found

    return standard(respond, rows)


def _follower(usual: Floats, cause: Map, rate: float) -> Callable[[Floats, Floats], Floats]:
    scaled = standard(lambda z: cause(z)[:, None], usual)
    return lambda z, own: np.sqrt(rate) * scaled(z)[:, 0] + np.sqrt(1.0 - rate) * own


def shares(count: int, rng: np.random.Generator) -> Floats:
    """How much of the variance of followers `(count,)` others determine: half of them, and the last, by 85 to 98 %."""
    is_strict = rng.random(count) < 0.5
    is_strict[-1:] = True
    return np.where(is_strict, rng.uniform(0.85, 0.98, count), rng.uniform(0.3, 0.85, count))


def of_their_own(count: int, rng: np.random.Generator) -> Floats:
    """Root mean square of what followers `(count,)` have of their own, over that of what others do to them."""
    return np.sqrt(1.0 / shares(count, rng) - 1.0)
