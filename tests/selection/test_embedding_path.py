"""Whether paths reach what is there from a network that knows nothing of it."""

import numpy as np
import torch

from isthmus.networks import RELU, FullyConnected
from isthmus.selection.embedding_path import embedding_path


def largest_angle(found, true, x):
    """Between the spans of combinations over the rows, in degrees."""
    bases = [np.linalg.qr(x @ each.T)[0] for each in (found, true)]
    return np.degrees(np.arccos(min(1.0, np.linalg.svd(bases[0].T @ bases[1])[1].min())))


def test_all_combinations_of_many_inputs_are_found():
    rng, d, k = np.random.default_rng(0), 40, 4
    x = rng.standard_normal((1000, d))
    true = np.linalg.qr(rng.standard_normal((d, k)))[0].T
    z = x @ true.T
    y = np.tanh(2 * z[:, 0]) + np.abs(z[:, 1]) + 0.5 * z[:, 2] ** 2 + 0.5 * np.sin(2 * z[:, 3])
    x, y = torch.from_numpy(x), torch.from_numpy(y / y.std())[:, None]
    layers = torch.from_numpy(rng.standard_normal((30, d))), torch.from_numpy(rng.standard_normal((1, 30)))
    network = FullyConnected(layers, tuple(torch.zeros(len(w), dtype=torch.float64) for w in layers), RELU)
    path = embedding_path(network, (x[:800], y[:800], None), (x[800:], y[800:]))
    assert largest_angle(path.directions[k - 1, :k].numpy(), true, x.numpy()) < 10
    losses = path.losses.mean(1)
    assert losses[k] < 0.5 * losses[k - 1]
    assert int(losses.argmin()) == k
