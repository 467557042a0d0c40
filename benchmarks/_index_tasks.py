"""Tasks of known index rank: y = h(Ax) + noise with A of k rows, links of different character, inputs of all kinds.

`CHOOSING` are the links that the method and the weights of its evidence were chosen on (seeds from 100 on), `REPORTED`
others, which nothing was chosen on (seeds from 0 on).

Rows, inputs, k and noise are drawn, with at least eight rows for each number of A. h is a sum of links of the k
combinations, one link of each pair of neighbours being a link of their sum instead where k > 1 and a coin says so. A
draw counts if each combination matters: with C the covariance of z = Ax the eigenvalues of C^½ E[∇h ∇hᵀ] C^½ satisfy
λ_k ≥ 0.03 λ_1, the weakest a sixth of the strongest; else it is drawn again.

Of four tasks one has correlated inputs (neighbours 0.6), one uniform inputs with a constant, a doubled and a one-hot
block of columns beside them, on which f does not depend except through the doubled column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Link = Function = Callable[[Floats], Floats]
ROWS, INPUTS, NOISES, MOST = (300, 500, 1000, 2000), (5, 10, 20, 50, 100), (0.0, 0.05, 0.1, 0.2), 5
WIDE = (2008, 2038, 2039, 2048, 2084, 2088, 2153, 2173, 2199, 2239, 2278, 2279)
KINDS = "normal", "correlated", "mixed", "normal"
WEAKEST, ROWS_PER_NUMBER, TEST, PAIRED = 0.03, 8, 1000, 0.5

CHOOSING: Mapping[str, Link] = {
    "odd": lambda z: np.tanh(2.0 * z),
    "cube": lambda z: z**3 / 3.0 - z,
    "even": lambda z: z**2,
    "bent": np.abs,
    "monotone": lambda z: np.exp(0.7 * z),
    "periodic": lambda z: np.sin(2.0 * z),
    "line": lambda z: z,
}
REPORTED: Mapping[str, Link] = {
    "odd": lambda z: 3.0 * z / (1.0 + z**2),
    "even": lambda z: np.log(np.cosh(2.0 * z)),
    "bump": lambda z: np.exp(-2.0 * z**2),
    "hinge": lambda z: np.maximum(z - 0.3, 0.0),
    "monotone": lambda z: np.log1p(np.exp(3.0 * z)),
    "periodic": lambda z: np.cos(2.0 * z + 0.7),
    "arctan": lambda z: np.arctan(3.0 * z) + 0.3 * z,
}


@dataclass(frozen=True)
class IndexTask:
    """Rows to learn from and fresh rows, and the truth.

    Attributes:
        seed, k, noise, links, inputs: Which; `inputs` says what they are like.
        directions: A, `(k, d_in)`: combinations of variance 1 without correlation, the largest effect on h first.
        weakest: √(λ_k / λ_1).
        x, y: `(n, d_in)` and `(n, 1)`.
        z: Ax at the rows, `(n, k)`, up to a constant.
    """

    seed: int
    k: int
    noise: float
    links: tuple[str, ...]
    inputs: str
    directions: Floats
    weakest: float
    x: Floats
    y: Floats
    z: Floats


def tasks(links: Mapping[str, Link], seeds: range) -> Iterator[IndexTask]:
    """One task a seed; every fifth has the next k."""
    for seed in seeds:
        yield task(links, seed)


def task(links: Mapping[str, Link], seed: int, outputs: int = 1) -> IndexTask:
    """The task of a seed; of several outputs each has a function of its own of the same combinations."""
    rng, k = np.random.default_rng(seed), seed % MOST + 1
    while True:
        n, d = int(rng.choice(ROWS)), int(rng.choice(INPUTS))
        if d >= k and n >= ROWS_PER_NUMBER * k * d:
            break
    noise, kind = float(rng.choice(NOISES)), KINDS[int(rng.integers(len(KINDS)))]
    while True:
        x, directions = _inputs(rng, n, d, k, kind)
        z = (x - x.mean(0)) @ directions.T
        directions, z = directions / z.std(0)[:, None], z / z.std(0)
        names = tuple(str(name) for name in rng.choice(list(links), k * outputs))
        functions = [_function(rng, [links[name] for name in names[i::outputs]]) for i in range(outputs)]

        def function(z: Floats, functions: list[Function] = functions) -> Floats:
            return np.stack([each(z) for each in functions], 1)

        clean = function(z)
        scale = clean.std(0)
        effects, ordered = _effects(lambda z, of=function, scale=scale: of(z) / scale, z)
        if effects[0] >= WEAKEST * effects[-1]:
            break
    y = clean / scale + np.sqrt(noise / (1.0 - noise)) * rng.standard_normal((n, outputs))
    weakest = float(np.sqrt(effects[0] / effects[-1]))
    return IndexTask(seed, k, noise, names, kind, ordered @ directions, weakest, x, y, z @ ordered.T)


def wide_task(place: int) -> IndexTask:
    """One of the first twelve tasks of seeds from 2,000 on of four and five combinations of 50 inputs and more."""
    return task(REPORTED, WIDE[place])


def noise_task(seed: int) -> IndexTask:
    """Outputs that do not depend on the inputs: index rank 0."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.choice(ROWS)), int(rng.choice(INPUTS))
    kind = KINDS[int(rng.integers(len(KINDS)))]
    x, _ = _inputs(rng, n, d, 1, kind)
    draws = {"normal": rng.standard_normal(n), "heavy": rng.standard_t(4, n), "skewed": rng.exponential(size=n)}
    name = str(rng.choice(list(draws)))
    return IndexTask(seed, 0, 1.0, (name,), kind, np.zeros((0, x.shape[1])), 0.0, x, draws[name][:, None], x[:, :0])


def largest_angle(z: Floats, true: Floats) -> float:
    """Between the spans of combinations over the rows, in degrees."""
    bases = [np.linalg.qr(each - each.mean(0))[0] for each in (z, true)]
    least = np.linalg.svd(bases[0].T @ bases[1])[1].min()
    return float(np.degrees(np.arccos(min(least, 1.0))))


def _inputs(rng: np.random.Generator, n: int, d: int, k: int, kind: str) -> tuple[Floats, Floats]:
    """Inputs `(n, d)` in units that differ, and A `(k, d)`."""
    directions = rng.standard_normal((k, d))
    if kind == "mixed":
        core = rng.uniform(-1.7, 1.7, (n, d))
        spare = np.eye(3)[rng.integers(3, size=n)]
        x = np.column_stack([core, core[:, :1], np.full(n, 2.0), spare])
        directions = np.column_stack([directions, np.zeros((k, 5))])
    else:
        x = rng.standard_normal((n, d))
        if kind == "correlated":
            for j in range(1, d):
                x[:, j] = 0.6 * x[:, j - 1] + 0.8 * x[:, j]
    units = 10.0 ** rng.uniform(-2, 2, x.shape[1])
    return x * units, directions / units


def _function(rng: np.random.Generator, links: list[Link]) -> Function:
    """h: each link of one combination, or of the sum of it and the one before."""
    k = len(links)
    sizes, with_previous = rng.uniform(0.6, 1.4, k), rng.random(k) < PAIRED

    def function(z: Floats) -> Floats:
        total = np.zeros(len(z))
        for i, link in enumerate(links):
            at = z[:, i] if i == 0 or not with_previous[i] else (z[:, i] + z[:, i - 1]) / np.sqrt(2.0)
            total = total + sizes[i] * link(at)
        return total

    return function


def _effects(function: Function, z: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues of C^½ E[∇h ∇hᵀ] C^½, ascending, by central differences; what makes z ordered combinations."""
    step = 1e-5
    directions = np.eye(z.shape[1])
    slopes = np.stack([(function(z + step * e) - function(z - step * e)) / (2.0 * step) for e in directions], 2)
    slopes = slopes.reshape(-1, z.shape[1])
    root = np.linalg.cholesky(np.atleast_2d(np.cov(z.T)))
    values, vectors = np.linalg.eigh(root.T @ (slopes.T @ slopes / len(z)) @ root)
    return values, vectors[:, ::-1].T @ np.linalg.inv(root)
