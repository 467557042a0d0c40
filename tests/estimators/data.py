"""Small data sets whose rank is known, quick settings, and fits that several tests look at."""

from functools import cache

import numpy as np
import pandas as pd

from isthmus.estimators import RankAutoencoder, RankClassifier, RankRegressor
from isthmus.training import Schedule

KINDS = [RankRegressor, RankClassifier, RankAutoencoder]
SCHEDULE = Schedule(steps=80, rounds=1, evaluations=15, learning_rate=0.03)
QUICK = {"depth": 3, "ridge": 0.01, "width": 8, "schedule": SCHEDULE, "cv": 2, "random_state": 0}
NAMES = ["length", "mass", "time", "charge"]


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


def table(kind):
    """60 rows with names for their columns and their own index, and what an estimator of this class learns of them."""
    x, y = through_one_number(60)
    labels = np.array(["fig", "apple", "pear"])[np.digitize(y[:, 1], [-1.0, 1.0])]
    return pd.DataFrame(x, columns=NAMES, index=np.arange(60) + 1000), labels if kind is RankClassifier else y


@cache
def fitted_on_table(kind):
    """An estimator of this class, fitted; whoever changes it copies it first."""
    return kind(**QUICK).fit(*table(kind))
