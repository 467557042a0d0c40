"""What f costs: the representation cost R(f; Ω, σ, L) as a bracket, closed forms, constructions, the window."""

from isthmus.costs.construction import StretchedNetwork, three_part

__all__ = ["StretchedNetwork", "three_part"]
