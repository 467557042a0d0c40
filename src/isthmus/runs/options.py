"""Everything that decides the outcome of a fit, in one value that names it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

from isthmus.data import Dataset
from isthmus.errors import OptionError
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import Scaling, activation
from isthmus.training import Schedule, check_options

_EXTRAS = ("folds", "path")  # not named unless asked for: a fit without them has the name it had before there were any


@dataclass(frozen=True)
class FitOptions:
    """How a data set is fitted and its rank decided.

    Attributes:
        depth: L, or None to choose it on the validation rows.
        width: Width of the hidden layers.
        ridge: λ, or None for 1/1000 of the loss of the best constant.
        seed: Start of the training.
        starts: Number of random starts, of which the best is kept.
        standardize: "columns", "global", "none", or None: global where all columns share a unit, else columns.
        activation: Name of σ.
        tolerance: ε of the ranks.
        device: Where to compute.
        schedule: How long and how fast.
        folds: Parts of the rows that decide the rank in turn, each held out from one network more; None for the
            validation rows alone.
        path: Whether the rank is also followed over λ.
    """

    depth: int | None = 13
    width: int = 100
    ridge: float | None = None
    seed: int = 0
    starts: int = 1
    standardize: Scaling | None = None
    activation: str = "relu"
    tolerance: float = 0.1
    device: str = "cpu"
    schedule: Schedule = field(default_factory=Schedule)
    folds: int | None = None
    path: bool = False

    def check(self) -> None:
        """Raise the error that `fit` would raise for these options, before any data are read."""
        check_options("regression", self.depth or 1, self.width, self.ridge)
        activation(self.activation)
        Tolerance(self.tolerance)
        if self.folds is not None and self.folds < 2:
            raise OptionError("folds", self.folds, "at least 2")
        if self.path and self.ridge == 0.0:
            raise OptionError("ridge", self.ridge, "above 0 for a path, which multiplies it")

    def scaling(self, dataset: Dataset) -> Scaling:
        """The standardisation that applies to `dataset`."""
        return self.standardize or ("global" if dataset.shares_unit else "columns")

    def record(self, dataset: Dataset) -> dict[str, Any]:
        """Options and data as plain JSON values: enough to repeat the run."""
        asked = {name: value for name, value in asdict(self).items() if name not in _EXTRAS or value}
        return {"data": dataset.name, "task": dataset.task, **asked, "standardize": self.scaling(dataset)}

    def key(self, dataset: Dataset) -> str:
        """Digest of the options, the content of the data and the version of isthmus: equal keys, equal results."""
        facts = {**self.record(dataset), "sha256": dataset.sha256, "isthmus": version("isthmus")}
        del facts["data"]  # the same content under another path is the same data
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
