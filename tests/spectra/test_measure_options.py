"""What is asked of a measurement is checked before it begins, also in Python."""

import pytest
import torch

from isthmus import measure
from isthmus.errors import OptionError
from isthmus.networks import FullyConnected, LeakyResNet


@pytest.mark.parametrize("name", ["points", "leading", "evaluations"])
@pytest.mark.parametrize("value", [0, -1, True, 2.5, "3"])
@pytest.mark.parametrize("model", [torch.nn.Linear(2, 2), lambda x: x], ids=["module", "function"])
def test_counts_are_whole_numbers(name, value, model):
    with pytest.raises(OptionError, match=f"{name} is .* but must be a whole number, at least 1"):
        measure(model, torch.randn(9, 2), **{name: value})


def test_a_leaky_resnet_is_measured_as_the_network_that_it_is():
    torch.manual_seed(0)
    weights = tuple(torch.randn(*shape) for shape in ((4, 3), (4, 4), (2, 4)))
    model = LeakyResNet(FullyConnected(weights, tuple(torch.randn(len(w)) for w in weights)), (0.5,))
    x = torch.randn(30, 3)
    found, network = measure(model, x), measure(model.fully_connected(), x)
    assert found.jacobian_rank == network.jacobian_rank
    assert found.bottleneck_rank == network.bottleneck_rank


def test_a_budget_speaks_of_the_evaluations_that_were_allowed():
    with pytest.raises(ValueError, match="but 5 evaluations are allowed"):
        measure(lambda x: x, torch.randn(50, 5).numpy(), evaluations=5)
