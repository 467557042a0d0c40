"""What f costs: the representation cost R(f; Ω, σ, L) as a bracket, closed forms, constructions, the window."""

from isthmus.costs.affine import AffineCost, affine_cost
from isthmus.costs.constants import with_constant_neurons
from isthmus.costs.construction import StretchedNetwork, three_part
from isthmus.costs.coordinates import in_best_coordinates
from isthmus.costs.expansion import DepthExpansion, depth_expansion, depth_sweep
from isthmus.costs.folding import rewritings
from isthmus.costs.growth_exponent import (
    PathGrowth,
    Slope,
    log_slope,
    path_growth,
)
from isthmus.costs.huge_depth import activation_ratios
from isthmus.costs.interpolant import Interpolant, rank_one_interpolant
from isthmus.costs.interval import CostBound, CostInterval
from isthmus.costs.levelling import lightened
from isthmus.costs.linear import (
    LinearCost,
    balanced_diagonal,
    balanced_network,
    diagonal_cost,
    matrix_cost,
)
from isthmus.costs.linear_front import LinearFrontCost, linear_front_cost
from isthmus.costs.lower import lower_bounds
from isthmus.costs.patches import Patches
from isthmus.costs.path import PiecewiseLinear, piecewise_linear
from isthmus.costs.rank_one import RankOneBound, rank_one_lower_bound
from isthmus.costs.representation import cost_limit, representation_cost, representation_costs
from isthmus.costs.shallow import ShallowCost, shallow_cost
from isthmus.costs.steepest import steepest_points
from isthmus.costs.tour import ShortPath, short_path, shortest_path_lower
from isthmus.costs.upper import Candidates, upper_bounds
from isthmus.costs.window import (
    DepthRange,
    DepthWindow,
    RankLine,
    window_of_constants,
)
from isthmus.costs.window_search import depth_window

__all__ = [
    "AffineCost",
    "Candidates",
    "CostBound",
    "CostInterval",
    "DepthExpansion",
    "DepthRange",
    "DepthWindow",
    "Interpolant",
    "LinearCost",
    "LinearFrontCost",
    "Patches",
    "PathGrowth",
    "PiecewiseLinear",
    "RankLine",
    "RankOneBound",
    "ShallowCost",
    "ShortPath",
    "Slope",
    "StretchedNetwork",
    "activation_ratios",
    "affine_cost",
    "balanced_diagonal",
    "balanced_network",
    "cost_limit",
    "depth_expansion",
    "depth_sweep",
    "depth_window",
    "diagonal_cost",
    "in_best_coordinates",
    "lightened",
    "linear_front_cost",
    "log_slope",
    "lower_bounds",
    "matrix_cost",
    "path_growth",
    "piecewise_linear",
    "rank_one_interpolant",
    "rank_one_lower_bound",
    "representation_cost",
    "representation_costs",
    "rewritings",
    "shallow_cost",
    "short_path",
    "shortest_path_lower",
    "steepest_points",
    "three_part",
    "upper_bounds",
    "window_of_constants",
    "with_constant_neurons",
]
