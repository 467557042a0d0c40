"""How many numbers a function passes through: Jacobian rank, bottleneck rank, and the spectra behind them."""

from isthmus.spectra.bottleneck import (
    TruncationPoint,
    chosen,
    tried_rows,
    truncation_curve,
)
from isthmus.spectra.class_collapse import CollapsedLayer, NeuralCollapse, neural_collapse
from isthmus.spectra.frequency_bottleneck import (
    ConvolutionalBottleneck,
    ConvolutionSpectrum,
    convolutional_bottleneck,
)
from isthmus.spectra.isometry import BottleneckCertificate, bottleneck_certificate
from isthmus.spectra.jacobian import (
    jacobian_spectra,
    jacobians,
    spaced,
)
from isthmus.spectra.layer_spectrum import LayerSpectrum, layer_spectra
from isthmus.spectra.leaky_energies import LeakyLayer, leaky_layers
from isthmus.spectra.measure_options import EVALUATIONS
from isthmus.spectra.measurement import measure
from isthmus.spectra.model import Model, as_network
from isthmus.spectra.point_spectra import JacobianSpectra
from isthmus.spectra.profile import RankProfile
from isthmus.spectra.profile_logger import ProfileLogger, lightning_callback
from isthmus.spectra.rank_estimate import RankEstimate
from isthmus.spectra.ranks import bottleneck_rank, jacobian_rank
from isthmus.spectra.tangent_kernel import tangent_kernel_traces
from isthmus.spectra.tolerance_curve import RankCurve, rank_curve
from isthmus.spectra.truncation import BalancedTruncation, balanced_truncations, truncated
from isthmus.spectra.units import SCALED_ROWS, Scaling, units_of_chain

__all__ = [
    "EVALUATIONS",
    "SCALED_ROWS",
    "BalancedTruncation",
    "BottleneckCertificate",
    "CollapsedLayer",
    "ConvolutionSpectrum",
    "ConvolutionalBottleneck",
    "JacobianSpectra",
    "LayerSpectrum",
    "LeakyLayer",
    "Model",
    "NeuralCollapse",
    "ProfileLogger",
    "RankCurve",
    "RankEstimate",
    "RankProfile",
    "Scaling",
    "TruncationPoint",
    "as_network",
    "balanced_truncations",
    "bottleneck_certificate",
    "bottleneck_rank",
    "chosen",
    "convolutional_bottleneck",
    "jacobian_rank",
    "jacobian_spectra",
    "jacobians",
    "layer_spectra",
    "leaky_layers",
    "lightning_callback",
    "measure",
    "neural_collapse",
    "rank_curve",
    "spaced",
    "tangent_kernel_traces",
    "tried_rows",
    "truncated",
    "truncation_curve",
    "units_of_chain",
]
