"""Learn f: minimise loss + (λ/L)‖w‖² by a loop one can read."""

from isthmus.training.adam import Adam
from isthmus.training.config import Schedule, TrainingConfig
from isthmus.training.convolutional import convolutional_autoencoder, fit_module
from isthmus.training.curvature import CurvatureFrame, curvatures
from isthmus.training.fitting import FittedNetwork, fit
from isthmus.training.history import Moment
from isthmus.training.identity_convolutions import insert_identity_convolutions
from isthmus.training.identity_layers import insert_identity_layers
from isthmus.training.leaky_fitting import adapt_steps, continue_leaky_resnet, equal_steps, fit_leaky_resnet
from isthmus.training.leaky_objective import LeakyObjective
from isthmus.training.natural import minimize_matrices, natural_lbfgs
from isthmus.training.neuron_pruning import prune_neurons, widened
from isthmus.training.norm_reduction import reduce_norm
from isthmus.training.objective import Objective
from isthmus.training.parameters import Parameters, random_network
from isthmus.training.problem import constant_loss
from isthmus.training.projection import project
from isthmus.training.quasi_newton import Proceed, lbfgs
from isthmus.training.rank_candidates import RankCandidate, RankSearch
from isthmus.training.rank_search import search_rank
from isthmus.training.rebalancing import rebalance
from isthmus.training.stored import StoredRows
from isthmus.training.warm_start import WARM_SCHEDULE, warm_start_fit

__all__ = [
    "WARM_SCHEDULE",
    "Adam",
    "CurvatureFrame",
    "FittedNetwork",
    "LeakyObjective",
    "Moment",
    "Objective",
    "Parameters",
    "Proceed",
    "RankCandidate",
    "RankSearch",
    "Schedule",
    "StoredRows",
    "TrainingConfig",
    "adapt_steps",
    "constant_loss",
    "continue_leaky_resnet",
    "convolutional_autoencoder",
    "curvatures",
    "equal_steps",
    "fit",
    "fit_leaky_resnet",
    "fit_module",
    "insert_identity_convolutions",
    "insert_identity_layers",
    "lbfgs",
    "minimize_matrices",
    "natural_lbfgs",
    "project",
    "prune_neurons",
    "random_network",
    "rebalance",
    "reduce_norm",
    "search_rank",
    "warm_start_fit",
    "widened",
]
