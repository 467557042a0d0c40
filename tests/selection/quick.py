"""Small data of known rank, and a quick way to select it."""

from dataclasses import asdict

import numpy as np
import torch

from isthmus.selection import SelectionConfig, select_rank
from isthmus.training import Schedule

SCHEDULE = Schedule(steps=60, rounds=1, evaluations=15, learning_rate=0.03)
QUICK = SelectionConfig(depth=3, ridge=0.01, width=8, schedule=SCHEDULE)


def curve(n=60, seed=100, d=3):
    """y = (|t|, t) of t = u·x: rank 1, and no linear map of it."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    t = x @ rng.standard_normal(d)
    return x, np.stack([np.abs(t), t], 1) + 0.01 * rng.standard_normal((n, 2))


def corners(n=60, seed=100):
    """Classes at the corners of a triangle: rank 2, as many as three classes can need."""
    rng = np.random.default_rng(seed)
    classes = np.arange(n) % 3
    return np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 5.0]])[classes] + 0.3 * rng.standard_normal((n, 2)), classes


def selected(x, y=None, *, config=QUICK, cv=3, **how):
    return select_rank(x, y, config=config, cv=cv, **how)


def assert_same(one, other, x):
    """Bit for bit."""
    for name in ("rank", "interval", "probabilities", "hyperparameters", "verdict", "n_evaluations", "not_done"):
        assert getattr(one, name) == getattr(other, name)
    assert asdict(one.evidence) == asdict(other.evidence)
    for function in ("encode", "predict"):
        np.testing.assert_array_equal(*(getattr(each, function)(torch.tensor(x)) for each in (one, other)))
    np.testing.assert_array_equal(one.constant, other.constant)
    assert (one.index is None) == (other.index is None)
    if one.index is not None:
        assert one.index.evidence == other.index.evidence
        np.testing.assert_array_equal(one.index.replicates, other.index.replicates)


class Interrupt:
    """A report that is one Ctrl-C once a fraction is done."""

    def __init__(self, at):
        self.at, self.told, self.after = at, [], 0

    def __call__(self, fraction, state):
        if self.told and self.told[-1] >= self.at:
            self.after += 1
            assert self.after == 1, "it went on after the state that Ctrl-C left was noted"
            return
        self.told.append(fraction)
        if fraction >= self.at:
            raise KeyboardInterrupt
