"""Small data sets whose rank is known, and quick settings."""

import numpy as np

from isthmus.training import Schedule

SCHEDULE = Schedule(steps=80, rounds=1, evaluations=15, learning_rate=0.03)
QUICK = {"depth": 3, "width": 8, "schedule": SCHEDULE, "cv": 3, "random_state": 0}


def through_one_number(n=160, d=4, seed=100):
    """y = (|t|, t) of t = u·x: one number, and no linear map of it."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    t = x @ rng.standard_normal(d)
    return x, np.stack([np.abs(t), t], 1) + 0.01 * rng.standard_normal((n, 2))


def blobs(n=90, seed=100):
    """Three classes at the corners of a triangle: no line keeps them apart at both ends of it."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    centres = np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 5.0]])
    return centres[labels] + 0.3 * rng.standard_normal((n, 2)), labels
