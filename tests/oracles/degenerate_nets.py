"""The nets that break careless enumeration: integer, symmetric, duplicated, dead. Two inputs, box [−1, 1]², float64.

Every weight is a multiple of 2⁻¹⁰, so rational arithmetic stays short and float64 holds each weight exactly.
"""

import torch

from isthmus.networks import RELU, FullyConnected


def _generator(seed):
    return torch.Generator().manual_seed(seed)


def _network(weights, biases, activation=RELU):
    return FullyConnected(tuple(weights), tuple(biases), activation)


def _gaussian(rows, columns, generator):
    # 2⁻¹⁰ is coarse enough for short fractions and fine enough that lines meet in general position.
    return (torch.randn(rows, columns, generator=generator, dtype=torch.float64) * 1024).round() / 1024


def _integers(rows, columns, bound, generator):
    return torch.randint(-bound, bound + 1, (rows, columns), generator=generator).double()


def integer_weights(seed, activation=RELU):
    """2-6-6-1, weights and biases in {−2, …, 2}: vertices on many lines at once."""
    g = _generator(seed)
    sizes = [(6, 2), (6, 6), (1, 6)]
    weights = [_integers(*size, 2, g) for size in sizes]
    return _network(weights, [_integers(o, 1, 1, g)[:, 0] for o, _ in sizes], activation)


def quarter_integer_weights(seed, activation=RELU):
    """2-8-8-1, weights and biases in {−1, −3/4, …, 1}."""
    g = _generator(seed)
    sizes = [(8, 2), (8, 8), (1, 8)]
    weights = [_integers(*size, 4, g) / 4 for size in sizes]
    return _network(weights, [_integers(o, 1, 4, g)[:, 0] / 4 for o, _ in sizes], activation)


def zero_biases(seed, activation=RELU):
    """2-8-8-1, Gaussian weights and no biases: every cut passes through the origin."""
    g = _generator(seed)
    sizes = [(8, 2), (8, 8), (1, 8)]
    weights = [_gaussian(*size, g) for size in sizes]
    return _network(weights, [torch.zeros(o, dtype=torch.float64) for o, _ in sizes], activation)


def paired_weights(seed, activation=RELU):
    """2-12-6-1: six hidden pairs ±(w, b), as in |z| = relu(z) + relu(−z)."""
    g = _generator(seed)
    half, half_bias = _gaussian(6, 2, g), _gaussian(6, 1, g)[:, 0] / 2
    weights = [torch.cat([half, -half]), _gaussian(6, 12, g), _gaussian(1, 6, g)]
    biases = [torch.cat([half_bias, -half_bias]), _gaussian(6, 1, g)[:, 0] / 2, _gaussian(1, 1, g)[:, 0]]
    return _network(weights, biases, activation)


def duplicated_neurons(seed, activation=RELU):
    """2-12-6-1: six neurons in the first layer, each twice: three as they are, three scaled by 3."""
    g = _generator(seed)
    half, half_bias = _gaussian(6, 2, g), _gaussian(6, 1, g)[:, 0] / 2
    scale = torch.tensor([1.0, 1.0, 1.0, 3.0, 3.0, 3.0], dtype=torch.float64)
    weights = [torch.cat([half, scale[:, None] * half]), _gaussian(6, 12, g), _gaussian(1, 6, g)]
    biases = [torch.cat([half_bias, scale * half_bias]), _gaussian(6, 1, g)[:, 0] / 2, _gaussian(1, 1, g)[:, 0]]
    return _network(weights, biases, activation)


def axis_grid_with_diagonals(seed, activation=RELU):
    """2-12-4-1: an axis grid at −1/2, 0, 1/2 … and diagonals through its corners, all meeting at shared vertices."""
    g = _generator(seed)
    ticks = [-0.5, 0.0, 0.5]
    lines = [(1.0, 0.0, -t) for t in ticks] + [(0.0, 1.0, -t) for t in ticks]
    lines += [(1.0, -1.0, -t) for t in ticks] + [(1.0, 1.0, -t) for t in ticks]
    first = torch.tensor(lines, dtype=torch.float64)
    weights = [first[:, :2].contiguous(), _integers(4, 12, 2, g), _integers(1, 4, 2, g)]
    biases = [first[:, 2].contiguous(), _integers(4, 1, 2, g)[:, 0] / 2, torch.zeros(1, dtype=torch.float64)]
    return _network(weights, biases, activation)


def all_dead_layer(seed, activation=RELU):
    """2-6-6-1 whose first layer is negative on the whole box: with ReLU one region, everything after it constant."""
    g = _generator(seed)
    first = _gaussian(6, 2, g)
    weights = [first, _gaussian(6, 6, g), _gaussian(1, 6, g)]
    biases = [-first.abs().sum(1) - 1.0, _gaussian(6, 1, g)[:, 0], _gaussian(1, 1, g)[:, 0]]
    return _network(weights, biases, activation)


DEGENERATE_NETS = {
    "integer weights": integer_weights,
    "quarter-integer weights": quarter_integer_weights,
    "zero biases": zero_biases,
    "paired weights": paired_weights,
    "duplicated neurons": duplicated_neurons,
    "axis grid with diagonals": axis_grid_with_diagonals,
    "all-dead layer": all_dead_layer,
}
