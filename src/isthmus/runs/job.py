"""The main job: from a data set to a rank, two halves and a record."""

from __future__ import annotations

from itertools import count, takewhile
from pathlib import Path
from typing import Any

import torch

from isthmus.datasets import Dataset
from isthmus.denormals import flushed_denormals
from isthmus.factoring import decide_rank, decided_factorization
from isthmus.functions import activation, save
from isthmus.progress import Report
from isthmus.ranks import measure
from isthmus.runs.depth import chosen_depth
from isthmus.runs.folder import RunFolder
from isthmus.runs.held_out import standardized_rows
from isthmus.runs.options import FitOptions
from isthmus.runs.record import Findings, fit_record
from isthmus.tolerance import Tolerance
from isthmus.training import FittedNetwork, Plan, fit

_SHARES = (0.85, 0.95)  # of the progress bar: fitting ends, refitting ends


def fit_dataset(
    dataset: Dataset, options: FitOptions, out: Path, *, overwrite: bool = False, report: Report
) -> dict[str, Any]:
    """Train, decide the rank, factor, and write everything but the page to the folder `out`.

    A fit that was killed or interrupted continues from its last checkpoint when started again with the same data and
    options, and ends at the same numbers. A finished one is not repeated: its record is returned.

    Args:
        dataset: What to learn from.
        options: How.
        out: The RUN folder, new or with an unfinished fit of the same data and options.
        overwrite: Replace another fit in `out`.
        report: Told the fraction done.

    Returns:
        The record, as written to `run.json`.

    Raises:
        RunConflictError: If `out` holds something else.
        IsthmusError: For whatever `fit` refuses, before anything is written.
    """
    folder = RunFolder(out)
    key, asked = options.key(dataset), options.record(dataset)
    if overwrite:
        folder.clear()
    elif (finished := folder.finished(key, asked)) is not None:
        return finished
    tolerance = Tolerance(options.tolerance)
    fitted = _fitted(dataset, options, folder.checkpoint, key, report)
    findings, record = _found(dataset, fitted, options, tolerance, report)
    record = {"key": key, **record}
    save(fitted, folder.model)
    if findings.factorization is not None:
        save(findings.factorization.encoder, folder.encoder)
        save(findings.factorization.decoder, folder.decoder)
    folder.write(record)
    if fitted.stopped != "interrupted":
        folder.checkpoint.unlink(missing_ok=True)
    return record


def _fitted(dataset: Dataset, options: FitOptions, checkpoint: Path, key: str, report: Report) -> FittedNetwork:
    train = dataset.split.train

    def trained(depth: int, plan: Plan, checkpoint: Path | None, report: Report) -> FittedNetwork:
        return fit(
            dataset.x[train],
            None if dataset.task == "autoencoder" else dataset.y[train],
            task=dataset.task,
            depth=depth,
            width=options.width,
            ridge=options.ridge,
            seed=options.seed,
            starts=options.starts,
            standardize=options.scaling(dataset),
            activation=activation(options.activation),
            plan=plan,
            device=options.device,
            checkpoint=checkpoint,
            key=key,
            report=report,
        )

    depth = options.depth or chosen_depth(dataset, options.plan, trained, report)
    return trained(depth, options.plan, checkpoint, lambda f, state: report(f * _SHARES[0], state))


@flushed_denormals()
@torch.no_grad()
def _found(
    dataset: Dataset, fitted: FittedNetwork, options: FitOptions, tolerance: Tolerance, report: Report
) -> tuple[Findings, dict[str, Any]]:
    start, end = _SHARES
    x, y = standardized_rows(dataset, fitted, dataset.split.validation)
    decision = decide_rank(
        fitted,
        x,
        y,
        tolerance=tolerance,
        seed=options.seed,
        report=lambda f, state: report(start + f * (end - start), state),
    )
    report(end, "measuring")
    profile = measure(fitted, dataset.x[dataset.split.train], tolerance=tolerance)
    # A profile may skip large k; the error curve of a factorisation counts them from 0 on.
    curve = tuple(profile.changes[k] for k in takewhile(profile.changes.__contains__, count()))
    findings = Findings(fitted, decision, profile, decided_factorization(fitted, decision, curve))
    return findings, fit_record(dataset, options, findings)
