r"""Constants are cheaper built up over several layers than paid for by one bias."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor

from isthmus.networks import FullyConnected

_SWEEPS, _PRECISION = 500, 1e-12


def with_constant_neurons(network: FullyConnected) -> FullyConnected:
    r"""The same function everywhere, with biases partly replaced by a neuron of constant value in each hidden layer.

    A neuron of value $v_\ell \ge 0$, which every σ lets pass, comes from the one before at
    $v_\ell^2 / (v_{\ell-1}^2 + 1)$, the least norm of (w, b) with $w v_{\ell-1} + b = v_\ell$; and it pays for a bias
    $b_{\ell+1}$ together with a smaller bias at $\|b_{\ell+1}\|^2 / (v_\ell^2 + 1)$. With $u_\ell = v_\ell^2 + 1$,

    $$\sum_\ell \frac{u_\ell - 1 + \|b_\ell\|^2}{u_{\ell-1}}, \qquad u_0 = 1, \quad u_L - 1 = 0,$$

    replaces $\sum_\ell \|b_\ell\|^2$ in ‖w‖². The u are stationary where
    $u_\ell^2 = u_{\ell-1} (u_{\ell+1} - 1 + \|b_{\ell+1}\|^2)$; sweeps from above lead there. So a large constant c at
    the output costs O(log |c|) in a deep network instead of c². Where no neuron pays, the network comes back as it is.
    """
    sizes = [float(b.square().sum()) for b in network.biases]
    u = _stationary(sizes)
    if max(u) == 1.0 or _cost(u, sizes) >= sum(sizes):
        return network
    values = [(number - 1.0) ** 0.5 for number in u]
    weights: list[Tensor] = []
    biases: list[Tensor] = []
    for w, b, (before, after) in zip(network.weights, network.biases, pairwise(values), strict=True):
        share = 1.0 / (before**2 + 1.0)
        columns = [w, (b * before * share)[:, None]] if before else [w]
        new_w, new_b = torch.cat(columns, 1), b * share
        if after:
            row = new_w.new_zeros(1, new_w.shape[1])
            if before:
                row[0, -1] = after * before * share
            new_w, new_b = torch.cat([new_w, row]), torch.cat([new_b, new_b.new_full((1,), after * share)])
        weights.append(new_w)
        biases.append(new_b)
    return replace(network, weights=tuple(weights), biases=tuple(biases))


def _stationary(sizes: list[float]) -> list[float]:
    """u_0 = 1, …, u_L = 1 for squared norms `sizes` of the biases of layers 1 to L."""
    depth = len(sizes)
    u = [1.0] + [1.0 + sum(sizes)] * (depth - 1) + [1.0]
    for _ in range(_SWEEPS):
        moved = 0.0
        for i in range(1, depth):
            before, u[i] = u[i], max(1.0, (u[i - 1] * max(0.0, u[i + 1] - 1.0 + sizes[i])) ** 0.5)
            moved = max(moved, abs(u[i] - before) / before)
        if moved <= _PRECISION:
            break
    return u


def _cost(u: list[float], sizes: list[float]) -> float:
    return sum((after - 1.0 + size) / before for (before, after), size in zip(pairwise(u), sizes, strict=True))
