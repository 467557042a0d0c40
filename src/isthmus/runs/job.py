"""The main job: from a data set to a rank, two halves and a record."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch

from isthmus.data import Dataset, Sample
from isthmus.data.dataset import Weights
from isthmus.data.row_blocks import RowBlocks
from isthmus.data.splitting import Parts
from isthmus.errors import ConstantOutputError, ForeignFolderError
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.progress import Report, part, silent
from isthmus.foundation.tolerance import Tolerance
from isthmus.runs.folder import RunFolder
from isthmus.runs.options import RunOptions
from isthmus.runs.record import FitRecord
from isthmus.runs.recording import Findings, fit_record
from isthmus.selection import RankPath, RankSelection, SelectionCache, rank_path, seed_from, select_rank_of
from isthmus.selection.folds import parts_of_blocks
from isthmus.spectra import measure
from isthmus.training import FittedNetwork

_SELECTED, _FOLLOWED = 0.8, 0.95  # of the progress: the rank is selected; the path over λ is done


def run_fit(
    dataset: Dataset,
    options: RunOptions,
    out: Path,
    *,
    overwrite: bool = False,
    n_jobs: int | None = None,
    report: Report = silent,
) -> FitRecord:
    """Select the rank, measure the network, and write everything but the page to the folder `out`.

    A fit that was killed or interrupted continues where it was when started again with the same data and options, and
    ends at the same numbers. A finished one is not repeated: its record is returned.

    Args:
        dataset: What to learn from; its training rows select the rank.
        options: How; what the data set carries itself takes the place of defaults.
        out: The RUN folder, new or with an unfinished fit of the same data and options.
        overwrite: Replace another fit in `out`, which stays as it is until this one is done.
        n_jobs: Folds side by side, as for `select_rank`.
        report: Told the fraction done.

    Returns:
        The record, as written to `run.json`.

    Raises:
        RunConflictError, ForeignFolderError: If `out` holds something else.
        BusyFolderError: If another fit is at work in it.
        IsthmusError: For whatever `select_rank` refuses, before anything is written.
        KeyboardInterrupt: If nothing is known yet; what was done is kept.
    """
    begin = time.monotonic()
    options, folder = options.for_data(dataset), RunFolder(out)
    key, asked = options.key(dataset), options.record(dataset)
    if out.is_file():
        raise ForeignFolderError(out)
    sample = _sample(dataset)
    with folder.locked():
        if (finished := folder.finished(key, asked, overwrite=overwrite)) is not None:
            return finished
        cache, seed = SelectionCache(folder.unfinished, key=key), seed_from(options.seed)
        told = part(report, 0.0, _SELECTED)
        cv = options.cv if dataset.blocks is None else _parts(dataset, dataset.blocks, sample, options.cv, seed)
        selection = select_rank_of(sample, options.config, cv=cv, seed=seed, cache=cache, n_jobs=n_jobs, report=told)
        fitted = selection.network
        if not isinstance(fitted, FittedNetwork):
            what = "x" if dataset.task == "autoencoder" else "y"
            raise ConstantOutputError(what if sample.is_constant else f"{what}, but for rows held out together,")
        with flushed_denormals(), torch.no_grad():
            path = _followed(fitted, options, folder, key, part(report, _SELECTED, _FOLLOWED), selection)
            profile = measure(fitted, sample.x, tolerance=Tolerance(options.config.tolerance))
            report(_FOLLOWED, "measuring")
            findings = Findings(sample, selection, fitted, profile, path, time.monotonic() - begin)
            record = fit_record(dataset, options, findings)
        folder.write(record, fitted, selection.factorization)
        return record


def _sample(dataset: Dataset) -> Sample:
    """The rows that select the rank."""
    rows = dataset.split.train
    x = dataset.x[rows]
    y = x if dataset.task == "autoencoder" else dataset.y[rows]
    return Sample.merged(x, y, _weights(dataset), dataset.task)


def _weights(dataset: Dataset) -> Weights:
    rows = dataset.split.train
    return np.ones(len(rows)) if dataset.weights is None else dataset.weights[rows]


def _parts(dataset: Dataset, blocks: RowBlocks, sample: Sample, cv: int | None, seed: int) -> Parts:
    rows = dataset.split.train
    return parts_of_blocks(blocks.at(rows), sample, dataset.x[rows], _weights(dataset), cv=cv, seed=seed)


def _followed(
    fitted: FittedNetwork, options: RunOptions, folder: RunFolder, key: str, report: Report, selection: RankSelection
) -> RankPath | None:
    """The ranks over λ, if they are asked for and there was time; None where Ctrl-C came first."""
    if not options.path or selection.not_done:
        return None
    try:
        checkpoint = folder.unfinished / "path.safetensors"
        tolerance = Tolerance(options.config.tolerance)
        return rank_path(fitted, tolerance=tolerance, checkpoint=checkpoint, key=key, report=report)
    except KeyboardInterrupt:
        return None
