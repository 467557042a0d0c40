"""Wide data trained in the coordinates of their span: the same objective, a network of the data."""

import pytest
import torch

from cases import random_layers
from isthmus.foundation.likelihood import CATEGORICAL, GAUSSIAN
from isthmus.networks import RELU
from isthmus.training import (
    Objective,
    Schedule,
    TrainingConfig,
    fit,
)
from isthmus.training.span import Span

SCHEDULE = Schedule(steps=60, rounds=1, evaluations=20)


def wide(n, d, seed):
    """Rows of rank 12 among 300 columns, some of which are always zero."""
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 12, generator=g, dtype=torch.float64) @ torch.randn(12, d, generator=g, dtype=torch.float64)
    x[:, ::7] = 0.0
    return x


@pytest.mark.parametrize("kind", ["autoencoder", "regression", "classification", "narrow outputs"])
def test_inside_and_outside_the_span_the_objective_is_the_same(kind):
    x = wide(40, 300, 0)
    y = {
        "autoencoder": x,
        "regression": wide(40, 280, 1),
        "classification": torch.arange(40) % 5,
        "narrow outputs": x[:, 1:4].contiguous(),
    }[kind]
    objective = Objective(x, y, CATEGORICAL if kind == "classification" else GAUSSIAN, 0.1)
    span = Span.of(objective)
    assert span.objective.x.shape == (40, 12)
    is_wide = kind in ("autoencoder", "regression")
    assert span.objective.y.shape == ((40, 12) if is_wide else y.shape)
    assert (span.objective.y is span.objective.x) == (kind == "autoencoder")
    d_out = 12 if is_wide else 5 if kind == "classification" else y.shape[1]
    network = random_layers((12, 6, d_out), RELU, 0)
    outside = span.outside(network)
    assert objective.value(outside) == pytest.approx(span.objective.value(network), rel=1e-9)
    assert outside.squared_norm == pytest.approx(network.squared_norm, rel=1e-12)
    again = span.inside(outside)
    for mine, other in zip((*again.weights, *again.biases), (*network.weights, *network.biases), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-10)


def test_a_network_of_the_data_gets_no_worse_inside():
    x = wide(40, 300, 0)
    objective = Objective(x, x, GAUSSIAN, 0.1)
    span = Span.of(objective)
    network = random_layers((300, 6, 300), RELU, 1)
    inside = span.inside(network)
    assert span.objective.value(inside) <= objective.value(network)
    torch.testing.assert_close(span.outside(inside).trace(x)[0][1], network.trace(x)[0][1], rtol=1e-9, atol=1e-9)


def test_the_coordinates_are_uncorrelated_and_in_order():
    span = Span.of(Objective(wide(40, 300, 2), torch.zeros(40, 1), GAUSSIAN, 0.1))
    gram = span.objective.x.T @ span.objective.x
    lengths = gram.diagonal()
    torch.testing.assert_close(gram, torch.diag(lengths), rtol=1e-9, atol=1e-8)
    assert bool((lengths[:-1] >= lengths[1:]).all())


def test_narrow_data_are_left_as_they_are():
    objective = Objective(wide(40, 50, 0), wide(40, 50, 1), GAUSSIAN, 0.1)
    span = Span.of(objective)
    network = random_layers((50, 6, 50), RELU, 1)
    assert span.objective.x is objective.x
    assert span.objective.y is objective.y
    assert all(a is b or torch.equal(a, b) for a, b in zip(span.inside(network).weights, network.weights, strict=True))


def test_a_fit_on_wide_data_is_a_network_of_the_data():
    x = wide(60, 300, 3)
    fitted = fit(x, config=TrainingConfig(depth=3, width=20, schedule=SCHEDULE), task="autoencoder")
    assert fitted.network.widths[0] == fitted.network.widths[-1] == 300
    assert fitted(x).shape == x.shape
    assert fitted.value == pytest.approx(fitted.objective.value(fitted.network), rel=1e-12)
    assert fitted.value == pytest.approx(fitted.history[-1].objective, rel=1e-4)
    assert fitted.objective.x.shape == (60, 300)


def test_a_killed_fit_on_wide_data_resumes_to_the_same_network(tmp_path, monkeypatch):
    from isthmus.training import loop

    monkeypatch.setattr(loop, "_SAVE_EVERY", -1.0)
    x, path = wide(60, 300, 4), tmp_path / "c.safetensors"
    options = {"task": "autoencoder", "config": TrainingConfig(depth=3, width=12, schedule=SCHEDULE)}
    whole = fit(x, **options)

    def killed(fraction, state):
        if fraction > 0.5:
            raise SystemExit

    with pytest.raises(SystemExit):
        fit(x, checkpoint=path, report=killed, **options)
    assert fit(x, checkpoint=path, **options).value == pytest.approx(whole.value, rel=1e-6)
