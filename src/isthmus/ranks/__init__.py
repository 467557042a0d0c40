"""How many numbers a function passes through: Jacobian rank, bottleneck rank, and the spectra behind them."""

from isthmus.ranks.bottleneck import Narrowing, bottleneck_rank, chosen, narrowings
from isthmus.ranks.comparison import ProfileComparison, compare
from isthmus.ranks.curve import RankCurve, rank_curve
from isthmus.ranks.dimension import DimensionEstimate
from isthmus.ranks.estimate import RankEstimate
from isthmus.ranks.jacobian import JacobianSpectra, jacobian_rank, jacobian_spectra, jacobians, spaced
from isthmus.ranks.manifold import manifold_dimension
from isthmus.ranks.measurement import measure
from isthmus.ranks.model import Model, as_network
from isthmus.ranks.profile import RankProfile
from isthmus.ranks.spectrum import LayerSpectrum, layer_spectra
from isthmus.ranks.truncation import BalancedTruncation, balanced_truncations, truncated

__all__ = [
    "BalancedTruncation",
    "DimensionEstimate",
    "JacobianSpectra",
    "LayerSpectrum",
    "Model",
    "Narrowing",
    "ProfileComparison",
    "RankCurve",
    "RankEstimate",
    "RankProfile",
    "as_network",
    "balanced_truncations",
    "bottleneck_rank",
    "chosen",
    "compare",
    "jacobian_rank",
    "jacobian_spectra",
    "jacobians",
    "layer_spectra",
    "manifold_dimension",
    "measure",
    "narrowings",
    "rank_curve",
    "spaced",
    "truncated",
]
