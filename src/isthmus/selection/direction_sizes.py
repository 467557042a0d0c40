"""In how many directions a network's outputs move, and how much."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.networks import FullyConnected
from isthmus.spectra import jacobian_spectra, jacobians, spaced
from isthmus.training import Objective

_POINTS = 300  # rows at which f is differentiated
_ROWS = 50  # of them at a time where the derivative is formed


def direction_sizes(network: FullyConnected, objective: Objective, x: Tensor, count: int) -> Tensor:
    r"""$\rho_j = \sqrt{\sum_i s_{j+1}(Jf(x_i))^2 / \sum_i s_1(Jf(x_i))^2}$ for j = 0 … `count` − 1, float64.

    Of a classification f is $2\sqrt{p}$, p the probabilities (`Likelihood.in_metric`).

    Args:
        network: f.
        objective: What it was trained on, with its likelihood.
        x: Rows `(n, d_in)` in the network's units.
        count: How many; zero from the smallest width on.
    """
    points = spaced(x, _POINTS)
    likelihood = objective.likelihood
    if likelihood.is_quadratic:
        values = jacobian_spectra(network, points).singular_values
    else:
        slopes = (likelihood.in_metric(jacobians(network, x).double(), network(x)) for x in points.split(_ROWS))
        values = torch.cat([torch.linalg.svdvals(each) for each in slopes])
    squares = values.square().sum(0)
    sizes = (squares / squares[0].clamp_min(torch.finfo(torch.float64).tiny)).sqrt()
    return torch.nn.functional.pad(sizes, (0, max(0, count - len(sizes))))[:count]
