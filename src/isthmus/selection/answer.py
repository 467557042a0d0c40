"""What a selection answers, from folds that are evaluated and a network of all rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.data import Sample
from isthmus.factorization import Factorization, split_at, standardized
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.likelihood import likelihood_of
from isthmus.foundation.statistics import weighted_mean
from isthmus.foundation.task import Task
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import StandardizedNetwork, standardization
from isthmus.selection.config import SelectionConfig
from isthmus.selection.cross_validation import CrossValidation, summarize_folds
from isthmus.selection.disagreement import Disagreement
from isthmus.selection.evidence import RankEvidence, weigh_evidence
from isthmus.selection.fold import Fold
from isthmus.selection.folds import Folds
from isthmus.selection.hyperparameters import Hyperparameters, is_calibrated
from isthmus.selection.index_rank import IndexRank
from isthmus.selection.interval import expected_rank, jackknife_error, rank_interval
from isthmus.selection.rank_selection import RankSelection
from isthmus.selection.restriction import RestrictedNetwork, restrict_to_ranks
from isthmus.selection.verdict import Level, Verdict, compare_with_simple_methods, judge
from isthmus.spectra import truncation_curve
from isthmus.training import FittedNetwork

_NOTHING = 1e-3  # of the constant's held-out loss: networks that predict no better than this have learned nothing


@dataclass(frozen=True, eq=False)
class WeighedFolds:
    """The folds put together: probabilities of each k, what they were weighed from, and how they vary with the rows."""

    chances: Tensor
    evidence: RankEvidence
    cross: CrossValidation
    spread: float

    @staticmethod
    def of(found: Sequence[Fold], sample: Sample, folds: Folds, tolerance: Tolerance, shared: Tensor) -> WeighedFolds:
        """Of the first folds that are done; without each in turn they say how much another draw of rows may change.

        Args:
            found: The folds.
            sample: All rows.
            folds: All folds.
            tolerance: ε.
            shared: What `shared_slopes` found.
        """
        cross = summarize_folds(found, sample, folds, shared)
        weights = torch.from_numpy(sample.weights)
        chances, evidence = weigh_evidence(cross, weights, sample.task, tolerance)
        without = []
        for left in range(len(found)) if len(found) > 1 else ():
            kept, theirs = [f for i, f in enumerate(found) if i != left], [f for i, f in enumerate(folds) if i != left]
            cross_without = summarize_folds(kept, sample, theirs, shared)
            without.append(weigh_evidence(cross_without, weights, sample.task, tolerance)[0])
        return WeighedFolds(chances, evidence, cross, jackknife_error([expected_rank(each) for each in without]))

    def are_calibrated(self, chosen: Hyperparameters, config: SelectionConfig, task: Task) -> bool:
        """Whether the probabilities can be believed: the evidence was weighed at such settings, and there is some.

        Networks that are constants say nothing of how many numbers there are, where lines say that there are some.
        """
        has_learned = self.evidence.whole_error < (1.0 - _NOTHING) * self.evidence.errors[0]
        return is_calibrated(chosen, config, task) and (has_learned or int(self.chances.argmax()) == 0)


@flushed_denormals()
@torch.no_grad()
def answer_of(
    fitted: FittedNetwork,
    weighed: WeighedFolds,
    index: IndexRank | None,
    sample: Sample,
    chosen: Hyperparameters,
    config: SelectionConfig,
    not_done: tuple[str, ...],
) -> RankSelection:
    """The rank, its interval, what it may be relied on for, and the network restricted to it."""
    rank, narrowed = int(weighed.chances.argmax()), None
    if rank > 0:
        most = len(weighed.chances) - 1
        narrowed = restrict_to_ranks(fitted.network, fitted.objective, most=most, least=rank)[0]
        rank = narrowed.rank  # no layer may carry as many
    lower, upper = rank_interval(weighed.chances, rank, weighed.spread)
    calibrated = weighed.are_calibrated(chosen, config, sample.task)
    error, comparisons = compare_with_simple_methods(weighed.cross, torch.from_numpy(sample.weights), rank, sample.task)
    tolerance = Tolerance(config.tolerance)
    # Of classes it takes many rows before the loss tells a number from chance.
    disagreement = None if sample.task == "classification" else Disagreement.of(weighed.evidence, rank, tolerance)
    targets = fitted.objective.sample()[1]
    constant = fitted.objective.likelihood.best_constant(targets, fitted.objective.weights).cpu().double()
    return RankSelection(
        rank=rank,
        lower=lower,
        upper=upper,
        is_calibrated=calibrated,
        evidence=weighed.evidence,
        verdict=judge(
            rank=rank,
            interval=(lower, upper),
            probabilities=weighed.evidence.weighed if calibrated else None,
            error=error,
            comparisons=comparisons,
            disagreement=disagreement,
            task=sample.task,
            unjudged=_unjudged_classes(sample, weighed.cross.rows),
            not_done=not_done,
        ),
        tolerance=tolerance,
        task=sample.task,
        hyperparameters=chosen,
        network=fitted,
        factorization=None if narrowed is None else _halves(fitted, narrowed, config.tolerance),
        constant=constant if fitted.classes is not None else fitted.outputs.backward(constant),
        n_evaluations=fitted.history[-1].step if fitted.history else 0,
        index=index,
        not_done=not_done,
    )


def _unjudged_classes(sample: Sample, rows: Tensor) -> int:
    """How many classes are in none of the rows that were held out, as where a class begins after all that are."""
    labels = sample.labels
    return 0 if labels is None else len(set(labels.tolist()) - set(labels[rows.cpu().numpy()].tolist()))


def _halves(fitted: FittedNetwork, best: RestrictedNetwork, tolerance: float) -> Factorization:
    x = fitted.objective.sample()[0]
    curve = truncation_curve(fitted.network, x, until=tolerance / 10.0)
    encoder, decoder = split_at(best.network, x, best.layer, best.rank)
    halves = standardized(fitted, encoder, decoder, best.layer, tuple(n.change for n in curve))
    return replace(halves, encoder=_in_double(halves.encoder), decoder=_in_double(halves.decoder))


def _in_double(half: StandardizedNetwork) -> StandardizedNetwork:
    """In the precision in which a row alone and the same row among many give the same numbers, to many digits."""
    network = half.network.to(dtype=torch.float64, device="cpu")
    # The memory layout that a file gives back too, so that what is loaded rounds in the same way; and no view of more.
    weights = tuple(w.clone(memory_format=torch.contiguous_format) for w in network.weights)
    return replace(half, network=replace(network, weights=weights, biases=tuple(b.clone() for b in network.biases)))


def constant_answer(sample: Sample, config: SelectionConfig, level: Level, sentence: str) -> RankSelection:
    """Rank 0 for rows of which nothing can be learned but a constant."""
    weights, y = torch.from_numpy(sample.weights), torch.from_numpy(sample.y)
    likelihood = likelihood_of(sample.task)
    affine = None if sample.labels is not None else standardization(y, config.standardize or "columns", weights)
    targets = y if affine is None else affine.forward(y.double())
    constant = likelihood.best_constant(targets, weights)
    error = float(weighted_mean(likelihood.row_losses(constant.expand(len(y), -1), targets), weights))
    return RankSelection(
        rank=0,
        lower=0,
        upper=0,
        is_calibrated=True,
        evidence=RankEvidence.without_variation(error, len(y)),
        verdict=Verdict(level, sentence, "", likelihood.error_name, error, ()),
        tolerance=Tolerance(config.tolerance),
        task=sample.task,
        hyperparameters=None,
        network=None,
        factorization=None,
        constant=constant if affine is None else affine.backward(constant),
        n_evaluations=0,
        index=IndexRank.without_variation(sample.x.shape[1]) if sample.task == "regression" else None,
    )
