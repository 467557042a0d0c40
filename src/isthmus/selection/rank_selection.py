"""The rank that data ask for: decided by losses on rows that were not trained on."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from isthmus.factorization import presentation
from isthmus.foundation.statistics import standard_error, weighted_mean
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.selection.canonical_correlations import NOTHING_LEFT
from isthmus.selection.cross_validation import CrossFit
from isthmus.selection.posterior import (
    Kind,
    evidence,
    probabilities,
    sufficiency,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from isthmus.selection.ridge_path import RankPath

_TAIL = 0.025  # of the probability outside either end of the interval
_LIKELY = 0.5  # probability above which an answer is likelier than all others together


@dataclass(frozen=True, eq=False)
class CrossDecision:
    r"""How many numbers are needed to predict, with the evidence.

    The rank is the likeliest smallest k that is enough: such that the best function through $\mathbb R^k$ predicts rows
    that were not trained on as well as the best of all, and what a further number is used for is no number of its own.
    What speaks for and against each k is weighed as on functions of known rank (`sufficiency`). On families of
    functions that nothing was chosen on, 93 of 108 answers of outputs were right, 39 of 40 of a probability above 0.95
    and 34 of 36 between 0.8 and 0.95 (`benchmarks/rank_decision.py fourth`); of classes 14 of 36: their evidence is
    weak.

    Attributes:
        rank: k.
        lower, upper: The answers between the 2.5 % and 97.5 % points of the probabilities.
        probabilities: Of k = 0 … K; they sum to 1.
        errors: Held-out error through k = 0 … K numbers.
        standard_errors: Of the excess over the best k, rows paired; 0 for that one.
        objectives: Training objective through k numbers, relative to the constant's, mean over the folds.
        effects: How much coordinate k + 1 of the network through k + 1 numbers matters, relative to the first, root
            mean square over the folds.
        dependences: How much of that coordinate the k before it determine, mean over the folds with its squared effects
            as weights: near 1 it is a bend.
        correlations: Of the k + 1st pair of linear functions of inputs and outputs (`CanonicalCorrelations`).
        linear: How significantly linear functions of the inputs alone need more than k numbers, in standard deviations
            of Bartlett's statistic.
        linear_share: How much of what the networks explain linear functions do, in [0, 1]; as far as that their
            significance counts. 0 of autoencoders, and where linear functions need more than K numbers or all
            directions.
        whole_error: Held-out error of the whole networks.
        tolerance: ε.
    """

    rank: int
    lower: int
    upper: int
    probabilities: tuple[float, ...]
    errors: tuple[float, ...]
    standard_errors: tuple[float, ...]
    objectives: tuple[float, ...]
    effects: tuple[float, ...]
    dependences: tuple[float, ...]
    correlations: tuple[float, ...]
    linear: tuple[float, ...]
    linear_share: float
    whole_error: float
    tolerance: Tolerance

    @staticmethod
    def without_variation(error: float, tolerance: Tolerance) -> CrossDecision:
        """Rank 0, for rows whose inputs or outputs are all the same; `error` is that of the best constant."""
        return CrossDecision(
            0, 0, 0, (1.0,), (error,), (0.0,), (1.0,), (0.0,), (0.0,), (0.0,), (NOTHING_LEFT,), 0.0, error, tolerance
        )

    @property
    def is_undecided(self) -> bool:
        """Whether the data cannot tell: the answer is as likely wrong as right."""
        return self.probabilities[self.rank] <= _LIKELY

    def at_most(self, rank: int) -> CrossDecision:
        """The decision for a network of which no layer carries more than `rank` coordinates."""
        if self.rank <= rank:
            return self
        return replace(self, rank=rank, lower=min(self.lower, rank))

    def record(self) -> dict[str, Any]:
        """As plain JSON values."""
        names = [field.name for field in fields(self) if field.name != "tolerance"]
        found = {name: getattr(self, name) for name in names}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
        return {**plain, "tolerance": self.tolerance.relative}

    def plot(self, *, path: RankPath | None = None) -> go.Figure:
        """A plotly figure of the evidence, one panel under the other over k.

        Args:
            path: Ranks over λ, for a staircase below.
        """
        return presentation.evidence_figure(self, path)

    def _repr_html_(self) -> str:
        return presentation.evidence_html(self)


def decide(
    cross: CrossFit, *, weights: Tensor | None = None, tolerance: Tolerance = DEFAULT_TOLERANCE
) -> CrossDecision:
    """Decide the rank by what `cross` has found.

    Args:
        cross: Losses, objectives and coordinates of every k.
        weights: How much each row of the data counts, `(n,)`, positive; None for all alike.
        tolerance: ε.
    """
    counted = None if weights is None else weights[cross.rows].double().cpu()
    errors = torch.stack([weighted_mean(row, counted) for row in cross.losses])
    best = cross.losses[int(errors.argmin())]
    deviations = torch.tensor([standard_error(row - best, counted) for row in cross.losses]).nan_to_num(0.0)
    objectives, excess = cross.objectives.mean(0), errors - errors.min()
    # What a fold's network does not carry says nothing about what it depends on.
    squares = cross.effects.square()
    effects = squares.mean(0).sqrt()
    dependences = (squares * cross.dependences).sum(0) / squares.sum(0).clamp_min(torch.finfo(squares.dtype).tiny)
    deviations = deviations.to(excess)
    seen = evidence(excess, deviations, objectives, effects, dependences, cross.linear, tolerance)
    kind: Kind = "classification" if cross.task == "classification" else "regression"
    chances = probabilities(sufficiency(seen, kind, cross.linear_share, excess, deviations, tolerance))
    below = chances.cumsum(0)
    rank = int(chances.argmax())
    return CrossDecision(
        rank,
        min(rank, int((below > _TAIL).int().argmax())),
        max(rank, int((below >= 1.0 - _TAIL).int().argmax())),
        tuple(chances.tolist()),
        tuple(errors.tolist()),
        tuple(deviations.tolist()),
        tuple(objectives.tolist()),
        tuple(effects.tolist()),
        tuple(dependences.tolist()),
        tuple(cross.linear.correlations.tolist()),
        tuple(cross.linear.significance.tolist()),
        cross.linear_share,
        float(weighted_mean(cross.whole, counted)),
        tolerance,
    )
