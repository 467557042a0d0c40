"""Learn f: minimise loss + (λ/L)‖w‖² by a loop one can read."""

from isthmus.training.condensing import condense, widened
from isthmus.training.fit import FittedNetwork, check_options, fit
from isthmus.training.history import Moment
from isthmus.training.loss import cross_entropy, squared_error
from isthmus.training.many import fit_many
from isthmus.training.natural import natural_lbfgs
from isthmus.training.objective import Objective
from isthmus.training.parameters import Parameters, random_network
from isthmus.training.plan import Plan
from isthmus.training.problem import constant_loss
from isthmus.training.projection import project
from isthmus.training.quasi_newton import lbfgs
from isthmus.training.rebalancing import rebalance
from isthmus.training.stored import StoredRows

__all__ = [
    "FittedNetwork",
    "Moment",
    "Objective",
    "Parameters",
    "Plan",
    "StoredRows",
    "check_options",
    "condense",
    "constant_loss",
    "cross_entropy",
    "fit",
    "fit_many",
    "lbfgs",
    "natural_lbfgs",
    "project",
    "random_network",
    "rebalance",
    "squared_error",
    "widened",
]
