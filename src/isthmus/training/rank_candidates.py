"""The best network of each rank, and which of them wins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from isthmus.networks import FullyConnected
from isthmus.training.objective import Objective


@dataclass(frozen=True, eq=False)
class RankCandidate:
    r"""The best network found of one rank.

    Attributes:
        rank: k, the network's bottleneck rank at the tolerance, measured after training.
        network: In the units of the standardised data.
        value: Its objective, an upper bound of the global minimum.
        start: Where it came from: "random", "random, trained on", "projected from k", "widened from k"; the winner of
            these also "…, with fresh neurons".
    """

    rank: int
    network: FullyConnected
    value: float
    start: str


@dataclass(frozen=True, eq=False)
class RankSearch:
    r"""The objective as a function of the rank.

    Attributes:
        candidates: The best for each rank that was found, ascending.
        random_value: The objective that the random start reached.
        random_rank: The rank of that network.
        objective: What was minimised.
        is_complete: False where Ctrl-C ended the search before every k was tried.
    """

    candidates: tuple[RankCandidate, ...]
    random_value: float
    random_rank: int
    objective: Objective
    is_complete: bool

    @property
    def best(self) -> RankCandidate:
        """The candidate of lowest objective; of equal ones the one of lowest rank."""
        return winner(self.candidates)

    @property
    def rank(self) -> int:
        """k of the best candidate."""
        return self.best.rank

    @property
    def warning(self) -> str | None:
        """What would have gone wrong with the random start alone, or None."""
        if self.best.rank == self.random_rank:
            return None
        gain = 1.0 - self.best.value / self.random_value
        return (
            f"The random start alone ends at rank {self.random_rank} with objective {self.random_value:.4g}; "
            f"rank {self.best.rank} is {100.0 * gain:.2g} % lower ({self.best.start})."
        )


def winner(candidates: Iterable[RankCandidate]) -> RankCandidate:
    """The candidate of lowest objective; of equal ones the one of lowest rank."""
    return min(candidates, key=lambda each: (each.value, each.rank))
