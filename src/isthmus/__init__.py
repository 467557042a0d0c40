"""isthmus: how many numbers does a map really pass through?

Give it data (x, y) or a trained network f; it returns the rank with its evidence, the two halves of f = h ∘ g that
meet in R^k, the error for every smaller k, and what f costs at each depth. The mathematics is Jacot's notion of rank
for nonlinear functions (ICLR 2023).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isthmus.compression import compress as compress
    from isthmus.costs import depth_window as depth_window
    from isthmus.costs import representation_cost as representation_cost
    from isthmus.data import load_dataset as load_dataset
    from isthmus.dimension import manifold_dimension as manifold_dimension
    from isthmus.errors import IsthmusError as IsthmusError
    from isthmus.estimators import RankAutoencoder as RankAutoencoder
    from isthmus.estimators import RankClassifier as RankClassifier
    from isthmus.estimators import RankRegressor as RankRegressor
    from isthmus.factorization import Factorization as Factorization
    from isthmus.factorization import attribution as attribution
    from isthmus.factorization import factor as factor
    from isthmus.formats import load_network as load_network
    from isthmus.foundation.tolerance import Tolerance as Tolerance
    from isthmus.regions import enumerate_regions as enumerate_regions
    from isthmus.runs import load_run as load_run
    from isthmus.selection import RankSelection as RankSelection
    from isthmus.selection import SelectionConfig as SelectionConfig
    from isthmus.selection import select_rank as select_rank
    from isthmus.spectra import RankProfile as RankProfile
    from isthmus.spectra import bottleneck_rank as bottleneck_rank
    from isthmus.spectra import jacobian_rank as jacobian_rank
    from isthmus.spectra import measure as measure
    from isthmus.training import TrainingConfig as TrainingConfig
    from isthmus.training import fit as fit

# Opened when asked for: torch takes a second to import, scikit-learn another, and `isthmus --help` needs neither.
_HOMES = {
    "compression": ("compress",),
    "costs": ("depth_window", "representation_cost"),
    "data": ("load_dataset",),
    "dimension": ("manifold_dimension",),
    "errors": ("IsthmusError",),
    "estimators": ("RankAutoencoder", "RankClassifier", "RankRegressor"),
    "factorization": ("Factorization", "attribution", "factor"),
    "formats": ("load_network",),
    "foundation.tolerance": ("Tolerance",),
    "regions": ("enumerate_regions",),
    "runs": ("load_run",),
    "selection": ("RankSelection", "SelectionConfig", "select_rank"),
    "spectra": ("RankProfile", "bottleneck_rank", "jacobian_rank", "measure"),
    "training": ("TrainingConfig", "fit"),
}
_HOME = {name: f"isthmus.{home}" for home, names in _HOMES.items() for name in names}
_MOVED = {
    "Alignment": "isthmus.factorization.Alignment",
    "Attribution": "isthmus.factorization.Attribution",
    "CostInterval": "isthmus.costs.CostInterval",
    "Dataset": "isthmus.data.Dataset",
    "DepthWindow": "isthmus.costs.DepthWindow",
    "DimensionEstimate": "isthmus.dimension.DimensionEstimate",
    "FitOptions": "isthmus.SelectionConfig",
    "FittedNetwork": "isthmus.training.FittedNetwork",
    "FullyConnected": "isthmus.networks.FullyConnected",
    "Plan": "isthmus.training.Schedule",
    "Plane": "isthmus.regions.Plane",
    "ProfileComparison": "two calls of isthmus.measure",
    "ProfileLogger": "isthmus.spectra.ProfileLogger",
    "RankCurve": "isthmus.spectra.RankCurve",
    "RankDecision": "isthmus.RankSelection",
    "RankEstimate": "isthmus.spectra.RankEstimate",
    "RankSearch": "isthmus.training.RankSearch",
    "StandardizedNetwork": "isthmus.networks.StandardizedNetwork",
    "alignment": "isthmus.factorization.alignment",
    "compare": "two calls of isthmus.measure",
    "cost_limit": "isthmus.costs.cost_limit",
    "dataset_from_arrays": "isthmus.data.dataset_from_arrays",
    "decide_rank": "isthmus.select_rank",
    "fit_dataset": "isthmus.runs.run_fit",
    "fit_many": "isthmus.fit, once for each network",
    "from_torch": "isthmus.networks.from_torch",
    "functions": "isthmus.networks and isthmus.formats",
    "lightning_callback": "isthmus.spectra.lightning_callback",
    "ranks": "isthmus.spectra and isthmus.dimension",
    "ridge_path": "isthmus.select_rank, which chooses λ itself",
    "save": "isthmus.formats.save",
    "search_rank": "isthmus.training.search_rank",
    "to_torch": "isthmus.networks.to_torch",
}
"""Names of the first edition, and where what they meant is now."""

__all__ = [
    "Factorization",
    "IsthmusError",
    "RankProfile",
    "RankSelection",
    "SelectionConfig",
    "Tolerance",
    "TrainingConfig",
    "attribution",
    "bottleneck_rank",
    "compress",
    "depth_window",
    "enumerate_regions",
    "factor",
    "fit",
    "jacobian_rank",
    "load_dataset",
    "load_network",
    "load_run",
    "manifold_dimension",
    "measure",
    "representation_cost",
    "select_rank",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    if name in _MOVED:
        raise AttributeError(f"isthmus.{name} is gone since version 0.2. Use {_MOVED[name]}.")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
