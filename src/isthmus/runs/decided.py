"""A decision of the rank as the record tells it, whichever way it was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from isthmus.factorization import Factorization
from isthmus.networks import FullyConnected
from isthmus.selection import Candidate, RankDecision, decided_factorization
from isthmus.training import FittedNetwork


@dataclass(frozen=True, eq=False)
class Decided:
    """What the record needs of a decision.

    Attributes:
        rank, lower, upper: The rank and the ends of its interval.
        probabilities: Of k = 0, 1, 2, …
        is_undecided: Whether the rows cannot tell.
        tolerance: ε.
        layer: Where the network is narrow.
        network: The narrow one; None at rank 0.
        factorization: Its halves; None at rank 0.
        curve: The rows of `error_curve`.
        whole_error, whole_standard_error, constant_error: Held-out errors.
        margin: What may be lost at the rank; None where evidence is weighed instead.
        gain: What one more number lowers the held-out error by; None where it was not tried.
        evidence: Sentences.
        doubts: Sentences.
        more: Further entries of the record.
    """

    rank: int
    lower: int
    upper: int
    probabilities: tuple[float, ...]
    is_undecided: bool
    tolerance: float
    layer: int
    network: FullyConnected | None
    factorization: Factorization | None
    curve: list[dict[str, Any]]
    whole_error: float
    whole_standard_error: float
    constant_error: float
    margin: float | None
    gain: float | None
    evidence: list[str]
    doubts: list[str]
    more: dict[str, Any] = field(default_factory=dict)


def decided_by_validation(fitted: FittedNetwork, decision: RankDecision, curve: tuple[float, ...]) -> Decided:
    """A decision on the validation rows.

    Args:
        fitted: The network whose rank was decided.
        decision: The decision.
        curve: As for `decided_factorization`.
    """
    k, candidates = decision.rank, decision.candidates
    return Decided(
        rank=k,
        lower=decision.lower,
        upper=decision.upper,
        probabilities=decision.probabilities,
        is_undecided=decision.is_undecided,
        tolerance=decision.tolerance.relative,
        layer=decision.best.layer,
        network=decision.best.network,
        factorization=decided_factorization(fitted, decision, curve),
        curve=[_candidate(c) for c in candidates],
        whole_error=decision.whole_error,
        whole_standard_error=decision.whole_standard_error,
        constant_error=decision.constant_error,
        margin=decision.margin,
        gain=candidates[k].error - candidates[k + 1].error if k + 1 < len(candidates) else None,
        evidence=_evidence(decision),
        doubts=doubts(decision.rank, decision.lower, decision.upper, decision.probabilities, decision.is_undecided),
    )


def doubts(rank: int, lower: int, upper: int, probabilities: tuple[float, ...], is_undecided: bool) -> list[str]:
    """How far the held-out rows leave the rank open."""
    allowed = f"anything from {lower} to {upper} agrees with"
    if is_undecided:
        return [
            f"The held-out rows cannot tell the rank: {allowed} them, and the probability of {rank} is "
            f"{probabilities[rank]:.0%}. More rows narrow this down."
        ]
    if lower != upper:
        return [f"The held-out rows do not settle the rank: {allowed} them. More rows narrow this down."]
    return []


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "rank": candidate.rank,
        "layer": candidate.layer,
        "projected": candidate.projected,
        "refitted": candidate.refitted,
        "standard_error": candidate.excess_error,
    }


def _evidence(decision: RankDecision) -> list[str]:
    best = decision.best
    said = [
        f"A function through {best.rank} numbers has held-out error {best.error:.4g}, the whole network "
        f"{decision.whole_error:.4g} ± {decision.whole_standard_error:.2g}: a loss of {best.excess:.2g} ± "
        f"{best.excess_error:.1g}, where {decision.margin:.2g} ({decision.tolerance.relative**2:.2%} of what the "
        "network explains) is allowed."
    ]
    if decision.rank > 0:
        worse = decision.candidates[decision.rank - 1]
        said.append(f"Through {worse.rank} numbers the best that was found loses {worse.excess:.2g}.")
    return said
