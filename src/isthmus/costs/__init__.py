"""What f costs: the representation cost R(f; Ω, σ, L) as a bracket, closed forms, constructions, the window."""

from isthmus.costs.affine import AffineCost, affine_cost
from isthmus.costs.construction import StretchedNetwork, three_part
from isthmus.costs.interpolant import Interpolant, rank_one_interpolant
from isthmus.costs.linear import LinearCost, balanced_diagonal, balanced_network, diagonal_cost, matrix_cost
from isthmus.costs.path import PiecewiseLinear, piecewise_linear
from isthmus.costs.path_growth import PathGrowth, Slope, log_slope, path_growth
from isthmus.costs.rank_one import RankOneBound, rank_one_lower_bound
from isthmus.costs.shallow import ShallowCost, shallow_cost
from isthmus.costs.tour import ShortPath, short_path, shortest_path_lower

__all__ = [
    "AffineCost",
    "Interpolant",
    "LinearCost",
    "PathGrowth",
    "PiecewiseLinear",
    "RankOneBound",
    "ShallowCost",
    "ShortPath",
    "Slope",
    "StretchedNetwork",
    "affine_cost",
    "balanced_diagonal",
    "balanced_network",
    "diagonal_cost",
    "log_slope",
    "matrix_cost",
    "path_growth",
    "piecewise_linear",
    "rank_one_interpolant",
    "rank_one_lower_bound",
    "shallow_cost",
    "short_path",
    "shortest_path_lower",
    "three_part",
]
