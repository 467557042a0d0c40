"""A family of tasks of known rank in which linear functions see nothing, for choosing a method on.

Run as a script, it prints the checks of `_rank_family_checks`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from _rank_family_checks import report
from _rank_tasks import Family, Floats, Teacher, polynomial


def even(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """Hidden numbers are linear, and what is made of them is the same for x and −x: random polynomials of |z|."""
    active = min(d_in, k + 8)  # with more columns nothing is learned from a few hundred rows
    mixing = np.zeros((d_in, k))
    mixing[rng.permutation(d_in)[:active]] = np.linalg.qr(rng.standard_normal((active, k)))[0]
    teacher = polynomial(k, d_in, d_out, rng)

    def decode(z: Floats) -> Floats:
        return teacher.decode(np.sqrt(z**2 + 0.01))

    return replace(teacher, inputs=lambda n: rng.standard_normal((n, d_in)), encode=lambda x: x @ mixing, decode=decode)


EVEN: dict[str, Family] = {"even": even}


if __name__ == "__main__":
    report(EVEN, __doc__)
