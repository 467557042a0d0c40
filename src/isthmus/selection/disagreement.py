"""Where held-out losses ask for more numbers than all that is weighed together."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.foundation.tolerance import Tolerance
from isthmus.selection.evidence import RankEvidence

_NO_CHANCE = 4.0  # standard errors: losses of several k are compared with the least of them


@dataclass(frozen=True)
class Disagreement:
    """Rows that were not trained on are predicted better through more numbers, and the next one matters.

    Further numbers may bend a sheet of the numbers there are; that the weights of the evidence take for granted, as on
    the functions they were fitted on. Or they may be numbers of their own that those before nearly determine, as where
    inputs lie on a thin set.

    Attributes:
        rank: The k of least loss.
        deviations: By how many standard errors its loss is lower.
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
        deviations = (evidence.errors[rank] - evidence.errors[least]) / error
        return Disagreement(least, deviations, evidence.redundancies[rank]) if deviations > _NO_CHANCE else None
