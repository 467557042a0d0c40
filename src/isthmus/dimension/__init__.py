"""How many dimensions a cloud of points has."""

from isthmus.dimension.estimate import DimensionEstimate
from isthmus.dimension.manifold import manifold_dimension

__all__ = [
    "DimensionEstimate",
    "manifold_dimension",
]
