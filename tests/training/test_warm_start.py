"""Training on what has been trained: deeper, and at another λ."""

import numpy as np
import torch

from isthmus.training import Schedule, TrainingConfig, fit, insert_identity_layers, warm_start_fit

SHORT = Schedule(steps=100, rounds=1, evaluations=30)


def pairs(n=80, d=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, np.maximum(x @ rng.standard_normal((d, 3)), 0)


def test_deepening_and_training_on_lowers_the_objective_per_layer():
    x, y = pairs()
    shallow = fit(x, y, config=TrainingConfig(depth=4, width=10, ridge=0.1, schedule=SHORT))
    objective = shallow.objective.with_ridge(0.1 * 8 / 4)
    deep = insert_identity_layers(shallow.network, shallow.objective.x, 8)
    assert objective.value(warm_start_fit(deep, objective, schedule=SHORT)) < objective.value(deep)
    assert torch.allclose(deep(shallow.objective.x), shallow.network(shallow.objective.x), atol=1e-4)
