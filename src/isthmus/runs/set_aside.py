"""Errors on the rows that were set aside, of the network and of simpler methods."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.data import Dataset
from isthmus.runs.record_parts import ComparisonRow, TestRow
from isthmus.selection import RankSelection
from isthmus.selection.simple_methods import FULL, LINEAR, full_errors, linear_errors
from isthmus.training import FittedNetwork


def errors_set_aside(dataset: Dataset, fitted: FittedNetwork, selection: RankSelection) -> TestRow | None:
    """Errors of the network at the rank and whole, and of simpler methods trained on the same rows; None without rows.

    Args:
        dataset: With the rows that were set aside.
        fitted: The network of all training rows.
        selection: The rank and the halves.
    """
    rows = dataset.split.test
    if not len(rows):
        return None
    x = torch.from_numpy(dataset.x[rows])
    y = x if dataset.task == "autoencoder" else torch.from_numpy(dataset.y[rows])
    inputs, truths = fitted.standardized(x, y)
    likelihood, k = fitted.objective.likelihood, selection.rank
    predicted = fitted.outputs.forward(selection.decode(selection.encode(x.double())).double())
    at_rank = likelihood.row_errors(predicted.to(truths.device), truths).cpu()
    whole = likelihood.row_errors(fitted.network(inputs), truths)
    held_out, columns = (inputs, truths), fitted.network.d_out
    linear = linear_errors(fitted.objective, held_out, columns, max(k, 1))
    full = full_errors(fitted.objective, held_out, columns, dataset.task)
    constant = "the most frequent class" if dataset.task == "classification" else "the mean"
    methods: list[tuple[str, Tensor]] = [(constant, linear[0])]
    if k > 0:
        methods.append((f"{LINEAR[dataset.task]} through {k}", linear[k]))
    methods += zip(FULL[dataset.task], full, strict=True)
    return TestRow(
        error_name=likelihood.error_name,
        rows=len(rows),
        whole=float(whole.mean()),
        at_rank=float(at_rank.mean()),
        comparisons=[
            ComparisonRow(
                name=name,
                error=float(errors.mean()),
                difference=float((errors - at_rank).mean()),
                standard_error=likelihood.error_of_mean(errors - at_rank),
            )
            for name, errors in methods
        ],
    )
