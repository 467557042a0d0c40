"""How many leading principal coordinates of wide inputs are kept: by rows that were held out."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from isthmus.data import Sample
from isthmus.data.dataset import Integers
from isthmus.factorization.kernel_ridge import kernel_prediction
from isthmus.foundation.likelihood import likelihood_of
from isthmus.foundation.progress import Report, part
from isthmus.foundation.statistics import standard_error, weighted_mean
from isthmus.foundation.threads import one_thread
from isthmus.selection.cache import SelectionCache
from isthmus.selection.config import SelectionConfig
from isthmus.selection.folds import Folds
from isthmus.selection.hyperparameters import descent_ridge, held_out_error, judges, trial_depth
from isthmus.selection.scaling import ScaledProblem
from isthmus.spectra import spaced

_FEWEST = 64  # coordinates: fewer cost next to nothing
_LEAST = 10
_WORTH = 0.5  # of the coordinates: to keep more saves too little for the network that must confirm it
_ROWS = 1000  # the time of kernel ridge regression grows with the cube of them


def keep_leading_coordinates(
    problem: ScaledProblem,
    sample: Sample,
    folds: Folds,
    config: SelectionConfig,
    *,
    seed: int,
    cache: SelectionCache,
    report: Report,
) -> ScaledProblem:
    """The problem with the inputs' leading coordinates alone, where those that trail help no prediction.

    Of wide inputs the trailing coordinates are mostly noise, which costs time, and which few rows cannot tell from what
    matters. Kernel ridge regression proposes how many to keep: of 10, 20, 40, … the fewest with which it predicts the
    rows that the first fold holds out, of fewer than 100 rows those of all, within a standard error of the best. They
    are kept if the network of those rows predicts no worse from them than from all. Of autoencoders, whose outputs are
    their inputs, all are kept: there a coordinate is copied, and no row can tell whether it matters.

    Args:
        problem: Rows at their scaling.
        sample: The rows as they are.
        folds: Rows to train on, and rows held out.
        config: How to learn from them.
        seed: Of every network.
        cache: Where networks are kept.
        report: Told the fraction done.
    """
    spanned = problem.spanned
    if spanned is None or spanned.input_axes is None or sample.y is sample.x or spanned.sample.x.shape[1] <= _FEWEST:
        return problem
    count, all_of_them = _proposed(spanned.sample, folds), spanned.sample.x.shape[1]
    if count > _WORTH * all_of_them:
        return problem
    fewer = ScaledProblem.of(sample, folds, config, problem.scaling, seed=seed, cache=cache, leading=count)
    with_all = _network_error(problem, folds, part(report, 0.0, 0.5))
    with_fewer = _network_error(fewer, folds, part(report, 0.5, 1.0))
    if with_fewer > with_all:
        return problem
    said = f"The inputs are read in their {count} leading principal coordinates of {all_of_them}: no held-out row is"
    return replace(fewer, reason=f"{problem.reason} {said} predicted better from more.".strip())


def _proposed(inside: Sample, folds: Folds) -> int:
    """The fewest coordinates with which kernel ridge regression errs by no more than chance above the least."""
    counts: list[int] = []
    while (count := _LEAST * 2 ** len(counts)) < inside.x.shape[1]:
        counts.append(count)
    counts.append(inside.x.shape[1])
    asked = [folds[fold] for fold in judges(inside, folds)]
    weights = torch.from_numpy(inside.weights)[torch.cat([torch.from_numpy(held) for _, held in asked])]
    with one_thread():
        errors = [torch.cat([_kernel_errors(inside, kept, held, count) for kept, held in asked]) for count in counts]
    least = min(errors, key=lambda each: float(weighted_mean(each, weights)))
    worse = [each - least for each in errors]
    is_as_good = [float(weighted_mean(each, weights)) <= standard_error(each, weights) for each in worse]
    return counts[is_as_good.index(True)]


def _kernel_errors(inside: Sample, kept: Integers, held: Integers, count: int) -> Tensor:
    """Squared errors of kernel ridge regression on so many coordinates at the rows held out, `(m,)`."""
    x, y = torch.from_numpy(inside.x[:, :count]).double(), torch.from_numpy(inside.y)
    targets = likelihood_of(inside.task).as_numbers(y, inside.outputs).double()
    rows, fresh = spaced(torch.from_numpy(kept), _ROWS), torch.from_numpy(held)
    return (kernel_prediction(x[rows], targets[rows], x[fresh]) - targets[fresh]).square().sum(1)


@torch.no_grad()
def _network_error(problem: ScaledProblem, folds: Folds, report: Report) -> float:
    """Mean loss of the networks that choose, at the rows held out."""
    inside = problem.sample
    judged = [(fold, inside.at(folds[fold][1])) for fold in judges(inside, folds)]
    ridge, depth = descent_ridge(inside, problem.config), trial_depth(inside, problem.config)
    return held_out_error(problem.networks, judged, depth, ridge, report)
