"""Fits that tests of runs, of commands and of reports share; each is done once a session.

They are small and short: what is tested is that numbers arrive, not that they are good.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace

import numpy as np
import pytest

from isthmus.cli.main import run
from isthmus.data import Dataset, dataset_from_arrays
from isthmus.runs import FitRecord, RunOptions, load_run, run_fit
from isthmus.selection import SelectionConfig
from isthmus.selection.config import SHORT_SCHEDULE

SCHEDULE = replace(SHORT_SCHEDULE, steps=40, rounds=1, evaluations=30)
CONFIG = SelectionConfig(depth=3, ridge=[0.01, 0.03], width=8, schedule=SCHEDULE)
OPTIONS = RunOptions(CONFIG, cv=3)
WITH_PATH = replace(OPTIONS, path=True)
FLAGS = ["--depth", "3", "--width", "8", "--steps", "40", "--rounds", "1", "--cv", "3"]


def two_numbers(rows=60, *, seed=0, noise=0.05):
    """Inputs `(rows, 4)`, and outputs `(rows, 3)` that are functions of two numbers."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, 4))
    a, b = np.tanh(x[:, 0] + x[:, 1]), np.abs(x[:, 2])
    return x, np.stack([a, b, a + b], 1) + noise * rng.standard_normal((rows, 3))


def nothing_in_common(rows=60):
    """Inputs `(rows, 3)`, outputs `(rows, 2)` that do not depend on them, and weights, zeros among them."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((rows, 3)), rng.normal([5.0, -3.0], 1.0, (rows, 2))
    return x, y, rng.integers(0, 3, rows).astype(float)


def small_dataset(**changes) -> Dataset:
    """Rows with two numbers in them, a sixth set aside."""
    x, y = two_numbers()
    return dataset_from_arrays(x, y, name="two numbers", seed=0, **changes)


@dataclass(frozen=True)
class Finished:
    """A fit that ended: its folder, never to be changed, with what it was made from."""

    folder: object
    record: FitRecord
    dataset: Dataset
    options: RunOptions

    def copy(self, target):
        """A copy of the folder that may be changed."""
        shutil.copytree(self.folder, target)
        return target


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A regression with rows set aside, through Python."""
    folder, dataset = tmp_path_factory.mktemp("finished") / "r", small_dataset()
    return Finished(folder, run_fit(dataset, OPTIONS, folder), dataset, OPTIONS)


@pytest.fixture(scope="session")
def followed(tmp_path_factory):
    """The same, and the ranks over λ."""
    folder, dataset = tmp_path_factory.mktemp("followed") / "r", small_dataset()
    return Finished(folder, run_fit(dataset, WITH_PATH, folder), dataset, WITH_PATH)


@pytest.fixture(scope="session")
def classes(tmp_path_factory):
    """A classification into labels with gaps between them, through the command line; all rows select the rank."""
    folder = tmp_path_factory.mktemp("classes")
    x, y = two_numbers(90, seed=1, noise=0.0)
    np.savez(folder / "c.npz", x=x, y=np.array([0, 2, 5])[np.digitize(y[:, 0], [-0.5, 0.5])])
    arguments = ["fit", str(folder / "c.npz"), *FLAGS, "--ridge", "0.01", "--task", "classification", "--test", "0"]
    assert run([*arguments, "--out", str(folder / "r")]) == 0
    return load_run(folder / "r")
