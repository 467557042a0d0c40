"""Modules as people have them: compiled, parallel, scripted, used twice, in half precision, checkpointed, quantised."""

import pytest
import torch
import torch.utils.checkpoint
from torch import nn

from isthmus import enumerate_regions, jacobian_rank, measure
from isthmus.errors import MixedRowsError, ModelCallError, NotDifferentiableError
from isthmus.networks import from_torch

X = torch.randn(100, 6, generator=torch.Generator().manual_seed(0))


def plain():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3), nn.ReLU(), nn.Linear(3, 5)).eval()


def ranks(module, x=X):
    profile = measure(module, x)
    return profile.jacobian_rank.lower, profile.bottleneck_rank.upper


WRAPPERS = {
    "compiled": lambda net: torch.compile(net, backend="eager"),
    "parallel": nn.DataParallel,
    "parallel and compiled": lambda net: nn.DataParallel(torch.compile(net, backend="eager")),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_wrapper_changes_nothing(name):
    wrapped = WRAPPERS[name](plain())
    assert measure(wrapped, X).record() == measure(plain(), X).record()
    assert jacobian_rank(wrapped, X) == jacobian_rank(plain(), X)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("script", [torch.jit.script, lambda net: torch.jit.trace(net, X[:2])])
def test_a_script_is_measured_by_derivatives(script):
    profile = measure(script(plain()), X)
    assert profile.method == "local"
    expected = measure(plain(), X)
    assert profile.jacobian_rank.lower == expected.jacobian_rank.lower
    found = profile.jacobian.singular_values[:, :3]
    torch.testing.assert_close(found, expected.jacobian.singular_values, rtol=1e-4, atol=1e-5)


def twice(first, second, act):
    net = nn.Sequential(nn.Linear(3, 3), act, nn.Linear(3, 3), act)
    with torch.no_grad():
        for layer, sign in ((net[0], first), (net[2], second)):
            layer.weight.copy_(sign * torch.eye(3))
            layer.bias.zero_()
    return net


def test_an_activation_used_twice_counts_twice():
    net, x = twice(1.0, -1.0, nn.ReLU()), torch.rand(100, 3) + 0.1  # relu(−relu(x)) is 0 everywhere
    assert float(from_torch(net)(x).abs().max()) == 0.0
    assert ranks(net, x) == (0, 0)


@pytest.mark.parametrize("act", [nn.ReLU(), nn.Tanh()])
def test_a_block_used_twice_counts_twice(act):
    torch.manual_seed(0)
    block = nn.Sequential(nn.Linear(4, 4), act)
    tied = nn.Sequential(block, block, nn.Linear(4, 2)).eval()
    own = nn.Sequential(block, nn.Sequential(nn.Linear(4, 4), type(act)()), tied[2])
    own[1].load_state_dict(block.state_dict())
    x = torch.randn(80, 4)
    assert ranks(tied, x) == ranks(own, x)
    torch.testing.assert_close(
        measure(tied, x).jacobian.singular_values, measure(own, x).jacobian.singular_values, rtol=1e-6, atol=1e-7
    )


def test_regions_of_a_reused_activation_are_those_of_its_own():
    torch.manual_seed(3)
    act = nn.ReLU()
    net = nn.Sequential(nn.Linear(2, 8), act, nn.Linear(8, 8), act, nn.Linear(8, 1)).double()
    own = nn.Sequential(net[0], nn.ReLU(), net[2], nn.ReLU(), net[4])
    assert len(enumerate_regions(net, (-1, 1))) == len(enumerate_regions(own, (-1, 1)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("act", [nn.ReLU, nn.GELU])
def test_half_precision_is_computed_in_single_and_told(dtype, act):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), act(), nn.Linear(8, 3)).to(dtype)
    profile = measure(net, X)
    assert next(net.parameters()).dtype == dtype
    assert profile.notes[0].startswith(f"Its weights are {str(dtype)[6:]}; it is computed in float32")
    expected = measure(nn.Sequential(*net).float(), X)
    assert torch.equal(profile.jacobian.singular_values, expected.jacobian.singular_values)


class Checkpointed(nn.Module):
    def __init__(self, is_reentrant):
        super().__init__()
        self.linear, self.is_reentrant = nn.Linear(6, 5), is_reentrant

    def forward(self, x):
        return torch.utils.checkpoint.checkpoint(
            lambda t: torch.tanh(self.linear(t)), x, use_reentrant=self.is_reentrant
        )


@pytest.mark.filterwarnings("ignore")  # torch warns that its quantisation will move
def test_what_has_no_derivative_is_a_typed_error():
    quantised = torch.ao.quantization.quantize_dynamic(plain(), {nn.Linear}, dtype=torch.qint8)
    with pytest.raises(NotDifferentiableError, match="Linear is quantised: it rounds"):
        measure(quantised, X)
    for is_reentrant in (True, False):  # torch computes them again with the weights that are there by then
        with pytest.raises(NotDifferentiableError, match="turn gradient checkpointing off"):
            measure(Checkpointed(is_reentrant), X)
    with pytest.raises(ModelCallError, match=r"a lazy layer has no weights yet\. Call the model once"):
        measure(nn.Sequential(nn.LazyLinear(8), nn.Tanh()), X)
    with pytest.raises(ModelCallError, match="a part of it is scripted or traced"):
        measure(nn.Sequential(torch.jit.script(nn.Linear(6, 3)), nn.Tanh()), X)
    norm = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8, track_running_stats=False), nn.Tanh())
    with pytest.raises(MixedRowsError, match="normalises by the statistics of the batch"):
        measure(norm, X)


@pytest.mark.parametrize("ask", [lambda net: measure(net, X[:, :2]), lambda net: enumerate_regions(net, (-1, 1))])
def test_a_spectral_norm_is_left_as_it_was(ask):
    net = nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 2))
    nn.utils.parametrizations.spectral_norm(net[0])
    net.train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    ask(net)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
