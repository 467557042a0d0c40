"""Ranks that linear methods answer: reduced-rank regression, and how many principal components a cloud has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]
RIDGES = np.geomspace(1e-5, 1e2, 15)  # times the number of rows; columns have variance 1
SHARE = 0.95


def one_standard_error(errors: Floats) -> int:
    """Index of the first row as good as the best one, given or taken the best one's standard error.

    `errors` are `(ranks, settings, folds)`; a rank counts with its best setting. Source: Breiman et al. (1984), 3.4.3.
    """
    means = errors.mean(2)
    best = np.unravel_index(means.argmin(), means.shape)
    deviation = errors[best].std(ddof=1) / np.sqrt(errors.shape[2])
    return int(np.argmax(means.min(1) <= means[best] + deviation))


def reduced_rank_errors(x: Floats, y: Floats, x_test: Floats, y_test: Floats) -> Floats:
    """Held-out squared errors of ridge regression cut to rank 0, 1, …: `(ranks, ridges)`.

    With ridge λ the best B of rank k is B_λ V_k V_kᵀ, with V_k the leading right singular vectors of the fitted outputs
    (below them √λ B_λ). Source: Mukherjee and Zhu (2011).
    """
    scaler, mean = StandardScaler().fit(x), y.mean(0)
    x, x_test, y, y_test = scaler.transform(x), scaler.transform(x_test), y - mean, y_test - mean
    columns = []
    for ridge in RIDGES * len(x):
        penalised = x.T @ x + ridge * np.eye(x.shape[1])
        slopes = np.linalg.solve(penalised, x.T @ y)
        directions = np.linalg.eigh(slopes.T @ penalised @ slopes)[1][:, ::-1]
        fitted, true = x_test @ slopes @ directions, y_test @ directions
        gains = (fitted * (fitted - 2.0 * true)).mean(0)[: min(x.shape[1], y.shape[1])]
        columns.append(np.square(y_test).sum(1).mean() + np.cumsum(np.concatenate([[0.0], gains])))
    return np.stack(columns, 1)


def reduced_rank(x: Floats, y: Floats, seed: int) -> int:
    """Rank and ridge together by five-fold cross-validation, then the smallest rank within one standard error."""
    folds = KFold(5, shuffle=True, random_state=seed).split(x)
    return one_standard_error(np.stack([reduced_rank_errors(x[a], y[a], x[b], y[b]) for a, b in folds], 2))


def components_of_variance(rows: Floats) -> int:
    """How many principal components hold 95 % of the variance."""
    return components_of_trace(PCA().fit(rows).explained_variance_)


def components_of_trace(values: Floats) -> int:
    """How many of the values, from the largest on, make up 95 % of their sum."""
    return int(np.searchsorted(np.cumsum(values) / values.sum(), SHARE)) + 1


def components_by_likelihood(rows: Floats) -> int | None:
    """Minka's (2000) evidence, as scikit-learn has it; needs as many rows as columns."""
    return int(PCA(n_components="mle").fit(rows).n_components_) if len(rows) >= rows.shape[1] else None
