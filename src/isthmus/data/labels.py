"""Class labels of any kind as indices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from isthmus.data.dataset import Integers, Weights
from isthmus.data.row_draw import MOST_CLASSES
from isthmus.errors import OptionError, RareClassError, ShapeError
from isthmus.foundation.matrices import plain_array

_LEAST_IN_CLASS = 3
_MOST_CLASSES = 1000


def class_indices(
    y: object, rows: int, weights: Weights | None = None, repeats: Integers | None = None
) -> tuple[Integers, tuple[str, ...]]:
    """Class indices `(n,)` in sorted order of the labels, and the names of the classes.

    Args:
        y: One label a row, `(n,)` or `(n, 1)`: whole numbers, texts or booleans.
        rows: How many there should be, for the message.
        weights: How much each row counts, `(n,)`; rows of weight zero are not counted among those of a class.
        repeats: For how many rows each stands, `(n,)`; None for itself alone.

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
    classes, index = np.unique(labels, return_inverse=True)
    is_counted = np.ones(len(labels), bool) if weights is None else weights > 0
    counts = np.bincount(index, is_counted if repeats is None else is_counted * repeats, len(classes))
    check_class_count(len(classes))
    if len(classes) > 1 and counts.min() < _LEAST_IN_CLASS:
        raise RareClassError(str(classes[counts.argmin()]), int(counts.min()), _LEAST_IN_CLASS)
    return np.asarray(index, np.int64), tuple(str(label) for label in classes)


def check_class_count(count: int) -> None:
    """Raise `OptionError` for too many classes; of a long table no more than `MOST_CLASSES` are counted."""
    if count > _MOST_CLASSES:
        said = count if count < MOST_CLASSES else f"{MOST_CLASSES} or more"
        raise OptionError("the number of classes", said, f"at most {_MOST_CLASSES}; use --task regression")


def _vector(y: object, rows: int) -> NDArray[np.generic]:
    labels = plain_array(y, "y")
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
