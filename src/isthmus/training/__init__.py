"""Learn f: minimise loss + (λ/L)‖w‖² by a loop one can read."""

from isthmus.training.config import Plan
from isthmus.training.fitting import FittedNetwork, check_options, fit
from isthmus.training.history import Moment
from isthmus.training.identity_layers import grown
from isthmus.training.linear_runs import balance_linear_runs
from isthmus.training.loss import cross_entropy, squared_error
from isthmus.training.many import fit_many
from isthmus.training.natural import natural_lbfgs
from isthmus.training.neuron_pruning import condense, widened
from isthmus.training.norm_reduction import tidy
from isthmus.training.objective import Objective
from isthmus.training.parameters import Parameters, random_network
from isthmus.training.problem import constant_loss
from isthmus.training.projection import project
from isthmus.training.quasi_newton import lbfgs
from isthmus.training.rank_search import RankCandidate, RankSearch, search_rank
from isthmus.training.rebalancing import rebalance
from isthmus.training.ridge_path import PathPoint, ridge_path
from isthmus.training.settling import Settled, settle
from isthmus.training.stationarity import Subgradient, least_subgradient
from isthmus.training.stored import StoredRows
from isthmus.training.warm_start import WARM_PLAN, improved

__all__ = [
    "WARM_PLAN",
    "FittedNetwork",
    "Moment",
    "Objective",
    "Parameters",
    "PathPoint",
    "Plan",
    "RankCandidate",
    "RankSearch",
    "Settled",
    "StoredRows",
    "Subgradient",
    "balance_linear_runs",
    "check_options",
    "condense",
    "constant_loss",
    "cross_entropy",
    "fit",
    "fit_many",
    "grown",
    "improved",
    "lbfgs",
    "least_subgradient",
    "natural_lbfgs",
    "project",
    "random_network",
    "rebalance",
    "ridge_path",
    "search_rank",
    "settle",
    "squared_error",
    "tidy",
    "widened",
]
