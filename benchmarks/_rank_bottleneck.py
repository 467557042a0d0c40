"""The width at which a plain network with a bottleneck stops improving, by cross-validation in scikit-learn.

Layers of 100, k and 100 neurons for k = 1 … 10, so that a rank of 0 is never answered. The settings were the best of
22 on nine tasks of the families relu, polynomial and classes with seeds from 100 on: adam with early stopping or
L-BFGS, rectified neurons or tanh, weight decay 0.01, 1, 3 or 10, learning rate 0.003 or 0.01, patience 10 or 20; not
every combination. L-BFGS often stays at an error that more neurons would mend; tanh learns outputs two or three times
worse at every width. A rectified bottleneck may need a neuron more than k, as each passes half of a line. For classes
no setting is much better than another; the share of wrong ones misled less than the log loss, which early stopping
leaves noisy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from _rank_linear import one_standard_error
from _rank_losses import squared_error, without_convergence, wrong_share

WIDEST, FOLDS = 10, 3
SETTINGS: dict[str, Any] = {
    "alpha": 3.0,
    "learning_rate_init": 0.01,
    "early_stopping": True,
    "n_iter_no_change": 20,
    "max_iter": 300,
}


@without_convergence
def bottleneck_width(x: NDArray[np.float64], y: NDArray[Any], seed: int) -> int:
    """The narrowest width within one standard error of the best."""
    kind, loss = (MLPClassifier, wrong_share) if y.ndim == 1 else (MLPRegressor, squared_error)
    errors = np.zeros((WIDEST, 1, FOLDS))
    for fold, (a, b) in enumerate(KFold(FOLDS, shuffle=True, random_state=seed).split(x)):
        for width in range(1, WIDEST + 1):
            network = kind(hidden_layer_sizes=(100, width, 100), random_state=seed, **SETTINGS)
            model = make_pipeline(StandardScaler(), network).fit(x[a], y[a])
            errors[width - 1, 0, fold] = loss(model, x[b], y[b])
    return one_standard_error(errors) + 1
