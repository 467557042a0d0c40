"""The main job: from a data set to a rank, two halves and a record."""

from __future__ import annotations

from itertools import accumulate, count, pairwise, takewhile
from pathlib import Path
from typing import Any

import torch

from isthmus.data import Dataset
from isthmus.formats import save
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.progress import Report, part
from isthmus.foundation.tolerance import Tolerance
from isthmus.runs.decided import Decided, decided_by_validation
from isthmus.runs.depth import chosen_depth
from isthmus.runs.fitting import fitted_rows
from isthmus.runs.folder import RunFolder
from isthmus.runs.folds import (
    Folds,
    cross_fitted,
    decided_by_folds,
    folds_of,
)
from isthmus.runs.held_out import standardized_rows
from isthmus.runs.options import FitOptions
from isthmus.runs.record import Findings, fit_record
from isthmus.selection import (
    CrossValidation,
    RankPath,
    decide_rank,
    rank_path,
)
from isthmus.spectra import measure
from isthmus.training import FittedNetwork, Schedule

_OF_PATH, _OF_DECISION, _OF_RECORD = 1.5, 0.12, 0.06  # how long they take, beside the fit of a network


def fit_dataset(
    dataset: Dataset, options: FitOptions, out: Path, *, overwrite: bool = False, report: Report
) -> dict[str, Any]:
    """Train, decide the rank, factor, and write everything but the page to the folder `out`.

    A fit that was killed or interrupted continues from its last checkpoint when started again with the same data and
    options, and ends at the same numbers. A finished one is not repeated: its record is returned. If folds are asked
    for and not all of them are done when it is interrupted, the validation rows decide for the time being.

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
    folds = folds_of(dataset, options)
    with flushed_denormals(), torch.no_grad():
        findings = _found(dataset, options, folds, folder, key, report)
        record = {"key": key, **fit_record(dataset, options, findings)}
    save(findings.fitted, folder.model)
    if findings.decided.factorization is not None:
        save(findings.decided.factorization.encoder, folder.encoder)
        save(findings.decided.factorization.decoder, folder.decoder)
    folder.write(record)
    if findings.stopped != "interrupted":
        folder.forget()
    return record


def _found(
    dataset: Dataset, options: FitOptions, folds: Folds | None, folder: RunFolder, key: str, report: Report
) -> Findings:
    told = _parts(report, options)
    fitted = _fitted(dataset, options, folder.checkpoint, key, told[0])
    doubts = _interrupted(fitted.stopped == "interrupted", "all figures are of the network as it was then")
    cross: CrossValidation | None = None
    path: RankPath | None = None
    if folds and not doubts:
        cross = _crossed(dataset, fitted, options, folds, folder, key, told[1])
        doubts += _interrupted(cross is None, "the rank is decided by the validation rows, not by folds")
    if options.path and not doubts:
        path = _followed(fitted, options, folder, key, told[2])
        is_whole = path is not None and path.is_complete
        doubts += _interrupted(not is_whole, "the ranks over λ are not complete")
    profile = measure(fitted, dataset.x[dataset.split.train], tolerance=Tolerance(options.tolerance))
    # A profile may skip large k; the error curve of a factorisation counts them from 0 on.
    curve = tuple(profile.changes[k] for k in takewhile(profile.changes.__contains__, count()))
    if cross is not None:
        decided = decided_by_folds(fitted, cross, options, curve, told[3])
    else:
        decided = _validated(dataset, fitted, options, curve, told[3])
    report(1.0, "measuring")
    return Findings(fitted, decided, profile, path, "interrupted" if doubts else fitted.stopped, doubts)


def _parts(report: Report, options: FitOptions) -> list[Report]:
    """Reports for the fit, the folds, the path and the decision."""
    lengths = [1.0, options.folds or 0.0, _OF_PATH * options.path, _OF_DECISION]
    bounds = [end / (sum(lengths) + _OF_RECORD) for end in accumulate([0.0, *lengths])]
    return [part(report, begin, end) for begin, end in pairwise(bounds)]


def _interrupted(is_so: bool, consequence: str) -> list[str]:
    return [f"The training was interrupted: {consequence}."] if is_so else []


def _fitted(dataset: Dataset, options: FitOptions, checkpoint: Path, key: str, report: Report) -> FittedNetwork:
    def trained(depth: int, schedule: Schedule, checkpoint: Path | None, report: Report) -> FittedNetwork:
        rows = dataset.split.train
        return fitted_rows(
            dataset, options, rows, depth=depth, schedule=schedule, checkpoint=checkpoint, key=key, report=report
        )

    depth = options.depth or chosen_depth(dataset, options.schedule, trained, report)
    return trained(depth, options.schedule, checkpoint, report)


def _crossed(
    dataset: Dataset,
    fitted: FittedNetwork,
    options: FitOptions,
    folds: Folds,
    folder: RunFolder,
    key: str,
    report: Report,
) -> CrossValidation | None:
    try:
        return cross_fitted(dataset, fitted, options, folds, folder, key, report)
    except KeyboardInterrupt:
        return None


def _followed(
    fitted: FittedNetwork, options: FitOptions, folder: RunFolder, key: str, report: Report
) -> RankPath | None:
    tolerance = Tolerance(options.tolerance)
    try:
        return rank_path(fitted, tolerance=tolerance, checkpoint=folder.path_checkpoint, key=key, report=report)
    except KeyboardInterrupt:
        return None


def _validated(
    dataset: Dataset, fitted: FittedNetwork, options: FitOptions, curve: tuple[float, ...], report: Report
) -> Decided:
    x, y = standardized_rows(dataset, fitted, dataset.split.validation)
    tolerance = Tolerance(options.tolerance)
    decision = decide_rank(fitted, x, y, tolerance=tolerance, seed=options.seed, report=report)
    return decided_by_validation(fitted, decision, curve)
