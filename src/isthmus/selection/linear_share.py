"""How much of what a network predicts linear functions predict."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.factorization.reduced_rank_regression import linear_baseline
from isthmus.foundation.statistics import weighted_mean
from isthmus.foundation.threads import one_thread
from isthmus.training import Objective


def held_out_squares(objective: Objective, outputs: Tensor, held_out: tuple[Tensor, Tensor]) -> Tensor:
    """Squared errors of the mean of the training rows, of ridge regression on them, and of a network.

    The ridge is the best of eleven for the held-out rows.

    For classes targets are 1 for the class and 0 for the others, and the network's are its probabilities. Results do
    not depend on the number of threads.

    Args:
        objective: With the training rows.
        outputs: Of the network at the held-out rows, `(m, d_out)`.
        held_out: Inputs `(m, d_in)`, and outputs `(m, d_out)` or classes `(m,)`.

    Returns:
        `(3, m)` float64.
    """
    (x, y), (inputs, truths) = objective.sample(), held_out
    likelihood, columns = objective.likelihood, outputs.shape[1]
    y, truths = likelihood.as_numbers(y, columns), likelihood.as_numbers(truths, columns)
    outputs = likelihood.expectation(outputs)
    with one_thread():
        baseline = linear_baseline(x, y, (inputs, truths))
        linear = baseline(inputs, baseline.directions.shape[1])
        return torch.stack([(p - truths.double()).square().sum(1) for p in (baseline.y_mean, linear, outputs.double())])


def linear_share(squares: Tensor, weights: Tensor | None = None) -> float:
    r"""$R_l / R$, the multiple correlations of linear functions and of networks on rows held out, at most 1.

    1 where networks explain nothing, 0 where linear functions alone do not.

    Args:
        squares: Of `held_out_squares`, `(3, m)`.
        weights: How much each row counts, `(m,)`, positive.
    """
    constant, linear, network = (float(weighted_mean(row, weights)) for row in squares)
    if network >= constant:
        return 1.0
    return float(min(max(constant - linear, 0.0) / (constant - network), 1.0) ** 0.5)
