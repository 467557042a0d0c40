"""Can the answer be relied on? The network beside simpler methods on the same held-out rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import torch
from torch import Tensor

from isthmus.foundation.likelihood import Likelihood, likelihood_of
from isthmus.foundation.statistics import weighted_mean
from isthmus.foundation.task import Task
from isthmus.selection.cross_validation import CrossValidation
from isthmus.selection.disagreement import Disagreement
from isthmus.selection.simple_methods import named_errors

Level = Literal["rely", "caution", "do not rely"]
_CLEAR = 2.0  # standard errors of a paired difference from which on it is no chance
_SURE = 0.8  # probability from which on an answer is called likely


@dataclass(frozen=True)
class Comparison:
    """A simpler method beside the network through k numbers, on the same held-out rows.

    Attributes:
        name: Of the method.
        error: Its mean error.
        difference: Its error less the network's: negative where it predicts better.
        standard_error: Of the difference, rows paired.
    """

    name: str
    error: float
    difference: float
    standard_error: float

    @property
    def is_better(self) -> bool:
        """Whether the method predicts better than the network by more than two standard errors."""
        return self.difference < -_CLEAR * self.standard_error

    @property
    def is_worse(self) -> bool:
        """Whether it predicts worse by more than two standard errors."""
        return self.difference > _CLEAR * self.standard_error


@dataclass(frozen=True)
class Verdict:
    """Whether the rank can be relied on.

    Attributes:
        level: "rely", "caution" or "do not rely".
        sentence: Why, in one line.
        accuracy: How often answers like this one were right on functions of known rank, in words.
        error_name: What the errors measure.
        error: Of the network through the rank's numbers.
        comparisons: The mean or the most frequent class, the linear method through as many numbers, and the others.
    """

    level: Level
    sentence: str
    accuracy: str
    error_name: str
    error: float
    comparisons: tuple[Comparison, ...]


def compare_with_simple_methods(
    cross: CrossValidation, weights: Tensor, rank: int, task: Task
) -> tuple[float, tuple[Comparison, ...]]:
    """The error of the network through `rank` numbers, and simpler methods beside it.

    Args:
        cross: What the folds say.
        weights: How much each row of the data counts, `(n,)`.
        rank: k.
        task: What is learned.
    """
    likelihood, counted = likelihood_of(task), weights[cross.rows].double()
    network = cross.errors[rank]
    linear = torch.cat([cross.errors[:1], cross.linear_errors[1:]])  # the constant as the networks were given it
    methods = named_errors(rank, linear, cross.full_errors, task)
    return float(weighted_mean(network, counted)), tuple(
        _compared(name, errors, network, counted, likelihood) for name, errors in methods
    )


def _compared(name: str, errors: Tensor, network: Tensor, weights: Tensor, likelihood: Likelihood) -> Comparison:
    differences = errors - network
    return Comparison(
        name,
        float(weighted_mean(errors, weights)),
        float(weighted_mean(differences, weights)),
        likelihood.error_of_mean(differences, weights),
    )


def judge(
    *,
    rank: int,
    interval: tuple[int, int],
    probabilities: tuple[float, ...] | None,
    error: float,
    comparisons: tuple[Comparison, ...],
    disagreement: Disagreement | None,
    task: Task,
    unjudged: int,
    not_done: tuple[str, ...],
) -> Verdict:
    """Say in one line whether the rank can be relied on: first what speaks against it, most serious first.

    `unjudged` is the number of classes of which no row was held out.
    """
    level, sentence = _worst(rank, interval, probabilities, error, comparisons, disagreement, unjudged, not_done)
    if level == "rely" and task == "classification":
        level = "caution"
        sentence = f"{sentence} But labels tell less than outputs: ranks of classes are wrong more often."
    name = likelihood_of(task).error_name
    return Verdict(level, sentence, _accuracy(rank, probabilities, task), name, error, comparisons)


def _worst(
    rank: int,
    interval: tuple[int, int],
    probabilities: tuple[float, ...] | None,
    error: float,
    comparisons: tuple[Comparison, ...],
    disagreement: Disagreement | None,
    unjudged: int,
    not_done: tuple[str, ...],
) -> tuple[Level, str]:
    better = sorted((each for each in comparisons if each.is_better), key=lambda each: each.error)
    through = f"the network through {_numbers(rank)}" if rank > 0 else "the network, which found nothing"
    if better:
        best = better[0]
        return "do not rely", (
            f"Do not rely on this rank: {best.name} predicts held-out rows better than {through} "
            f"(error {best.error:.3g} against {error:.3g})."
        )
    if rank > 0 and not comparisons[0].is_worse:
        return "do not rely", (
            f"Do not rely on this rank: {through} predicts held-out rows no better than {comparisons[0].name} "
            f"(error {error:.3g} against {comparisons[0].error:.3g})."
        )
    if unjudged:
        what, need = ("1 class", "it needs") if unjudged == 1 else (f"{unjudged} classes", "they need")
        return "caution", f"The rank may be larger: of {what} no row was held out, so nothing tells what {need}."
    if not_done:
        return "caution", f"Not finished: without {'; '.join(not_done)}."
    lower, upper = interval
    allowed = str(rank) if lower == upper else f"{lower} to {upper}"
    if probabilities is None:
        return "caution", (
            "How likely the rank is cannot be said: at this depth, λ or tolerance the evidence was not weighed."
        )
    if probabilities[rank] <= _SURE:
        return "caution", f"The rank is not settled: {rank} has probability {probabilities[rank]:.0%}, {allowed} agree."
    if disagreement is not None:
        spanned = "the first spans (it determines" if rank == 1 else f"the first {rank} span (they determine"
        return "caution", (
            f"The rank is {rank} if number {rank + 1} only bends what {spanned} {disagreement.redundancy:.0%} of it): "
            f"held-out rows are predicted better through {_numbers(disagreement.rank)}, by "
            f"{disagreement.deviations:.0f} standard errors."
        )
    if lower != upper:
        return "caution", f"The rank is likely {rank}, but another draw of rows may say {allowed}."
    if rank == 0:
        return "rely", "Neither the network nor a simpler method finds that the outputs depend on the inputs."
    linear = comparisons[1]
    if not linear.is_worse:
        return "rely", (
            f"Rely on {rank}; {linear.name} predicts held-out rows no worse by two standard errors (error "
            f"{linear.error:.3g} against {error:.3g}), so a linear map may be enough."
        )
    ahead = min(comparisons, key=lambda each: each.error)
    named = ", ".join(f"{each.name} {each.error:.3g}" for each in dict.fromkeys((ahead, linear)))
    if ahead.difference < 0.0:
        return "rely", (
            f"Rely on {rank}: no simpler method predicts held-out rows better than {through} by more than two standard "
            f"errors (error {error:.3g}; {named})."
        )
    ranking = "better than" if all(each.is_worse for each in comparisons) else "at least as well as"
    return "rely", (
        f"Rely on {rank}: {through} predicts held-out rows {ranking} simpler methods (error {error:.3g}; {named})."
    )


def _accuracy(rank: int, probabilities: tuple[float, ...] | None, task: Task) -> str:
    if probabilities is None:
        return ""
    kind = "classification" if task == "classification" else "regression"
    at, upper = probabilities[rank], 1.0
    for above, right, tasks in recorded_accuracy()[kind]:
        if at > above:
            what = "classes" if kind == "classification" else "outputs"
            return (
                f"Of {tasks} answers about {what} of known rank{_as_sure(above, upper)}, {right} were right "
                "(functions unlike those that the evidence was weighed on)."
            )
        upper = above
    return ""


def _as_sure(above: float, upper: float) -> str:
    """Which answers are counted together with this one: few of them may be as sure."""
    if (above, upper) == (0.0, 1.0):
        return ", however sure"
    share = f"at most {upper:.0%}" if above == 0.0 else f"more than {above:.0%}" if upper == 1.0 else ""
    return f" that were, like this one, {share or f'{above:.0%} to {upper:.0%}'} sure"


@cache
def recorded_accuracy() -> dict[str, Any]:
    """Right answers and tasks by probability, as `benchmarks/rank_decision.py` found them: [above, right, tasks]."""
    text = resources.files("isthmus.selection").joinpath("accuracy.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _numbers(k: int) -> str:
    return f"{k} number" if k == 1 else f"{k} numbers"
