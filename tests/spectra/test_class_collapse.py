"""Neural collapse by definition, on classifiers that have collapsed, and the bound on the rank of every weight."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import random_layers
from isthmus.errors import OptionError, ShapeError, UnsupportedModuleError
from isthmus.foundation.likelihood import CATEGORICAL, GAUSSIAN
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import IDENTITY, RELU, Activation, FullyConnected
from isthmus.networks.chain import Chain, Layer
from isthmus.networks.chain_conversion import chain_module
from isthmus.spectra import class_collapse, neural_collapse
from isthmus.training import Objective, Schedule, TrainingConfig, fit


def data(seed, rows, inputs, classes):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, inputs, generator=generator, dtype=torch.float64)
    labels = torch.cat([torch.arange(classes), torch.randint(classes, (rows - classes,), generator=generator)])
    return x, labels


def gradients(network, x, labels, ridge):
    """By autograd through the objective as it is written."""
    w = [t.clone().requires_grad_() for t in network.weights]
    a = x
    for layer, (weight, bias) in enumerate(zip(w, network.biases, strict=True), start=1):
        z = a @ weight.T + bias
        a = z if layer == len(w) else torch.where(z > 0, z, network.activation.negative_slope * z)
    loss = torch.nn.functional.cross_entropy(a, labels)
    loss = loss + ridge / len(w) * sum(t.square().sum() for t in w)
    return torch.autograd.grad(loss, w)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 7), min_size=1, max_size=4),
    st.sampled_from([0.0, 0.2, 1.0, -1.0, 3.0]),
    st.integers(2, 4),
    st.integers(0, 2**32),
    st.floats(1e-4, 10.0),
)
def test_no_network_breaks_the_bound(widths, slope, classes, seed, ridge):
    network = random_layers((*widths, classes), Activation(slope), seed)
    x, labels = data(seed, 12, widths[0], classes)
    found = neural_collapse(network, x, labels, ridge=ridge)
    for layer, w in zip(found.layers, network.weights, strict=True):
        s = np.linalg.svd(w.numpy(), compute_uv=False)
        assert layer.distance_from_rank == pytest.approx(np.linalg.norm(s[classes:]), abs=1e-12)
        assert layer.distance_from_rank <= layer.bound * (1 + 1e-9) + 1e-9


def linear_end(seed, widths, linear):
    """A chain whose last `linear` matrices have no activation between them."""
    layers = Chain.of(random_layers(widths, RELU, seed)).layers
    return Chain(
        tuple(
            replace(each, activation=IDENTITY) if at >= len(layers) - linear else each for at, each in enumerate(layers)
        )
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.sampled_from([GAUSSIAN, CATEGORICAL]), st.integers(0, 2**32))
def test_no_linear_end_breaks_the_bound(linear, likelihood, seed):
    """For squared errors too; the gradient term by autograd through the objective as it is written."""
    chain, ridge = linear_end(seed, (3, 6, 5, 6, 3), linear), 0.1
    x, labels = data(seed, 12, 3, 3)
    found = neural_collapse(chain, x, labels, ridge=ridge, likelihood=likelihood)
    w = [layer.weight.clone().requires_grad_() for layer in chain.layers]
    a, outputs = x, []
    for weight, layer in zip(w, chain.layers, strict=True):
        outputs.append(z := a @ weight.T + layer.bias)
        a = z if layer.activation == IDENTITY else z.relu()
    outputs[0].retain_grad()
    hot = torch.nn.functional.one_hot(labels, 3)
    is_squared = likelihood is GAUSSIAN
    loss = (a - hot).square().sum() / 12 if is_squared else torch.nn.functional.cross_entropy(a, labels)
    (loss + ridge / 4 * sum(t.square().sum() for t in w)).backward()
    means = torch.stack([x[labels == c].mean(0) for c in range(3)])[labels]
    first = (outputs[0].grad.T @ (x - means)).norm() + w[0].grad.norm()
    assert found.layers[0].bound == pytest.approx(float(first) * 4 / (2 * ridge), rel=1e-8, abs=1e-9)
    for layer in found.layers:
        assert layer.distance_from_rank <= layer.bound * (1 + 1e-9) + 1e-9


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 4), st.integers(4, 7), st.integers(0, 2**32))
def test_behind_balanced_layers_features_vary_as_the_logits(classes, width, seed):
    r"""Balanced by construction: [W, b] = (VᵀV)^{1/2} Q with orthonormal rows of Q."""
    generator = torch.Generator().manual_seed(seed)
    last = torch.randn(classes, width, generator=generator, dtype=torch.float64)
    values, vectors = torch.linalg.eigh(last.T @ last)
    root = vectors @ torch.diag(values.clamp_min(0.0).sqrt()) @ vectors.T
    turn = torch.linalg.qr(torch.randn(width + 2, width, generator=generator, dtype=torch.float64))[0].T
    joined = root @ turn
    zero = torch.zeros(classes, dtype=torch.float64)
    chain = Chain((Layer(joined[:, :-1], joined[:, -1]), Layer(last, zero)))
    x, labels = data(seed, 15, width + 1, classes)
    found = neural_collapse(chain, x, labels)
    s = np.linalg.svd(last.numpy(), compute_uv=False)
    assert found.layers[0].imbalance < 1e-7
    assert found.layers[1].nc1 <= (s[0] / s[-1]) ** 2 * found.logit_nc1 * (1 + 1e-6)
    logits = chain(x).numpy()
    means = np.stack([logits[labels == c].mean(0) for c in range(classes)])[labels]
    assert found.logit_nc1 == pytest.approx(((logits - means) ** 2).sum() / ((means - logits.mean(0)) ** 2).sum())


def test_a_chain_keeps_what_a_module_joins():
    chain = linear_end(3, (3, 6, 5, 4), 2)
    x, labels = data(3, 12, 3, 4)
    found, joined = neural_collapse(chain, x, labels), neural_collapse(chain_module(chain), x, labels)
    assert (len(found.layers), len(joined.layers)) == (3, 2)
    assert found.logit_deviations == pytest.approx(joined.logit_deviations)
    network = random_layers((3, 6, 4), RELU, 0)
    assert neural_collapse(Chain.of(network), x, labels, ridge=0.1) == neural_collapse(network, x, labels, ridge=0.1)
    bent = Chain((replace(chain.layers[0]), replace(chain.layers[1]), replace(chain.layers[2], activation=RELU)))
    with pytest.raises(UnsupportedModuleError, match="outputs are no logits"):
        neural_collapse(bent, x, labels)


def test_it_is_the_definition(monkeypatch):
    monkeypatch.setattr(class_collapse, "CHUNK", 5)
    network, ridge = random_layers((4, 6, 5, 3), RELU, seed=1), 0.3
    x, labels = data(0, 17, 4, 3)
    found = neural_collapse(network, x, labels, ridge=ridge)
    gradient = gradients(network, x, labels, ridge)
    activations, _ = network.trace(x)
    for index, layer in enumerate(found.layers):
        a, w = activations[index].numpy(), network.weights[index].numpy()
        means = np.stack([a[labels == c].mean(0) for c in range(3)])
        apart = a - means[labels]
        spread = ((means[labels] - a.mean(0)) ** 2).sum()
        assert layer.nc1 == pytest.approx((apart**2).sum() / spread)
        s = np.linalg.svd(means - means.mean(0), compute_uv=False)
        assert layer.nc2 == pytest.approx(s[1] / s[0])
        if index + 1 < 3:
            after, bias = network.weights[index + 1].numpy(), network.biases[index].numpy()
            difference = after.T @ after - w @ w.T - np.outer(bias, bias)
            assert layer.imbalance == pytest.approx(np.linalg.norm(difference) / np.linalg.norm(after.T @ after))
    # The first layer's Δ by the chain rule, row by row.
    x_apart = x - torch.stack([x[labels == c].mean(0) for c in range(3)])[labels]
    bias = network.biases[0].clone().requires_grad_()
    per_row = []
    for row, label in zip(x, labels, strict=True):
        z = network.weights[0] @ row + bias
        rest = FullyConnected(network.weights[1:], network.biases[1:], RELU)
        a = z.relu()
        out = rest.weights[1] @ (rest.weights[0] @ a + rest.biases[0]).relu() + rest.biases[1]
        loss = torch.nn.functional.cross_entropy(out[None], label[None])
        per_row.append(torch.autograd.grad(loss, bias)[0])
    collapsed = (torch.stack(per_row).T @ x_apart / len(x)).norm() + gradient[0].norm()
    assert found.layers[0].bound == pytest.approx(float(collapsed) * 3 / (2 * ridge))


def test_a_collapsed_classifier_has_weights_of_rank_k():
    """Features that are their class means: at a critical point every weight behind them has rank K at most."""
    x = torch.eye(3).double().repeat(4, 1) * 2.0
    labels = torch.arange(3).repeat(4)
    network = fit(
        x.float(),
        labels,
        config=TrainingConfig(depth=3, width=12, ridge=0.01, standardize="none", schedule=Schedule(steps=300)),
        task="classification",
    ).network
    found = neural_collapse(network, x, labels, ridge=0.01)
    gradient = gradients(network.to(dtype=torch.float64), x, labels, 0.01)
    for layer, g in zip(found.layers, gradient, strict=True):
        assert layer.nc1 < 1e-9
        assert layer.bound == pytest.approx(float(g.norm()) * 3 / 0.02, abs=1e-6)  # nothing but the gradient is left
        assert layer.distance_from_rank <= layer.bound + 1e-9
    assert found.layers[-1].nc2 > 0.99
    assert found.layers[-1].nc3 > 0.99
    objective = Objective(x.float(), labels, CATEGORICAL, 0.01)
    assert objective.error(network) < 0.2


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 5), st.integers(6, 20), st.integers(0, 2**32))
def test_logits_before_and_after_collapse(classes, rows, seed):
    """The definition by numpy; collapse takes from every direction and leaves K − 1 at most."""
    network = random_layers((3, 8, classes), RELU, seed)
    x, labels = data(seed, rows, 3, classes)
    found = neural_collapse(network, x, labels)
    logits = network(x).numpy()
    means = np.stack([logits[labels == c].mean(0) for c in range(classes)])[labels]
    for deviations, of in ((found.logit_deviations, logits), (found.collapsed_deviations, means)):
        expected = np.linalg.svd(of - logits.mean(0), compute_uv=False) / rows**0.5
        np.testing.assert_allclose(deviations, np.pad(expected, (0, classes))[:classes], atol=1e-6 * expected[0])
    before, after = found.logit_ranks(Tolerance(1e-4))
    assert after <= min(before, classes - 1)
    for one, other in zip(found.collapsed_deviations, found.logit_deviations, strict=True):
        assert one <= other * (1 + 1e-9) + 1e-6 * found.logit_deviations[0]


def test_an_ideal_classifier():
    eye = torch.eye(3).double()
    network = FullyConnected((eye, eye), (torch.zeros(3).double(), torch.zeros(3).double()), IDENTITY)
    found = neural_collapse(network, torch.cat([eye, eye]), torch.arange(3).repeat(2))
    assert [layer.bound for layer in found.layers] == [None, None]
    for layer in found.layers:
        assert (layer.nc1, layer.nc2, layer.distance_from_rank) == (0.0, pytest.approx(1.0), 0.0)
    assert (found.layers[0].imbalance, found.layers[1].imbalance) == (0.0, None)
    assert found.layers[1].nc3 == pytest.approx(1.0)
    assert found.logit_ranks() == (2, 2)
    assert found.collapsed_deviations == pytest.approx(found.logit_deviations, abs=1e-9)


def test_classes_with_one_mean_are_not_collapsed():
    network = random_layers((2, 4, 2), RELU, seed=0)
    x = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]).double()
    assert neural_collapse(network, x, torch.tensor([0, 0, 1, 1])).layers[0].nc1 == math.inf


def test_what_it_does_not_cover_is_refused():
    network = random_layers((2, 4, 3), RELU, seed=0)
    x, labels = data(0, 9, 2, 3)
    with pytest.raises(OptionError, match="positive: without weight decay"):
        neural_collapse(network, x, labels, ridge=0.0)
    with pytest.raises(ShapeError, match="one whole number a row"):
        neural_collapse(network, x, labels.double())
    with pytest.raises(ShapeError, match=r"labels are no numbers.*return_inverse"):
        neural_collapse(network, x, ["a", "b", "c"] * 3)
    with pytest.raises(ShapeError, match="one logit for each class"):
        neural_collapse(network, x, labels.clamp_max(1))
