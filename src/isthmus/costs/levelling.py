r"""The least ‖w‖² over all positive rescalings of the neurons, by Newton's method in the logarithms of the scales."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.costs.construction import StretchedNetwork
from isthmus.networks import FullyConnected
from isthmus.training import rebalance

_MOST_NEURONS = 3000  # beyond, a step would solve a system too large: neurons are swept in turn instead
_ITERATIONS, _PRECISION, _RIDGE = 60, 1e-14, 1e-12


@dataclass(frozen=True, eq=False)
class _Layer:
    """Squared weights `(n, m)` and biases `(n,)` of one layer, or of `count` equal diagonal layers."""

    weights: Tensor
    biases: Tensor
    count: int = 1


def lightened(network: StretchedNetwork) -> StretchedNetwork:
    r"""The network of least ‖w‖² among those that differ by positive rescaling of neurons: f stays, everywhere.

    By homogeneity neuron j may scale its incoming row and bias by $e^{\theta_j}$ and its outgoing column by
    $e^{-\theta_j}$. Along the m layers of the middle the scale passes evenly, so

    $$\|w\|^2(\theta) = \sum_\ell \sum_{ji} w_{ji}^2 e^{2(\theta_j - \theta_i)} + \sum_j b_j^2 e^{2 \theta_j} +
      m \sum_j c_j^2 e^{2(\theta_j'' - \theta_j') / m}$$

    is convex in θ, with a block-tridiagonal Hessian: Newton's method with step halving finds the minimum to rounding,
    however deep the network is. A neuron without incoming or without outgoing weights carries nothing and becomes
    zero; so does a coordinate of the middle.

    Source:
        Positive homogeneity; `training.rebalance` is the same minimum by sweeps, which diffuse slowly along a chain.
    """
    if sum(network.encoder.widths[1:]) + sum(network.decoder.widths[:-1]) > _MOST_NEURONS:
        return replace(network, encoder=rebalance(network.encoder), decoder=rebalance(network.decoder))
    layers = _alive(_layers(network))
    return _rescaled(network, layers, _scales(layers))


def _layers(network: StretchedNetwork) -> list[_Layer]:
    def squares(half: FullyConnected) -> list[_Layer]:
        return [
            _Layer(w.double().square(), b.double().square()) for w, b in zip(half.weights, half.biases, strict=True)
        ]

    scale = network.scale.double()
    middle = [_Layer(torch.diag(scale.square()), torch.zeros_like(scale), network.count)] if network.count else []
    return [*squares(network.encoder), *middle, *squares(network.decoder)]


def _alive(layers: list[_Layer]) -> list[_Layer]:
    """The layers with everything at zero that no signal passes."""
    for _ in range(len(layers) * 2):
        changed = False
        for t in range(len(layers) - 1):
            here, after = layers[t], layers[t + 1]
            incoming, outgoing = here.weights.sum(1) + here.biases, after.weights.sum(0)
            is_dead = ((incoming == 0) != (outgoing == 0)) & ((incoming > 0) | (outgoing > 0))
            if bool(is_dead.any()):
                keep = (~is_dead).double()
                layers[t] = replace(here, weights=here.weights * keep[:, None], biases=here.biases * keep)
                layers[t + 1] = replace(after, weights=after.weights * keep)
                changed = True
        if not changed:
            break
    return layers


def _scales(layers: list[_Layer]) -> list[Tensor]:
    """θ of the neurons behind each layer but the last, by Newton's method."""
    sizes = [len(layer.biases) for layer in layers[:-1]]
    theta = torch.zeros(sum(sizes), dtype=torch.float64)
    if not len(theta):
        return []
    value, gradient, hessian = _expansion(layers, theta, sizes)
    for _ in range(_ITERATIONS):
        # In units of the curvature of each neuron, so that faint neurons count like strong ones; idle ones have none.
        units = hessian.diagonal().clamp_min(torch.finfo(hessian.dtype).tiny).sqrt()
        scaled = hessian / units / units[:, None]
        scaled.diagonal()[:] = 1.0 + _RIDGE
        step = torch.linalg.solve(scaled, -gradient / units) / units
        decrease = -float(gradient @ step)
        if decrease <= _PRECISION * value:
            break
        length = min(1.0, 4.0 / max(float(step.abs().max()), 1e-300))
        while length > 1e-6 and _value(layers, theta + length * step, sizes) > value - 0.25 * length * decrease:
            length *= 0.5
        theta = theta + length * step
        value, gradient, hessian = _expansion(layers, theta, sizes)
    return list(theta.split(sizes))


def _terms(layers: list[_Layer], theta: Tensor, sizes: list[int]) -> list[_Layer]:
    """Each layer with its squares rescaled; the weights of a repeated one counted as often as it stands."""
    parts = list(theta.split(sizes))
    terms = []
    for t, layer in enumerate(layers):
        before = parts[t - 1] if t else torch.zeros_like(layer.weights[0])
        after = parts[t] if t < len(parts) else torch.zeros_like(layer.biases)
        exponents = (after[:, None] - before) * (2.0 / layer.count)
        terms.append(
            _Layer(
                torch.where(layer.weights > 0, layer.count * layer.weights * exponents.exp(), 0.0),
                layer.biases * (2.0 * after).exp(),
                layer.count,
            )
        )
    return terms


def _value(layers: list[_Layer], theta: Tensor, sizes: list[int]) -> float:
    return sum(float(t.weights.sum() + t.biases.sum()) for t in _terms(layers, theta, sizes))


def _expansion(layers: list[_Layer], theta: Tensor, sizes: list[int]) -> tuple[float, Tensor, Tensor]:
    """‖w‖², its gradient `(n,)` and its Hessian `(n, n)` at θ."""
    terms = _terms(layers, theta, sizes)
    gradient, hessian = torch.zeros_like(theta), theta.new_zeros(len(theta), len(theta))
    begin = 0
    for t, size in enumerate(sizes):
        here, after = terms[t], terms[t + 1]
        rows, columns = here.weights.sum(1), after.weights.sum(0)
        rate, next_rate = 2.0 / here.count, 2.0 / after.count
        span = slice(begin, begin + size)
        gradient[span] = rate * rows + 2.0 * here.biases - next_rate * columns
        hessian.diagonal()[span] = rate**2 * rows + 4.0 * here.biases + next_rate**2 * columns
        if t + 1 < len(sizes):
            coupling = -(next_rate**2) * after.weights
            following = slice(begin + size, begin + size + sizes[t + 1])
            hessian[following, span] = coupling
            hessian[span, following] = coupling.T
        begin += size
    value = sum(float(t.weights.sum() + t.biases.sum()) for t in terms)
    return value, gradient, hessian


def _rescaled(network: StretchedNetwork, layers: list[_Layer], theta: list[Tensor]) -> StretchedNetwork:
    """The network at these scales, with what `layers` has at zero at zero."""
    ends = [torch.zeros(network.d_in).double(), *theta, torch.zeros(network.d_out).double()]
    split = network.encoder.depth
    encoder = _rescaled_half(network.encoder, layers[:split], ends[: split + 1])
    behind = split + (1 if network.count else 0)
    decoder = _rescaled_half(network.decoder, layers[behind:], ends[behind:])
    scale = network.scale
    if network.count:
        is_used = layers[split].weights.diagonal() > 0
        scale = torch.where(is_used, scale * ((ends[behind] - ends[split]) / network.count).exp().to(scale), 0.0)
    return StretchedNetwork(encoder, scale, network.count, decoder)


def _rescaled_half(half: FullyConnected, layers: list[_Layer], ends: list[Tensor]) -> FullyConnected:
    weights, biases = [], []
    for t, (w, b) in enumerate(zip(half.weights, half.biases, strict=True)):
        factor = (ends[t + 1][:, None] - ends[t]).exp().to(w)
        weights.append(torch.where(layers[t].weights > 0, w * factor, 0.0))
        biases.append(torch.where(layers[t].biases > 0, b * ends[t + 1].exp().to(b), 0.0))
    return replace(half, weights=tuple(weights), biases=tuple(biases))
