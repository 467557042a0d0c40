"""Degenerate networks with any number of inputs and layers: coincidences in every hidden layer, not only in the first.

Every weight is a multiple of 2⁻¹⁰, so rational arithmetic stays short and float64 holds each weight exactly.
"""

from itertools import pairwise

import torch

from isthmus.networks import RELU, FullyConnected


def _layers(widths, draw):
    return [draw(o, i) for i, o in pairwise(widths)], [draw(o, 1)[:, 0] / 2 for o in widths[1:]]


def _gaussian(generator):
    return lambda o, i: (torch.randn(o, i, generator=generator, dtype=torch.float64) * 1024).round() / 1024


def _integers(bound, generator):
    return lambda o, i: torch.randint(-bound, bound + 1, (o, i), generator=generator).double()


def integer_weights(widths, generator):
    """Weights in {−2, …, 2}: vertices on many cuts at once, neurons that vanish on whole regions."""
    return _layers(widths, _integers(2, generator))


def no_biases(widths, generator):
    """All cuts of every layer are cones."""
    weights, biases = _layers(widths, _gaussian(generator))
    return weights, [0 * b for b in biases]


def signs_without_biases(widths, generator):
    """Weights in {−1, 0, 1} and no biases: cones whose cuts also coincide."""
    weights, biases = _layers(widths, _integers(1, generator))
    return weights, [0 * b for b in biases]


def repeated(scale):
    """The second half of each hidden layer is `scale` times the first half."""

    def build(widths, generator):
        weights, biases = _layers(widths, _gaussian(generator))
        for values in (*weights[:-1], *biases[:-1]):
            k = len(values) // 2
            values[k : 2 * k] = scale * values[:k]
        return weights, biases

    return build


def cut_again(widths, generator):
    """Opposite pairs; the second layer recovers z as relu(z) − relu(−z), and cuts at 0 again or where z is its bias."""
    weights, biases = repeated(-1.0)(widths, generator)
    k = widths[1] // 2
    for row in range(min(k, widths[2])):
        weights[1][row] = 0
        weights[1][row, row], weights[1][row, k + row] = 1, -1
        biases[1][row] = 0 if row % 2 else -biases[0][row]
    return weights, biases


def dead_layer(widths, generator):
    """The second hidden layer is negative on the whole box."""
    weights, biases = _layers(widths, _gaussian(generator))
    biases[1] = -100.0 * (1.0 + weights[1].abs().sum(1))
    return weights, biases


FAMILIES = {
    "integer weights": integer_weights,
    "no biases": no_biases,
    "signs without biases": signs_without_biases,
    "paired": repeated(-1.0),
    "duplicated": repeated(3.0),
    "cut again": cut_again,
    "dead layer": dead_layer,
}


def degenerate_network(family, widths, seed, activation=RELU):
    weights, biases = FAMILIES[family](widths, torch.Generator().manual_seed(seed))
    return FullyConnected(tuple(weights), tuple(biases), activation)
