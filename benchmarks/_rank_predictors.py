"""What predictions are compared with: `PREDICTORS`, name -> (data, seed) -> losses on the test rows, or None.

Each chooses its settings by three- or five-fold cross-validation on the rows to learn from. The grid of `network` was
chosen on five tasks of the families relu, polynomial and classes with seeds from 100 on: L-BFGS with strong weight
decay had the least test error on each; adam's early stopping keeps a tenth of the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from _rank_kernel import kernel_ridge
from _rank_losses import as_target, log_loss, squared_error, without_convergence, wrong_share

FOLDS = 3
NETWORKS = {"hidden_layer_sizes": [(100,), (100, 100), (200, 100)], "alpha": [0.3, 3.0, 30.0]}
SOLVER: dict[str, Any] = {"solver": "lbfgs", "max_iter": 100}  # twice as many gained at most a tenth of the error
RIDGES = np.geomspace(1e-5, 1e2, 15)


class Data(Protocol):
    """A `RankTask` or a `RealTask`."""

    x: NDArray[np.float64]
    y: NDArray[Any]
    x_test: NDArray[np.float64]
    y_test: NDArray[Any]

    @property
    def is_classification(self) -> bool: ...


@dataclass(frozen=True)
class HeldOut:
    """On the test rows.

    Attributes:
        error: Squared errors over the variance of y_test, or the share of wrong classes.
        log_loss: For classes, in nats.
    """

    error: float
    log_loss: float | None


def held_out_error(model: Any, data: Data) -> float:
    """Squared errors over the variance of y_test, or the share of wrong classes."""
    return (wrong_share if data.is_classification else squared_error)(model, data.x_test, data.y_test)


def losses(model: Any, data: Data) -> HeldOut:
    error = held_out_error(model, data)
    return HeldOut(error, log_loss(model, data.x_test, data.y_test) if data.is_classification else None)


def searched(model: Any, grid: dict[str, list[Any]], data: Data, seed: int) -> Any:
    """The model with the best of the grid, fitted on all rows; the pipeline's scaler sees each fold's rows only."""
    pipeline = Pipeline([("scaler", StandardScaler()), ("model", model)])
    loss = log_loss if data.is_classification else squared_error
    folds = KFold(FOLDS, shuffle=True, random_state=seed)
    settings = {f"model__{name}": values for name, values in grid.items()}
    return GridSearchCV(pipeline, settings, scoring=lambda *args: -loss(*args), cv=folds).fit(data.x, as_target(data.y))


@without_convergence
def network(data: Data, seed: int) -> HeldOut:
    """One or two hidden layers with L-BFGS."""
    kind = MLPClassifier if data.is_classification else MLPRegressor
    return losses(searched(kind(random_state=seed, **SOLVER), NETWORKS, data, seed).best_estimator_, data)


@without_convergence
def linear(data: Data, seed: int) -> HeldOut:
    """Ridge regression (leave-one-out) or logistic regression."""
    if data.is_classification:
        grid = {"C": np.geomspace(1e-3, 1e2, 6).tolist()}
        return losses(searched(LogisticRegression(), grid, data, seed).best_estimator_, data)
    return losses(make_pipeline(StandardScaler(), RidgeCV(RIDGES * len(data.x))).fit(data.x, data.y), data)


def kernel(data: Data, seed: int) -> HeldOut | None:
    """Kernel ridge regression; for outputs only, as it gives no probabilities."""
    if data.is_classification:
        return None
    scaler, mean = StandardScaler().fit(data.x), data.y.mean(0)
    model = kernel_ridge(scaler.transform(data.x), data.y - mean, seed)
    residuals = model.predict(scaler.transform(data.x_test)) + mean - data.y_test
    return HeldOut(float(np.square(residuals).mean(0).sum() / data.y_test.var(0).sum()), None)


PREDICTORS: dict[str, Callable[[Data, int], HeldOut | None]] = {
    "network": network,
    "linear": linear,
    "kernel": kernel,
}
