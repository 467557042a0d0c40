"""Ratios of the activations' singular values, against the eigenvalues of Gram matrices and layers known by hand."""

import numpy as np
import pytest
import torch

from cases import random_layers
from isthmus.costs import activation_ratios
from isthmus.errors import NonFiniteError, OptionError, ShapeError
from isthmus.networks import RELU, FullyConnected


def test_against_the_eigenvalues_of_the_gram_matrices(points):
    network = random_layers((5, 7, 6, 4), RELU, seed=1)
    a, ratios = points.numpy(), {1: [], 2: []}
    for w, b in zip(network.weights[:-1], network.biases[:-1], strict=True):
        a = np.maximum(a @ w.numpy().T + b.numpy(), 0.0)
        eigenvalues = np.linalg.eigvalsh(a.T @ a)[::-1]
        for k, found in ratios.items():
            found.append((eigenvalues[k] / eigenvalues[0]) ** 0.5)
    assert activation_ratios(network, points) == pytest.approx(ratios[1], rel=1e-9)
    assert activation_ratios(network, points, rank=2) == pytest.approx(ratios[2], rel=1e-9)


def test_a_line_that_misses_the_origin_is_two_directions():
    """Activations (1, t) for t = 0, …, 9: AᵀA = [[10, 45], [45, 285]]."""
    w = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    b = torch.tensor([1.0, 0.0], dtype=torch.float64)
    network = FullyConnected((w, torch.eye(2).double()), (b, torch.zeros(2).double()))
    large, small = sorted(np.roots([1.0, -295.0, 10.0 * 285.0 - 45.0**2]))[::-1]
    assert activation_ratios(network, [[float(t)] for t in range(10)]) == pytest.approx([(small / large) ** 0.5])


def test_one_neuron_or_none_that_fires_is_zero():
    network = random_layers((2, 1, 3, 2), RELU, seed=0)
    dead = (network.biases[0], torch.full((3,), -1e3).double(), network.biases[2])
    assert activation_ratios(FullyConnected(network.weights, dead), torch.ones(4, 2)) == (0.0, 0.0)


def test_what_has_no_ratio_is_refused():
    network = random_layers((2, 3, 2), RELU, seed=0)
    with pytest.raises(OptionError, match="depth of the network is 1 but must be at least 2"):
        activation_ratios(random_layers((2, 2), RELU, seed=0), torch.ones(3, 2))
    with pytest.raises(OptionError, match="rank is 0 but must be at least 1"):
        activation_ratios(network, torch.ones(3, 2), rank=0)
    with pytest.raises(ShapeError, match="3 columns but the network takes 2"):
        activation_ratios(network, torch.ones(3, 3))
    with pytest.raises(NonFiniteError, match="row 1, column 0"):
        activation_ratios(network, torch.tensor([[1.0, 1.0], [float("nan"), 1.0]]))
