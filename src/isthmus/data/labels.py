"""Class labels of any kind as indices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from isthmus.data.dataset import Integers
from isthmus.errors import OptionError, RareClassError, ShapeError

_LEAST_IN_CLASS = 3
_MOST_CLASSES = 1000


def class_indices(y: object, rows: int) -> tuple[Integers, tuple[str, ...]]:
    """Class indices `(n,)` in sorted order of the labels, and the names of the classes.

    Args:
        y: One label a row, `(n,)` or `(n, 1)`: whole numbers, texts or booleans.
        rows: How many there should be, for the message.

    Raises:
        ShapeError: If there is not one label a row.
        OptionError: If they are of several kinds, or numbers with fractions, or of more than 1,000 classes.
        RareClassError: If a class has fewer than three rows.
    """
    labels = _vector(y, rows)
    if labels.dtype.kind == "f":
        if not (np.isfinite(labels).all() and (labels == np.round(labels.astype(np.float64))).all()):
            requirement = "whole numbers or texts for a classification; use --task regression"
            raise OptionError("y", f"{labels[:3]}…", requirement)
        labels = labels.astype(np.int64)  # class 1, not class 1.0
    classes, index, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if len(classes) > _MOST_CLASSES:
        raise OptionError("the number of classes", len(classes), f"at most {_MOST_CLASSES}; use --task regression")
    if len(classes) > 1 and counts.min() < _LEAST_IN_CLASS:
        raise RareClassError(str(classes[counts.argmin()]), int(counts.min()), _LEAST_IN_CLASS)
    return np.asarray(index.ravel(), np.int64), tuple(str(label) for label in classes)


def _vector(y: object, rows: int) -> NDArray[np.generic]:
    try:
        labels = y.detach().cpu().numpy() if isinstance(y, Tensor) else np.asarray(y)
    except ValueError as ragged:
        raise ShapeError("y is ragged. Pass one label a row.") from ragged
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ShapeError(f"y has shape {labels.shape}; a classification needs one label a row, shape ({rows},).")
    if labels.dtype.kind == "O" and len({type(label) for label in labels}) == 1:
        labels = np.asarray(labels.tolist())
    if labels.ndim != 1 or labels.dtype.kind not in "fiubUS":
        requirement = "whole numbers or texts for a classification, all of one kind"
        raise OptionError("y", f"{labels[:3]}…", requirement)
    return labels
