"""Even functions: linear functions see nothing of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from _rank_tasks import Floats, Teacher, polynomial


def even(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Hidden numbers are linear, and what is made of them is the same for x and −x: random polynomials of |z|."""
    active = min(d_in, k + 8)  # with more columns nothing is learned from a few hundred rows
    mixing = np.zeros((d_in, k))
    mixing[rng.permutation(d_in)[:active]] = np.linalg.qr(rng.standard_normal((active, k)))[0]
    teacher = polynomial(k, d_in, d_out, rng)

    def decode(z: Floats) -> Floats:
        return teacher.decode(np.sqrt(z**2 + 0.01))

    return replace(teacher, inputs=lambda n: rng.standard_normal((n, d_in)), encode=lambda x: x @ mixing, decode=decode)
