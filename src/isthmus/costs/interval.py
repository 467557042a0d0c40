r"""A representation cost as it is known: between a bound that is proved below and a network that is shown above."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from isthmus.costs.construction import StretchedNetwork
from isthmus.networks import FullyConnected


@dataclass(frozen=True, eq=False)
class CostBound:
    r"""One end of a bracket of R(f; Ω, σ, L)/L.

    Attributes:
        value: Of R/L.
        by: What proves it, in a word or two.
        proof: The same as a sentence.
        point: The point x of Ω at which a lower bound was taken, `(d_in,)`, in the units of the network; else None.
        network: The network of depth L that computes f on Ω at this cost, for an upper bound; else None.
    """

    value: float
    by: str
    proof: str
    point: Tensor | None = None
    network: FullyConnected | StretchedNetwork | None = None


@dataclass(frozen=True, eq=False)
class CostInterval:
    r"""`lower ≤ R(f; Ω, σ, L)/L ≤ upper`.

    Attributes:
        depth: L; infinite for the limit of R/L.
        domain: Ω in words.
        lower_bounds: Every lower bound tried, the best first.
        upper_bounds: Every network found, the cheapest first; empty where none of this depth is known.
    """

    depth: float
    domain: str
    lower_bounds: tuple[CostBound, ...]
    upper_bounds: tuple[CostBound, ...]

    @property
    def lower(self) -> float:
        """The largest proved lower bound of R/L."""
        return self.lower_bounds[0].value

    @property
    def upper(self) -> float:
        """The least ‖w‖²/L of the networks found; infinite where none of this depth is known."""
        return self.upper_bounds[0].value if self.upper_bounds else math.inf

    @property
    def lower_by(self) -> str:
        """What proves the lower end."""
        return self.lower_bounds[0].by

    @property
    def upper_by(self) -> str | None:
        """What proves the upper end, or None."""
        return self.upper_bounds[0].by if self.upper_bounds else None

    @property
    def point(self) -> Tensor | None:
        """Where the lower end was taken."""
        return self.lower_bounds[0].point

    @property
    def network(self) -> FullyConnected | StretchedNetwork | None:
        """The network at the upper end."""
        return self.upper_bounds[0].network if self.upper_bounds else None

    def record(self) -> dict[str, Any]:
        """The bracket as plain JSON values."""
        return {
            "depth": None if math.isinf(self.depth) else int(self.depth),
            "lower": self.lower,
            "upper": self.upper if self.upper_bounds else None,
            "lower_by": self.lower_by,
            "upper_by": self.upper_by,
            "lower_proof": self.lower_bounds[0].proof,
            "upper_proof": self.upper_bounds[0].proof if self.upper_bounds else None,
            "point": None if self.point is None else self.point.tolist(),
            "domain": self.domain,
            "others": [{"value": b.value, "by": b.by} for b in (*self.lower_bounds[1:], *self.upper_bounds[1:])],
        }
