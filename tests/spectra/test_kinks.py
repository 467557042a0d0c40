"""Rows at a kink: recognised, told, and differentiated on a neighbouring piece, alike through every door."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from isthmus import jacobian_rank, measure
from isthmus.errors import NotDifferentiableError
from isthmus.formats import load
from isthmus.networks.rowwise import row_function
from isthmus.spectra.kinks import off_kinks


class Of(nn.Module):
    """A function as a module."""

    def __init__(self, call):
        super().__init__()
        self.call = call

    def forward(self, x):
        return self.call(x)


def rows(n=20, d=3, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def at_kinks(call, x):
    function = row_function(Of(call), x)
    return off_kinks(function if x.dtype == torch.float32 else function.in_double(x), x, memory=1 << 26)


KINKED = {
    "relu at 0": (torch.relu, 0.0),
    "relu6 at 6": (F.relu6, 6.0),
    "relu6 at 0": (F.relu6, 0.0),
    "clamp at a bound": (lambda x: x.clamp(-1, 2), 2.0),
    "hard swish": (F.hardswish, 3.0),
    "hard sigmoid": (F.hardsigmoid, -3.0),
    "absolute value": (torch.abs, 0.0),
    "largest of two": (lambda x: torch.maximum(x, 2 * x), 0.0),
    "pooling of equals": (lambda x: F.max_pool1d(x[:, None], 2, 1)[:, 0], 1.0),
    "soft shrink": (F.softshrink, 0.5),
    "a jump": (torch.sign, 0.0),
}


@pytest.mark.parametrize("name", KINKED)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rows_at_a_kink_are_recognised_and_no_others(name, dtype):
    call, place = KINKED[name]
    x = rows().to(dtype)
    x[3] = place
    found = at_kinks(call, x)
    assert (found.moved | found.left).nonzero().flatten().tolist() == [3]
    assert torch.equal(found.x[4:], x[4:])


SMOOTH = {
    "square": lambda x: x**2,
    "exponential": lambda x: torch.exp(3 * x),
    "swish": F.silu,
    "gelu": F.gelu,
    "soft maximum": lambda x: (5 * x).softmax(1),
    "sharp but smooth": lambda x: torch.tanh(100 * x),
    "constant": lambda x: torch.zeros_like(x) + 0 * x,
}


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_smooth_functions_have_none(name, dtype):
    x = rows().to(dtype)
    x[3] = 0.0
    found = at_kinks(SMOOTH[name], x)
    assert not bool((found.moved | found.left).any())
    assert found.x is x


def zero_network(is_chain):
    """x ↦ relu(x) − relu(−x) − x is 0 everywhere, and the slopes that are taken for 0 at 0 do not cancel."""
    if not is_chain:
        return Of(lambda x: torch.relu(x) - torch.relu(-x) - x)
    eye = torch.eye(3, dtype=torch.float64)
    net = nn.Sequential(nn.Linear(3, 12), nn.LeakyReLU(0.5), nn.Linear(12, 3)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.cat([eye, -eye, eye + 0, -eye]))
        net[0].bias.copy_(torch.tensor([0.0] * 6 + [9.0] * 6))
        # a(x) − a(−x) is 1.5 x; the last six neurons are on the same side at every row here and give −3 x.
        net[2].weight.copy_(torch.cat([eye, -eye, -0.75 * eye, 0.75 * eye], 1))
        net[2].bias.zero_()
    return net


@pytest.mark.parametrize("is_chain", [True, False])
def test_a_network_that_is_zero_has_rank_0_also_at_its_kink(is_chain):
    net, x = zero_network(is_chain), torch.zeros(1, 3, dtype=torch.float64)
    with torch.no_grad():
        assert float(net(rows()).abs().max()) < 1e-12
    profile = measure(net, x)
    assert (profile.method == "chain") == is_chain
    assert float(profile.jacobian.singular_values.max()) < 1e-12
    assert profile.jacobian_rank.lower == 0
    assert profile.notes[-1].startswith("Row 0 lies at a kink")
    if is_chain:
        assert jacobian_rank(net, x).lower == 0
        assert jacobian_rank(net, x).evidence[-1].startswith("Row 0 lies at a kink")


def test_the_derivative_is_that_of_a_neighbouring_piece():
    x = torch.zeros(1, 4, dtype=torch.float64)
    for seed in range(5):
        values = measure(Of(F.relu), x, seed=seed).jacobian.singular_values[0]
        assert set(values.round(decimals=9).tolist()) <= {0.0, 1.0}


def test_neurons_that_are_always_zero_are_no_kinks():
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).double()
    with torch.no_grad():
        net[0].weight[0], net[0].bias[0] = 0.0, 0.0
    assert measure(net, rows()).notes == ()


def test_a_straight_through_estimator_is_told():
    class Rounded(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x.round()

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, gradient):
            return gradient

    profile = measure(Of(Rounded.apply), rows())
    assert (
        "20 rows (0, 1, 2, 3, 4, …) lie where the derivative that torch gives is not that of the values"
        in profile.notes[-1]
    )


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("place", [0.0, 6.0])
def test_every_door_gives_the_same_at_a_bound(place, tmp_path):
    pytest.importorskip("onnx")
    from onnx_graphs import node, saved, scalar

    x = torch.full((3, 2), place) + torch.tensor([[0.0], [0.0], [1.0]])
    path = saved(tmp_path / "m.onnx", [node("Clip", "x lo hi")], (2,), [scalar("lo", 0.0), scalar("hi", 6.0)])
    program = torch.export.export(nn.ReLU6(), (x,), dynamic_shapes=({0: torch.export.Dim("n", max=99)},))
    torch.export.save(program, tmp_path / "m.pt2")
    torch.export.save(program.run_decompositions(), tmp_path / "d.pt2")
    doors = [nn.ReLU6(), load(path), load(tmp_path / "m.pt2"), load(tmp_path / "d.pt2")]
    found = [measure(model, x).jacobian.singular_values for model in doors]
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], atol=1e-9, rtol=0)


def test_what_has_no_derivative_still_says_so():
    with pytest.raises(NotDifferentiableError):
        measure(Of(lambda x: x.detach() ** 2), rows())
