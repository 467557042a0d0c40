"""What Proposition 4 says of very deep networks: somewhere the activations lie almost along one direction."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.errors import OptionError
from isthmus.foundation.arrays import as_matrix
from isthmus.networks import FullyConnected


def activation_ratios(network: FullyConnected, x: Tensor, *, rank: int = 1) -> tuple[float, ...]:
    r"""$s_{k+1}(A_\ell) / s_1(A_\ell)$ of the activations behind each hidden layer, ℓ = 1, …, L − 1.

    $A_\ell$ is the matrix of activations `(n, n_ℓ)` as it is: not centred, as the proposition states it, so a line that
    misses the origin counts as two directions. At minima with $R/L \le 1 + C_N/L$ the least of the ratios with k = 1
    is $O(L^{-1/4})$.

    Args:
        network: Of depth L ≥ 2.
        x: `(n, d_in)`.
        rank: k ≥ 1.

    Returns:
        L − 1 numbers between 0 and 1; 0 where the layer has no more than k neurons, or none that fires.

    Raises:
        OptionError: If there is no hidden layer, or `rank` is below 1.
        ShapeError, DtypeError, NonFiniteError: If `x` is not a real, finite matrix `(n, d_in)` with n ≥ 1.

    Source:
        Jacot (2023), Proposition 4.
    """
    if network.depth < 2:
        raise OptionError("the depth of the network", network.depth, "at least 2: there is no hidden layer")
    if rank < 1:
        raise OptionError("rank", rank, "at least 1")
    activations = network.trace(as_matrix(x))[0][1:]
    return tuple(_ratio(torch.linalg.svdvals(a.double()), rank) for a in activations)


def _ratio(s: Tensor, rank: int) -> float:
    return float(s[rank] / s[0]) if len(s) > rank and float(s[0]) > 0.0 else 0.0
