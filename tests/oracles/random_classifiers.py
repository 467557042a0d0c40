"""Random classifiers of the plane whose classes all have a chance to win in [−1, 1]²."""

from itertools import pairwise

import torch

from isthmus.networks import RELU, FullyConnected


def random_classifier(seed, *, hidden=(8, 8), classes=4, activation=RELU):
    """Gaussian weights, kinks spread over the box, logits centred over it; multiples of 2⁻¹⁰, float64."""
    g = torch.Generator().manual_seed(seed)
    widths = (2, *hidden, classes)
    weights = [torch.randn(o, i, generator=g).double() * (2.0 / i) ** 0.5 for i, o in pairwise(widths)]
    biases = [0.5 * torch.randn(o, generator=g).double() for o in widths[1:]]
    weights, biases = ([(t * 1024).round() / 1024 for t in part] for part in (weights, biases))
    points = 2 * torch.rand(2000, 2, generator=g).double() - 1
    mean = FullyConnected(tuple(weights), tuple(biases), activation)(points).mean(0)
    biases[-1] = biases[-1] - (mean * 1024).round() / 1024
    return FullyConnected(tuple(weights), tuple(biases), activation)
