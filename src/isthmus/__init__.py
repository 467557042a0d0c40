"""isthmus: how many numbers does a map really pass through?

Give it data (x, y) or a trained network f; it returns the rank with its evidence, the two halves of f = h ∘ g that
meet in R^k, the error for every smaller k, and what f costs at each depth. The mathematics is Jacot's notion of rank
for nonlinear functions (ICLR 2023).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from isthmus.costs import (
    CostInterval,
    DepthWindow,
    cost_limit,
    depth_window,
    representation_cost,
)
from isthmus.data import Dataset, dataset_from_arrays, load_dataset
from isthmus.dimension import DimensionEstimate, manifold_dimension
from isthmus.errors import IsthmusError
from isthmus.factorization import (
    Alignment,
    Attribution,
    Factorization,
    alignment,
    attribution,
    factor,
)
from isthmus.formats import load_model as load
from isthmus.formats import save
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import (
    FullyConnected,
    StandardizedNetwork,
    from_torch,
    to_torch,
)
from isthmus.regions import Plane, enumerate_regions
from isthmus.runs import FitOptions, fit_dataset
from isthmus.selection import RankDecision, decide_rank
from isthmus.spectra import (
    ProfileComparison,
    ProfileLogger,
    RankCurve,
    RankEstimate,
    RankProfile,
    bottleneck_rank,
    compare,
    jacobian_rank,
    lightning_callback,
    measure,
)
from isthmus.training import (
    FittedNetwork,
    Plan,
    RankSearch,
    fit,
    fit_many,
    ridge_path,
    search_rank,
)

if TYPE_CHECKING:
    from isthmus.estimators import RankAutoencoder as RankAutoencoder
    from isthmus.estimators import RankClassifier as RankClassifier
    from isthmus.estimators import RankRegressor as RankRegressor

# They need the extra `sklearn`, and scikit-learn takes a second to import: opened by who asks for one of them, and not
# among the names of a star import, which would ask for all.
_ESTIMATORS = ("RankAutoencoder", "RankClassifier", "RankRegressor")

__all__ = [
    "Alignment",
    "Attribution",
    "CostInterval",
    "Dataset",
    "DepthWindow",
    "DimensionEstimate",
    "Factorization",
    "FitOptions",
    "FittedNetwork",
    "FullyConnected",
    "IsthmusError",
    "Plan",
    "Plane",
    "ProfileComparison",
    "ProfileLogger",
    "RankCurve",
    "RankDecision",
    "RankEstimate",
    "RankProfile",
    "RankSearch",
    "StandardizedNetwork",
    "Tolerance",
    "alignment",
    "attribution",
    "bottleneck_rank",
    "compare",
    "cost_limit",
    "dataset_from_arrays",
    "decide_rank",
    "depth_window",
    "enumerate_regions",
    "factor",
    "fit",
    "fit_dataset",
    "fit_many",
    "from_torch",
    "jacobian_rank",
    "lightning_callback",
    "load",
    "load_dataset",
    "manifold_dimension",
    "measure",
    "representation_cost",
    "ridge_path",
    "save",
    "search_rank",
    "to_torch",
]


def __getattr__(name: str) -> Any:
    if name in _ESTIMATORS:
        return getattr(import_module("isthmus.estimators"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ESTIMATORS})
