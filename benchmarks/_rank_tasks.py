"""Tasks of known rank on which the decision is tested: families, k, noise, rows, dimensions; 36 tasks a family, or 9.

The families here were there when methods and thresholds were chosen (seeds from 100 on). `rank_families` has the
others, and says when each was first run.

Within a family every pair of a noise and a number of rows has four tasks, k = 1, 3, 5, 7 or 2, 4, 6, 8 in turn, or one
with a k up to 5. Dimensions are drawn, with at least four rows for each input. With one target k is the index rank:
hidden numbers are linear combinations of the inputs.

A family draws clean outputs y = h(g(x)) with k hidden numbers; noise is Gaussian with the given share of their root
mean square. A draw counts if every hidden number matters: with C the covariance of the hidden numbers and J the
derivative of the standardised outputs by them, the singular values of the root of E[C^½ Jᵀ J C^½] satisfy
σ_k ≥ 0.1 σ_1; else it is drawn again. Weaker directions have a sweep of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NOISES, ROWS, TEST, WEAKEST = (0.0, 0.05, 0.2), (200, 500, 2000), 1000, 0.1
INPUTS, OUTPUTS = (10, 20, 50, 100, 200), (10, 20, 50, 100, 200)


@dataclass(frozen=True)
class Teacher:
    """g and h of one task.

    Attributes:
        inputs: Draws that many rows.
        encode: Maps rows to hidden numbers `(n, k)`.
        decode: Maps hidden numbers to clean outputs or logits `(n, d_out)`.
        shown: Maps rows to what is learnt from, `(n, d_in)`: the rows, or a picture made of them.
        is_classification: Whether outputs are logits, of which a task shows the class that is largest after noise.
    """

    inputs: Callable[[int], Floats]
    encode: Callable[[Floats], Floats]
    decode: Callable[[Floats], Floats]
    shown: Callable[[Floats], Floats] = lambda rows: rows
    is_classification: bool = False


Family = Callable[[int, int, int, np.random.Generator], Teacher]  # k, d_in, d_out, rng
Cell = tuple[int, float, int]  # k, noise, rows
Cells = Callable[[int], Iterator[Cell]]  # by the place of a family in its group


@dataclass(frozen=True)
class RankTask:
    """Rows to learn from and to test on, and the truth.

    Attributes:
        family, k, noise, n, seed: Which.
        weakest: σ_k/σ_1, how much the weakest hidden number matters.
        x, y: Rows to learn from; y are outputs `(n, d_out)`, or classes `(n,)`.
        z: The hidden numbers of the rows to learn from, which no method is shown.
        x_test, y_test: Fresh rows, as noisy.
        z_test: The hidden numbers of the fresh rows.
    """

    family: str
    k: int
    noise: float
    n: int
    seed: int
    weakest: float
    x: Floats
    y: Floats | NDArray[np.int64]
    z: Floats
    x_test: Floats
    y_test: Floats | NDArray[np.int64]
    z_test: Floats

    @property
    def is_classification(self) -> bool:
        return self.y.ndim == 1

    @property
    def has_one_target(self) -> bool:
        """Whether k is the index rank, the number of linear combinations of the inputs."""
        return self.y.ndim == 2 and self.y.shape[1] == 1


def inputs(d: int, rng: np.random.Generator) -> Callable[[int], Floats]:
    """Rows of one of four kinds: independent, correlated, heavy-tailed (Student, 5 degrees of freedom), uniform."""
    kind = rng.integers(4)
    mixing = np.eye(d)
    if kind == 1:
        turned = np.linalg.qr(rng.standard_normal((d, d)))[0]
        mixing = turned * np.geomspace(1.0, 0.2, d) @ turned.T

    def draw(n: int) -> Floats:
        if kind == 2:
            return rng.standard_t(5, (n, d)) / np.sqrt(5.0 / 3.0)
        if kind == 3:
            return rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), (n, d))
        return rng.standard_normal((n, d)) @ mixing

    return draw


def standard(encode: Callable[[Floats], Floats], x: Floats) -> Callable[[Floats], Floats]:
    """`encode`, shifted and scaled to mean 0 and variance 1 on the rows of x."""
    z = encode(x)
    mean, deviation = z.mean(0), z.std(0)
    return lambda rows: (encode(rows) - mean) / deviation


def _affine(out: int, fan_in: int, gain: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    return rng.standard_normal((out, fan_in)) * np.sqrt(gain / fan_in), 0.3 * rng.standard_normal(out)


def _shallow(d: int, out: int, width: int, rng: np.random.Generator) -> Callable[[Floats], Floats]:
    (w, b), (v, c) = _affine(width, d, 1.0, rng), _affine(out, width, 2.0, rng)
    return lambda rows: np.maximum(rows @ w.T + b, 0.0) @ v.T + c


def relu(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Both halves have one random hidden layer of 100 rectified neurons."""
    draw = inputs(d_in, rng)
    encode = standard(_shallow(d_in, k, 100, rng), draw(2000))
    return Teacher(draw, encode, _shallow(k, d_out, 100, rng))


def polynomial(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """g is linear plus a third of a product of two linear forms, h a random polynomial of degree three."""
    draw = inputs(d_in, rng)
    linear, left, right = (rng.standard_normal((d_in, k)) / np.sqrt(d_in) for _ in range(3))

    def hidden(x: Floats) -> Floats:
        return x @ linear + (x @ left) * (x @ right) / 3.0

    encode = standard(hidden, draw(2000))
    forms = [rng.standard_normal((k, d_out)) / np.sqrt(k) for _ in range(6)]

    def decode(z: Floats) -> Floats:
        a, b, c, d, e, f = (np.tanh(z / 3.0) * 3.0 @ form for form in forms)  # bounded: no row outweighs all others
        return a + 0.5 * b * c + 0.2 * d * e * f

    return Teacher(draw, encode, decode)


def classes(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The logits of k + 2 or more classes are a smooth map of k numbers that are nearly linear in x."""
    draw = inputs(d_in, rng)
    linear, bent = (rng.standard_normal((d_in, k)) / np.sqrt(d_in) for _ in range(2))
    encode = standard(lambda x: x @ linear + 0.5 * np.sin(x @ bent), draw(2000))
    count = max(k + 2, min(d_out, 12))
    centres = 1.7 * rng.standard_normal((count, k)) / np.sqrt(k) * np.sqrt(min(k, 3))

    def decode(z: Floats) -> Floats:
        return -4.0 * ((z[:, None, :] - centres) ** 2).sum(2) / min(k, 3)

    return Teacher(draw, encode, decode, is_classification=True)


def weakest_direction(teacher: Teacher, z: Floats) -> float:
    """σ_k/σ_1 of the hidden numbers' effects, by central differences; logits count up to a shift of them all."""
    root = np.linalg.cholesky(np.atleast_2d(np.cov(z.T)))
    step = 1e-4
    columns = []
    for direction in root.T:
        columns.append((teacher.decode(z + step * direction) - teacher.decode(z - step * direction)) / (2.0 * step))
    jacobian = np.stack(columns, 2)
    values = np.linalg.svd(jacobian.reshape(-1, z.shape[1]), compute_uv=False)
    return float(values[-1] / values[0])


def task(name: str, family: Family, k: int, noise: float, n: int, seed: int) -> RankTask:
    rng = np.random.default_rng([seed, k, int(100 * noise), n, sum(map(ord, name))])
    while True:
        d_in = int(rng.choice([d for d in INPUTS if 4 * d <= n]))
        d_out = int(rng.choice([d for d in OUTPUTS if d >= k + 2]))
        teacher = family(k, d_in, d_out, rng)
        causes = teacher.inputs(n + TEST)
        x, z = teacher.shown(causes), teacher.encode(causes)
        weakest = weakest_direction(teacher, z[:500])
        if weakest >= WEAKEST:
            break
    y = teacher.decode(z)
    if teacher.is_classification:
        y = y - y.mean(1, keepdims=True)
        gumbel = rng.gumbel(size=y.shape)
        labels = (y + 2.5 * noise * y.std() * gumbel / np.sqrt(np.pi**2 / 6.0)).argmax(1)
        _, labels = np.unique(labels, return_inverse=True)
        return RankTask(name, k, noise, n, seed, weakest, x[:n], labels[:n], z[:n], x[n:], labels[n:], z[n:])
    y = y - y[:n].mean(0)
    y = y / np.sqrt(np.square(y[:n]).mean())
    y = y + noise * rng.standard_normal(y.shape)
    return RankTask(name, k, noise, n, seed, weakest, x[:n], y[:n], z[:n], x[n:], y[n:], z[n:])


def four_a_pair(_: int) -> Iterator[Cell]:
    """Four tasks for each noise and number of rows, k up to 8: of every family the same."""
    for (i, noise), (j, n) in product(enumerate(NOISES), enumerate(ROWS)):
        for k in range(1 + (i + j) % 2, 9, 2):
            yield k, noise, n


def one_a_pair(place: int) -> Iterator[Cell]:
    """One task for each noise and number of rows, k = 1 to 5 in turn, from another k on in the next family."""
    for number, (noise, n) in enumerate(product(NOISES, (300, 700, 2000))):
        yield 1 + (number + place) % 5, noise, n


def two_a_pair(place: int) -> Iterator[Cell]:
    """Two tasks for each number of rows and each of three noises, up to blurred classes, k = 1 to 6 in turn."""
    for number, (noise, n) in enumerate(product((0.0, 0.1, 0.4), ROWS)):
        for shift in (0, 3):
            yield 1 + (2 * number + place + shift) % 6, noise, n


def eight(place: int) -> Iterator[Cell]:
    """Eight tasks, k = 2 to 6 in turn, from another k on in the next family; few rows only without much noise."""
    pairs = [pair for pair in product(NOISES, (200, 600, 2000)) if pair != (NOISES[-1], 200)]
    for number, (noise, n) in enumerate(pairs):
        yield 2 + (2 * number + place) % 5, noise, n


def eight_of_few(place: int) -> Iterator[Cell]:
    """The same of k = 1 to 4."""
    for number, (_, noise, n) in enumerate(eight(place)):
        yield 1 + (number + number // 4 + place) % 4, noise, n


def one_of_each_k(place: int) -> Iterator[Cell]:
    """Six tasks, k = 1 to 6, each number of rows with little and with much noise."""
    for number, (noise, n) in enumerate(product((0.05, 0.3), ROWS)):
        yield 1 + (number + place) % 6, noise, n


def suite(families: Mapping[str, Family], seed: int, cells: Cells = four_a_pair) -> Iterator[RankTask]:
    """The tasks of each family."""
    for place, (name, family) in enumerate(families.items()):
        for k, noise, n in cells(place):
            yield task(name, family, k, noise, n, seed)
