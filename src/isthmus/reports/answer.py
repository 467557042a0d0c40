"""An answer with its evidence, as pages, notebooks and the terminal show it: from a selection or from its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from isthmus.foundation.likelihood import likelihood_of
from isthmus.foundation.task import Task
from isthmus.runs import FitRecord
from isthmus.runs.record_parts import EvidenceRow, VerdictRow
from isthmus.selection import RankEvidence, RankSelection
from isthmus.selection.simple_methods import LINEAR
from isthmus.selection.verdict import Verdict


@dataclass(frozen=True)
class Answer:
    """The rank and what is known about each k.

    Attributes:
        rank, lower, upper: The rank and its interval.
        probabilities: Of k = 0, 1, …; None where they are not known.
        evidence: For each k.
        verdict: Whether the rank can be relied on.
        tolerance: ε.
        task: What was learned.
    """

    rank: int
    lower: int
    upper: int
    probabilities: Sequence[float] | None
    evidence: EvidenceRow | RankEvidence
    verdict: VerdictRow | Verdict
    tolerance: float
    task: Task

    @property
    def loss_name(self) -> str:
        """What the losses measure."""
        return likelihood_of(self.task).loss_name

    @property
    def linear_name(self) -> str:
        """The linear method beside the networks."""
        return LINEAR[self.task]

    @property
    def counts_losses(self) -> bool:
        """Whether what a person counts is the loss itself, so that both fit on one axis."""
        return likelihood_of(self.task).is_quadratic


def answer_of(found: RankSelection | FitRecord) -> Answer:
    """The answer that a selection or the record of a fit holds."""
    if isinstance(found, RankSelection):
        tolerance = found.tolerance.relative
        own = found.rank, found.lower, found.upper, found.probabilities, found.evidence, found.verdict
        return Answer(*own, tolerance, found.task)
    chances = found.rank_probabilities
    probabilities = None if chances is None else [chances[str(k)] for k in range(len(chances))]
    return Answer(
        found.rank,
        found.rank_lower,
        found.rank_upper,
        probabilities,
        found.evidence,
        found.verdict,
        found.tolerance,
        found.task,
    )
