"""What simpler methods predict on the rows that a fold holds out, trained on the same rows as its network."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.factorization import LinearBaseline, linear_baseline
from isthmus.factorization.kernel_ridge import kernel_prediction
from isthmus.foundation.likelihood import CATEGORICAL
from isthmus.foundation.statistics import weighted_mean
from isthmus.foundation.task import Task
from isthmus.foundation.threads import one_thread
from isthmus.spectra import spaced
from isthmus.training import Objective, Schedule, TrainingConfig, fit

LINEAR: dict[Task, str] = {
    "regression": "reduced-rank regression",
    "classification": "reduced-rank regression",
    "autoencoder": "PCA",
}
"""The linear method through k numbers."""
FULL: dict[Task, tuple[str, ...]] = {
    "regression": ("kernel ridge regression",),
    "classification": ("kernel ridge regression", "logistic regression"),
    "autoencoder": (),
}
"""Methods that need not pass through k numbers. An autoencoder's outputs are its inputs: there they would copy."""
_ROWS = 1000  # the time of kernel ridge regression grows with the cube of them
_RIDGES = (1e-4, 1e-3, 1e-2, 1e-1)  # of logistic regression, in losses of the best constant
_CONVEX = Schedule(steps=0, rounds=3, evaluations=50)
_HELD_OUT = 5  # every so manyth row chooses the ridge of logistic regression


def linear_errors(objective: Objective, held_out: tuple[Tensor, Tensor], columns: int, most: int) -> Tensor:
    """Errors of the linear method through k = 0 … `most` numbers at the held-out rows, `(most + 1, m)` float64.

    Its ridge is the one that predicts the training rows best when each is left out.

    Args:
        objective: With the training rows.
        held_out: Inputs `(m, d_in)` and targets.
        columns: d_out.
        most: Largest k.
    """
    (x, y), (inputs, truths) = objective.sample(), held_out
    likelihood = objective.likelihood
    with one_thread():
        linear: LinearBaseline = linear_baseline(x, likelihood.as_numbers(y, columns), weights=objective.weights)
        predicted = [linear(inputs, k) for k in range(most + 1)]
        return torch.stack([likelihood.row_errors(each, truths) for each in predicted]).cpu()


def full_errors(objective: Objective, held_out: tuple[Tensor, Tensor], columns: int, task: Task) -> Tensor:
    """Errors of the methods of `FULL` at the held-out rows, `(methods, m)` float64.

    Kernel ridge regression is trained on at most 1,000 rows, evenly spaced, that count alike; width and ridge are those
    that predict them best when each is left out.
    """
    (x, y), (inputs, truths) = objective.sample(), held_out
    likelihood = objective.likelihood
    found = []
    with one_thread():
        for name in FULL[task]:
            if name == "logistic regression":
                predicted = _logistic(x, y, objective.weights, inputs)
            else:
                rows, targets = spaced(x, _ROWS).double(), spaced(likelihood.as_numbers(y, columns), _ROWS).double()
                predicted = kernel_prediction(rows, targets, inputs.double())
            found.append(likelihood.row_errors(predicted, truths).cpu())
    return torch.stack(found) if found else torch.zeros(0, len(inputs), dtype=torch.float64)


def named_errors(rank: int, linear: Tensor, full: Tensor, task: Task) -> list[tuple[str, Tensor]]:
    """What stands beside the network through `rank` numbers, with its errors at the same rows `(m,)`.

    The constant, the linear method through as many numbers, and those that need none. Rank 0 is the constant: the
    linear method through K numbers stands beside it, of an autoencoder through one, as PCA through all copies.

    Args:
        rank: k.
        linear: Errors of the linear method through 0 … K numbers, `(K + 1, m)`; through 0 it is the constant.
        full: Errors of the methods of `FULL`, `(methods, m)`.
        task: What is learned.
    """
    constant = "the mean" if task != "classification" else "the most frequent class"
    found = [(constant, linear[0])] if rank > 0 else []
    through = rank or (min(1, len(linear) - 1) if task == "autoencoder" else len(linear) - 1)
    if through > 0:
        found.append((f"{LINEAR[task]} through {through} number{'s' * (through > 1)}", linear[through]))
    return [*found, *zip(FULL[task], full, strict=True)]


def _logistic(x: Tensor, y: Tensor, weights: Tensor | None, inputs: Tensor) -> Tensor:
    """Logits of multinomial logistic regression, a network of depth 1, at `inputs`."""
    rows = torch.arange(len(x)) % _HELD_OUT != 0
    is_judged = len(y[rows].unique()) == len(y.unique()) > 1  # a class that is not trained on cannot be judged
    ridge = _RIDGES[1]
    if is_judged:
        ridge = min(_RIDGES, key=lambda each: _judged(x, y, weights, rows, each))
    return _fitted(x, y, weights, ridge, inputs)


def _judged(x: Tensor, y: Tensor, weights: Tensor | None, rows: Tensor, ridge: float) -> float:
    trained, others = (None, None) if weights is None else (weights[rows], weights[~rows])
    predicted = _fitted(x[rows], y[rows], trained, ridge, x[~rows])
    return float(weighted_mean(CATEGORICAL.row_losses(predicted, y[~rows]), others))


def _fitted(x: Tensor, y: Tensor, weights: Tensor | None, ridge: float, inputs: Tensor) -> Tensor:
    strength = ridge * CATEGORICAL.constant_loss(y, weights)
    config = TrainingConfig(depth=1, ridge=strength, standardize="none", schedule=_CONVEX, device=str(x.device))
    fitted = fit(x, y, config=config, task="classification", sample_weight=weights).complete()
    return fitted.network(inputs)
