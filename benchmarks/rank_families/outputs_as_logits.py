"""Classes whose logits are the outputs of a family of regression."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from _rank_tasks import Family, Floats, Teacher

CLASSES = 12  # at most, but for k + 2
SPREAD = 3.0  # standard deviation of a logit


def labelled(family: Family) -> Family:
    """The family whose outputs, each of mean 0 and the same variance and less their mean, are logits of classes."""

    def drawn(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
        teacher = family(k, d_in, max(k + 2, min(d_out, CLASSES)), rng)
        z = teacher.encode(teacher.inputs(2000))
        outputs = teacher.decode(z)
        mean, deviation = outputs.mean(0), outputs.std(0)

        def decode(z: Floats) -> Floats:
            logits = SPREAD * (teacher.decode(z) - mean) / deviation
            return logits - logits.mean(1, keepdims=True)

        return replace(teacher, decode=decode, is_classification=True)

    return drawn
