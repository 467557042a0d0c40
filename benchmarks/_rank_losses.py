"""Held-out losses of scikit-learn's models, as its scorers want them: (model, x, y)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

SMALLEST = 1e-12  # probability given to a class that was not there to learn from


def squared_error(model: Any, x: NDArray[Any], y: NDArray[Any]) -> float:
    """Squared errors summed over outputs, over their variance on these rows: 1 - R² weighted by variance."""
    residuals = np.square(model.predict(x).reshape(y.shape) - y).mean(0)
    return float(residuals.sum() / y.var(0).sum())


def wrong_share(model: Any, x: NDArray[Any], y: NDArray[Any]) -> float:
    return float(np.mean(model.predict(x) != y))


def log_loss(model: Any, x: NDArray[Any], y: NDArray[Any]) -> float:
    """Mean of -log of the true class's probability, in nats; y are whole numbers from 0."""
    probabilities = np.zeros((len(x), max(y.max(), model.classes_.max()) + 1))
    probabilities[:, model.classes_] = model.predict_proba(x)
    return float(-np.log(np.maximum(probabilities[np.arange(len(x)), y], SMALLEST)).mean())


def without_convergence(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, without the warning that a network stopped at its last allowed iteration: that limit is chosen."""

    @wraps(function)
    def quiet(*args: Any, **settings: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return function(*args, **settings)

    return quiet
