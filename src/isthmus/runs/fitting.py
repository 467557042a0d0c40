"""Networks for some of the rows of a data set."""

from __future__ import annotations

from pathlib import Path

from isthmus.data import Dataset
from isthmus.data.dataset import Integers
from isthmus.foundation.progress import Report
from isthmus.networks import activation
from isthmus.runs.options import FitOptions
from isthmus.training import FittedNetwork, Plan, fit


def fitted_rows(
    dataset: Dataset,
    options: FitOptions,
    rows: Integers,
    *,
    depth: int,
    plan: Plan | None = None,
    ridge: float | None = None,
    checkpoint: Path | None = None,
    key: str = "",
    report: Report,
) -> FittedNetwork:
    """Fit a network as `options` say.

    Args:
        dataset: The data.
        options: How.
        rows: Which to train on.
        depth: L.
        plan: Instead of that of the options.
        ridge: λ, instead of that of the options.
        checkpoint: As for `fit`.
        key: As for `fit`.
        report: Told the fraction done.
    """
    return fit(
        dataset.x[rows],
        None if dataset.task == "autoencoder" else dataset.y[rows],
        task=dataset.task,
        depth=depth,
        width=options.width,
        ridge=options.ridge if ridge is None else ridge,
        seed=options.seed,
        starts=options.starts,
        standardize=options.scaling(dataset),
        activation=activation(options.activation),
        plan=plan or options.plan,
        device=options.device,
        checkpoint=checkpoint,
        key=key,
        report=report,
    )
