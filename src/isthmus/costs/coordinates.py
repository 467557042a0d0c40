r"""The cheapest coordinates of R^k in which f may pass the middle."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.costs.construction import StretchedNetwork, shifted_inputs, shifted_outputs
from isthmus.costs.levelling import lightened
from isthmus.networks import FullyConnected

_STARTS, _STEPS = 4, 60
_DIRECTIONS = 256  # extreme corners in so many random directions stand for all while the coordinates are sought


def _with_last(network: FullyConnected, weight: Tensor, bias: Tensor) -> FullyConnected:
    return replace(network, weights=(*network.weights[:-1], weight), biases=(*network.biases[:-1], bias))


def in_coordinates(network: StretchedNetwork, latent: Tensor, matrix: Tensor) -> StretchedNetwork:
    r"""The same function through $Mz + s$ in place of z.

    s leaves each coordinate the smallest bias at which it is nonnegative on Ω: none where it is so without.

    Args:
        network: Its middle must be identity layers or none.
        latent: The values z on Ω, or those at the corners of its patches, `(V, k)`.
        matrix: M, `(k, k)`, invertible.
    """
    g, h = network.encoder, network.decoder
    shift = _shift(matrix, latent, g.biases[-1], is_signed=g.activation.is_linear)
    turned = _with_last(g, matrix @ g.weights[-1], matrix @ g.biases[-1])
    inverse = torch.linalg.solve(matrix, h.weights[0], left=False)
    return replace(
        network,
        encoder=shifted_outputs(turned, shift),
        decoder=shifted_inputs(replace(h, weights=(inverse, *h.weights[1:])), shift),
    )


def _shift(matrix: Tensor, latent: Tensor, bias: Tensor, *, is_signed: bool) -> Tensor:
    unbiased = -(matrix @ bias)
    return unbiased if is_signed else torch.maximum(-(latent @ matrix.T).amin(0), unbiased)


@dataclass(frozen=True, eq=False)
class _Middle:
    r"""What the choice of coordinates in the middle changes of ‖w‖².

    Attributes:
        incoming: $(W, b)$ of the last layer of g, `(k, n + 1)`.
        outgoing: W of the first layer of h, `(o, k)`.
        bias: b of the first layer of h, `(o,)`.
        latent: Extreme values of z, `(V, k)`.
        count: m.
        is_signed: σ lets all values pass.
    """

    incoming: Tensor
    outgoing: Tensor
    bias: Tensor
    latent: Tensor
    count: int
    is_signed: bool

    def cost(self, matrix: Tensor) -> Tensor:
        r"""$(m+2) \sum_j (p_j q_j)^{2/(m+2)} + \|b_h - W_h M^{-1} s\|^2$: what `lightened` makes of the middle."""
        shift = _shift(matrix, self.latent, self.incoming[:, -1], is_signed=self.is_signed)
        incoming = matrix @ self.incoming
        incoming = torch.cat([incoming[:, :-1], incoming[:, -1:] + shift[:, None]], 1)
        outgoing = torch.linalg.solve(matrix, self.outgoing, left=False)
        products = incoming.square().sum(1) * outgoing.square().sum(0)
        exponent = 1.0 / (self.count + 2)
        levelled = (products + torch.finfo(products.dtype).tiny) ** exponent
        total: Tensor = (self.count + 2) * levelled.sum() + (self.bias - outgoing @ shift).square().sum()
        return total


def in_best_coordinates(network: StretchedNetwork, latent: Tensor, *, seed: int = 0) -> StretchedNetwork:
    r"""`network` with coordinates in its middle that make ‖w‖² small, found by L-BFGS from several starts.

    Any basis of R^k would do for f; it decides how large the shift into the positive orthant is, and how far the
    directions of g and h are from orthogonal. For large m the cost above k m is $2 \sum_j \log (p_j q_j)$, which is
    least in the singular basis of $W_h W_g$ as long as shifts are free.

    Args:
        network: Its middle must be identity layers.
        latent: As for `in_coordinates`.
        seed: Of the starts.
    """
    g, h, k = network.encoder, network.decoder, latent.shape[1]
    plain = in_coordinates(network, latent, torch.eye(k).to(latent))
    if float((latent - latent[0]).abs().max()) == 0.0:
        return plain
    generator = torch.Generator().manual_seed(seed)
    middle = _Middle(
        torch.cat([g.weights[-1], g.biases[-1][:, None]], 1),
        h.weights[0],
        h.biases[0],
        latent[_extreme(latent, generator)],
        network.count,
        g.activation.is_linear,
    )
    starts = _starts(middle, generator)
    best = min((_descended(middle, start) for start in starts), key=lambda m: float(middle.cost(m)))
    tried = in_coordinates(network, latent, best)
    return min((tried, plain), key=lambda n: lightened(n).squared_norm)


def _extreme(latent: Tensor, generator: torch.Generator) -> Tensor:
    directions = torch.randn(latent.shape[1], _DIRECTIONS, generator=generator, dtype=torch.float64)
    heights = latent @ torch.cat([directions, torch.eye(latent.shape[1]).double()], 1)
    extreme: Tensor = torch.cat([heights.argmin(0), heights.argmax(0)]).unique()
    return extreme


def _starts(middle: _Middle, generator: torch.Generator) -> list[Tensor]:
    """The singular basis of $W_h W_g$ and random rotations of it, each with the cheaper sign of every coordinate."""
    k = middle.latent.shape[1]
    r = torch.linalg.qr(middle.incoming[:, :-1].T, mode="r").R  # (≤ k, k), W_g = rᵀ times an orthonormal basis
    u, s, vt = torch.linalg.svd(middle.outgoing @ r.T, full_matrices=False)
    starts = []
    if len(s) >= k and float(s[-1]) > 1e-10 * float(s[0]):
        # M W_g = S^{1/2} V^T: then W_h M^{-1} = U S^{1/2}.
        starts.append(torch.diag(s[:k].rsqrt()) @ u[:, :k].T @ middle.outgoing)
    centred = middle.latent - middle.latent.mean(0)
    _, s, vt = torch.linalg.svd(centred, full_matrices=False)
    whitening = vt / s.clamp_min(1e-12 * float(s[0]))[:, None] * len(centred) ** 0.5
    starts.append(whitening)
    while k > 1 and len(starts) < _STARTS:
        turn = torch.linalg.qr(torch.randn(k, k, generator=generator, dtype=torch.float64)).Q
        starts.append(turn @ whitening)
    return [_signed(middle, start) for start in starts if bool(torch.isfinite(start).all())]


def _signed(middle: _Middle, matrix: Tensor) -> Tensor:
    for j in range(len(matrix)):
        flipped = matrix.clone()
        flipped[j] = -flipped[j]
        matrix = min((matrix, flipped), key=lambda m: float(middle.cost(m)))
    return matrix


def _descended(middle: _Middle, start: Tensor) -> Tensor:
    if len(start) == 1:
        return start  # the scale of one coordinate is no choice, its sign was made before
    flat = start.flatten().requires_grad_(True)
    solver = torch.optim.LBFGS([flat], max_iter=_STEPS, line_search_fn="strong_wolfe", tolerance_change=1e-9)

    def closure() -> Tensor:
        solver.zero_grad()
        value = middle.cost(flat.view_as(start))
        value.backward()
        return value

    try:
        solver.step(closure)
    except RuntimeError:
        return start  # the line search met a matrix without an inverse
    found = flat.detach().view_as(start)
    is_usable = bool(torch.isfinite(found).all()) and float(torch.linalg.cond(found)) < 1e8
    return found if is_usable and float(middle.cost(found)) < float(middle.cost(start)) else start
