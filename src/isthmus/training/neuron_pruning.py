"""Width that follows the rank: fewer neurons, the same f on the data, no more norm."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from isthmus.errors import ShapeError
from isthmus.networks import FullyConnected
from isthmus.training.projection import project


def prune_neurons(network: FullyConnected, x: Tensor, *, tolerance: float = 0.0) -> FullyConnected:
    r"""Express the network with as few neurons as its rank on the data needs.

    Neurons of a layer that share their activation pattern (which rows of `x` they are active on; in the middle of a
    trained network most are active on all) are linear together. Let $U \in \mathbb R^{n \times D}$ be an orthonormal
    basis of the column space of their weights $[W, b]$, restricted to the directions the data use, with rows $u_j$. As
    $\sum_j u_j u_j^\top = I_D$, Carathéodory's theorem gives weights $c_j \ge 0$, at most $D(D+1)/2$ of them positive,
    with $\sum_j c_j u_j u_j^\top = I_D$. The neurons with $c_j > 0$ then suffice: with incoming rows
    $\sqrt{c_j}\,(w_j, b_j)$ and outgoing columns $\sqrt{c_j}\, V u_j$, where V are the outgoing weights in the basis U,
    f is the same and

    - $\sum_j c_j \|(w_j, b_j)\|^2 = \|[W, b]\|_F^2$, as $\operatorname{tr}(W^\top U (\sum c_j u_j u_j^\top) U^\top W)$,
    - $\|V (\sqrt{c_j} u_j)_j\|_F = \|V\|_F \le$ the norm of the outgoing columns.

    Args:
        network: Any network.
        x: The rows `(n, d_in)` on which f must be kept.
        tolerance: Directions and neurons whose share in what the next layer receives is below this fraction of the
            whole are dropped. At 0 only what is below the rounding of the network's dtype is.

    Returns:
        A network of the same depth. ‖w‖² is not larger. At `tolerance` 0, f at the rows of `x` is unchanged to
        rounding; beyond, it moves by about that fraction a layer.

    Source:
        Follows from ‖w‖² being minimal; see `docs/theory.md`.
    """
    network = project(network, x, damping=0.0)
    floor = max(tolerance, 4.0 * torch.finfo(network.dtype).eps)
    weights, biases = list(network.weights), list(network.biases)
    a = x.to(dtype=network.dtype, device=network.device)
    for layer in range(network.depth - 1):
        z = torch.addmm(biases[layer], a, weights[layer].T)
        joint = torch.cat([weights[layer], biases[layer][:, None]], 1).double()
        incoming, outgoing = _pruned_layer(joint, weights[layer + 1].double(), z, network.activation(z), floor)
        weights[layer], biases[layer] = incoming[:, :-1].to(z), incoming[:, -1].to(z)
        weights[layer + 1] = outgoing.to(z)
        a = network.activation(torch.addmm(biases[layer], a, weights[layer].T))
    return FullyConnected(tuple(weights), tuple(biases), network.activation)


def _pruned_layer(joint: Tensor, outgoing: Tensor, z: Tensor, a: Tensor, floor: float) -> tuple[Tensor, Tensor]:
    """One layer's incoming and outgoing weights over fewer neurons."""
    sizes = a.double().square().mean(0).sqrt()
    shares = sizes * outgoing.norm(dim=0)
    is_used = shares > floor * shares.norm()
    if not bool(is_used.any()):
        is_used[0] = True  # a layer keeps one neuron, so that the network keeps its depth
    kept, columns = [], []
    for members in _groups(z > 0, is_used):
        rows, v = joint[members], outgoing[:, members]
        chosen, scale, basis = _subset(rows, sizes[members], floor * float(shares.norm()), v)
        kept.append(scale[:, None] * (basis @ (basis.T @ rows))[chosen])
        columns.append(v @ basis @ (scale[:, None] * basis[chosen]).T)
    return torch.cat(kept), torch.cat(columns, 1)


def _groups(is_active: Tensor, is_used: Tensor) -> list[Tensor]:
    """Indices of the used neurons, those with equal columns of `is_active` `(n, neurons)` together."""
    used = is_used.nonzero().flatten()
    _, labels = is_active[:, used].unique(dim=1, return_inverse=True)
    return [used[labels == label] for label in range(int(labels.max()) + 1)]


def _subset(rows: Tensor, sizes: Tensor, floor: float, outgoing: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(neurons that suffice, √c of them, U) for neurons of one pattern."""
    if len(rows) == 1:
        one = rows.new_ones(1, 1)
        return torch.zeros(1, dtype=torch.long, device=rows.device), one[0], one
    u, s, _ = torch.linalg.svd(rows, full_matrices=False)
    # A direction of the group matters by what the next layer receives of it: its size times its outgoing weight.
    scale = float(sizes.norm() / rows.norm())
    basis = u[:, (s * scale * (outgoing @ u).norm(dim=0) > floor) | (s == s[0])]
    if len(rows) <= basis.shape[1]:
        return torch.arange(len(rows), device=rows.device), rows.new_ones(len(rows)), basis
    c = caratheodory(basis)
    chosen = c.nonzero().flatten()
    return chosen, c[chosen].sqrt(), basis


def caratheodory(basis: Tensor) -> Tensor:
    r"""Weights c ≥ 0, at most D(D+1)/2 of them positive, with $\sum_j c_j u_j u_j^\top = \sum_j u_j u_j^\top$.

    Args:
        basis: Rows $u_j$, `(n, D)`.

    Returns:
        c, `(n,)`, starting from c = 1: along each null vector of the map $c \mapsto \sum_j c_j u_j u_j^\top$ one weight
        after the other is brought to zero.
    """
    n, d = basis.shape
    upper = torch.triu_indices(d, d, device=basis.device)
    outer = (basis[:, upper[0]] * basis[:, upper[1]]).T  # (D(D+1)/2, n)
    c = basis.new_ones(n)
    if n <= len(outer):
        return c
    null = torch.linalg.svd(outer, full_matrices=True)[2][_rank(outer) :].T.contiguous()  # (n, n − rank)
    is_left = torch.zeros(n, dtype=torch.bool, device=basis.device)
    while null.shape[1]:
        direction = null[:, 0]
        if float(direction.max()) <= 0.0:
            direction = -direction
        steps = torch.where(direction > 0, c / direction.where(direction > 0, 1.0), torch.inf)
        leaving = int(steps.argmin())
        c = (c - steps[leaving] * direction).clamp_min(0.0)
        is_left[leaving] = True
        # The remaining null vectors must not move a weight that has left, not even by rounding.
        pivot = int(null[leaving].abs().argmax())
        null[:, [0, pivot]] = null[:, [pivot, 0]]
        rest = null[:, 1:] - null[:, :1] * (null[leaving, 1:] / null[leaving, 0])
        rest[is_left] = 0.0
        null = torch.linalg.qr(rest)[0] if rest.shape[1] else rest
        null[is_left] = 0.0
        c[is_left] = 0.0
    return c


def _rank(matrix: Tensor) -> int:
    return int(torch.linalg.matrix_rank(matrix))


def widened(network: FullyConnected, widths: tuple[int, ...]) -> FullyConnected:
    """The same function with hidden layers of `widths` `(n_0, …, n_L)`: the neurons that are added are zero.

    Raises:
        ShapeError: If there are not L + 1 widths, a width is below the network's, or the input or output differs.
    """
    now = network.widths
    if len(widths) != len(now) or widths[0] != now[0] or widths[-1] != now[-1] or any(map(int.__lt__, widths, now)):
        raise ShapeError(
            f"A network of widths {now} cannot be widened to {widths}. Give as many widths, none of them smaller, "
            "with the same input and output."
        )
    weights = tuple(
        torch.nn.functional.pad(w, (0, m - w.shape[1], 0, n - w.shape[0]))
        for w, (m, n) in zip(network.weights, pairwise(widths), strict=True)
    )
    biases = tuple(torch.nn.functional.pad(b, (0, n - len(b))) for b, n in zip(network.biases, widths[1:], strict=True))
    return FullyConnected(weights, biases, network.activation)
