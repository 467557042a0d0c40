"""What f costs: the least ‖w‖² of networks that compute it."""

from isthmus.costs.affine import AffineCost, affine_cost
from isthmus.costs.linear import LinearCost, balanced_diagonal, balanced_network, diagonal_cost, matrix_cost
from isthmus.costs.path import PiecewiseLinear, piecewise_linear
from isthmus.costs.shallow import ShallowCost, shallow_cost

__all__ = [
    "AffineCost",
    "LinearCost",
    "PiecewiseLinear",
    "ShallowCost",
    "affine_cost",
    "balanced_diagonal",
    "balanced_network",
    "diagonal_cost",
    "matrix_cost",
    "piecewise_linear",
    "shallow_cost",
]
