"""Autoencoders of circular convolutions, and their training with weight decay."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn
from torch.func import functional_call

from isthmus.errors import DivergenceError, OptionError, ShapeError
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.rows import Rows
from isthmus.training.adam import Adam
from isthmus.training.quasi_newton import lbfgs

_MEMORY = 20  # pairs of L-BFGS
_RATE = 0.003  # of Adam; it falls to 0 along a cosine


def convolutional_autoencoder(
    *, depth: int, channels: int, kernel: int, halvings: int = 1, images: int = 1, seed: int = 0
) -> nn.Sequential:
    """A chain of `depth` circular convolutions: down-sampling ones first, up-sampling ones last, equal ones between.

    Args:
        depth: L, at least twice the halvings and one more.
        channels: Of every hidden layer.
        kernel: Odd side of the kernels.
        halvings: Strides of 2 at the beginning; as many up-samplings at the end.
        images: Channels of the images.
        seed: Draws the weights, of He's variance; biases are 0.

    Raises:
        OptionError: If the depth is too small, the kernel even or a count negative.
    """
    for name, count, least in (("channels", channels, 1), ("images", images, 1), ("halvings", halvings, 0)):
        if count < least:
            raise OptionError(name, count, f"at least {least}")
    if depth < 2 * halvings + 1:
        raise OptionError("depth", depth, f"at least {2 * halvings + 1} with {halvings} halvings")
    if kernel < 1 or kernel % 2 == 0:
        raise OptionError("kernel", kernel, "an odd number")
    generator = torch.Generator().manual_seed(seed)
    parts: list[nn.Module] = []
    for layer in range(depth):
        if layer >= depth - halvings:
            parts.append(nn.Upsample(scale_factor=2))
        sides = images if layer == 0 else channels, images if layer == depth - 1 else channels
        stride = 2 if layer < halvings else 1
        convolution = nn.Conv2d(*sides, kernel, stride, (kernel - 1) // 2, padding_mode="circular")
        with torch.no_grad():
            fan_in = sides[0] * kernel**2
            convolution.weight.copy_(torch.randn(convolution.weight.shape, generator=generator) * (2 / fan_in) ** 0.5)
            nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
        parts += [convolution, nn.ReLU()] if layer < depth - 1 else [convolution]
    return nn.Sequential(*parts)


def fit_module(
    module: nn.Module, x: object, y: object, *, weight_decay: float, steps: int, evaluations: int
) -> tuple[nn.Module, float]:
    r"""A copy of the module that minimises $\frac1N \sum_i \|f(x_i) - y_i\|^2 + \lambda \|w\|^2$, and what it reached.

    Args:
        module: Any torch module; all its parameters are trained, biases included.
        x: What it takes, `(n, …)`.
        y: What it should give, `(n, …)`.
        weight_decay: λ ≥ 0.
        steps: Of Adam over all rows.
        evaluations: Of L-BFGS after it.

    Raises:
        OptionError: If λ, the steps or the evaluations are negative.
        ShapeError: If y is not of the shape that the module gives.
        DtypeError, NonFiniteError: If x or y does not hold finite real numbers.
        DivergenceError: If the descent leaves the finite numbers.
    """
    if not 0.0 <= weight_decay < float("inf"):
        raise OptionError("weight_decay", weight_decay, "a finite number ≥ 0")
    for what, count in (("steps", steps), ("evaluations", evaluations)):
        if count < 0:
            raise OptionError(what, count, "at least 0")
    trained = copy.deepcopy(module)  # normalisations count what they see
    named = list(trained.named_parameters())
    if not named:
        raise OptionError("module", type(module).__name__, "a module with parameters to train")
    sizes = [p.numel() for _, p in named]
    vector = torch.cat([p.detach().flatten() for _, p in named])
    inputs, outputs = (_rows(data, what).to(vector) for data, what in ((x, "x"), (y, "y")))
    _check_outputs(trained, inputs, outputs)
    gradient = torch.zeros_like(vector)

    def parameters(flat: Tensor) -> dict[str, Tensor]:
        return {name: part.view_as(p) for (name, p), part in zip(named, flat.split(sizes), strict=True)}

    def evaluate() -> Tensor:
        free = vector.detach().clone().requires_grad_()
        with torch.enable_grad():
            loss = (functional_call(trained, parameters(free), (inputs,)) - outputs).square().sum() / len(inputs)
            value = loss + weight_decay * free.square().sum()
            gradient.copy_(torch.autograd.grad(value, free)[0])
        reached: Tensor = value.detach()
        return reached

    adam = Adam(vector, gradient)
    with flushed_denormals():
        for step in range(steps):
            if not math.isfinite(float(evaluate())):
                raise DivergenceError(step, "learning rate")
            adam.step(_RATE * 0.5 * (1.0 + math.cos(math.pi * step / steps)))
        if evaluations:
            lbfgs(vector, gradient, evaluate, evaluations=evaluations, memory=_MEMORY)
    value = float(evaluate())
    with torch.no_grad():
        for name, part in parameters(vector).items():
            trained.get_parameter(name).copy_(part)
    return trained, value


def _rows(data: object, what: str) -> Tensor:
    rows = Rows(data, what)
    return rows.chunk(0, len(rows))


def _check_outputs(module: nn.Module, x: Tensor, y: Tensor) -> None:
    with torch.no_grad():
        shape = tuple(module(x[:2]).shape[1:])
    if len(x) != len(y) or tuple(y.shape[1:]) != shape:
        raise ShapeError(f"y has shape {tuple(y.shape)}; the module gives ({len(x)}, {', '.join(map(str, shape))}).")
