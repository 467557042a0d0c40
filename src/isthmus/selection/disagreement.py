"""Where held-out losses ask for more numbers than all that is weighed together."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.foundation.tolerance import Tolerance
from isthmus.selection.evidence import RankEvidence

_NO_CHANCE = 4.0  # standard errors: losses of several k are compared with the least of them
_AS_GOOD = 2.0  # standard errors up to which fewer numbers are as good as those of the least loss


@dataclass(frozen=True)
class Disagreement:
    """Rows that were not trained on are predicted better through more numbers, and the next one matters.

    Further numbers may bend a sheet of the numbers there are; that the weights of the evidence take for granted, as on
    the functions they were fitted on. Or they may be numbers of their own that those before nearly determine, as where
    inputs lie on a thin set.

    Attributes:
        rank: The least k whose loss is within two standard errors of the least.
        deviations: By how many standard errors the least loss is lower.
        redundancy: How much of the next number those that were answered determine (R²).
    """

    rank: int
    deviations: float
    redundancy: float

    @staticmethod
    def of(evidence: RankEvidence, rank: int, tolerance: Tolerance) -> Disagreement | None:
        """That with the answer `rank`; None where losses agree within four standard errors, or the next is below ε."""
        least = min(range(len(evidence.errors)), key=evidence.errors.__getitem__)
        error = evidence.standard_errors[rank]
        if rank == 0 or least <= rank or error <= 0.0 or evidence.sensitivities[rank] <= tolerance.relative:
            return None
        excess = [each - evidence.errors[least] for each in evidence.errors]
        deviations = excess[rank] / error
        if deviations <= _NO_CHANCE:
            return None
        pairs = zip(excess, evidence.standard_errors, strict=True)
        first = next(k for k, (more, own) in enumerate(pairs) if k > rank and more <= _AS_GOOD * own)
        return Disagreement(first, deviations, evidence.redundancies[rank])
