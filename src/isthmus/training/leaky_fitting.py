"""Train leaky ResNets, and lay their layers where the representation moves."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import Tensor

from isthmus.errors import DivergenceError, OptionError, ShapeError
from isthmus.foundation.arrays import as_matrix
from isthmus.foundation.denormals import flushed_denormals
from isthmus.networks import RELU, Activation, FullyConnected, LeakyResNet
from isthmus.training.leaky_objective import LeakyObjective
from isthmus.training.parameters import Parameters
from isthmus.training.quasi_newton import lbfgs
from isthmus.training.soap import Soap

_RIDGES = (3.0, 1.0)  # times λ, in the two halves of the descent: a direction lost under a larger one comes back hardly
_RATE, _LAST = 0.01, 0.01  # of the descent; of it at the end
_REFRESH = 5  # steps between two turns of SOAP's bases
_SPEED = 0.05  # of the mean speed: no stretch of the path is taken to be slower
_MEMORY = 30  # pairs of L-BFGS


def fit_leaky_resnet(
    x: object,
    y: object,
    *,
    steps: Iterable[float],
    width: int,
    ridge: float,
    activation: Activation = RELU,
    seed: int = 0,
    descent: int = 1000,
) -> LeakyResNet:
    r"""A leaky ResNet that minimises $\frac1N \sum \|f(x_i) - y_i\|^2 + \lambda\, \text{cost}$, in float64.

    It begins at layers that keep what they read, so that no direction is lost before the ridge has judged it.

    Args:
        x: `(n, d_in)`, as they are: no standardisation.
        y: `(n, d_out)`.
        steps: $c_1, …, c_m$; `equal_steps(L̃, m)` for all the same.
        width: Of every hidden layer.
        ridge: λ > 0.
        activation: σ.
        seed: Draws the start.
        descent: Steps of SOAP, and evaluations of L-BFGS after it.

    Raises:
        OptionError: If a step, the width, λ or the descent is out of range.
        ShapeError, DtypeError, NonFiniteError: If x and y are not finite matrices of as many rows.
        DivergenceError: If the descent leaves the finite numbers.
    """
    objective = _objective(x, y, ridge, steps)
    if width < 1:
        raise OptionError("width", width, "at least 1")
    start = _start(objective, width, activation, torch.Generator().manual_seed(seed))
    return _descended(start, objective, descent, _RIDGES)


def continue_leaky_resnet(
    network: LeakyResNet, x: object, y: object, *, ridge: float, descent: int = 1000
) -> LeakyResNet:
    """The same network trained on, with the steps it has; arguments as of `fit_leaky_resnet`."""
    return _descended(network, _objective(x, y, ridge, network.steps), descent, (1.0,))


def equal_steps(effective_depth: float, layers: int) -> tuple[float, ...]:
    r"""$c_\ell = \tilde L / m$.

    Raises:
        OptionError: If there are fewer layers than L̃, or none.
    """
    if layers < 1 or not 0.0 < effective_depth <= layers:
        raise OptionError("effective_depth", effective_depth, f"above 0 and at most the number of layers, {layers}")
    return (effective_depth / layers,) * layers


def adapt_steps(network: LeakyResNet, x: Tensor) -> LeakyResNet:
    r"""The same path with its layers laid so that each moves the representation by the same relative length.

    The path in time $t \in [0, \tilde L]$ with the speed $\|\alpha_{\ell+1} - \alpha_\ell\| / (c_\ell \|\alpha\|)$ of
    each layer is cut anew into as many layers, none longer than 1; their maps are means over time of those there were.
    L̃ is kept, f is not: train on.

    Source:
        Jacot and Kaiser (2024), arXiv 2405.17573, abstract: layer steps adapted to two time scales. This rule is ours.
    """
    alphas, old = network.trace(x)[:-1], torch.tensor(network.steps, dtype=torch.float64)
    moved = torch.stack([(b - a).norm() / (a.norm() + b.norm()).clamp_min(1e-300) for a, b in pairwise(alphas)])
    speeds = moved.double().cpu() / old
    mean = float((speeds * old).sum() / old.sum())
    steps = _balanced(old, speeds.clamp_min(_SPEED * mean if mean > 0.0 else 1.0))
    ends = [torch.cat([each.new_zeros(1), each.cumsum(0)]) for each in (old, steps)]
    overlap = (
        torch.minimum(ends[1][1:, None], ends[0][None, 1:]) - torch.maximum(ends[1][:-1, None], ends[0][None, :-1])
    ).clamp_min(0.0)
    shares = (overlap / overlap.sum(1, keepdim=True)).to(network.layers.weights[0])
    layers = network.layers
    weights = torch.einsum("ij,jkl->ikl", shares, torch.stack(layers.weights[1:-1]))
    biases = shares @ torch.stack(layers.biases[1:-1])
    return LeakyResNet(
        FullyConnected(
            (layers.weights[0], *weights, layers.weights[-1]),
            (layers.biases[0], *biases, layers.biases[-1]),
            layers.activation,
        ),
        tuple(steps.tolist()),
    )


def _balanced(old: Tensor, speeds: Tensor) -> Tensor:
    """Steps `(m,)` over which ∫ speed dt is the same, but for those that would be longer than 1, which are 1."""
    total, count = float(old.sum()), len(old)
    ends = torch.cat([old.new_zeros(1), old.cumsum(0)])
    lengths = torch.cat([old.new_zeros(1), (speeds * old).cumsum(0)])
    at = torch.linspace(0.0, float(lengths[-1]), count + 1, dtype=old.dtype)
    index = torch.searchsorted(lengths, at).clamp(1, count)
    inside = (at - lengths[index - 1]) / (lengths[index] - lengths[index - 1])
    steps = (ends[index - 1] + inside * (ends[index] - ends[index - 1])).diff()
    for _ in range(count):
        is_long = steps >= 1.0
        if not bool((steps > 1.0).any()):
            break
        short = ~is_long
        steps = torch.where(is_long, 1.0, steps * (total - float(is_long.sum())) / float(steps[short].sum()))
    capped: Tensor = steps.clamp_max(1.0)
    return capped


def _objective(x: object, y: object, ridge: float, steps: Iterable[float]) -> LeakyObjective:
    if not 0.0 < ridge < float("inf"):
        raise OptionError("ridge", ridge, "a positive number")
    inputs, outputs = as_matrix(x).double(), as_matrix(y, "y").double()
    if len(inputs) != len(outputs):
        raise ShapeError(f"x has {len(inputs)} rows and y {len(outputs)}; give one output a row of x.")
    if not isinstance(steps, Iterable):
        raise OptionError("steps", steps, "one number a layer, as equal_steps gives them")
    return LeakyObjective(inputs, outputs.to(inputs.device), ridge, tuple(float(step) for step in steps))


def _start(objective: LeakyObjective, width: int, sigma: Activation, generator: torch.Generator) -> LeakyResNet:
    d_in, d_out, count = objective.x.shape[1], objective.y.shape[1], len(objective.steps)

    def draw(rows: int, columns: int) -> Tensor:
        scale: float = columns**-0.5
        return torch.randn(rows, columns, generator=generator, dtype=torch.float64) * scale

    # Noise that grows over the path as over one layer of He's size, however many layers there are.
    inner = [torch.eye(width, dtype=torch.float64) + 0.3 * count**-0.5 * draw(width, width) for _ in range(count)]
    weights = (draw(width, d_in), *inner, draw(d_out, width))
    layers = FullyConnected(weights, tuple(torch.zeros(len(w), dtype=torch.float64) for w in weights), sigma)
    return LeakyResNet(layers.to(device=objective.x.device), objective.steps)


def _descended(network: LeakyResNet, objective: LeakyObjective, steps: int, ridges: tuple[float, ...]) -> LeakyResNet:
    if steps < 0:
        raise OptionError("descent", steps, "at least 0")
    at = Parameters.of(objective.scaled(network))
    slope = at.like(torch.zeros_like(at.vector))
    soap = Soap(at, slope, refresh=_REFRESH)
    with torch.no_grad(), flushed_denormals():
        for step in range(steps):
            factor = ridges[step * len(ridges) // steps]
            value = objective.gradient(at, slope, factor * objective.ridge)
            if not bool(torch.isfinite(value + slope.vector.square().sum()).all()):
                raise DivergenceError(step, "λ" if step else "scale of the data")  # no step has been taken yet
            soap.step(_RATE * _LAST ** (step / steps))
        lbfgs(
            at.vector[0],
            slope.vector[0],
            lambda: objective.gradient(at, slope)[0],
            evaluations=max(1, steps),
            memory=_MEMORY,
        )
    return objective.network(at.network())
