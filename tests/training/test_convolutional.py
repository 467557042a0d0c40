"""Convolutional autoencoders: their shape, a descent with a closed form, refusals."""

import pytest
import torch
from torch import nn

from isthmus.errors import DivergenceError, NonFiniteError, OptionError, ShapeError
from isthmus.spectra import convolutional_bottleneck
from isthmus.training import convolutional_autoencoder, fit_module


def test_the_autoencoder_halves_and_doubles():
    module = convolutional_autoencoder(depth=6, channels=3, kernel=3, halvings=2)
    x = torch.rand(4, 1, 8, 8)
    assert module(x).shape == x.shape
    found = convolutional_bottleneck(module, x)
    assert [layer.grid for layer in found.layers] == [(4, 4), (2, 2), (2, 2), (2, 2), (4, 4), (8, 8)]
    again = convolutional_autoencoder(depth=6, channels=3, kernel=3, halvings=2)
    other = convolutional_autoencoder(depth=6, channels=3, kernel=3, halvings=2, seed=1)
    assert torch.equal(module[0].weight, again[0].weight)
    assert not torch.equal(module[0].weight, other[0].weight)
    shifted = module(x.roll((4, 4), (2, 3)))  # by as much as two halvings leave whole
    torch.testing.assert_close(shifted, module(x).roll((4, 4), (2, 3)))


def test_a_linear_module_reaches_ridge_regression():
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(40, n, generator=generator, dtype=torch.float64) for n in (3, 2))
    start = nn.Linear(3, 2, dtype=torch.float64)
    before = start.weight.detach().clone()
    found, value = fit_module(start, x, y, weight_decay=0.1, steps=50, evaluations=100)
    inputs = torch.cat([x, torch.ones(40, 1).double()], 1)
    best = torch.linalg.solve(inputs.T @ inputs / 40 + 0.1 * torch.eye(4).double(), inputs.T @ y / 40).T
    torch.testing.assert_close(found.weight, best[:, :3], rtol=1e-4, atol=1e-6)
    least = float((inputs @ best.T - y).square().sum() / 40 + 0.1 * best.square().sum())
    assert value == pytest.approx(least, rel=1e-8)
    assert torch.equal(start.weight, before)


def test_the_given_module_keeps_its_statistics():
    module = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    before = module[1].running_mean.clone()
    fit_module(module, torch.rand(8, 3), torch.rand(8, 2), weight_decay=0.0, steps=2, evaluations=0)
    assert torch.equal(module[1].running_mean, before)


def test_arrays_of_numpy_are_taken():
    module = convolutional_autoencoder(depth=3, channels=2, kernel=3)
    x = torch.rand(3, 1, 4, 4)
    of_tensors, of_arrays = (
        fit_module(module, rows, rows, weight_decay=0.1, steps=2, evaluations=2)[1] for rows in (x, x.double().numpy())
    )
    assert of_tensors == of_arrays


def test_what_cannot_be_trained_is_refused():
    module = convolutional_autoencoder(depth=3, channels=2, kernel=3)
    x = torch.rand(2, 1, 4, 4)
    with pytest.raises(OptionError, match="depth is 2 but must be at least 3"):
        convolutional_autoencoder(depth=2, channels=2, kernel=3)
    with pytest.raises(OptionError, match="odd"):
        convolutional_autoencoder(depth=3, channels=2, kernel=2)
    for bad, what in (({"channels": 0}, "channels is 0"), ({"images": 0}, "images"), ({"halvings": -1}, "halvings")):
        with pytest.raises(OptionError, match=what):
            convolutional_autoencoder(**{"depth": 5, "channels": 2, "kernel": 3} | bad)
    for bad, what in (({"steps": -1}, "steps is -1"), ({"evaluations": -1}, "evaluations")):
        with pytest.raises(OptionError, match=what):
            fit_module(module, x, x, weight_decay=0.1, **{"steps": 1, "evaluations": 0} | bad)
    with pytest.raises(OptionError, match="a module with parameters"):
        fit_module(nn.ReLU(), x, x, weight_decay=0.1, steps=1, evaluations=0)
    with pytest.raises(ShapeError, match="empty"):
        fit_module(module, x[:0], x[:0], weight_decay=0.1, steps=1, evaluations=0)
    with pytest.raises(NonFiniteError, match="y holds NaN"):
        fit_module(module, x, x * float("nan"), weight_decay=0.1, steps=1, evaluations=0)
    with pytest.raises(OptionError, match="weight_decay"):
        fit_module(module, x, x, weight_decay=-1.0, steps=1, evaluations=0)
    with pytest.raises(ShapeError, match=r"the module gives \(2, 1, 4, 4\)"):
        fit_module(module, x, x[:, :, :2], weight_decay=0.1, steps=1, evaluations=0)
    with pytest.raises(DivergenceError):
        fit_module(module, 1e30 * x, 1e30 * x, weight_decay=0.1, steps=2, evaluations=0)
