"""Water mains: what columns of a table say of demand and valves, and what gauges then read all over town."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np
from numpy.typing import NDArray

from _rank_tasks import Floats, Teacher, standard
from rank_families.active_columns import active_count, apart

Map = Callable[[Floats], Floats]
SIDE = 4  # crossings along one side of the town
NEWTON = 9  # steps; the flows are then right to rounding
TOWNS = 8  # drawn, before the most readable one is taken


def _table(d: int, rng: np.random.Generator) -> Callable[[int], Floats]:
    """Columns in units of their own: normal, log-normal, uniform, or yes and no."""
    kind, unit, odds = rng.integers(4, size=d), np.exp(rng.standard_normal(d)), rng.uniform(0.2, 0.8, d)

    def draw(n: int) -> Floats:
        normal = rng.standard_normal((n, d))
        uniform = rng.random((n, d))
        return unit * np.choose(kind, (normal, np.exp(0.5 * normal), uniform, (uniform < odds).astype(float)))

    return draw


def _response(rows: Floats, k: int, rng: np.random.Generator) -> Map:
    """A linear form each, a knee in another (as cooling, which begins above a temperature), their product; limits."""
    d = rows.shape[1]
    active, scaled = active_count(d, k, rng), standard(lambda x: x, rows)
    linear, bent = apart(d, k, active, rng), apart(d, k, active, rng)
    threshold = rng.uniform(-0.5, 0.5, k)

    def respond(x: Floats) -> Floats:
        a, b = scaled(x) @ linear, scaled(x) @ bent
        wish = a + 0.3 * np.logaddexp(0.0, 3.0 * (b - threshold)) / 3.0 + 0.3 * a * np.tanh(b)
        return np.tanh(0.6 * wish)

    return respond


def _streets() -> NDArray[np.int64]:
    """Pairs of neighbours `(streets, 2)` among the crossings of the town."""
    at = np.arange(SIDE**2).reshape(SIDE, SIDE)
    along, down = np.stack((at[:, :-1], at[:, 1:]), -1), np.stack((at[:-1], at[1:]), -1)
    return np.concatenate((along.reshape(-1, 2), down.reshape(-1, 2)))


def _heads(incidence: Floats, open_: Floats, demand: Floats) -> tuple[Floats, Floats]:
    """Heads `(n, free)` and flows `(n, streets)` that meet demand; a loss of head is r + r|r|, r = flow / openness."""
    heads = np.zeros((len(demand), incidence.shape[1]))
    for _ in range(NEWTON):
        loss = heads @ incidence.T
        root = np.sqrt(1.0 + 4.0 * np.abs(loss))
        missing = demand + (open_ * np.sign(loss) * (root - 1.0) / 2.0) @ incidence
        slope = (incidence.T * (open_ / root)[:, None, :]) @ incidence
        heads = heads - np.linalg.solve(slope, missing[..., None])[..., 0]
    loss = heads @ incidence.T
    return heads, open_ * np.sign(loss) * (np.sqrt(1.0 + 4.0 * np.abs(loss)) - 1.0) / 2.0


def _town(k: int, d_out: int, rng: np.random.Generator) -> Map:
    """Gauges of head and flow; two thirds of the numbers are logarithms of districts' demand, a third of valves."""
    streets = _streets()
    incidence = np.zeros((len(streets), SIDE**2))
    incidence[np.arange(len(streets)), streets[:, 0]], incidence[np.arange(len(streets)), streets[:, 1]] = 1.0, -1.0
    free = incidence[:, 1:-1]  # reservoirs at two corners
    districts = ceil(2 * k / 3)
    corner = np.stack(np.divmod(np.arange(1, SIDE**2 - 1), SIDE), 1)
    centres = corner[rng.permutation(len(corner))[:districts]]
    district = np.square(corner[:, None] - centres).sum(2).argmin(1)
    demand = np.exp(0.3 * rng.standard_normal(len(corner)))
    demand /= np.bincount(district, demand)[district]
    openness = np.exp(0.3 * rng.standard_normal(len(streets)))
    valves = rng.permutation(len(streets))[: k - districts]
    kinds = rng.permutation(free.shape[1] + len(streets))
    gauge = kinds[np.arange(d_out) % len(kinds)]

    def measured(z: Floats) -> tuple[Floats, Floats]:
        opened = np.tile(openness, (len(z), 1))
        opened[:, valves] *= np.exp(0.8 * z[:, districts:])
        return _heads(free, opened, demand * np.exp(0.5 * z[:, district]))

    units = [kind.std(0).mean() for kind in measured(rng.standard_normal((50, k)))]  # of head and of flow
    return lambda z: np.hstack([kind / unit for kind, unit in zip(measured(z), units, strict=True)])[:, gauge]


def _legible(read: Map, z: Floats) -> float:
    """Median over rows of σ_k/σ_1 of the derivative of `read`, so that no number hides behind another at every row."""
    n, k = z.shape
    step = 1e-4 * np.eye(k)
    there, back = (read((z[:, None] + side * step).reshape(-1, k)) for side in (1.0, -1.0))
    values = np.linalg.svd((there - back).reshape(n, k, -1), compute_uv=False)
    return float(np.median(values[:, -1] / values[:, 0]))


def mains(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers set demands and valves of a net of water mains; y is read by gauges of head and flow."""
    draw = _table(d_in, rng)
    rows = draw(2000)
    encode = standard(_response(rows, k, rng), rows)
    z = encode(draw(20))
    towns = [_town(k, d_out, rng) for _ in range(TOWNS)]
    return Teacher(draw, encode, max(towns, key=lambda town: _legible(town, z)))
