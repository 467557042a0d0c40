"""A data set as a value: what goes in, what comes out, and which rows may be looked at when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from isthmus.data.column_use import ColumnUse
from isthmus.data.row_blocks import RowBlocks
from isthmus.foundation.task import Task

Floats = NDArray[np.floating]
Integers = NDArray[np.int64]
Weights = NDArray[np.float64]


@final
class Defaults(Mapping[str, Any]):
    """Hyperparameters that data come with: a mapping that cannot be changed, and can be pickled."""

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self._values = dict(values or {})

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Defaults({self._values!r})"


@dataclass(frozen=True, eq=False)
class Split:
    """Disjoint row indices: learn from `train`, report on `test`.

    Attributes:
        train: `(n_train,)`, the rows that are learned from and that select the rank, by cross-validation.
        test: `(n_test,)`, looked at once, for the figures that are reported; empty if no row was set aside.
    """

    train: Integers
    test: Integers


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs, outputs, and everything known about them.

    Attributes:
        x: Inputs `(n, d_in)`, float32 or float64, finite.
        y: Outputs `(n, d_out)`, finite; for classification class indices `(n,)`, int64; for an autoencoder `x` itself.
        task: What is learned.
        split: Which rows train and which test.
        name: The name or path it came from, as the user gave it.
        input_names: One name a column of `x`.
        output_names: One name a column of `y`; for classification the names of the classes.
        image_shape: `(height, width)` when each input row is a grey image, else None.
        shares_unit: True when all columns are in one unit, so that they must be scaled together.
        notes: What was done to the data on the way in, one sentence each.
        blocks: Which rows belong together or in which order they were taken; None where each stands for itself.
        warnings: What is suspicious about them, one sentence each.
        columns: What became of each column of a table; empty for other data.
        fills: What stands in the place of missing values, by the name of the input.
        sha256: Digest of x, y, the split and the weights; it identifies the data of a run.
        weights: How much each row counts, `(n,)`, finite, ≥ 0, one of them positive; None where all count the same.
        defaults: Hyperparameters that apply to these data unless others are asked for; empty for data of users.
    """

    x: Floats
    y: Floats | Integers
    task: Task
    split: Split
    name: str
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    image_shape: tuple[int, int] | None
    shares_unit: bool
    notes: tuple[str, ...]
    sha256: str
    weights: Weights | None = None
    blocks: RowBlocks | None = None
    warnings: tuple[str, ...] = ()
    columns: tuple[ColumnUse, ...] = ()
    fills: Mapping[str, float] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=Defaults)

    def __post_init__(self) -> None:
        object.__setattr__(self, "defaults", Defaults(self.defaults))

    @property
    def n_outputs(self) -> int:
        """Width of the output layer: columns of `y`, or number of classes."""
        return len(self.output_names)
