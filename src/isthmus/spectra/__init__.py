"""How many numbers a function passes through: Jacobian rank, bottleneck rank, and the spectra behind them."""

from isthmus.spectra.bottleneck import (
    Narrowing,
    bottleneck_rank,
    chosen,
    narrowings,
)
from isthmus.spectra.comparison import ProfileComparison, compare
from isthmus.spectra.jacobian import (
    JacobianSpectra,
    jacobian_rank,
    jacobian_spectra,
    jacobians,
    spaced,
)
from isthmus.spectra.layer_spectrum import LayerSpectrum, layer_spectra
from isthmus.spectra.measurement import measure
from isthmus.spectra.model import Model, as_network
from isthmus.spectra.profile import RankProfile
from isthmus.spectra.profile_logger import ProfileLogger, lightning_callback
from isthmus.spectra.rank_estimate import RankEstimate
from isthmus.spectra.tolerance_curve import RankCurve, rank_curve
from isthmus.spectra.truncation import BalancedTruncation, balanced_truncations, truncated

__all__ = [
    "BalancedTruncation",
    "JacobianSpectra",
    "LayerSpectrum",
    "Model",
    "Narrowing",
    "ProfileComparison",
    "ProfileLogger",
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
    "lightning_callback",
    "measure",
    "narrowings",
    "rank_curve",
    "spaced",
    "truncated",
]
