"""What f costs: the representation cost R(f; Ω, σ, L) as a bracket, closed forms, constructions, the window."""

from isthmus.costs.constants import with_constant_neurons
from isthmus.costs.construction import StretchedNetwork, three_part
from isthmus.costs.coordinates import in_best_coordinates
from isthmus.costs.interval import CostBound, CostInterval
from isthmus.costs.levelling import lightened
from isthmus.costs.lower import lower_bounds
from isthmus.costs.patches import Patches
from isthmus.costs.representation import cost_limit, representation_cost, representation_costs
from isthmus.costs.steepest import steepest_points
from isthmus.costs.upper import rewritings, upper_bounds

__all__ = [
    "CostBound",
    "CostInterval",
    "Patches",
    "StretchedNetwork",
    "cost_limit",
    "in_best_coordinates",
    "lightened",
    "lower_bounds",
    "representation_cost",
    "representation_costs",
    "rewritings",
    "steepest_points",
    "three_part",
    "upper_bounds",
    "with_constant_neurons",
]
