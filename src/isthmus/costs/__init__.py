"""What f costs: the representation cost R(f; Ω, σ, L) as a bracket, closed forms, constructions, the window."""

from isthmus.costs.affine import AffineCost, affine_cost
from isthmus.costs.construction import StretchedNetwork, three_part
from isthmus.costs.interpolant import Interpolant, rank_one_interpolant
from isthmus.costs.linear import LinearCost, balanced_diagonal, balanced_network, diagonal_cost, matrix_cost
from isthmus.costs.path import PiecewiseLinear, piecewise_linear
from isthmus.costs.shallow import ShallowCost, shallow_cost

__all__ = [
    "AffineCost",
    "Interpolant",
    "LinearCost",
    "PiecewiseLinear",
    "ShallowCost",
    "StretchedNetwork",
    "affine_cost",
    "balanced_diagonal",
    "balanced_network",
    "diagonal_cost",
    "matrix_cost",
    "piecewise_linear",
    "rank_one_interpolant",
    "shallow_cost",
    "three_part",
]
