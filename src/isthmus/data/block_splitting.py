"""Splits between blocks of rows: groups stay together, and the future judges what the past has taught."""

from __future__ import annotations

import numpy as np

from isthmus.data.dataset import Integers, Split
from isthmus.data.row_blocks import RowBlocks
from isthmus.data.splitting import check_share
from isthmus.errors import OptionError, TooFewRowsError

_LEAST_LEFT = 2  # blocks to train on, one of which can be held out


def split_blocks(blocks: RowBlocks, *, test: float, seed: int) -> Split:
    """Set aside whole groups that are drawn, or the last moments, of about a share of the rows.

    Args:
        blocks: Of the rows.
        test: Share of the rows, in [0.02, 0.45]; 0 sets none aside.
        seed: Of the draw of groups; time needs none.

    Raises:
        OptionError: If the share is out of range.
        TooFewRowsError: If there are fewer than two blocks beside those that are set aside.
    """
    check_share(test)
    sizes = np.bincount(blocks.of_row)
    is_test = np.zeros(len(sizes), bool)
    if test:
        order = (
            np.arange(len(sizes))[::-1] if blocks.is_forward else np.random.default_rng(seed).permutation(len(sizes))
        )
        reached = np.cumsum(sizes[order])
        # the number of blocks that comes nearest to the share, at least one, and some are left
        nearest = 1 + int(np.abs(reached - test * len(blocks.of_row)).argmin())
        is_test[order[: max(1, min(nearest, len(sizes) - _LEAST_LEFT))]] = True
    if (~is_test).sum() < _LEAST_LEFT:
        what = "What is not set aside, each group or moment counted once,"
        raise TooFewRowsError(
            what, int((~is_test).sum()), _LEAST_LEFT, "Use --test 0, or data of more groups or moments"
        )
    is_row = is_test[blocks.of_row]
    return Split(np.flatnonzero(~is_row).astype(np.int64), np.flatnonzero(is_row).astype(np.int64))


def block_parts(blocks: RowBlocks, *, folds: int | None, default: int, seed: int) -> Integers:
    """The part in which each row is held out, `(n,)`; −1 for the first moments, which nothing comes before.

    Groups are spread so that parts have about as many rows: the largest first, each to the smallest part, equal ones in
    an order that is drawn. Time is cut so that its pieces have about as many rows, one more than parts.

    Args:
        blocks: Of the rows.
        folds: How many parts; None for `default`, or as many as there can be.
        default: How many otherwise.
        seed: Of the draw.

    Raises:
        OptionError: If there are more parts asked for than groups, or than moments with one before them.
    """
    sizes = np.bincount(blocks.of_row)
    most = len(sizes) - blocks.is_forward
    if folds is not None and folds > most:
        what = "moments that follow another" if blocks.is_forward else "groups"
        raise OptionError("cv", folds, f"at most {most}, the number of {what}")
    count = min(default, most) if folds is None else folds
    if blocks.is_forward:
        middle = (np.cumsum(sizes) - sizes / 2) / len(blocks.of_row)
        piece = np.minimum((middle * (count + 1)).astype(np.int64), count)
        part_of = np.unique(piece, return_inverse=True)[1] - 1
    else:
        part_of, filled = np.empty(len(sizes), np.int64), np.zeros(count, np.int64)
        drawn = np.random.default_rng(seed).permutation(len(sizes))
        for block in drawn[np.argsort(-sizes[drawn], kind="stable")]:
            part_of[block] = int(filled.argmin())
            filled[part_of[block]] += sizes[block]
    return np.asarray(part_of[blocks.of_row], np.int64)
