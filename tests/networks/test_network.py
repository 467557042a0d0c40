"""The network as a value, against a loop over neurons in plain Python."""

import math

import pytest
import torch

from cases import random_layers
from isthmus.errors import (
    DtypeError,
    NonFiniteError,
    OptionError,
    ShapeError,
    UnknownActivationError,
)
from isthmus.networks import (
    RELU,
    Activation,
    FullyConnected,
    activation,
    network,
    standardization,
)
from isthmus.networks.catalogue import catalogue
from isthmus.networks.scaling import Affine, StandardizedNetwork


def by_hand(network, row):
    """f(x) neuron by neuron with Python floats."""
    a = row.tolist()
    for layer, (w, b) in enumerate(zip(network.weights, network.biases, strict=True), start=1):
        z = [
            math.fsum(wij * aj for wij, aj in zip(wi, a, strict=True)) + bi
            for wi, bi in zip(w.tolist(), b.tolist(), strict=True)
        ]
        slope = network.activation.negative_slope
        a = z if layer == network.depth else [max(v, 0.0) + slope * min(v, 0.0) for v in z]
    return a


def test_forward_is_the_definition(activation, points):
    network = random_layers((5, 7, 6, 3), activation, seed=1)
    expected = torch.tensor([by_hand(network, row) for row in points], dtype=torch.float64)
    torch.testing.assert_close(network(points), expected, rtol=1e-12, atol=1e-12)


def test_the_last_pre_activation_is_the_output(activation, points):
    network = random_layers((5, 7, 3), activation, seed=2)
    z = network.pre_activations(points)
    assert [tuple(t.shape) for t in z] == [(40, 7), (40, 3)]
    torch.testing.assert_close(z[-1], network(points), rtol=0, atol=0)


def test_sizes_and_norm():
    network = FullyConnected((torch.full((2, 3), 2.0), torch.ones(1, 2)), (torch.ones(2), torch.zeros(1)))
    assert (network.depth, network.widths, network.parameter_count) == (2, (3, 2, 1), 11)
    assert network.squared_norm == 6 * 4 + 2 + 2
    assert network.norm_per_depth == 14.0


def test_activations_are_positively_homogeneous(activation):
    z = torch.linspace(-3, 3, 13, dtype=torch.float64)
    torch.testing.assert_close(activation(2.5 * z), 2.5 * activation(z))
    step = 1e-6
    away = z[z != 0]
    numerical = (activation(away + step) - activation(away - step)) / (2 * step)
    torch.testing.assert_close(activation.derivative(away), numerical, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", ["relu", "identity", "absolute", "leaky_relu:0.25"])
def test_activation_names_round_trip(name):
    assert activation(name).name == name


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("gelu", UnknownActivationError, "'gelu' is not positively homogeneous.*Use one of relu"),
        ("leaky_relu:steep", OptionError, "slope of leaky_relu is 'steep'"),
        ("relu:2", UnknownActivationError, "not positively homogeneous"),
    ],
)
def test_unknown_activations_are_refused_by_name(name, error, message):
    with pytest.raises(error, match=message):
        activation(name)


W, B = torch.zeros(2, 3), torch.zeros(2)


@pytest.mark.parametrize(
    ("weights", "biases", "error", "message"),
    [
        ((), (), ShapeError, "got 0 weights and 0 biases"),
        ((W,), (), ShapeError, "got 1 weights and 0 biases"),
        ((W, W), (B, B), ShapeError, r"Layer 2 has weight \(2, 3\)"),
        ((W,), (torch.zeros(3),), ShapeError, r"bias \(3,\)"),
        ((W.double(),), (B,), DtypeError, "torch.float32"),
        ((W.half(),), (B.half(),), DtypeError, "torch.float16"),
        ((W.int(),), (B.int(),), DtypeError, "not real numbers"),
        ((torch.full((2, 3), float("nan")),), (B,), NonFiniteError, "weight of layer 1 holds NaN"),
        ((W,), (torch.tensor([0.0, float("inf")]),), NonFiniteError, "bias of layer 1.*row 1"),
    ],
)
def test_layers_that_do_not_fit_are_refused(weights, biases, error, message):
    with pytest.raises(error, match=message):
        FullyConnected(weights, biases)


def test_a_function_is_no_activation():
    """Nothing says that it is positively homogeneous."""
    for other in ("relu", torch.tanh):
        with pytest.raises(OptionError, match=r"must be an Activation: `networks.activation` makes one"):
            FullyConnected((W,), (B,), other)


def test_data_with_other_columns_are_refused():
    with pytest.raises(ShapeError, match="x has 4 columns but the network takes 3"):
        FullyConnected((W,), (B,))(torch.zeros(1, 4))


def test_activation_slope_must_be_finite():
    with pytest.raises(OptionError, match="finite"):
        Activation(float("nan"))


@pytest.mark.parametrize("scaling", ["columns", "global", "none"])
def test_standardised_data_have_the_promised_moments(scaling):
    data = torch.randn(500, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 10.0, 0.1]) + 5.0
    z = standardization(data, scaling).forward(data.double())
    variances = z.var(0, correction=0)
    if scaling == "columns":
        torch.testing.assert_close(variances, torch.ones(3, dtype=torch.float64))
    elif scaling == "global":
        assert float(variances.mean()) == pytest.approx(1.0)
        ratio = data.double().var(0, correction=0)
        torch.testing.assert_close(variances / variances[0], ratio / ratio[0])
    else:
        torch.testing.assert_close(z, data.double())


def test_a_constant_column_is_left_alone_however_large():
    data = torch.cat([torch.full((50, 1), 1e6 + 0.1), torch.linspace(0, 1, 50)[:, None]], 1)
    affine = standardization(data, "columns")
    assert float(affine.scale[0]) == 1.0
    assert float(affine.forward(data.double())[:, 0].abs().max()) < 1.0


def test_unknown_scaling_is_refused():
    with pytest.raises(OptionError, match="columns, global or none"):
        standardization(torch.zeros(2, 2), "sphere")


def test_folding_the_standardisation_keeps_the_function(activation, points):
    network = random_layers((5, 6, 4), activation, seed=3)
    inputs = Affine(torch.arange(5.0).double(), torch.arange(1.0, 6.0).double())
    outputs = Affine(torch.arange(4.0).double(), torch.arange(2.0, 6.0).double())
    model = StandardizedNetwork(network, inputs, outputs)
    torch.testing.assert_close(model.folded()(points), model(points), rtol=1e-12, atol=1e-12)


def test_relu_is_the_default_activation():
    assert FullyConnected((W,), (B,)).activation == RELU


def test_many_rows_in_parts_have_the_values_and_slopes_of_the_whole(monkeypatch):
    made = catalogue(3)[0].network.to(dtype=torch.float64)
    x = torch.randn(11, made.d_in, dtype=torch.float64, requires_grad=True)
    whole = made(x)
    monkeypatch.setattr(network, "_ROWS", 4)
    parts = made(x)
    torch.testing.assert_close(parts, whole, rtol=1e-12, atol=1e-12)
    slopes = [torch.autograd.grad(values.sum(), x)[0] for values in (whole, parts)]
    torch.testing.assert_close(*slopes, rtol=1e-12, atol=1e-12)
    assert made(x[:0]).shape == (0, made.d_out)
