"""The last latent coordinate of networks written down by hand: free, or a bend of the others."""

import math

import numpy as np
import pytest
import torch

from isthmus.foundation.likelihood import CATEGORICAL, GAUSSIAN
from isthmus.networks import FullyConnected, activation
from isthmus.selection.last_latent import last_latent
from isthmus.spectra import jacobians

RELU = activation("relu")


def rows(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def network(*weights):
    layers = tuple(torch.tensor(w, dtype=torch.float64) for w in weights)
    return FullyConnected(layers, tuple(torch.zeros(len(w), dtype=torch.float64) for w in layers), RELU)


def test_two_free_numbers_matter_as_their_slopes_do():
    # f(x) = (3 x₁, x₂) through |x₁| and |x₂| as two neurons each
    f = network([[1, 0], [-1, 0], [0, 1], [0, -1]], [[3, -3, 0, 0], [0, 0, 1, -1]])
    found = last_latent(f, 1, 2, rows(2000, 2), GAUSSIAN)
    assert found.sensitivity == pytest.approx(1 / 3, rel=0.03)
    assert found.r2_given_others < 0.1


def test_a_bend_is_determined_by_the_number_it_bends():
    # f(x) = (x₁, 0.4 |x₁|): a line, bent, through two numbers
    f = network([[1, 0], [-1, 0]], [[1, -1], [0.4, 0.4]])
    x = rows(2000, 2)
    found = last_latent(f, 1, 2, x, GAUSSIAN)
    # cov(x, |x|) = 0, so the axes stay; |x| has variance 1 − 2/π, and both slopes are constant in size.
    assert found.sensitivity == pytest.approx(0.4 * math.sqrt(1.0 - 2.0 / math.pi), rel=0.05)
    assert found.r2_given_others > 0.98


def test_one_number_depends_on_nothing_and_a_dead_one_has_no_effect():
    f = network([[1, 0], [-1, 0]], [[1, -1], [0.4, 0.4]])
    alone = last_latent(f, 1, 1, rows(100, 2), GAUSSIAN)
    assert (alone.sensitivity, alone.r2_given_others) == (1.0, 0.0)
    line = network([[1, 0], [-1, 0]], [[1, -1], [2, -2]])
    dead = last_latent(line, 1, 2, rows(100, 2), GAUSSIAN)
    assert dead.sensitivity == pytest.approx(0.0, abs=1e-6)
    zero = network([[0, 0], [0, 0]], [[0, 0], [0, 0]])
    nothing = last_latent(zero, 1, 1, rows(100, 2), GAUSSIAN)
    assert (nothing.sensitivity, nothing.r2_given_others) == (0.0, 0.0)


def test_rotating_and_scaling_the_latent_plane_changes_nothing():
    g, h = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]]), np.array([[3.0, -3, 0, 0], [0, 0, 1, -1]])
    turn = np.array([[0.6, -0.8], [0.8, 0.6]]) @ np.diag([5.0, 0.1])
    through = np.linalg.inv(turn) @ h
    big = network(g, np.concatenate([through, -through]), np.concatenate([turn, -turn], 1))
    small = network(g, h)
    x = rows(500, 2, seed=1)
    one, other = last_latent(small, 1, 2, x, GAUSSIAN), last_latent(big, 2, 2, x, GAUSSIAN)
    assert other.sensitivity == pytest.approx(one.sensitivity, rel=1e-6)
    assert other.r2_given_others == pytest.approx(one.r2_given_others, abs=0.02)


def test_slopes_of_classes_are_those_of_the_roots_of_the_probabilities():
    f = network([[1, 0.5], [-1, 0.3], [0.2, -1]], [[1, -1, 0.5], [0.4, 0.4, -2], [1, 0, 1]])
    x, step = rows(7, 2), 1e-6
    found = CATEGORICAL.in_metric(jacobians(f, x), f(x))
    for j in range(2):
        move = step * torch.eye(2, dtype=torch.float64)[j]
        expected = (2 * f(x + move).softmax(1).sqrt() - 2 * f(x - move).softmax(1).sqrt()) / (2 * step)
        torch.testing.assert_close(found[:, :, j], expected, rtol=1e-5, atol=1e-7)
