"""Which k is enough: the smallest whose h ∘ g predicts held-out data as well as the whole network."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from isthmus.errors import OptionError
from isthmus.factoring.refit import refit
from isthmus.functions import FullyConnected
from isthmus.progress import Report
from isthmus.ranks import Narrowing, balanced_truncations, narrowings, truncated
from isthmus.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.training import FittedNetwork, Objective, cross_entropy
from isthmus.weighted_means import standard_error, weighted_mean

STAGES = (25, 50, 100)
_SURE = 2.0  # standard errors for the ends of the interval: about 95 %


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
        excess_error: Standard error of that mean, rows paired; with weights by the effective number of rows.
    """

    rank: int
    layer: int
    projected: float
    refitted: float | None
    network: FullyConnected | None
    excess: float
    excess_error: float

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

    Attributes:
        rank: k.
        lower: Every smaller k is significantly worse.
        upper: This k is significantly good enough.
        whole_error: Held-out error of the whole network.
        whole_standard_error: Its standard error.
        constant_error: Held-out error of the best constant.
        margin: Excess that counts as none.
        candidates: k = 0, 1, 2, …
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
    tolerance: Tolerance

    @property
    def best(self) -> Candidate:
        """The candidate of the decided rank."""
        return self.candidates[self.rank]


def row_losses(outputs: Tensor, targets: Tensor, *, is_classification: bool) -> Tensor:
    """What counts on held-out rows: squared errors, or 1 where the class is wrong; `(n,)` float64."""
    if is_classification:
        return (outputs.argmax(1) != targets).double()
    return (outputs.double() - targets.double()).square().sum(1)


def decide_rank(
    fitted: FittedNetwork,
    x: Tensor,
    y: Tensor,
    *,
    weights: Tensor | None = None,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    stages: tuple[int, ...] = STAGES,
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
        report: Told the fraction done.
    """
    if len(x) < 2:
        raise OptionError("the number of held-out rows", len(x), "at least 2")
    trial = _Trial(fitted, x, y, weights, tolerance, stages)
    candidates = [trial.constant()]
    found = narrowings(fitted.network, fitted.objective.sample()[0], until=tolerance.relative / 10.0, extra=2)
    candidates += [trial.projection(n) for n in found[1:]]
    _refit_around(trial, candidates, report)
    rank = next((c.rank for c in candidates if c.excess <= trial.margin), candidates[-1].rank)
    lower = next((c.rank for c in candidates if c.excess - _SURE * c.excess_error <= trial.margin), rank)
    upper = next(
        (c.rank for c in candidates[rank:] if c.excess + _SURE * c.excess_error <= trial.margin),
        min(fitted.network.widths),
    )
    return RankDecision(
        rank,
        min(lower, rank),
        max(upper, rank),
        trial.mean(trial.whole),
        standard_error(trial.whole, weights),
        trial.mean(trial.constants),
        trial.margin,
        tuple(candidates),
        tolerance,
    )


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
        self.margin = tolerance.relative**2 * explained

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

    def _candidate(self, rank: int, layer: int, losses: Tensor, network: FullyConnected | None) -> Candidate:
        excess = losses - self.whole
        return Candidate(
            rank=rank,
            layer=layer,
            projected=self.mean(losses),
            refitted=None,
            network=network,
            excess=self.mean(excess),
            excess_error=standard_error(excess, self.weights),
        )

    def _losses(self, outputs: Tensor) -> Tensor:
        return row_losses(outputs, self.y, is_classification=self.is_classification)


def best_constant(objective: Objective) -> Tensor:
    """The constant that fits the training rows best, `(1, d_out)`: mean outputs, or the frequencies of the classes."""
    _, y = objective.sample()
    if y.is_floating_point():
        return weighted_mean(y, objective.weights)[None]
    return y.bincount(objective.weights)[None].float()
