"""A family of classes: what a soil holds decides which plant covers a plot."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from _rank_tasks import Floats, Teacher, standard

BALANCING = 300  # steps in which the plants are balanced


def _soils(d: int, k: int, rng: np.random.Generator) -> Callable[[int], Floats]:
    """Log-normal contents; soils differ by some processes, 2 k or a quarter of the columns if that is more."""
    processes = max(2 * k, d // 4)
    loading = rng.standard_normal((processes, d)) / np.sqrt(processes)
    spread = rng.uniform(0.3, 0.7, d)

    def draw(n: int) -> Floats:
        process, own = rng.standard_normal((n, processes)), rng.standard_normal((n, d))
        return np.exp(spread * (np.sqrt(0.85) * process @ loading + np.sqrt(0.15) * own))

    return draw


def _ratios(rows: Floats, k: int, rng: np.random.Generator) -> Callable[[Floats], Floats]:
    """k logarithms of what some columns release over what others bind, standardised; a quarter of the columns each."""
    d = rows.shape[1]
    part = max(2, d // 8)
    release, bind = np.zeros((2, d, k))
    for ratio in range(k):
        columns = rng.permutation(d)
        release[columns[:part], ratio] = rng.exponential(size=part) + 0.2
        bind[columns[part : 2 * part], ratio] = rng.exponential(size=part) + 0.2
    return standard(lambda x: np.log(x @ release) - np.log(x @ bind), rows)


def _supplies(rows: Floats, k: int, rng: np.random.Generator) -> Callable[[Floats], Floats]:
    """Logarithms of k resources: a ratio each, less what becomes unavailable away from the middle of another ratio."""
    supply, acidity = _ratios(rows, k, rng), _ratios(rows, k, rng)
    return lambda x: supply(x) - 0.8 * np.log(np.cosh(acidity(x)))


def balanced(fitness: Floats, shares: Floats) -> Floats:
    """Advantages `(classes,)` with which each class is fittest in about its share of rows, by ever sharper choices.

    Each is raised by the logarithm of its share over what it gets (Berry, Levinsohn and Pakes, 1995).
    """
    advantage = -fitness.mean(0)
    for warmth in fitness.std() * np.geomspace(1.0, 0.02, BALANCING):
        odds = (fitness + advantage) / warmth
        odds = np.exp(odds - odds.max(1, keepdims=True))
        advantage += warmth * 0.5 * np.log(shares / (odds / odds.sum(1, keepdims=True)).mean(0))
    return advantage


def plants(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """k + 2 or more plants compete for k resources; the logits are logarithms of growth, and the fittest is the label.

    Growth by one resource saturates and falls again where there is too much (Andrews, 1968); the scarcest resource
    counts most (Liebig's law of the minimum, smooth). Mortalities are such that every plant has plots to win.
    """
    draw = _soils(d_in, k, rng)
    rows = draw(2000)
    encode = standard(_supplies(rows, k, rng), rows)
    count = min(k + 2 + int(rng.integers(5)), max(k + 2, min(d_out, 12)))
    place = rng.permuted(np.tile(np.arange(count)[:, None], (1, k)), axis=0) + rng.uniform(0.2, 0.8, (count, k))
    need = 4.0 * (place / count - 0.5)
    excess = need + rng.uniform(1.0, 3.0, (count, k))

    def fitness(z: Floats) -> Floats:
        log_want = np.logaddexp(0.0, np.logaddexp(need - 1.2 * z[:, None], 1.2 * z[:, None] - excess))
        centred = -np.log(np.exp(3.0 * log_want).mean(2)) / 3.0
        return centred - centred.mean(1, keepdims=True)

    advantage = balanced(fitness(encode(rows)), rng.dirichlet(np.full(count, 20.0)))
    return Teacher(draw, encode, lambda z: fitness(z) + advantage - advantage.mean(), is_classification=True)
