"""What f costs: the representation cost R(f; Ω, σ, L) as a bracket, closed forms, constructions, the window."""

from isthmus.costs.constants import with_constant_neurons
from isthmus.costs.construction import StretchedNetwork, three_part
from isthmus.costs.coordinates import in_best_coordinates
from isthmus.costs.expansion import DepthExpansion, depth_expansion, depth_sweep
from isthmus.costs.huge_depth import activation_ratios
from isthmus.costs.interval import CostBound, CostInterval
from isthmus.costs.levelling import lightened
from isthmus.costs.lower import lower_bounds
from isthmus.costs.patches import Patches
from isthmus.costs.representation import cost_limit, representation_cost, representation_costs
from isthmus.costs.steepest import steepest_points
from isthmus.costs.upper import rewritings, upper_bounds
from isthmus.costs.window import DepthRange, DepthWindow, RankLine, window_of_constants
from isthmus.costs.window_search import depth_window

__all__ = [
    "CostBound",
    "CostInterval",
    "DepthExpansion",
    "DepthRange",
    "DepthWindow",
    "Patches",
    "RankLine",
    "StretchedNetwork",
    "activation_ratios",
    "cost_limit",
    "depth_expansion",
    "depth_sweep",
    "depth_window",
    "in_best_coordinates",
    "lightened",
    "lower_bounds",
    "representation_cost",
    "representation_costs",
    "rewritings",
    "steepest_points",
    "three_part",
    "upper_bounds",
    "window_of_constants",
    "with_constant_neurons",
]
