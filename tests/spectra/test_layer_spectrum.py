"""Layer measurements against their definitions, written with numpy on all rows at once."""

import numpy as np
import pytest
import torch

from cases import random_layers
from isthmus.networks import IDENTITY, RELU, FullyConnected
from isthmus.spectra import layer_spectra
from isthmus.spectra import layer_spectrum as spectrum


def test_spectra_are_those_of_numpy(activation, points, monkeypatch):
    network = random_layers((5, 7, 6, 3), activation, seed=1)
    monkeypatch.setattr(spectrum, "CHUNK", 7)  # several chunks must give the same numbers as one
    z = [t.numpy() for t in network.pre_activations(points)]
    slope = network.activation.negative_slope
    for found, w, z_l in zip(layer_spectra(network, points), network.weights, z, strict=True):
        bent = np.where(z_l > 0, z_l, slope * z_l)
        a = z_l if found.layer == network.depth else bent
        expected = np.linalg.svd(a - a.mean(0), compute_uv=False) / np.sqrt(len(a))
        np.testing.assert_allclose(found.activation_singular_values, expected, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(found.weight_singular_values, np.linalg.svd(w.numpy(), compute_uv=False))
        if found.layer < network.depth:
            impact = np.linalg.norm(z_l - bent) / np.linalg.norm(z_l)
            assert found.nonlinearity_impact == pytest.approx(impact, abs=1e-12)
        else:
            assert found.nonlinearity_impact is None


def test_large_means_do_not_hide_small_variations():
    x = 1e6 + torch.randn(10_000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    network = FullyConnected((torch.eye(1).double(),), (torch.zeros(1).double(),), IDENTITY)
    (found,) = layer_spectra(network, x)
    assert found.activation_singular_values[0] == pytest.approx(float(x.std(correction=0)), rel=1e-9)


def test_a_dead_layer_has_no_impact_to_speak_of():
    network = FullyConnected((torch.zeros(2, 1), torch.zeros(1, 2)), (torch.zeros(2), torch.zeros(1)), RELU)
    assert layer_spectra(network, torch.ones(3, 1))[0].nonlinearity_impact is None
