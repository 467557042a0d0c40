"""The rank of data: the answer, the evidence, and the function through R^k that goes with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from isthmus.errors import ShapeError
from isthmus.factorization import Factorization
from isthmus.foundation.likelihood import likelihood_of
from isthmus.foundation.show import show, show_html
from isthmus.foundation.task import Task
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import StandardizedNetwork
from isthmus.selection.detection_limit import detection_limit
from isthmus.selection.evidence import RankEvidence
from isthmus.selection.hyperparameters import Hyperparameters
from isthmus.selection.index_rank import IndexRank
from isthmus.selection.verdict import Verdict

if TYPE_CHECKING:
    import plotly.graph_objects as go

_LIKELY = 0.5  # probability above which an answer is likelier than all others together


@dataclass(frozen=True, eq=False)
class RankSelection:
    r"""How many numbers are needed to predict, with the evidence, and the function through as many.

    The rank is the likeliest smallest k that is enough: such that the best function through $\mathbb R^k$ predicts rows
    that were not trained on as well as the best of all, and what a further number is used for is no number of its own.
    What speaks for and against each k is weighed as on functions of known rank (`sufficient_probabilities`).

    Attributes:
        rank: k.
        lower, upper: Ends of the interval: 95 % of the probability, and what other draws of the rows would say
            (`rank_interval`).
        is_calibrated: Whether the weights of the evidence hold at this depth and λ, for this tolerance.
        evidence: What is known about each k.
        verdict: Whether the rank can be relied on, and why.
        tolerance: ε.
        task: What was learned.
        hyperparameters: Depth and λ, and why these; None where nothing varies.
        network: The network of all rows; None where nothing varies.
        factorization: Its two halves at the rank; None at rank 0.
        constant: The constant that fits the rows best, `(d_out,)`: mean outputs, or logs of the shares of the classes.
        n_evaluations: Gradient evaluations of the network of all rows.
        index: How many linear combinations of the inputs f is a function of, and which (`IndexRank`); None of classes
            and of an autoencoder, of which it is not asked.
        not_done: What Ctrl-C left undone, a sentence each; empty for a selection that ran to its end.

    Example:
        >>> import numpy as np
        >>> from isthmus import SelectionConfig, select_rank
        >>> x = np.random.default_rng(0).standard_normal((60, 3))
        >>> small = SelectionConfig(depth=3, ridge=0.01, width=16)
        >>> found = select_rank(x, np.abs(x[:, :1]) * [1.0, -2.0], config=small, cv=2, random_state=0)
        >>> found.rank, found.verdict.level, found.factorization.rank
        (1, 'rely', 1)
    """

    rank: int
    lower: int
    upper: int
    is_calibrated: bool
    evidence: RankEvidence
    verdict: Verdict
    tolerance: Tolerance
    task: Task
    hyperparameters: Hyperparameters | None
    network: StandardizedNetwork | None
    factorization: Factorization | None
    constant: Tensor
    n_evaluations: int
    index: IndexRank | None = None
    not_done: tuple[str, ...] = ()

    @property
    def interval(self) -> tuple[int, int]:
        """(lower, upper)."""
        return self.lower, self.upper

    @property
    def probabilities(self) -> tuple[float, ...] | None:
        """Of k = 0 … K, summing to 1; None at a depth, λ or tolerance for which the evidence was not weighed."""
        return self.evidence.weighed if self.is_calibrated else None

    @property
    def index_rank(self) -> int | None:
        """The smallest number of linear combinations of the inputs that f is a function of."""
        return None if self.index is None else self.index.rank

    @property
    def index_directions(self) -> Tensor | None:
        """These combinations, `(index_rank, d_in)` in the units of the inputs, the largest effect first."""
        return None if self.index is None else self.index.directions

    @property
    def detection_limit(self) -> float | None:
        """How strong a further direction must be, relative to the first, for the networks to learn it from these rows.

        Weaker ones were left out by λ and may exist (`detection_limit`). None at rank 0, and where no more numbers than
        these can pass.
        """
        if self.hyperparameters is None or self.network is None:
            return None
        inside = self.network.network
        if self.rank >= min(inside.d_in, likelihood_of(self.task).free_outputs(inside.d_out)):
            return None
        seen = self.evidence
        return detection_limit(self.rank, seen.errors, seen.sensitivities, self.hyperparameters.ridge_share)

    @property
    def is_undecided(self) -> bool:
        """Whether the data cannot tell: the answer is as likely wrong as right, or it is not known how likely."""
        return self.probabilities is None or self.probabilities[self.rank] <= _LIKELY

    @torch.no_grad()
    def encode(self, x: Tensor) -> Tensor:
        """g at the rows of `x` `(n, d_in)`: `(n, k)`."""
        return x.new_zeros(len(x), 0) if self.factorization is None else self.factorization.encode(x)

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """h at the rows of `z` `(n, k)`: `(n, d_out)`, of a classification the logits."""
        if self.factorization is not None:
            return self.factorization.decode(z)
        if z.shape[1]:
            raise ShapeError(f"z has {z.shape[1]} columns but the rank is 0: there is nothing to decode. Pass none.")
        return self.constant.expand(len(z), -1).clone()

    def predict(self, x: Tensor) -> Tensor:
        """h(g(x)) at the rows of `x` `(n, d_in)`: outputs `(n, d_out)`, of a classification probabilities."""
        return likelihood_of(self.task).expectation(self.decode(self.encode(x)))

    def plot(self) -> go.Figure:
        """A plotly figure of the evidence, one panel under the other over k."""
        return show(self)

    def _repr_html_(self) -> Any:
        return show_html(self)
