"""In what units inputs and outputs are counted: against numpy, invariance, and the same through every door."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import jacrev, vmap

from isthmus import RankProfile, bottleneck_rank, jacobian_rank, measure
from isthmus.errors import OptionError
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import StandardizedNetwork, from_torch
from isthmus.networks.scaling import Affine

INPUTS, OUTPUTS = torch.tensor([1.0, 30.0, 0.02, 1.0, 4.0]).double(), torch.tensor([1.0, 0.01, 50.0, 2.0]).double()
X = torch.randn(200, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.3


class Rescaled(nn.Module):
    """The same function in other units of its inputs and outputs."""

    def __init__(self, net, inputs, outputs):
        super().__init__()
        self.net = net
        self.register_buffer("inputs", inputs)
        self.register_buffer("outputs", outputs)

    def forward(self, x):
        return self.net(x / self.inputs) * self.outputs


def plain():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(5, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 4)).double()


def folded(net, inputs, outputs):
    """The same as a chain: the units in its first and last weight."""
    first, last = net[0], net[-1]
    with torch.no_grad():
        first.weight /= inputs
        last.weight *= outputs[:, None]
        last.bias *= outputs
    return net


def called(module):
    return lambda x: module(torch.from_numpy(x)).detach().numpy()


DOORS = {
    "chain": lambda: folded(plain(), INPUTS, OUTPUTS),
    "network": lambda: from_torch(folded(plain(), INPUTS, OUTPUTS)),
    "module": lambda: Rescaled(plain(), INPUTS, OUTPUTS),
    "callable": lambda: called(Rescaled(plain(), INPUTS, OUTPUTS)),
}


def oracle(scale_inputs, scale_outputs):
    module = Rescaled(plain(), INPUTS, OUTPUTS)
    x = X * INPUTS
    jacobian = vmap(jacrev(module))(x).detach().numpy()
    sizes = []
    for how, values in ((scale_inputs, x.numpy()), (scale_outputs, module(x).detach().numpy())):
        spread = values.std(0)
        shared = np.full_like(spread, np.sqrt((spread**2).mean()))
        sizes.append({"data": spread, "unit": shared, "none": np.ones_like(spread)}[how])
    return torch.from_numpy(np.linalg.svd(jacobian * sizes[0] / sizes[1][:, None], compute_uv=False))


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("scale_inputs", "scale_outputs"), [("data", "data"), ("none", "unit"), ("data", "none")])
def test_spectra_are_those_of_numpy_in_every_unit(door, scale_inputs, scale_outputs):
    profile = measure(DOORS[door](), X * INPUTS, scale_inputs=scale_inputs, scale_outputs=scale_outputs)
    expected = oracle(scale_inputs, scale_outputs)
    found = profile.jacobian.singular_values[:, :4]
    if door == "callable":
        assert float((profile.jacobian.upper < expected).double().mean()) < 0.05
        assert float((found > expected).double().mean()) < 0.05
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5 * float(expected.max()))


def test_sketches_hold_in_these_units():
    profile = measure(Rescaled(plain(), INPUTS, OUTPUTS), X * INPUTS, leading=2)
    expected = oracle("data", "data")[:, :2]
    assert bool((profile.jacobian.singular_values <= expected * (1 + 1e-9)).all())
    assert bool((profile.jacobian.upper >= expected * (1 - 1e-9)).all())


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("relative", [0.3, 0.1, 0.01])
def test_every_door_gives_the_same_ranks_alone_and_in_a_profile(door, relative):
    model, x, tolerance = DOORS[door](), X * INPUTS, Tolerance(relative)
    profile = measure(model, x, tolerance=tolerance)
    for alone, inside in (
        (jacobian_rank(model, x, tolerance=tolerance), profile.jacobian_rank),
        (bottleneck_rank(model, x, tolerance=tolerance), profile.bottleneck_rank),
    ):
        assert (alone.lower, alone.upper, alone.evidence[:2]) == (inside.lower, inside.upper, inside.evidence)
        assert alone.evidence[2] == profile.units
    assert profile.jacobian_rank.lower <= profile.bottleneck_rank.upper
    assert int(profile.jacobian.ranks(tolerance).max()) == int(
        measure(plain(), X, tolerance=tolerance).jacobian.ranks(tolerance).max()
    )


@pytest.mark.parametrize("door", ["module", "callable"])
def test_a_rank_does_not_depend_on_the_unit_of_two_outputs(door):
    class Through(nn.Module):
        def __init__(self, small):
            super().__init__()
            self.small = small

        def forward(self, x):
            return torch.stack([x[:, 0].sin(), self.small * x[:, 1].tanh()], 1)

    for small in (1.0, 1e-2, 1e-6):
        model = Through(small) if door == "module" else called(Through(small))
        found = jacobian_rank(model, X)
        assert (found.lower, found.upper) == (2, 2)
        assert bottleneck_rank(model, X).lower == 2
        raw = jacobian_rank(model, X, scale_outputs="none").lower
        assert raw == (2 if small == 1.0 else 1)


def test_what_does_not_vary_does_not_count_and_is_said():
    x = X.clone()
    x[:, 2] = 7.0
    module = Rescaled(plain(), torch.ones(5).double(), torch.tensor([1.0, 1.0, 1.0, 0.0]).double())
    profile = measure(module, x)
    assert "Left out, as they do not vary over the rows: 1 input and 1 output." in profile.units
    jacobian = vmap(jacrev(module))(x).detach()
    expected = torch.linalg.svdvals(
        jacobian[:, :3] * x.std(0, correction=0) / module(x).detach()[:, :3].std(0, correction=0)[:, None]
    )
    torch.testing.assert_close(profile.jacobian.singular_values[:, :3], expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("door", DOORS)
def test_at_a_single_row_units_are_as_they_are_and_the_rank_is_that_of_the_derivative(door):
    model, x = DOORS[door](), (X * INPUTS)[:1]
    found = jacobian_rank(model, x, tolerance=Tolerance(1e-6))
    assert "inputs as they are, because they do not vary over the rows" in " ".join(found.evidence)
    expected = np.linalg.matrix_rank(jacrev(Rescaled(plain(), INPUTS, OUTPUTS))(x[0]).detach().numpy(), rtol=1e-6)
    assert found.lower == expected > 1


def test_noise_of_a_callable_is_not_counted_as_a_spread():
    rng = np.random.default_rng(0)

    def call(x):
        return x[:, :3] * np.array([1.0, 0.5, 1e-4]) + 1e-3 * rng.standard_normal((len(x), 3))

    profile = measure(call, X.numpy())
    assert "do not vary over the rows by more than noise: 1 output." in profile.units
    assert profile.jacobian_rank.lower == 2


def test_the_network_of_a_fit_is_counted_in_its_own_units_unless_told_otherwise():
    network = from_torch(plain())
    model = StandardizedNetwork(network, Affine(torch.zeros(5), INPUTS), Affine(torch.zeros(4), OUTPUTS))
    in_its_own = measure(model, X * INPUTS)
    torch.testing.assert_close(
        in_its_own.jacobian.singular_values,
        measure(network, X, scale_inputs="none", scale_outputs="none").jacobian.singular_values,
    )
    raw = measure(model, X * INPUTS, scale_inputs="none", scale_outputs="none").jacobian.singular_values
    torch.testing.assert_close(raw, oracle("none", "none"), rtol=1e-6, atol=1e-6)


def test_norm_and_cost_are_those_of_the_network_as_it_is():
    network = from_torch(folded(plain(), INPUTS, OUTPUTS))
    profile, raw = measure(network, X * INPUTS), measure(network, X * INPUTS, scale_inputs="none", scale_outputs="none")
    assert profile.norm_per_depth == raw.norm_per_depth == network.norm_per_depth
    assert profile.cost_lower == pytest.approx(raw.cost_lower)
    assert profile.layers == raw.layers


def test_units_are_in_the_record_and_survive_the_disk(tmp_path):
    profile = measure(plain(), X)
    sentence = "Units: each input by its spread over the rows, each output by its spread over the rows."
    assert profile.units == profile.record()["units"] == sentence
    assert RankProfile.load(profile.save(tmp_path)).units == sentence
    with pytest.raises(OptionError, match="scale_outputs is 'rows'"):
        measure(plain(), X, scale_outputs="rows")
