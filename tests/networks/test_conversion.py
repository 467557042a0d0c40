"""Conversion from and to torch: torch's own forward pass is the oracle."""

import pytest
import torch
from torch import nn

from cases import random_layers
from isthmus.errors import UnsupportedModuleError
from isthmus.networks import (
    ABSOLUTE,
    IDENTITY,
    from_torch,
    to_torch,
)


def seeded(build):
    torch.manual_seed(0)
    module = build().double()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d) and part.running_mean is not None:
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2.0)
            if part.affine:
                part.weight.data.normal_()
                part.bias.data.normal_()
    return module.eval()


SUPPORTED = {
    "linear": (lambda: nn.Linear(5, 3), 1),
    "no bias": (lambda: nn.Linear(5, 3, bias=False), 1),
    "relu": (lambda: nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3)), 2),
    "leaky": (lambda: nn.Sequential(nn.Linear(5, 8), nn.LeakyReLU(0.3), nn.Linear(8, 3)), 2),
    "nested": (lambda: nn.Sequential(nn.Sequential(nn.Linear(5, 8), nn.ReLU()), nn.Sequential(nn.Linear(8, 3))), 2),
    "deep linear keeps its depth": (lambda: nn.Sequential(nn.Linear(5, 8), nn.Identity(), nn.Linear(8, 3)), 2),
    "affine maps merge": (lambda: nn.Sequential(nn.Linear(5, 8), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3)), 2),
    "batch norm after": (lambda: nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)), 2),
    "batch norm before": (lambda: nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3)), 2),
    "batch norm after relu": (
        lambda: nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.BatchNorm1d(8, affine=False), nn.Linear(8, 3)),
        2,
    ),
    "batch norm in a linear net": (lambda: nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)), 2),
    "dropout": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(5, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3)), 2),
    "activation last": (lambda: nn.Sequential(nn.Linear(5, 3), nn.ReLU()), 2),
    "activation first": (lambda: nn.Sequential(nn.ReLU(), nn.Linear(5, 3)), 2),
    "activation twice": (lambda: nn.Sequential(nn.Linear(5, 3), nn.LeakyReLU(0.5), nn.LeakyReLU(0.5)), 3),
    "activation alone between norms": (lambda: nn.Sequential(nn.BatchNorm1d(5), nn.ReLU(), nn.BatchNorm1d(5)), 2),
    "weight norm": (
        lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(5, 8)), nn.ReLU(), nn.Linear(8, 3)),
        2,
    ),
}


@pytest.mark.parametrize("name", SUPPORTED)
def test_supported_modules_keep_their_function_and_depth(name, points):
    build, depth = SUPPORTED[name]
    module = seeded(build)
    network = from_torch(module)
    assert network.depth == depth
    torch.testing.assert_close(network(points), module(points).detach(), rtol=1e-10, atol=1e-10)


def test_the_value_shares_no_memory_with_the_module(points):
    module = seeded(lambda: nn.Linear(5, 3))
    network = from_torch(module)
    before = network(points)
    with torch.no_grad():
        module.weight.zero_()
    torch.testing.assert_close(network(points), before, rtol=0, atol=0)


class Doubled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


def hooked():
    module = nn.Linear(5, 3)
    module.register_forward_hook(lambda *_: None)
    return module


REFUSED = {
    "GELU (1)": (lambda: nn.Sequential(nn.Linear(5, 3), nn.GELU()), "no exact form"),
    "Tanh (0)": (lambda: nn.Sequential(nn.Tanh(), nn.Linear(5, 3)), "no exact form"),
    "Conv1d (0)": (lambda: nn.Sequential(nn.Conv1d(1, 1, 1)), "the shape of one input is needed"),
    "Doubled (root)": (lambda: Doubled(5, 3), "no exact form"),
    "Linear (root)": (hooked, "forward hooks"),
    "Flatten (1)": (lambda: nn.Sequential(nn.Linear(5, 3), nn.Flatten(0)), "rows of a matrix"),
    "LayerNorm (1)": (lambda: nn.Sequential(nn.Linear(5, 3), nn.LayerNorm(3)), "no exact form"),
    "relu": (
        lambda: nn.Sequential(nn.Linear(5, 3), nn.ReLU(), nn.Linear(3, 3), nn.LeakyReLU(0.1), nn.Linear(3, 3)),
        "more than one activation",
    ),
    "Sequential": (lambda: nn.Sequential(nn.ReLU()), "no Linear layer"),
    "BatchNorm1d (1)": (
        lambda: nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3, track_running_stats=False)),
        "running statistics",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_rest_is_refused_by_name(name):
    build, reason = REFUSED[name]
    with pytest.raises(UnsupportedModuleError, match=reason) as refusal:
        from_torch(build().eval())
    assert name in str(refusal.value)


def test_random_modules_are_refused_in_training_mode():
    module = nn.Sequential(nn.Linear(5, 3), nn.Dropout(0.5)).train()
    with pytest.raises(UnsupportedModuleError, match=r"Dropout \(1\).*call \.eval\(\)"):
        from_torch(module)
    module = nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3)).train()
    with pytest.raises(UnsupportedModuleError, match=r"BatchNorm1d \(1\).*call \.eval\(\)"):
        from_torch(module)


def test_to_torch_and_back(activation, points):
    network = random_layers((5, 7, 6, 3), activation, seed=4)
    if activation == ABSOLUTE:
        with pytest.raises(UnsupportedModuleError, match="no module for this activation"):
            to_torch(network)
        return
    module = to_torch(network)
    torch.testing.assert_close(module(points).detach(), network(points), rtol=1e-12, atol=1e-12)
    again = from_torch(module)
    assert (again.depth, again.activation) == (network.depth, network.activation)
    torch.testing.assert_close(again(points), network(points), rtol=0, atol=0)


def test_a_linear_network_comes_back_with_its_depth():
    assert from_torch(to_torch(random_layers((4, 3, 2), IDENTITY, seed=0))).depth == 2
