"""How many numbers a function passes through: Jacobian rank, bottleneck rank, and the spectra behind them."""

from isthmus.dimension.estimate import DimensionEstimate
from isthmus.dimension.manifold import manifold_dimension

__all__ = [
    "DimensionEstimate",
    "manifold_dimension",
]
