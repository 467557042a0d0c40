"""The rank that data ask for: decided by losses on rows that were not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from isthmus.factoring import presentation
from isthmus.factoring.cross_fitting import CrossFit
from isthmus.factoring.sufficiency import is_sufficient, margins
from isthmus.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.weighted_means import standard_error, weighted_mean

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from isthmus.factoring.rank_path import RankPath

_RESAMPLES = 2000
_CHUNK_NUMBERS = 4_000_000
_TAIL = 0.025  # of the probability outside either end of the interval
_LIKELY = 0.5  # probability above which an answer is likelier than all others together


@dataclass(frozen=True, eq=False)
class CrossDecision:
    r"""How many numbers are needed to predict, with the evidence.

    The rank is the smallest k such that the best function through $\mathbb R^k$ that was found predicts rows that were
    not trained on nearly as well as the best of all, and no further direction of the whole network's derivative is
    both of relative size above ε and of use there (`is_sufficient`).

    `probabilities` come from resampling: folds are drawn with replacement, which stands for other trainings, and rows
    within them, which stands for other data. They do not know what all trainings have in common: on families of
    functions that the rule was not chosen on, those above 0.95 came true in 66 % (`benchmarks/rank_decision.py`).

    Attributes:
        rank: k.
        lower, upper: The answers between the 2.5 % and 97.5 % points of the resamples.
        probabilities: Of k = 0 … K, the share of the resamples whose answer it is; they sum to 1.
        errors: Held-out error through k = 0 … K numbers.
        standard_errors: Of the excess over the best k, rows paired; 0 for that one.
        margins: What may be lost at k = 0 … K.
        sizes: $\rho_k$, the relative size of the derivative in direction k + 1, median over the folds.
        whole_error: Held-out error of the whole networks.
        tolerance: ε.
    """

    rank: int
    lower: int
    upper: int
    probabilities: tuple[float, ...]
    errors: tuple[float, ...]
    standard_errors: tuple[float, ...]
    margins: tuple[float, ...]
    sizes: tuple[float, ...]
    whole_error: float
    tolerance: Tolerance

    @staticmethod
    def without_variation(error: float, tolerance: Tolerance) -> CrossDecision:
        """Rank 0, for rows whose inputs or outputs are all the same; `error` is that of the best constant."""
        return CrossDecision(0, 0, 0, (1.0,), (error,), (0.0,), (0.0,), (0.0,), error, tolerance)

    @property
    def is_undecided(self) -> bool:
        """Whether the data cannot tell: another training on other rows would as often as not give another answer."""
        return self.probabilities[self.rank] <= _LIKELY

    def at_most(self, rank: int) -> CrossDecision:
        """The decision for a network of which no layer carries more than `rank` coordinates."""
        if self.rank <= rank:
            return self
        return replace(self, rank=rank, lower=min(self.lower, rank))

    def record(self) -> dict[str, Any]:
        """As plain JSON values."""
        names = ("rank", "lower", "upper", "probabilities", "errors", "standard_errors", "margins", "sizes")
        found = {name: getattr(self, name) for name in (*names, "whole_error")}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
        return {**plain, "tolerance": self.tolerance.relative}

    def plot(self, *, objectives: Sequence[float] | None = None, path: RankPath | None = None) -> go.Figure:
        """A plotly figure of the evidence, one panel under the other over k.

        Args:
            objectives: Of the network through k = 1, 2, … numbers, for a panel of them.
            path: Ranks over λ, for a staircase below.
        """
        return presentation.evidence_figure(self, objectives, path)

    def _repr_html_(self) -> str:
        return presentation.evidence_html(self)


def decide(
    cross: CrossFit, *, weights: Tensor | None = None, tolerance: Tolerance = DEFAULT_TOLERANCE, seed: int = 0
) -> CrossDecision:
    """Decide the rank by the losses of `cross`.

    Args:
        cross: The losses of every k.
        weights: How much each row of the data counts, `(n,)`, positive; None for all alike.
        tolerance: ε.
        seed: Of the resamples.
    """
    counted = None if weights is None else weights[cross.rows].double().cpu()
    errors = torch.stack([weighted_mean(row, counted) for row in cross.losses])
    sizes = cross.spectra.median(0).values
    excess = errors - errors.min()
    best = cross.losses[int(errors.argmin())]
    deviations = torch.tensor([standard_error(row - best, counted) for row in cross.losses]).nan_to_num(0.0)
    rank = int(is_sufficient(excess, deviations, sizes, tolerance).int().argmax())
    probabilities = _probabilities(cross, counted, deviations, tolerance, seed)
    below = probabilities.cumsum(0)
    return CrossDecision(
        rank,
        min(rank, int((below > _TAIL).int().argmax())),
        max(rank, int((below >= 1.0 - _TAIL).int().argmax())),
        tuple(probabilities.tolist()),
        tuple(errors.tolist()),
        tuple(deviations.tolist()),
        tuple(margins(excess, tolerance).tolist()),
        tuple(sizes.tolist()),
        float(weighted_mean(cross.whole, counted)),
        tolerance,
    )


def _probabilities(
    cross: CrossFit, weights: Tensor | None, deviations: Tensor, tolerance: Tolerance, seed: int
) -> Tensor:
    losses = cross.losses if weights is None else cross.losses * (weights / weights.mean())
    sizes = cross.sizes_of_folds.double()
    first = (sizes.cumsum(0) - sizes).long()
    n, generator = losses.shape[1], torch.Generator().manual_seed(seed)
    answers = torch.zeros(len(losses), dtype=torch.long)
    for part in torch.arange(_RESAMPLES).split(max(1, _CHUNK_NUMBERS // n)):
        folds = torch.randint(len(sizes), (len(part), len(sizes)), generator=generator)
        drawn = folds.gather(1, torch.randint(len(sizes), (len(part), n), generator=generator))
        within = torch.rand(len(part), n, generator=generator, dtype=torch.float64) * sizes[drawn]
        counts = torch.zeros(len(part), n, dtype=torch.float64)
        counts.scatter_add_(1, first[drawn] + within.long(), torch.ones_like(counts))
        means = counts @ losses.T / n
        excess = means - means.min(1, keepdim=True).values
        enough = is_sufficient(excess, deviations, cross.spectra[folds].median(1).values, tolerance)
        answers += enough.int().argmax(1).bincount(minlength=len(losses))
    return answers.double() / _RESAMPLES
