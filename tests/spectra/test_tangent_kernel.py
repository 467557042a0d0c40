"""The trace of the tangent kernel beside autograd, a derivative for every weight and bias."""

import pytest
import torch

from cases import ACTIVATIONS, random_layers
from isthmus import measure
from isthmus.networks import FullyConnected
from isthmus.spectra import tangent_kernel_traces


@pytest.mark.parametrize("widths", [(3, 5, 4, 2), (4, 3, 8), (2, 6)])
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda a: a.name)
def test_it_is_that_of_autograd(widths, activation):
    network = random_layers(widths, activation, seed=1)
    x = torch.randn(4, widths[0], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = []
    for row in x:
        w = [t.clone().requires_grad_() for t in network.weights]
        b = [t.clone().requires_grad_() for t in network.biases]
        a = row
        for layer, (weight, bias) in enumerate(zip(w, b, strict=True), start=1):
            a = weight @ a + bias
            a = a if layer == len(w) else torch.where(a > 0, a, activation.negative_slope * a)
        total = 0.0
        for output in a:
            gradients = torch.autograd.grad(output, [*w, *b], retain_graph=True)
            total += sum(float(g.square().sum()) for g in gradients)
        expected.append(total)
    assert tangent_kernel_traces(network, x).tolist() == pytest.approx(expected, rel=1e-12)
    profile = measure(network, x)
    assert profile.kernel_per_depth == pytest.approx(sum(expected) / 4 / network.depth, rel=1e-9)


def test_a_constant_has_the_kernel_of_its_biases():
    network = FullyConnected((torch.zeros(3, 2), torch.zeros(2, 3)), (torch.zeros(3), torch.ones(2)))
    assert tangent_kernel_traces(network, torch.ones(1, 2)).tolist() == [2.0]
