"""What `select_rank` does for the index rank, without what it does for the rank: the same numbers in half the time."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.progress import silent
from isthmus.selection import IndexRank, SelectionCache, SelectionConfig, seed_from
from isthmus.selection.choice import choose_while_descending
from isthmus.selection.embedding_path import path_of_fold
from isthmus.selection.folds import folds_of
from isthmus.selection.index_rank import select_index_rank
from isthmus.selection.rows import as_sample
from isthmus.selection.scaling import select_scaling


def index_of(x: NDArray[np.float64], y: NDArray[np.float64]) -> IndexRank:
    """`select_rank(x, y).index` of rows that are not wide."""
    sample, _, _ = as_sample(x, y, "regression", None)
    seed = seed_from(0)
    folds = folds_of(sample, None, seed)
    scaled = select_scaling(sample, folds, SelectionConfig(), seed=seed, cache=SelectionCache(), report=silent)
    networks = scaled.networks
    chosen = choose_while_descending(sample, folds, scaled.config, networks, len(folds), n_jobs=1, report=silent)
    paths = []
    with torch.no_grad(), flushed_denormals():
        for fold, (_, held) in enumerate(folds):
            fitted = networks.network(fold, chosen.depth, chosen.ridge, silent)
            rows = torch.from_numpy(sample.x[held]), torch.from_numpy(sample.y[held])
            paths.append(path_of_fold(fitted, fitted.standardized(*rows), sample.task))
        found = select_index_rank(paths, sample, folds, scaled.config.standardize or "columns")
    assert found is not None
    return found
