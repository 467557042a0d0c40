"""Spread a linear map evenly over the layers that only carry it: of least norm where σ does nothing to the data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from isthmus.foundation.arrays import as_matrix
from isthmus.networks import Activation, FullyConnected
from isthmus.training import project, rebalance


def reduce_norm_and_balance(network: FullyConnected, x: Tensor) -> FullyConnected:
    """Project every layer on the directions the rows use, balance runs of linear layers, rebalance the neurons.

    None of the three ever raises ‖w‖², and f is unchanged at the rows of `x`, to rounding. Training does without the
    second (`training.reduce_norm`): it has nothing to do on networks that descend. A network that is given has not
    descended, and there the upper ends of the brackets are up to a fifth lower with it.

    Args:
        network: Any network.
        x: The rows `(n, d_in)` on which f must be kept.
    """
    return rebalance(balance_linear_runs(project(network, x, damping=0.0), x))


def balance_linear_runs(network: FullyConnected, x: Tensor) -> FullyConnected:
    r"""A network of no larger ‖w‖² with the same values at the rows of `x`.

    A hidden layer is *linear on the data* if σ acts on each of its neurons with one slope: z ≥ 0 at all rows (slope
    1), or z ≤ 0 at all rows (slope a; for ReLU such a neuron carries nothing). Around a maximal run of such layers m
    affine maps compose to one, $P a + q$. With $P = U S V^\top$ on the directions of the inputs a,

    $$W_t' = Q_t S^{1/m} Q_{t-1}^\top, \qquad Q_0 = V,\; Q_m = U, \qquad \sum_t \|W_t'\|_F^2 = m \sum_i s_i^{2/m}$$

    is the least that m matrices of product P can have. For the identity the biases restore q at least cost for these
    weights. For every other σ, Q_t is the isometry nearest to the present map up to there (the polar factor of
    $M_t V S^{t/m}$, with the signs that make all present values nonnegative), each hidden bias is the smallest that
    keeps its neuron nonnegative on the data, and the last one restores q.

    P is taken on the span of the inputs and, as another candidate, on the differences of the inputs only, where the
    constant part moves into q. A run is replaced only if that lowers ‖w‖², biases included, by more than rounding
    and leaves f unchanged at the rows, to rounding relative to the largest |f| there; otherwise it stays as it is,
    bit by bit. Where the differences of the inputs span as much as the inputs do, P is determined by the data, and a
    result without biases is the cheapest run that is linear there. Elsewhere, and where biases are needed, it is a
    heuristic that may lose nothing: the cheapest division between P and q, and between Q and the biases, is not
    searched for.

    Args:
        network: Any network. It is worked on in float64 and returned in its own dtype.
        x: The rows `(n, d_in)` at which f is kept; elsewhere f changes.

    Raises:
        ShapeError, DtypeError, NonFiniteError: If `x` is not a real, finite matrix `(n, d_in)` with n ≥ 1.

    Source:
        Jacot (2023), representation cost of linear networks; optimality by the variational form of the Schatten
        2/m-quasi-norm.
    """
    x = as_matrix(x).to(dtype=network.dtype, device=network.device)
    exact = network.to(dtype=torch.float64)
    activations, z = exact.trace(x.double())
    rounding = _rounding(network)
    slopes = [constant_slopes(values, network.activation, rounding) for values in z[:-1]]
    wanted, result = network(x), network
    for first, last in _runs([s is not None for s in slopes]):
        run = _Run(
            exact.weights[first : last + 1],
            tuple(s for s in slopes[first:last] if s is not None),
            activations[first],
            z[last],
            network.activation,
            rounding,
        )
        for basis in _bases(run.inputs, rounding):
            trial = _replaced(result, first, *_balanced(run, basis))
            is_kept = float((trial(x) - wanted).abs().max()) <= rounding * float(wanted.abs().max())
            if is_kept and trial.squared_norm < (1 - rounding) * result.squared_norm:
                result = trial
    return result


@dataclass(frozen=True, eq=False)
class _Run:
    """Affine maps around hidden layers that are linear on the data, in float64.

    Attributes:
        weights: The m weights.
        slopes: What σ multiplies each neuron of the m − 1 hidden layers with.
        inputs: What the first map reads, `(n, n_0)`.
        outputs: What the last map computes, `(n, n_m)`.
        activation: σ.
        rounding: Relative size of what is rounding in the network's dtype.
    """

    weights: tuple[Tensor, ...]
    slopes: tuple[Tensor, ...]
    inputs: Tensor
    outputs: Tensor
    activation: Activation
    rounding: float


def _rounding(network: FullyConnected) -> float:
    """What rounding may move the output by, relative to its size."""
    # A sum of n terms errs like √n eps and each layer adds its own; 8 is room for cancellation between the layers.
    return 8 * network.depth * math.sqrt(max(network.widths)) * torch.finfo(network.dtype).eps


def constant_slopes(z: Tensor, activation: Activation, rounding: float) -> Tensor | None:
    """The slope of σ at each neuron, `(width,)`, or None if a neuron sees both slopes."""
    if activation.is_linear:
        return torch.ones_like(z[0])
    slack = rounding * float(z.abs().max())
    is_above, is_below = (z >= -slack).all(0), (z <= slack).all(0)
    if not (is_above | is_below).all():
        return None
    return torch.where(is_above, torch.ones_like(z[0]), activation.negative_slope)


def _runs(is_linear: list[bool]) -> Iterator[tuple[int, int]]:
    """First and last affine map, from 0, around each maximal run of linear hidden layers."""
    start = None
    for layer, flag in enumerate([*is_linear, False]):
        if flag and start is None:
            start = layer
        if not flag and start is not None:
            yield start, layer
            start = None


def _bases(inputs: Tensor, rounding: float) -> Iterator[Tensor]:
    """Orthonormal bases of the span of the inputs and of the span of their differences, `(n_0, r)` each."""
    for rows in (inputs, inputs - inputs.mean(0)):
        _, s, vt = torch.linalg.svd(rows, full_matrices=False)
        # Relative to the inputs also for their differences: what is left of equal rows is rounding.
        yield vt[s > rounding * torch.linalg.matrix_norm(inputs, 2)].T


def _balanced(run: _Run, basis: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Balanced weights and the biases that go with them."""
    m, reach = len(run.weights), [basis]
    for w, slope in zip(run.weights[:-1], run.slopes, strict=True):
        reach.append(slope[:, None] * (w @ reach[-1]))
    u, s, vt = torch.linalg.svd(run.weights[-1] @ reach[-1], full_matrices=False)
    # The product passes through every layer, so more directions than the narrowest has are rounding.
    d = min(int((s > run.rounding * s[:1]).sum()), *(w.shape[0] for w in run.weights))
    u, s, v = u[:, :d], s[:d], vt[:d].T
    frames = [basis @ v]
    for t, slope in enumerate(run.slopes, start=1):
        # An active leaky neuron below zero has negative values; its mirror image has positive ones.
        sign = torch.where((slope > 0) & (slope != 1.0), -torch.ones_like(slope), 1.0)
        frames.append(_nearest_isometry(sign[:, None] * (reach[t] @ v) * s ** (t / m)))
    frames.append(u)
    weights = [after * s ** (1 / m) @ before.T for before, after in pairwise(frames)]
    if run.activation.is_linear:
        return weights, _least_biases(run, weights, frames, s)
    return weights, _lifting_biases(run, weights)


def _nearest_isometry(a: Tensor) -> Tensor:
    """The polar factor of `a` `(n, d)`: of all matrices with orthonormal columns the nearest."""
    u, _, vt = torch.linalg.svd(a, full_matrices=False)
    nearest: Tensor = u @ vt
    return nearest


def _least_biases(run: _Run, weights: list[Tensor], frames: list[Tensor], s: Tensor) -> list[Tensor]:
    r"""Biases of least norm in total that restore q where σ is the identity.

    A bias $Q_t \beta_t$ arrives as $U S^{(m-t)/m} \beta_t$. Of $U^\top q$ each takes a part in proportion to that gain,
    and the last one all of q outside the range of U.
    """
    m = len(weights)
    values = run.inputs
    for w in weights:
        values = values @ w.T
    q = (run.outputs - values).mean(0)
    gains = torch.stack([s ** ((m - t) / m) for t in range(1, m + 1)])
    shares = gains / gains.square().sum(0) * (frames[-1].T @ q)
    biases = [frame @ share for frame, share in zip(frames[1:], shares, strict=True)]
    biases[-1] = biases[-1] + q - frames[-1] @ (frames[-1].T @ q)
    return biases


def _lifting_biases(run: _Run, weights: list[Tensor]) -> list[Tensor]:
    """The smallest biases that keep hidden neurons nonnegative at the rows, and a last one that restores q."""
    biases, values = [], run.inputs
    for w in weights[:-1]:
        values = values @ w.T
        biases.append((-values.amin(0)).clamp(min=0.0))
        values = values + biases[-1]
    return [*biases, (run.outputs - values @ weights[-1].T).mean(0)]


def _replaced(network: FullyConnected, first: int, weights: list[Tensor], biases: list[Tensor]) -> FullyConnected:
    """`network` with these affine maps from the one at `first` (from 0) on."""
    behind = first + len(weights)
    like = network.weights[0]
    return replace(
        network,
        weights=(*network.weights[:first], *(w.to(like) for w in weights), *network.weights[behind:]),
        biases=(*network.biases[:first], *(b.to(like) for b in biases), *network.biases[behind:]),
    )
