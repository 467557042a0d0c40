"""Depth and λ are chosen on the first fold while the others descend, where there are workers for it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from isthmus.data import Sample
from isthmus.foundation.parallel import in_parallel, workers_of
from isthmus.foundation.progress import Report
from isthmus.selection.config import SelectionConfig
from isthmus.selection.fold_networks import FoldNetworks
from isthmus.selection.folds import Folds
from isthmus.selection.hyperparameters import Hyperparameters, likely_depth, select_hyperparameters


def choose_while_descending(
    sample: Sample,
    folds: Folds,
    config: SelectionConfig,
    networks: FoldNetworks,
    evaluated: int,
    *,
    n_jobs: int | None,
    report: Report,
) -> Hyperparameters:
    """`select_hyperparameters`; on several workers the other folds and all rows descend meanwhile.

    A descent is the same at whichever λ it is finished, and its depth is mostly known beforehand. What is known then is
    put into `networks`, so the choice and every network are the same as without workers.

    Args:
        sample: All rows.
        folds: Rows to train on, and rows held out.
        config: Depths and λ to choose from.
        networks: Of the folds.
        evaluated: How many of the folds will be asked for.
        n_jobs: As for `in_parallel`.
        report: Told the fraction done.
    """
    jobs: list[_Choice | _Descent] = [_Choice(sample, folds, config, networks)]
    depth = likely_depth(sample, config)
    if depth is not None and workers_of(n_jobs) > 1:
        jobs += [_Descent(networks.of(fold), fold, depth) for fold in (*range(1, evaluated), None)]
    chosen: list[Hyperparameters] = []
    with closing(in_parallel(_made, jobs, n_jobs=n_jobs, report=report)) as results:
        for found, known in results:
            networks.take(known)
            chosen += found
    return chosen[0]


@dataclass(frozen=True, eq=False)
class _Choice:
    sample: Sample
    folds: Folds
    config: SelectionConfig
    networks: FoldNetworks


@dataclass(frozen=True, eq=False)
class _Descent:
    networks: FoldNetworks
    fold: int | None
    depth: int


def _made(job: _Choice | _Descent, report: Report) -> tuple[list[Hyperparameters], FoldNetworks]:
    if isinstance(job, _Choice):
        found = select_hyperparameters(job.sample, job.folds, job.config, job.networks, report)
        return [found], job.networks
    job.networks.descend(job.fold, job.depth, report)
    return [], job.networks
