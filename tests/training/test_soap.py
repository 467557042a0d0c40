"""SOAP on batched layers against a package's implementation for single matrices."""

import pytest
import torch
from pytorch_optimizer import SOAP

from cases import random_layers
from isthmus.networks import RELU
from isthmus.training import Parameters
from isthmus.training import soap as soap_module
from isthmus.training.soap import Soap


def joint(parameters, layer, index=0):
    return torch.cat([parameters.weights[layer][index], parameters.biases[layer][index][:, None]], 1)


def draw(vector, seed):
    return torch.randn(vector.shape, generator=torch.Generator().manual_seed(seed), dtype=vector.dtype)


def test_every_step_is_that_of_the_reference(monkeypatch):
    # Shapes whose first gradients have no null space of more than one dimension: its basis would be arbitrary.
    monkeypatch.setattr(soap_module, "_TINY", 1e-8)  # the reference's own
    at = Parameters.of(random_layers((6, 7, 7, 7, 7), RELU, seed=0))
    slope = at.like(torch.zeros_like(at.vector))
    mine = Soap(at, slope, refresh=4)
    leaves = [torch.nn.Parameter(joint(at, layer).clone(), requires_grad=False) for layer in range(at.depth)]
    reference = SOAP(leaves, lr=1e-2, betas=(0.9, 0.9), weight_decay=0.0, precondition_frequency=4)
    for step in range(30):
        slope.vector.copy_(draw(slope.vector, step))
        for layer, leaf in enumerate(leaves):
            leaf.grad = joint(slope, layer)
        mine.step(1e-2)
        reference.step()
        for layer, leaf in enumerate(leaves):
            # The reference turns its bases in single precision.
            torch.testing.assert_close(joint(at, layer), leaf.data, rtol=0, atol=1e-6)
    assert float((at.vector - Parameters.of(random_layers((6, 7, 7, 7, 7), RELU, seed=0)).vector).abs().max()) > 0.02


def trajectory(networks, gradients, rates):
    at = Parameters.of(networks)
    slope = at.like(torch.zeros_like(at.vector))
    soap = Soap(at, slope, refresh=3)
    for gradient in gradients:
        slope.vector.copy_(gradient)
        soap.step(rates)
    return at.vector


def test_networks_in_one_batch_do_not_see_each_other():
    networks = [random_layers((5, 6, 7, 7), RELU, seed=s) for s in range(3)]
    size = networks[0].parameter_count
    gradients = [draw(torch.zeros(3, size, dtype=torch.float64), 10 + step) for step in range(12)]
    rates = torch.tensor([1e-2, 2e-3, 5e-2], dtype=torch.float64)
    together = trajectory(networks, gradients, rates)
    for index, network in enumerate(networks):
        alone = trajectory([network], [g[index : index + 1] for g in gradients], rates[index])
        torch.testing.assert_close(together[index], alone[0], rtol=0, atol=1e-9)


def test_a_restored_state_continues_bit_for_bit():
    network = random_layers((4, 6, 6, 2), RELU, seed=1)
    gradients = [draw(torch.zeros(1, network.parameter_count, dtype=torch.float64), s) for s in range(20)]
    whole = trajectory([network], gradients, 1e-2)
    at = Parameters.of(network)
    slope = at.like(torch.zeros_like(at.vector))
    soap = Soap(at, slope, refresh=3)
    for gradient in gradients[:9]:
        slope.vector.copy_(gradient)
        soap.step(1e-2)
    again = Soap(at, slope, refresh=3)
    again.restore({name: t.clone() for name, t in soap.state().items()})
    for gradient in gradients[9:]:
        slope.vector.copy_(gradient)
        again.step(1e-2)
    assert torch.equal(at.vector, whole)


@pytest.mark.parametrize("limit", [3, 6])
def test_long_sides_keep_their_own_basis(limit, monkeypatch):
    monkeypatch.setattr(soap_module, "_LARGEST_SIDE", limit)
    network = random_layers((4, 9, 2), RELU, seed=1)
    gradients = [draw(torch.zeros(1, network.parameter_count, dtype=torch.float64), s) for s in range(8)]
    assert torch.isfinite(trajectory([network], gradients, 1e-2)).all()
