"""The latent coordinate that matters least: how much it moves the outputs, and whether it is a number of its own."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.factorization.halves import split
from isthmus.factorization.kernel_ridge import predicted_share
from isthmus.foundation.likelihood import Likelihood
from isthmus.networks import FullyConnected
from isthmus.spectra import balanced_truncations, jacobians, spaced

_POINTS = 100  # rows at which the decoder is differentiated
_ROWS = 200  # rows of the regression, whose time grows with the cube of them
_LEAST = 1e-12  # share of the largest variance below which coordinates do not vary


@dataclass(frozen=True)
class LastLatent:
    r"""Of k latent coordinates the one that matters least.

    With Σ the covariance of the latent coordinates z and J the derivative of the decoder by them, the eigenvectors of
    $\Sigma^{1/2} E[J^\top J] \Sigma^{1/2}$ are coordinates of unit variance without correlation, in the order of their
    effects, the roots of the eigenvalues.

    Attributes:
        sensitivity: Of the last coordinate, relative to the first: in [0, 1].
        r2_given_others: $R^2$, the share of its variance that the other coordinates determine, each row predicted from
            the other rows by kernel ridge regression. A network that bends a sheet of k − 1 dimensions carries it
            through k numbers, and then it is near 1, however much the coordinate is of use. It is near 0 where the
            coordinate is free. Few rows for the dimension, or a sheet of many bends, make it smaller. 0 for k = 1.
    """

    sensitivity: float
    r2_given_others: float


def last_latent(network: FullyConnected, layer: int, rank: int, x: Tensor, likelihood: Likelihood) -> LastLatent:
    """Measure the coordinate that matters least, of a network that is narrow at a layer.

    Args:
        network: f.
        layer: ℓ.
        rank: k ≥ 1.
        x: Rows `(n, d_in)` in the network's units; at most 200, evenly spaced, are used.
        likelihood: Says how far outputs are apart (`Likelihood.in_metric`).
    """
    rows = spaced(x, _ROWS)
    (truncation,) = balanced_truncations(network, rows, layers=[layer], points=_POINTS, dtype=torch.float32)
    if truncation.rank < rank:
        return LastLatent(0.0, 0.0)  # fewer coordinates vary than may
    encoder, decoder = split(network, truncation, rank)
    z = encoder(rows)
    points = spaced(z, _POINTS)
    slopes = likelihood.in_metric(jacobians(decoder, points).double(), decoder(points)).reshape(-1, rank)
    centred = z.double() - z.double().mean(0)
    variances, axes = torch.linalg.eigh(centred.T @ centred / len(rows))
    scales = variances.clamp_min(0.0).sqrt()
    scales = torch.where(scales > (_LEAST * variances[-1].clamp_min(0.0)).sqrt(), scales, 0.0)
    root = axes * scales
    effects, directions = torch.linalg.eigh(root.T @ (slopes.T @ slopes) @ root)
    if effects[-1] <= 0 or scales[0] == 0:
        return LastLatent(0.0, 0.0)
    if rank == 1:
        return LastLatent(1.0, 0.0)
    own = (centred @ axes / scales) @ directions  # the first column matters least
    share = float(predicted_share(own[:, 1:], own[:, :1]))
    return LastLatent(float((effects[0].clamp_min(0.0) / effects[-1]).sqrt()), share)
