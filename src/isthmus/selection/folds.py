"""Which rows are held out together: so many parts drawn at random, or parts that were given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.data import Sample, folded_rows
from isthmus.data.block_splitting import block_parts
from isthmus.data.dataset import Floats, Integers
from isthmus.data.merging import row_bytes
from isthmus.data.row_blocks import RowBlocks
from isthmus.data.splitting import Parts, parted_rows
from isthmus.errors import OptionError

Folds = Sequence[tuple[Integers, Integers]]
"""(rows to train on, rows held out) of each fold."""
Splits = Iterable[tuple[Any, Any]]
"""The same as scikit-learn's splitters give it, of the rows as they were passed."""
_MANY_ROWS = 1000  # from here on a few folds leave enough rows to train on
_LEAST = 2  # something to train on, something to hold out


def folds_of(sample: Sample, cv: int | Integers | Parts | None, seed: int) -> Folds:
    """The folds of the rows of a sample.

    Args:
        sample: The rows.
        cv: How many, which are drawn; or the part of each row, from `given_parts`; None for five, and three from 1,000
            rows on.
        seed: Of the draw.

    Raises:
        TooFewRowsError: If there are too few rows to hold some out.
        OptionError: If `cv` is below 2, or more than there are pairs of different inputs.
    """
    if cv is None:
        cv = fold_count(len(sample.x))
    elif not isinstance(cv, int | np.integer):
        return parted_rows(sample.x, sample.labels, cv)
    else:
        most = len(np.unique(row_bytes(sample.x))) // 2
        if most >= _LEAST and not _LEAST <= cv <= most:  # of fewer rows no number of folds is right
            raise OptionError("cv", cv, f"between {_LEAST} and {most}: two different inputs for each part")
    return folded_rows(sample.x, sample.labels, folds=max(int(cv), _LEAST), seed=seed)


def fold_count(rows: int) -> int:
    """In how many parts so many different rows are held out, if nobody says."""
    return 3 if rows >= _MANY_ROWS else 5


def given_parts(
    splits: Splits, sample: Sample, x: Floats, weights: NDArray[np.float64], blocks: RowBlocks | None = None
) -> Integers:
    """The part of each row of `sample`, by splits of the rows that were merged into it.

    Rows of equal inputs are held out together, where the first of them is that counts: a network would else be judged
    on what it was trained on.

    Args:
        splits: (rows to train on, rows to hold out), each time all rows, and each row held out at most once.
        sample: The rows, merged.
        x: Inputs as they were passed `(n, d_in)`.
        weights: How much each of them counts, `(n,)`.
        blocks: Rows that must not be parted, if any.

    Returns:
        `(len(sample.x),)`; −1 for a row that is never held out.

    Raises:
        OptionError: If the splits are others.
    """
    parts = np.full(len(x), -1, np.int64)
    try:
        pairs = [(np.asarray(trained, np.int64), np.asarray(held_out, np.int64)) for trained, held_out in splits]
    except (TypeError, ValueError) as refused:
        if isinstance(refused, ValueError) and "groups" in str(refused):
            raise OptionError("cv", "a splitter of groups", "given them: pass groups= to fit") from refused
        raise OptionError("cv", splits, "a whole number, or pairs of rows: to train on, to hold out") from refused
    for index, (trained, held_out) in enumerate(pairs):
        rows = np.concatenate([trained, held_out])
        if not np.array_equal(np.sort(rows), np.arange(len(x))):
            raise OptionError("cv", f"split {index}", "all rows, some to train on and the others to hold out")
        if (parts[held_out] >= 0).any():
            raise OptionError("cv", f"split {index}", "free of rows that an earlier split holds out, as of a KFold")
        if blocks is not None and np.intersect1d(blocks.of_row[trained], blocks.of_row[held_out]).size:
            raise OptionError("cv", f"split {index}", "one that holds out whole groups, as of a GroupKFold")
        parts[held_out] = index
    is_counted = weights > 0
    both = np.concatenate([x[is_counted], sample.x])
    _, first, group = np.unique(row_bytes(both), return_index=True, return_inverse=True)
    return np.asarray(parts[is_counted][first[group.ravel()[int(is_counted.sum()) :]]], np.int64)


def parts_of_blocks(
    blocks: RowBlocks, sample: Sample, x: Floats, weights: NDArray[np.float64], *, cv: int | None, seed: int
) -> Parts:
    """The part of each row of `sample` in which groups stay together, or moments follow one another.

    Args:
        blocks: Of the rows as they were passed.
        sample: The rows, merged.
        x: Inputs as they were passed `(n, d_in)`.
        weights: How much each of them counts, `(n,)`.
        cv: How many parts; None for as many as without blocks.
        seed: Of the draw of groups.

    Raises:
        OptionError: If there are fewer blocks than parts.
    """
    parts = block_parts(blocks, folds=cv, default=fold_count(len(sample.x)), seed=seed)
    order = np.argsort(blocks.of_row, kind="stable")  # equal rows go where the earliest goes
    parts = parts[order]
    splits = [(np.flatnonzero(parts != each), np.flatnonzero(parts == each)) for each in range(int(parts.max()) + 1)]
    return Parts(given_parts(splits, sample, x[order], weights[order]), blocks.is_forward)
