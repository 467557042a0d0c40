"""Errors on the rows that were set aside, of the network and of simpler methods."""

from __future__ import annotations

import math

import torch

from isthmus.data import Dataset
from isthmus.data.row_draw import MOST_ROWS
from isthmus.foundation.statistics import weighted_mean
from isthmus.runs.record_parts import ComparisonRow, TestRow
from isthmus.selection import RankSelection
from isthmus.selection.simple_methods import full_errors, linear_errors, named_errors
from isthmus.spectra import spaced
from isthmus.training import FittedNetwork


def errors_set_aside(dataset: Dataset, fitted: FittedNetwork, selection: RankSelection) -> TestRow | None:
    """Errors of the network at the rank and whole, and of simpler methods trained on the same rows; None without rows.

    Of more than `MOST_ROWS` rows so many are looked at, evenly spaced: their standard errors are small by then.

    Args:
        dataset: With the rows that were set aside.
        fitted: The network of all training rows.
        selection: The rank and the halves.
    """
    if not len(dataset.split.test):
        return None
    rows = spaced(torch.from_numpy(dataset.split.test), MOST_ROWS).numpy()
    x = torch.from_numpy(dataset.x[rows])
    y = x if dataset.task == "autoencoder" else torch.from_numpy(dataset.y[rows])
    inputs, truths = fitted.standardized(x, y)
    likelihood, k = fitted.objective.likelihood, selection.rank
    predicted = fitted.outputs.forward(selection.decode(selection.encode(x.double())).double())
    at_rank = likelihood.row_errors(predicted.to(truths.device), truths).cpu()
    whole = likelihood.row_errors(fitted.network(inputs), truths).cpu()
    held_out, columns = (inputs, truths), fitted.network.d_out
    linear = linear_errors(fitted.objective, held_out, columns, len(selection.evidence.linear_errors) - 1)
    full = full_errors(fitted.objective, held_out, columns, dataset.task)
    weights = None if dataset.weights is None else torch.from_numpy(dataset.weights[rows])
    return TestRow(
        error_name=likelihood.error_name,
        rows=len(rows),
        whole=float(weighted_mean(whole, weights)),
        at_rank=float(weighted_mean(at_rank, weights)),
        comparisons=[
            ComparisonRow(
                name=name,
                error=float(weighted_mean(errors, weights)),
                difference=float(weighted_mean(errors - at_rank, weights)),
                standard_error=_known(likelihood.error_of_mean(errors - at_rank, weights)),
            )
            for name, errors in named_errors(k, linear, full, dataset.task)
        ],
    )


def _known(value: float) -> float | None:
    """The value; None for NaN, which a single row gives and JSON does not have."""
    return None if math.isnan(value) else value
