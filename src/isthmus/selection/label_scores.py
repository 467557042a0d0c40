"""Whether what k numbers leave out of a network of classes speaks for the classes of rows that it has not seen."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor

from isthmus.foundation.likelihood import GAUSSIAN
from isthmus.networks import FullyConnected
from isthmus.selection.restriction import restrict_to_ranks
from isthmus.spectra import spaced
from isthmus.training import FittedNetwork, Objective

_POINTS = 700  # where a network says what those through k numbers learn of it; between rows where there are fewer
_RIDGE = 1e-4  # λ of these, in the variance of what they learn: there is no noise in it


@torch.no_grad()
def label_scores(fitted: FittedNetwork, inputs: Tensor, labels: Tensor, most: int) -> Tensor:
    r"""Score of each held-out row for number k + 1, and its variance, k = 0, 1, …: `(·, 2, m)` float64.

    Networks through k = 1, 2, … numbers learn the logits of the whole one, which has labelled as many points as they
    need, so that they lack no rows and fit no noise of labels but what the whole one has fitted. With $s_k$ the logits
    of one of them at a row, $p_k$ its probabilities and $\delta_k = s_{k+1} - s_k$, the score
    $\langle \delta_k, y - p_k \rangle$ is the derivative of $\log p(y)$ along $\delta_k$. Where k numbers are enough,
    $\delta_k$ is an error of the network, made before the label was seen: the mean is 0 and the variance that of
    $\delta_k$ under $p_k$. A number that k leave out adds up over the rows, however small λ has made it.

    Args:
        fitted: The network, of other rows.
        inputs: Rows that it has not seen `(m, d_in)`, in its units.
        labels: Their classes `(m,)`.
        most: The largest k; fewer where no layer carries as many numbers.

    Source:
        Rao (1948), score tests; Owen and Perry (2009), who hold out rows and columns to find the rank of a matrix.
    """
    points = _points(torch.cat([fitted.objective.sample()[0], inputs]))
    whole = _centred(fitted.network)
    targets = whole(points)
    middle = targets.mean(0)
    variance = float((targets - middle).square().sum(1).mean())
    objective = Objective(points, targets, GAUSSIAN, _RIDGE * variance)
    through = [each.network(inputs) for each in restrict_to_ranks(whole, objective, most=most)]
    found = [_scores(*pair, labels) for pair in pairwise([middle.expand(len(inputs), -1), *through])]
    return torch.stack(found).cpu() if found else torch.zeros(0, 2, len(inputs), dtype=torch.float64)


def _scores(logits: Tensor, further: Tensor, labels: Tensor) -> Tensor:
    """Score of the way from some logits `(m, c)` to further ones, and its variance: `(2, m)`."""
    p = logits.double().softmax(1)
    way = (further - logits).double()
    way = way - (p * way).sum(1, keepdim=True)
    return torch.stack([way.gather(1, labels[:, None])[:, 0], (p * way.square()).sum(1)])


def _points(rows: Tensor) -> Tensor:
    """At most so many of the rows, or as many with what lies between pairs of them."""
    if len(rows) >= _POINTS:
        return spaced(rows, _POINTS)
    generator = torch.Generator().manual_seed(0)
    count = _POINTS - len(rows)
    first, second = torch.randint(len(rows), (2, count), generator=generator)
    share = torch.rand(count, 1, generator=generator).to(rows)
    return torch.cat([rows, share * rows[first] + (1.0 - share) * rows[second]])


def _centred(network: FullyConnected) -> FullyConnected:
    """The same with logits less their mean: a shift of them all changes no probability."""
    weights, biases = list(network.weights), list(network.biases)
    weights[-1], biases[-1] = weights[-1] - weights[-1].mean(0), biases[-1] - biases[-1].mean()
    return replace(network, weights=tuple(weights), biases=tuple(biases))
