"""Everything that decides the outcome of a fit, in one value that names it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from typing import Any

from isthmus.data import Dataset
from isthmus.errors import OptionError
from isthmus.foundation.files import shareable
from isthmus.runs.record import RECORD_VERSION
from isthmus.selection import SelectionConfig


@dataclass(frozen=True)
class RunOptions:
    """How a data set is fitted.

    Attributes:
        config: How the rank is selected.
        cv: Parts of the rows that are held out in turn; None for five, and three from 1,000 rows on.
        seed: `random_state` of the selection.
        path: Whether the rank is also followed over λ.
        command: What was typed, for the record.
        data: Options with which the data were loaded, for the record.
    """

    config: SelectionConfig = field(default_factory=SelectionConfig)
    cv: int | None = None
    seed: int = 0
    path: bool = False
    command: tuple[str, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.cv is not None and self.cv < 2:
            raise OptionError("cv", self.cv, "at least 2")
        if self.path and self.config.ridge == 0.0:
            raise OptionError("ridge", 0.0, "above 0 for a path, which multiplies it")

    def for_data(self, dataset: Dataset) -> RunOptions:
        """With what the data set itself says: the hyperparameters that it carries, and one scale for shared units."""
        config = self.config
        carried = {name: value for name, value in dataset.defaults.items() if _is_default(config, name)}
        if _is_default(config, "standardize") and dataset.shares_unit:
            carried["standardize"] = "global"
        return replace(self, config=replace(config, **carried))

    def record(self, dataset: Dataset) -> dict[str, Any]:
        """Options and data as plain JSON values: enough to repeat the run."""
        own = {"cv": self.cv, "seed": self.seed, "path": self.path}
        return {
            "data": shareable(dataset.name),
            **self.data,
            "task": dataset.task,
            **own,
            **_plain(asdict(self.config)),
        }

    def key(self, dataset: Dataset) -> str:
        """Digest of the options, the content of the data and the version of isthmus: equal keys, equal results.

        The edition of records is part of it: folds that another one has left lack what is weighed now.
        """
        edition = {"isthmus": version("isthmus"), "record": RECORD_VERSION}
        facts = {**self.record(dataset), "sha256": dataset.sha256, **edition}
        for name in {"data", *self.data} - {"task"}:  # the same content under another path or option is the same data
            facts.pop(name, None)
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _is_default(config: SelectionConfig, name: str) -> bool:
    return bool(getattr(config, name) == getattr(SelectionConfig(), name))


def _plain(value: Any) -> Any:
    plain: Any = json.loads(json.dumps(value))
    return plain
