"""A data set as a value: what goes in, what comes out, and which rows may be looked at when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.foundation.task import Task

Floats = NDArray[np.floating]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Disjoint row indices: fit on `train`, choose on `validation`, report on `test`.

    Attributes:
        train: `(n_train,)`, the only rows a gradient sees.
        validation: `(n_validation,)`, the rows that decide the rank.
        test: `(n_test,)`, looked at once, for the figures that are reported.
    """

    train: Integers
    validation: Integers
    test: Integers


@dataclass(frozen=True)
class Dataset:
    """Inputs, outputs, and everything known about them.

    Attributes:
        x: Inputs `(n, d_in)`, float32 or float64, finite.
        y: Outputs `(n, d_out)`, finite; for classification class indices `(n,)`, int64; for an autoencoder `x` itself.
        task: What is learned.
        split: Which rows train, decide and test.
        name: The name or path it came from, as the user gave it.
        input_names: One name a column of `x`.
        output_names: One name a column of `y`; for classification the names of the classes.
        image_shape: `(height, width)` when each input row is a grey image, else None.
        shares_unit: True when all columns are in one unit, so that they must be scaled together.
        notes: What was done to the data on the way in, one sentence each.
        sha256: Digest of x, y and the split; it identifies the data of a run.
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

    @property
    def n_outputs(self) -> int:
        """Width of the output layer: columns of `y`, or number of classes."""
        return len(self.output_names)
