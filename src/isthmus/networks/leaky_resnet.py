r"""Leaky ResNets, between ResNets and fully-connected networks: layers forget a share of what they read.

The path $\partial_p \alpha = -\tilde L \alpha + W_p \sigma(\alpha)$, $p \in [0, 1]$, of cost
$\frac1{\tilde L} \int \|W_p\|^2 dp$ in steps $\Delta p_\ell$. With $c_\ell = \tilde L\, \Delta p_\ell$ and
$V_\ell = W_\ell / \tilde L$ a step is $\alpha_{\ell+1} = (1 - c_\ell) \alpha_\ell + c_\ell V_\ell \sigma(\alpha_\ell)$
and costs $c_\ell \|V_\ell\|^2$; $\tilde L = \sum_\ell c_\ell$. Steps of 1 are those of a fully-connected network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.errors import NotRepresentableError, OptionError, ShapeError
from isthmus.foundation.arrays import check_columns
from isthmus.networks.network import FullyConnected


@dataclass(frozen=True, eq=False)
class LeakyResNet:
    r"""$f = T_L \circ \sigma \circ S_m \circ \dots \circ S_1 \circ T_1$, $T(a) = V a + b$.

    $S_\ell(\alpha) = (1 - c_\ell)\, \alpha + c_\ell T_{\ell+1}(\sigma(\alpha))$; biases are counted as weights.

    Attributes:
        layers: The affine maps $T_1, \dots, T_{m+2}$ and σ as a network; all hidden layers are of one width.
        steps: $c_1, \dots, c_m$ of the layers between the first and the last, $0 < c \le 1$.

    Raises:
        ShapeError: If there is not one step for each layer between the first and the last, or widths differ.
        OptionError: If a step is not above 0 and at most 1: a longer one would overshoot what it forgets.

    Source:
        Jacot and Kaiser (2024), arXiv 2405.17573: the abstract; the equation is as remembered, not checked against it.
    """

    layers: FullyConnected
    steps: tuple[float, ...]

    def __post_init__(self) -> None:
        widths = self.layers.widths[1:-1]
        if not self.steps or len(self.steps) != self.layers.depth - 2 or len(set(widths)) > 1:
            raise ShapeError(
                f"A leaky ResNet of {len(self.steps)} steps needs {len(self.steps) + 2} layers, at least 3, and hidden "
                f"layers of one width; it got widths {self.layers.widths}."
            )
        for step in self.steps:
            if not 0.0 < step <= 1.0:
                raise OptionError("a layer step", step, "above 0 and at most 1; take more layers")

    @property
    def effective_depth(self) -> float:
        r"""$\tilde L = \sum_\ell c_\ell$."""
        return math.fsum(self.steps)

    @property
    def cost(self) -> float:
        r"""$\|T_1\|^2 + \sum_\ell c_\ell \|T_{\ell+1}\|^2 + \|T_L\|^2$; with steps of 1 this is $\|w\|^2$."""
        factors = (1.0, *self.steps, 1.0)
        pairs = zip(factors, self.layers.weights, self.layers.biases, strict=True)
        return sum(c * float(w.double().square().sum() + b.double().square().sum()) for c, w, b in pairs)

    def trace(self, x: Tensor) -> list[Tensor]:
        r"""$\alpha_1, \dots, \alpha_{m+1}$ at the rows of `x`, `(n, width)` each, and the outputs `(n, d_out)`."""
        check_columns(x, self.layers.d_in)
        layers, sigma = self.layers, self.layers.activation
        found = [torch.addmm(layers.biases[0], x.to(layers.weights[0]), layers.weights[0].T)]
        for step, w, b in zip(self.steps, layers.weights[1:], layers.biases[1:], strict=False):
            found.append((1.0 - step) * found[-1] + step * torch.addmm(b, sigma(found[-1]), w.T))
        found.append(torch.addmm(layers.biases[-1], sigma(found[-1]), layers.weights[-1].T))
        return found

    def __call__(self, x: Tensor) -> Tensor:
        """f at the rows of `x` `(n, d_in)`: `(n, d_out)`."""
        return self.trace(x)[-1]

    def fully_connected(self) -> FullyConnected:
        r"""The same function as a fully-connected network of depth m + 2.

        Where a step is 1 the layer is that of the network, and where all are 1 its ‖w‖² is the cost. Elsewhere what is
        not forgotten passes as $\alpha = (\sigma(\alpha) - \sigma(-\alpha)) / (1 + a)$, a the slope below zero, through
        twice the width.

        Raises:
            NotRepresentableError: For the absolute value where a step is below 1: it forgets signs.
        """
        layers, sigma = self.layers, self.layers.activation
        slope = sigma.negative_slope
        if slope == -1.0 and min(self.steps) < 1.0:
            remedy = "Take steps of 1, or another activation."
            raise NotRepresentableError("A leaky ResNet", sigma.name, "what a layer keeps would lose its sign", remedy)
        weights, biases = [], []
        for index, (w, b) in enumerate(zip(layers.weights, layers.biases, strict=True)):
            before = self.steps[index - 1] if 1 <= index <= len(self.steps) else 1.0
            if before < 1.0:
                kept = (1.0 - before) / (1.0 + slope) * torch.eye(len(w), dtype=w.dtype, device=w.device)
                w, b = torch.cat([before * w + kept, -kept], 1), before * b
            if index < len(self.steps) and self.steps[index] < 1.0:
                w, b = torch.cat([w, -w]), torch.cat([b, -b])
            weights.append(w)
            biases.append(b)
        return FullyConnected(tuple(weights), tuple(biases), sigma)
