"""A rank as what was proved about it: an interval and the evidence for each end."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RankEstimate:
    """A rank at a stated tolerance, bracketed.

    Attributes:
        lower: The rank is at least this.
        upper: The rank is at most this.
        tolerance: Relative size below which a direction counts as absent.
        evidence: What shows each end, one sentence each.
    """

    lower: int
    upper: int
    tolerance: float
    evidence: tuple[str, ...]

    @property
    def is_tight(self) -> bool:
        """True when both ends agree."""
        return self.lower == self.upper
