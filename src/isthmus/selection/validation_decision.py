"""Which k is enough: the smallest whose h ∘ g predicts held-out data as well as the whole network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.errors import OptionError
from isthmus.factorization.constrained_fit import refit
from isthmus.foundation.likelihood import excess_error, row_losses
from isthmus.foundation.progress import Report
from isthmus.foundation.statistics import standard_error, weighted_mean
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.networks import FullyConnected
from isthmus.selection.constants import best_constant
from isthmus.selection.resampling import rank_probabilities
from isthmus.spectra import (
    Narrowing,
    balanced_truncations,
    narrowings,
    truncated,
)
from isthmus.training import FittedNetwork, cross_entropy

STAGES = (25, 50, 100)
_SURE = 2.0  # standard errors for the ends of the interval: about 95 %
_LIKELY = 0.5  # probability above which an answer is likelier than all others together


@dataclass(frozen=True, eq=False)
class Candidate:
    """The best function through R^k that was found.

    Attributes:
        rank: k.
        layer: ℓ, where it is narrow.
        projected: Held-out error of the projection of the whole network; for k = 0 of the best constant.
        refitted: Held-out error after a refit, or None where none was made.
        network: The better of the two; None for k = 0.
        excess: Mean over the held-out rows, weighted, of (its loss − the whole network's loss).
        excess_error: Standard error of that mean (`excess_error`), rows paired.
        losses: Its loss on each held-out row, `(n,)` float64.
    """

    rank: int
    layer: int
    projected: float
    refitted: float | None
    network: FullyConnected | None
    excess: float
    excess_error: float
    losses: Tensor

    @property
    def error(self) -> float:
        """Held-out error of the better of projection and refit."""
        return self.projected if self.refitted is None else min(self.projected, self.refitted)


@dataclass(frozen=True, eq=False)
class RankDecision:
    r"""The rank of a fitted network as held-out data see it.

    The rank is the smallest k whose excess loss is at most `margin` = ε² · (error of the best constant − error of the
    whole network): at tolerance ε = 0.1, a function through $\mathbb R^k$ that keeps 99 % of what the network
    explains. Below `lower` the excess is above the margin by more than two standard errors; at `upper` it is within
    the margin by more than two standard errors (a test of non-inferiority).

    `probabilities` answers another question: had other held-out rows been drawn from the same source, how often would
    each k have been the answer? They come from resampling the rows (`rank_probabilities`). They do not include what
    another training, another refit or another split would have changed: the networks are taken as they are. Of few rows
    they say too much: `benchmarks/rank_probabilities.py` finds them right to 0.1 from 100 rows, for classes from 500.

    Attributes:
        rank: k.
        lower: Every smaller k is significantly worse.
        upper: This k is significantly good enough.
        whole_error: Held-out error of the whole network.
        whole_standard_error: Its standard error.
        constant_error: Held-out error of the best constant.
        margin: Excess that counts as none.
        candidates: k = 0, 1, 2, …
        probabilities: Of each candidate's k, the probability that it is the answer; they sum to 1.
        tolerance: ε.
    """

    rank: int
    lower: int
    upper: int
    whole_error: float
    whole_standard_error: float
    constant_error: float
    margin: float
    candidates: tuple[Candidate, ...]
    probabilities: tuple[float, ...]
    tolerance: Tolerance

    @property
    def best(self) -> Candidate:
        """The candidate of the decided rank."""
        return self.candidates[self.rank]

    @property
    def is_undecided(self) -> bool:
        """Whether the held-out rows cannot tell the rank.

        So it is where other rows would give another answer at least as often as `rank`, and where these rows exclude
        no k but perhaps 0: k = 1 is not significantly worse, and no k that was tried is significantly good enough.
        """
        is_any_good = any(c.excess + _SURE * c.excess_error <= self.margin for c in self.candidates)
        return self.probabilities[self.rank] <= _LIKELY or (self.lower <= 1 and not is_any_good)


def decide_rank(
    fitted: FittedNetwork,
    x: Tensor,
    y: Tensor,
    *,
    weights: Tensor | None = None,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    stages: tuple[int, ...] = STAGES,
    seed: int = 0,
    report: Report = lambda fraction, state: None,
) -> RankDecision:
    """Decide the rank of `fitted` on held-out rows.

    For each k the network is narrowed where that changes it least on the training rows. Around the smallest k that
    passes, and below it as long as it still passes, it is also narrowed where that costs the objective least, and
    refitted in short stages until a stage no longer lowers the held-out error. The refit represents k if its held-out
    error is lower by more than one standard error, else the projection.

    Args:
        fitted: A trained network.
        x: Held-out inputs `(n, d_in)`, in the network's units, n ≥ 2.
        y: Held-out outputs in the network's units `(n, d_out)`, or class indices `(n,)`.
        weights: How much each held-out row counts, `(n,)`, positive; None for all alike.
        tolerance: ε.
        stages: Gradient evaluations of each stage of a refit; empty makes none.
        seed: Of the resamples behind `probabilities`.
        report: Told the fraction done.
    """
    if len(x) < 2:
        raise OptionError("the number of held-out rows", len(x), "at least 2")
    trial = _Trial(fitted, x, y, weights, tolerance, stages)
    candidates = [trial.constant()]
    found = narrowings(fitted.network, fitted.objective.sample()[0], until=tolerance.relative / 10.0, extra=2)
    candidates += [trial.projection(n) for n in found[1:]]
    _refit_around(trial, candidates, report)
    excesses, errors = [c.excess for c in candidates], [c.excess_error for c in candidates]
    rank, lower, upper = rank_interval(excesses, errors, trial.margin, most=min(fitted.network.widths))
    return RankDecision(
        rank,
        lower,
        upper,
        trial.mean(trial.whole),
        standard_error(trial.whole, weights),
        trial.mean(trial.constants),
        trial.margin,
        tuple(candidates),
        trial.probabilities(candidates, seed),
        tolerance,
    )


def rank_interval(
    excesses: Sequence[float], errors: Sequence[float], margin: float, *, most: int
) -> tuple[int, int, int]:
    """Rank, lower and upper end, as in `RankDecision`.

    Args:
        excesses: Of k = 0, 1, 2, …
        errors: Their standard errors.
        margin: Excess that counts as none.
        most: Upper end where no k is significantly good enough.
    """
    found = list(zip(excesses, errors, strict=True))
    rank = next((k for k, (excess, _) in enumerate(found) if excess <= margin), len(found) - 1)
    lower = next((k for k, (excess, error) in enumerate(found) if excess - _SURE * error <= margin), rank)
    good = (k for k, (excess, error) in enumerate(found) if k >= rank and excess + _SURE * error <= margin)
    return rank, min(lower, rank), max(next(good, most), rank)


def _refit_around(trial: _Trial, candidates: list[Candidate], report: Report) -> None:
    if not trial.stages:
        return
    passing = next((c.rank for c in candidates if c.excess <= trial.margin), candidates[-1].rank)
    ranks = [k for k in (passing + 1, passing) if 1 <= k < len(candidates)]
    for done, k in enumerate(ranks):
        report(done / (len(ranks) + 2), f"refitting at k = {k}")
        candidates[k] = trial.refitted(candidates[k])
    for k in range(passing - 1, 0, -1):
        report(0.5, f"refitting at k = {k}")
        candidates[k] = trial.refitted(candidates[k])
        # One failure below shows where the error takes off; a second draws the curve; more would be waste.
        if candidates[k].excess > trial.margin and candidates[k + 1].excess > trial.margin:
            break


class _Trial:
    """The held-out data and the losses that every candidate is compared with."""

    def __init__(
        self,
        fitted: FittedNetwork,
        x: Tensor,
        y: Tensor,
        weights: Tensor | None,
        tolerance: Tolerance,
        stages: tuple[int, ...],
    ) -> None:
        self.fitted, self.x, self.y, self.weights, self.stages = fitted, x, y, weights, stages
        self.is_classification = fitted.objective.loss is cross_entropy
        self.truncations = balanced_truncations(fitted.network, fitted.objective.sample()[0])
        self.whole = self._losses(fitted.network(x))
        self.constants = self._losses(best_constant(fitted.objective).expand(len(x), -1))
        explained = max(0.0, self.mean(self.constants - self.whole))
        self.allowed = tolerance.relative**2
        self.margin = self.allowed * explained

    def mean(self, losses: Tensor) -> float:
        return float(weighted_mean(losses, self.weights))

    def constant(self) -> Candidate:
        return self._candidate(0, 0, self.constants, None)

    def projection(self, narrowing: Narrowing) -> Candidate:
        network = truncated(self.fitted.network, narrowing.truncation, narrowing.rank)
        return self._candidate(narrowing.rank, narrowing.truncation.layer, self._losses(network(self.x)), network)

    def refitted(self, projected: Candidate) -> Candidate:
        """The candidate with a refit tried: the refit if it is clearly better, and both errors."""
        objective, rank = self.fitted.objective, projected.rank
        starts = [(truncated(self.fitted.network, t, rank), t.layer) for t in self.truncations if t.rank >= rank]
        network, layer = min(starts, key=lambda start: objective.value(start[0]))
        best: Candidate | None = None
        for evaluations in self.stages:
            network = refit(network, layer, rank, objective, evaluations=evaluations)
            now = self._candidate(rank, layer, self._losses(network(self.x)), network)
            if best is not None and now.projected >= best.projected:
                break
            best = now
        assert best is not None  # there is at least one stage
        # A gain within the noise is no reason to leave the layer at which the network itself is narrowest.
        is_better = best.projected < projected.projected - projected.excess_error
        winner = best if is_better else projected
        return replace(winner, projected=projected.projected, refitted=best.projected)

    def probabilities(self, candidates: list[Candidate], seed: int) -> tuple[float, ...]:
        losses = torch.stack([c.losses for c in candidates])
        return rank_probabilities(
            losses,
            self.whole,
            weights=self.weights,
            allowed=self.allowed,
            is_classification=self.is_classification,
            seed=seed,
        )

    def _candidate(self, rank: int, layer: int, losses: Tensor, network: FullyConnected | None) -> Candidate:
        excess = losses - self.whole
        return Candidate(
            rank=rank,
            layer=layer,
            projected=self.mean(losses),
            refitted=None,
            network=network,
            excess=self.mean(excess),
            excess_error=excess_error(excess, is_classification=self.is_classification, weights=self.weights),
            losses=losses,
        )

    def _losses(self, outputs: Tensor) -> Tensor:
        return row_losses(outputs, self.y, is_classification=self.is_classification)
