"""Three families of tasks of known rank, written after `FIRST` had been run: limbs, water mains, gene programmes.

No method was run on them while they were written. They were corrected by what `_rank_family_checks` prints of seeds 100
and 0 and by the derivatives of their second halves of seeds 0, 1, 100 and 101, which use no method either. After
their run of seed 0 the weights of the evidence were fitted on it too. Run as a script, it prints the checks.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np
from numpy.typing import NDArray

from _rank_family_checks import report
from _rank_tasks import Family, Floats, Teacher, standard

Map = Callable[[Floats], Floats]
SIDE = 4  # crossings along one side of the town
NEWTON = 9  # steps; the flows are then right to rounding
TOWNS = 8  # drawn, before the most readable one is taken


def _apart(d: int, k: int, active: int, rng: np.random.Generator) -> Floats:
    """k orthonormal directions `(d, k)` of `active` columns; the other columns are nuisance."""
    directions = np.zeros((d, k))
    directions[rng.permutation(d)[:active]] = np.linalg.qr(rng.standard_normal((active, k)))[0]
    return directions


def _active(d: int, k: int, rng: np.random.Generator) -> int:
    """How many of d columns matter: from a third of them to all, k + 1 at least."""
    return int(rng.integers(max(k + 1, d // 3), d + 1))


# Limbs: the activity of muscles turns joints, cameras see points on the limbs.


def _activities(d: int, rng: np.random.Generator) -> Callable[[int], Floats]:
    """Positive skewed rows, as envelopes of muscles' signals are; common drives make a part of every column."""
    drives = max(2, d // 4)
    loading = np.zeros((drives, d))
    loading[rng.integers(drives, size=d), np.arange(d)] = rng.choice((-1.0, 1.0, 1.0), d) * np.sqrt(0.4)

    def draw(n: int) -> Floats:
        drive = rng.standard_normal((n, drives)) @ loading + np.sqrt(0.6) * rng.standard_normal((n, d))
        return np.logaddexp(0.0, 1.5 * drive)

    return draw


def _turned(rows: Floats, k: int, rng: np.random.Generator) -> Map:
    """Angles: forces saturate with activity, muscles pull at one joint and a little at others, joints have limits."""
    d = rows.shape[1]
    muscles = rng.permutation(d)[: _active(d, k, rng)]
    pull = np.zeros((d, k))
    pull[muscles] = 0.2 * rng.standard_normal((len(muscles), k))
    pull[muscles, np.arange(len(muscles)) % k] += rng.choice((-1.0, 1.0), len(muscles))
    torque = standard(lambda x: standard(lambda x: x / (1.0 + x), rows)(x) @ pull, rows)
    rest = rng.uniform(-0.5, 0.5, k)
    return lambda x: np.tanh(0.8 * torque(x) + rest)


def _rotations(angles: Floats, axis: Floats) -> Floats:
    """Rotations `(n, 3, 3)` by angles `(n,)` about an axis of length 1 (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    sine, cosine = np.sin(angles)[:, None, None], np.cos(angles)[:, None, None]
    return np.eye(3) + sine * cross + (1.0 - cosine) * cross @ cross


def _points(joints: int, along: Floats, rng: np.random.Generator) -> Map:
    """Points of a limb with as many links as joints, at places `along` it (in links), `(n, joints)` to `(n, p, 3)`.

    Every link points across the hinge it turns on; farther joints bend more.
    """
    shoulder = rng.uniform(-0.5, 0.5, 3)
    frames = [np.linalg.qr(rng.standard_normal((3, 3)))[0] for _ in range(joints)]
    lengths = rng.uniform(0.8, 1.2, joints)
    bend = np.linspace(0.4, 0.4 + 0.2 * (joints - 1), joints)

    def place(z: Floats) -> Floats:
        start, turn = np.tile(shoulder, (len(z), 1)), np.tile(np.eye(3), (len(z), 1, 1))
        points = np.empty((len(z), len(along), 3))
        for joint, (frame, length) in enumerate(zip(frames, lengths, strict=True)):
            turn = turn @ _rotations(bend[joint] * z[:, joint], frame[0])
            link = length * turn @ frame[1]
            on = (along > joint) & (along <= joint + 1)
            points[:, on] = start[:, None] + (along[on] - joint)[:, None] * link[:, None]
            start = start + link
        return points

    return place


def limbs(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are the angles of joints of one to three limbs, y the points' places in line cameras.

    Each of d_out points is seen by a camera of its own with one line of pixels, in perspective.
    """
    draw = _activities(d_in, rng)
    rows = draw(2000)
    encode = standard(_turned(rows, k, rng), rows)
    owner = np.arange(k) % ceil(k / 3)
    joints = [np.flatnonzero(owner == limb) for limb in range(ceil(k / 3))]
    share = [len(part) for part in np.array_split(np.arange(d_out), len(joints))]
    places = [
        _points(len(own), len(own) * (1.0 - (np.arange(count) + rng.uniform(0.0, 0.5, count)) / count), rng)
        for own, count in zip(joints, share, strict=True)
    ]
    across = rng.standard_normal((d_out, 3))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    depth = np.cross(across, rng.standard_normal((d_out, 3)))
    depth /= 8.0 * np.linalg.norm(depth, axis=1, keepdims=True)  # from eight lengths of a link

    def decode(z: Floats) -> Floats:
        points = np.concatenate([place(z[:, own]) for own, place in zip(joints, places, strict=True)], 1)
        return (points * across).sum(2) / (1.0 + (points * depth).sum(2))

    return Teacher(draw, encode, decode)


# Water mains: what columns of a table say of demand and valves, and what gauges then read all over town.


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
    active, scaled = _active(d, k, rng), standard(lambda x: x, rows)
    linear, bent = _apart(d, k, active, rng), _apart(d, k, active, rng)
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


# Gene programmes: variants of genes and a few covariates set how active programmes are, and these what is transcribed.


def _genotypes(d: int, rng: np.random.Generator) -> Callable[[int], Floats]:
    """Counts 0, 1 or 2 of rarer variants, neighbours correlated, and a fifth of ordinary numbers (two at least)."""
    covariates = max(2, d // 5)
    genes = d - covariates
    linked, rare = rng.uniform(0.2, 0.8, genes), rng.uniform(-0.9, 0.0, genes)

    def draw(n: int) -> Floats:
        own = rng.standard_normal((2, n, genes))
        liability = own.copy()
        for gene in range(1, genes):
            before = linked[gene] * liability[..., gene - 1]
            liability[..., gene] = before + np.sqrt(1.0 - linked[gene] ** 2) * own[..., gene]
        return np.hstack(((liability < rare).sum(0).astype(float), rng.standard_normal((n, covariates))))

    return draw


def _activity(rows: Floats, k: int, rng: np.random.Generator) -> Map:
    """Scores over the columns, a dominant part (concave in each count) and a product of two scores, which saturate."""
    d = rows.shape[1]
    active, scaled = _active(d, k, rng), standard(lambda x: x, rows)
    scores, partner, dominant = (_apart(d, k, active, rng) for _ in range(3))

    def respond(x: Floats) -> Floats:
        s = scaled(x)
        score = s @ scores + 0.2 * (1.0 - np.square(s)) @ dominant + 0.25 * (s @ scores) * (s @ partner)
        return np.arcsinh(score)

    return respond


def programmes(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are logarithms of the programmes' activities, y logarithms of what d_out genes transcribe.

    A gene is switched on by one programme and, with a chance, helped by a second and repressed by a third; all effects
    are Hill functions with thresholds of its own.
    """
    draw = _genotypes(d_in, rng)
    rows = draw(2000)
    encode = standard(_activity(rows, k, rng), rows)
    on = rng.permutation(np.arange(d_out) % k)
    helper, repressor = rng.integers(k, size=(2, d_out))
    helps, represses = 0.5 * (rng.random(d_out) < 0.5), 1.0 * ((rng.random(d_out) < 0.3) & (repressor != on))
    steep, threshold = rng.uniform(1.0, 3.0, (3, d_out)), 0.5 * rng.standard_normal((3, d_out))
    leak = rng.uniform(0.05, 0.2, d_out)

    def decode(z: Floats) -> Floats:
        hill = [
            1.0 / (1.0 + np.exp(-steep[i] * (0.7 * z[:, chosen] - threshold[i])))
            for i, chosen in enumerate((on, helper, repressor))
        ]
        return np.log(leak + (hill[0] + helps * hill[1]) * (1.0 - 0.8 * represses * hill[2]))

    return Teacher(draw, encode, decode)


SECOND: dict[str, Family] = {"limbs": limbs, "mains": mains, "programmes": programmes}


if __name__ == "__main__":
    report(SECOND, __doc__)
