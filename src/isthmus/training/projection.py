"""Forget the directions of a layer's input that the data never use."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.networks import FullyConnected

_CHUNK = 8192
_LARGEST_SIDE = 2048  # a layer with more inputs is left as it is: its moments would take minutes to invert


def project(network: FullyConnected, x: Tensor, *, damping: float) -> FullyConnected:
    r"""Restrict each layer to the directions its inputs really take.

    $$[W_\ell, b_\ell] \leftarrow [W_\ell, b_\ell]\, G (G + \varepsilon I)^{-1}$$

    $G = \frac1N \sum_i (a_i, 1)(a_i, 1)^\top$ is the second-moment matrix of the layer's inputs with the constant
    that the bias sees, $\varepsilon$ = `damping` · tr(G) / dim. Layers are taken in order, each on the inputs that
    the projected layers before it produce.

    The eigenvalues of $G(G + \varepsilon I)^{-1}$ lie in [0, 1), so ‖w‖² never grows. As ε → 0 it becomes the
    orthogonal projection on the span of the $(a_i, 1)$, which leaves f unchanged at every row of `x`. With ε > 0
    directions of weight below ε are damped as well: a cheap step that lowers the norm and moves f a little. A layer of
    more than 2,048 inputs is left as it is.

    Args:
        network: Any network.
        x: The rows `(n, d_in)` on which f must be kept.
        damping: ε relative to the mean eigenvalue of G, ≥ 0. At 0 the exact projection is formed from G's
            eigenvectors, with eigenvalues below rounding treated as zero.

    Source:
        Follows from ‖w‖² being minimal; see `docs/theory.md`.
    """
    a = x.to(dtype=network.dtype, device=network.device)
    weights, biases = [], []
    for layer, (w, b) in enumerate(zip(network.weights, network.biases, strict=True), start=1):
        if w.shape[1] <= _LARGEST_SIDE:
            joint = torch.cat([w, b[:, None]], 1).double() @ _restriction(_second_moments(a), damping)
            w, b = joint[:, :-1].to(w), joint[:, -1].to(b)
        weights.append(w)
        biases.append(b)
        if layer < network.depth:
            a = network.activation(torch.addmm(biases[-1], a, weights[-1].T))
    return FullyConnected(tuple(weights), tuple(biases), network.activation)


def _second_moments(a: Tensor) -> Tensor:
    """(1/N) Σ (a_i, 1)(a_i, 1)ᵀ in float64, `(d + 1, d + 1)`."""
    total = torch.zeros(a.shape[1] + 1, a.shape[1] + 1, dtype=torch.float64, device=a.device)
    for rows in a.split(_CHUNK):
        extended = torch.cat([rows, torch.ones_like(rows[:, :1])], 1).double()
        total.addmm_(extended.T, extended)
    return total / len(a)


def _restriction(moments: Tensor, damping: float) -> Tensor:
    """G (G + εI)⁻¹; symmetric."""
    if damping > 0.0:
        ridge = damping * moments.diagonal().mean()
        eye = torch.eye(len(moments), dtype=moments.dtype, device=moments.device)
        damped: Tensor = torch.linalg.solve(moments + ridge * eye, moments)
        return damped
    values, vectors = torch.linalg.eigh(moments)
    # G is a Gram matrix of float64 rows: below this its eigenvalues are rounding.
    kept: Tensor = vectors[:, values > values[-1] * len(values) * torch.finfo(values.dtype).eps]
    return kept @ kept.T
