"""The one procedure that answers how many numbers data pass through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from isthmus.data import Sample, Task, folded_rows
from isthmus.errors import ConstantOutputError
from isthmus.factorization import Factorization, split_at, standardized
from isthmus.foundation.arrays import as_matrix, as_weights
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.likelihood import likelihood_of
from isthmus.foundation.progress import Report, part, silent
from isthmus.foundation.statistics import weighted_mean
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import StandardizedNetwork, standardization
from isthmus.selection.cache import SelectionCache
from isthmus.selection.config import SelectionConfig
from isthmus.selection.cross_validation import cross_validate, summarize_folds
from isthmus.selection.evidence import RankEvidence, weigh_evidence
from isthmus.selection.hyperparameters import Hyperparameters, select_hyperparameters
from isthmus.selection.posterior import Kind
from isthmus.selection.rank_selection import RankSelection
from isthmus.selection.restriction import restrict_to_ranks
from isthmus.spectra import truncation_curve
from isthmus.training import FittedNetwork

_CHOICE_ENDS, _FOLDS_END = 0.3, 0.85  # of the progress: depth and λ are chosen; the folds are done
_MANY_ROWS = 1000  # from here on a few folds leave enough rows to train on
_TAIL = 0.025  # of the probability outside either end of the interval
_DEFAULT = SelectionConfig()


def select_rank(
    x: object,
    y: object | None = None,
    *,
    task: Task = "regression",
    config: SelectionConfig = _DEFAULT,
    cv: int | None = None,
    sample_weight: object | None = None,
    random_state: Any = 0,
    report: Report = silent,
) -> RankSelection:
    r"""Select the rank of data: the smallest k such that a function through $\mathbb R^k$ predicts as well as any.

    1. Depth and λ are chosen by rows that are held out (`select_hyperparameters`).
    2. Every row is held out once: a network that was trained on the others is restricted to k = 1, 2, … numbers, and
       the loss at these rows, how much the last number matters and whether it is one of its own are measured.
    3. That evidence is weighed as on functions of known rank: the rank is the likeliest k.
    4. A network that is trained on all rows is restricted to it and split there.

    Equal rows are one row that counts more, rows of weight zero do not exist, and the order of rows does not matter.

    Args:
        x: Inputs `(n, d_in)`.
        y: Outputs `(n,)` or `(n, d_out)`; class indices `(n,)`, from 0 without a gap, for a classification; None for an
            autoencoder.
        task: "regression", "classification" or "autoencoder".
        config: Depths and λ to choose from, and how to train.
        cv: Parts of the rows that are held out in turn; None for five, and three from 1,000 rows on.
        sample_weight: How much each row counts, `(n,)`, ≥ 0; a row of weight 2 is a row that is there twice.
        random_state: Draws the folds and the training: a number, a `numpy.random.RandomState`, or None for a fresh draw.
        report: Told the fraction done.

    Returns:
        The rank, its interval and probabilities, the evidence for each k, and the function through R^k. After Ctrl-C,
        once a fold is done, what is known by then; `not_done` says what is missing.

    Raises:
        TooFewRowsError: If there are too few rows to hold some out.
        IsthmusError: For whatever else `fit` refuses.
        KeyboardInterrupt: If nothing is known yet.

    Source:
        Jacot (2023), the bottleneck rank; `docs/decisions/0024-one-procedure.md`.
    """
    inputs = as_matrix(x, "x").numpy()
    if task == "autoencoder":
        outputs = inputs
    elif task == "classification":
        outputs = np.asarray(y, np.int64)
    else:
        columns = np.asarray(y)
        outputs = as_matrix(columns[:, None] if columns.ndim == 1 else columns, "y").numpy()
    weights = np.ones(len(inputs)) if sample_weight is None else as_weights(sample_weight, len(inputs)).numpy()
    sample = Sample.merged(inputs, outputs, weights, task)
    return select_rank_of(sample, config, cv=cv, seed=seed_from(random_state), report=report)


def seed_from(random_state: Any) -> int:
    """The seed that a `random_state` stands for, in scikit-learn's sense of it."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**31 - 1))
    drawn = random_state if hasattr(random_state, "randint") else np.random.RandomState(random_state)
    return int(drawn.randint(2**31 - 1))


def select_rank_of(
    sample: Sample,
    config: SelectionConfig,
    *,
    cv: int | None = None,
    seed: int,
    cache: SelectionCache | None = None,
    report: Report = silent,
) -> RankSelection:
    """`select_rank` of rows that are checked and merged.

    Args:
        sample: The rows.
        config: As for `select_rank`.
        cv: As for `select_rank`.
        seed: Of the folds and the training.
        cache: Where what is done is kept, so that a selection that was killed goes on from there.
        report: Told the fraction done.
    """
    if sample.is_constant:
        return _constant(sample, config)
    cache, tolerance = cache or SelectionCache(), Tolerance(config.tolerance)
    count = (3 if len(sample.x) >= _MANY_ROWS else 5) if cv is None else cv
    folds = folded_rows(sample.x, sample.labels, folds=count, seed=seed)
    try:
        chosen, first = select_hyperparameters(sample, folds, config, seed, cache, part(report, 0.0, _CHOICE_ENDS))
        training = config.training(chosen.depth, chosen.ridge)

        def train(index: int, report: Report) -> FittedNetwork:
            name = f"fold-{index}"
            return cache.network(name, sample.at(folds[index][0]), training, seed, report) if index else first

        asked = folds[: config.max_folds]
        told = part(report, _CHOICE_ENDS, _FOLDS_END)
        found = cross_validate(train, sample, asked, tolerance=tolerance, cache=cache, report=told)
    except ConstantOutputError:  # what varies was held out
        return _constant(sample, config)
    cross = summarize_folds(found, sample, folds)
    kind: Kind = "classification" if sample.task == "classification" else "regression"
    chances, evidence = weigh_evidence(cross, torch.from_numpy(sample.weights), kind, tolerance)
    not_done = [f"{len(asked) - len(found)} of {len(asked)} folds"] if len(found) < len(asked) else []
    fitted = first
    if not not_done:
        try:
            fitted = cache.network("all-rows", sample, training, seed, part(report, _FOLDS_END, 1.0))
        except KeyboardInterrupt:
            not_done.append("the network of all rows: that of the first fold takes its place")
    return _split(fitted, chances, evidence, chosen, config, sample.task, tuple(not_done))


@flushed_denormals()
@torch.no_grad()
def _split(
    fitted: FittedNetwork,
    chances: Tensor,
    evidence: RankEvidence,
    chosen: Hyperparameters,
    config: SelectionConfig,
    task: Task,
    not_done: tuple[str, ...],
) -> RankSelection:
    """The answer, and the network of all rows restricted to it."""
    narrowed = restrict_to_ranks(fitted.network, fitted.objective, most=len(chances) - 1)
    likeliest, below = int(chances.argmax()), chances.cumsum(0)
    lower = min(likeliest, int((below > _TAIL).int().argmax()))
    upper = max(likeliest, int((below >= 1.0 - _TAIL).int().argmax()))
    rank = min(likeliest, len(narrowed))  # no layer may carry as many
    x, targets = fitted.objective.sample()
    constant = fitted.objective.likelihood.best_constant(targets, fitted.objective.weights).cpu().double()
    halves: Factorization | None = None
    if rank > 0:
        best = narrowed[rank - 1]
        curve = truncation_curve(fitted.network, x, until=config.tolerance / 10.0)
        encoder, decoder = split_at(best.network, x, best.layer, rank)
        halves = standardized(fitted, encoder, decoder, best.layer, tuple(n.change for n in curve))
        halves = replace(halves, encoder=_in_double(halves.encoder), decoder=_in_double(halves.decoder))
    return RankSelection(
        rank=rank,
        lower=min(lower, rank),
        upper=upper,
        probabilities=tuple(chances.tolist()),
        evidence=evidence,
        tolerance=Tolerance(config.tolerance),
        task=task,
        hyperparameters=chosen,
        network=fitted,
        factorization=halves,
        constant=constant if fitted.classes is not None else fitted.outputs.backward(constant),
        n_evaluations=fitted.history[-1].step if fitted.history else 0,
        not_done=not_done,
    )


def _in_double(half: StandardizedNetwork) -> StandardizedNetwork:
    """In the precision in which a row alone and the same row among many give the same numbers, to many digits."""
    network = half.network.to(dtype=torch.float64, device="cpu")
    # The memory layout that a file gives back too, so that what is loaded rounds in the same way; and no view of more.
    weights = tuple(w.clone(memory_format=torch.contiguous_format) for w in network.weights)
    return replace(half, network=replace(network, weights=weights, biases=tuple(b.clone() for b in network.biases)))


def _constant(sample: Sample, config: SelectionConfig) -> RankSelection:
    """Rank 0 for rows of which nothing can be learned but a constant."""
    weights, y = torch.from_numpy(sample.weights), torch.from_numpy(sample.y)
    likelihood = likelihood_of(sample.task)
    affine = None if sample.labels is not None else standardization(y, config.standardize, weights)
    targets = y if affine is None else affine.forward(y.double())
    constant = likelihood.best_constant(targets, weights)
    error = float(weighted_mean(likelihood.row_losses(constant.expand(len(y), -1), targets), weights))
    return RankSelection(
        rank=0,
        lower=0,
        upper=0,
        probabilities=(1.0,),
        evidence=RankEvidence.without_variation(error, len(y)),
        tolerance=Tolerance(config.tolerance),
        task=sample.task,
        hyperparameters=None,
        network=None,
        factorization=None,
        constant=constant if affine is None else affine.backward(constant),
        n_evaluations=0,
    )
