"""A family of classes: what a machine's vibration says of its parts decides which alarm is raised."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from _rank_tasks import Floats, Teacher


def _vibration(k: int, d: int, rng: np.random.Generator) -> Callable[[Floats], Floats]:
    """Logarithms of power in d bands, `(n, d)`: each part has harmonics of its own, louder the more it is worn.

    With at least 2 (k + 2) bands the speed of the shaft, which moves all lines, and the load, which raises all below
    them, differ from row to row.
    """
    band = (np.arange(d) + 0.5) / d
    tone = (rng.permutation(k) + rng.uniform(0.3, 0.7, k)) / k * 0.6 + 0.1
    harmonics = np.arange(1, 4)
    heights = rng.uniform(0.3, 1.0, (k, 3)) / harmonics
    width = max(0.35 / (k + 1), 0.7 / d)
    floor, varies = 0.15 * np.exp(0.4 * rng.standard_normal(d)), float(d >= 2 * (k + 2))

    def show(causes: Floats) -> Floats:
        wear, speed, load = causes[:, :k], causes[:, k], causes[:, k + 1]
        centres = tone[:, None] * harmonics * np.exp(0.03 * varies * speed)[:, None, None]
        lines = heights[..., None] * np.exp(-0.5 * np.square((band - centres[..., None]) / width))
        power = np.einsum("nk,nkhd->nd", np.exp(wear), lines)
        return np.log(power + floor * np.exp(0.3 * varies * load)[:, None])

    return show


def machines(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Wear of k parts decides among 2 k + 1 classes: no alarm, and for each part "watch" and, beyond it, "stop".

    Wear of a part hurts more where another is worn too. Of each part the odds of "watch" to no alarm rise with its own
    burden, and burdens are invertible functions of wear: logits have rank k. About every other row raises no alarm.
    """
    together = rng.uniform(0.0, 0.4)

    def draw(n: int) -> Floats:
        own, age = rng.standard_normal((n, k)), rng.standard_normal((n, 1))
        wear = np.sqrt(1.0 - together) * own + np.sqrt(together) * age
        return np.hstack((wear, rng.standard_normal((n, 2))))

    partner, coupling = (np.arange(k) + 1) % k, 0.4 * (k > 1)
    steep, stop = rng.uniform(2.0, 4.0, k), rng.uniform(0.6, 1.2, k)

    def burden(z: Floats) -> Floats:
        return z + coupling * np.logaddexp(0.0, 2.0 * z[:, partner]) / 2.0

    watch = np.quantile(burden(draw(2000)[:, :k]), 0.5 ** (1.0 / k), axis=0)

    def decode(z: Floats) -> Floats:
        over = steep * (burden(z) - watch)
        logits = np.hstack((np.zeros((len(z), 1)), over, 2.0 * over - steep * stop))
        return logits - logits.mean(1, keepdims=True)

    show = _vibration(k, d_in, rng)
    return Teacher(draw, lambda causes: causes[:, :k], decode, show, is_classification=True)
