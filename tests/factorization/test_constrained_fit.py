"""Training on through k numbers."""

import torch

from cases import random_layers
from isthmus.factorization import refit
from isthmus.foundation.likelihood import GAUSSIAN
from isthmus.networks import RELU
from isthmus.training import Objective


def data(d, n=300, seed=1):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_refit_lowers_the_objective_and_keeps_the_rank():
    network, x = random_layers((5, 10, 10, 4), RELU, seed=2), data(5)
    objective = Objective(x, random_layers((5, 8, 4), RELU, seed=3)(x), GAUSSIAN, 0.01)
    for layer in (0, 1, 2):
        start = refit(network, layer, 2, objective, evaluations=1)
        end = refit(network, layer, 2, objective, evaluations=60)
        assert objective.value(end) < objective.value(start)
        assert int(torch.linalg.matrix_rank(end.weights[layer], rtol=1e-8)) == 2
