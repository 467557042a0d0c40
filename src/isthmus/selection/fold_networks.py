"""Networks of the rows that each fold leaves, by depth and λ."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import partial

import numpy as np
from numpy.typing import NDArray

from isthmus.data import Sample
from isthmus.foundation.progress import Report, part
from isthmus.selection.cache import SelectionCache
from isthmus.selection.config import SelectionConfig
from isthmus.selection.folds import Folds
from isthmus.training import FittedNetwork

_DESCENT_END = 0.6  # of the progress of a network


class FoldNetworks:
    """Networks of the rows that each fold leaves, each trained once.

    A fold has one descent for a depth, at one λ; the network of any λ goes on from it by L-BFGS: a descent finds the
    directions, and λ says how far each is kept. The networks of a ladder of λ predict as well so as with a descent for
    each, in a third of the time (`benchmarks/selection_descents.py`).

    Args:
        sample: All rows.
        folds: Rows to train on, and rows held out.
        config: How to train.
        ridge: λ of the descents.
        seed: Of every network.
        cache: Where networks are kept.
        name: With which their names there begin.
    """

    def __init__(
        self,
        sample: Sample,
        folds: Folds,
        config: SelectionConfig,
        ridge: float,
        *,
        seed: int,
        cache: SelectionCache,
        name: str = "",
    ) -> None:
        self._sample, self._folds, self._config, self._ridge = sample, folds, config, ridge
        self._seed, self._cache, self._prefix = seed, cache, name
        self._descents: dict[tuple[int | None, int], FittedNetwork] = {}
        self._found: dict[tuple[int | None, int, float], FittedNetwork] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._found)

    def of(self, fold: int | None) -> FoldNetworks:
        """The same with what is known of one fold alone: little to send to another process."""
        other = copy(self)
        other._descents = {key: each for key, each in self._descents.items() if key[0] == fold}
        other._found = {key: each for key, each in self._found.items() if key[0] == fold}
        return other

    def take(self, others: FoldNetworks) -> None:
        """Know what others know."""
        self._descents |= others._descents
        self._found |= others._found

    def descend(self, fold: int | None, depth: int, report: Report) -> FittedNetwork:
        """The network of this depth that has descended on the rows of a fold, or on all of them for None."""
        key = fold, depth
        if key not in self._descents:
            config = self._config.descent(depth, self._ridge)
            self._descents[key] = self._cache.network(self._name(*key), self._rows(fold), config, self._seed, report)
        return self._descents[key]

    def network(self, fold: int | None, depth: int, ridge: float, report: Report) -> FittedNetwork:
        """The network of this depth and λ that was trained without the rows of a fold; with all of them for None."""
        key = fold, depth, ridge
        if key not in self._found:
            start = self.descend(fold, depth, part(report, 0.0, _DESCENT_END))
            name, told = f"{self._name(fold, depth)}-ridge-{ridge!r}", part(report, _DESCENT_END, 1.0)
            config = self._config.finish(depth, ridge)
            self._found[key] = self._cache.network(name, self._rows(fold), config, self._seed, told, start=start)
        return self._found[key]

    def trainer(self, fold: int | None, depth: int, ridge: float) -> Callable[[Report], FittedNetwork]:
        """`network` of one fold, to be called in another process."""
        return partial(self.of(fold).network, fold, depth, ridge)

    def of_halves(self) -> tuple[FoldNetworks, FoldNetworks]:
        """Networks of two parts of the rows that share none, which begin at different weights; each has one fold.

        A part is made of what some folds hold out, so that rows that belong together stay together. What one would lack
        of the classes is in both.
        """
        held = np.concatenate([held for _, held in self._folds[: max(1, len(self._folds) // 2)]])
        is_held = np.isin(np.arange(len(self._sample.x)), held)
        parts = [np.flatnonzero(is_own | self._is_of_class_without(is_own)) for is_own in (is_held, ~is_held)]
        first, second = (
            FoldNetworks(
                self._sample,
                [(rows, rows[:0])],
                self._config,
                self._ridge,
                seed=self._seed + at,
                cache=self._cache,
                name=f"{self._prefix}half-{at}-",
            )
            for at, rows in enumerate(parts)
        )
        return first, second

    def _is_of_class_without(self, is_own: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether a row is of a class of which there is none in a part."""
        labels = self._sample.labels
        return np.zeros_like(is_own) if labels is None else ~np.isin(labels, labels[is_own])

    def _rows(self, fold: int | None) -> Sample:
        return self._sample if fold is None else self._sample.at(self._folds[fold][0])

    def _name(self, fold: int | None, depth: int) -> str:
        return f"{self._prefix}depth-{depth}-" + ("all-rows" if fold is None else f"fold-{fold}")
