r"""One more layer without changing f: how a value passes through σ unchanged.

With $\sigma(z) = \max(z, 0) + a \min(z, 0)$:

- $a = 1$: every value passes as it is.
- $a \le 0$ and $L \ge 2$: the activations $A_{L-1}$ are nonnegative, so they pass as they are, and the last affine map
  waits behind them. This adds no kink: the activation regions stay the same.
- $a \ne -1$: $z = (\sigma(z) - \sigma(-z)) / (1 + a)$, two neurons a value. New cuts at $z = 0$, on which f is affine.
- $a = -1$ and $L = 1$: only constants. For $L \ge 2$ a network f of absolute values has
  $\lim_{t \to \infty} f(tv)/t = \lim_{t \to \infty} f(-tv)/t$, because its first layer has:
  $|{\pm tWv + b}| / t \to |Wv|$. A linear map with that property is zero.
- Any a, where a lower bound c of z is known: $z = \sigma(z - c) + c$, one neuron a value.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.errors import NotRepresentableError, OptionError, ShapeError
from isthmus.networks.network import FullyConnected


@dataclass(frozen=True, eq=False)
class Carrier:
    r"""A hidden layer through which f passes: $f = D\,\sigma(C A_{L-1} + c) + e$, for f with $f = W_L A_{L-1} + b_L$.

    Attributes:
        weight: C, `(m, n_{L-1})`.
        bias: c, `(m,)`.
        decode: D, `(n_L, m)`.
        shift: e, `(n_L,)`.
    """

    weight: Tensor
    bias: Tensor
    decode: Tensor
    shift: Tensor


def carrier(network: FullyConnected, *, outputs_above: Tensor | None = None) -> Carrier:
    """The layer by which the last activations of `network` carry its output to one layer further.

    Args:
        network: Any network.
        outputs_above: Lower bounds of the outputs on the domain that matters, `(d_out,)`; None where none is known.

    Raises:
        NotRepresentableError: For a non-constant depth-1 network of absolute values without lower bounds.
        ShapeError: If the bounds are not `(d_out,)`.
    """
    w, b, a = network.weights[-1], network.biases[-1], network.activation.negative_slope
    eye, zeros = torch.eye(len(b)).to(w), torch.zeros_like(b)
    if network.activation.is_linear:
        return Carrier(w, b, eye, zeros)
    if outputs_above is not None:
        if outputs_above.shape != b.shape:
            raise ShapeError(f"outputs_above has shape {tuple(outputs_above.shape)}; give one number for each output.")
        floor = outputs_above.to(b)
        return Carrier(w, b - floor, eye, floor)
    if network.depth > 1 and a <= 0:
        fan_in = w.shape[1]
        return Carrier(torch.eye(fan_in).to(w), w.new_zeros(fan_in), w, b)
    if a != -1:
        return Carrier(torch.cat([w, -w]), torch.cat([b, -b]), torch.cat([eye, -eye], 1) / (1 + a), zeros)
    if not w.any():
        return Carrier(w, zeros, torch.zeros_like(eye), b)
    raise NotRepresentableError(
        "An affine map that is not constant",
        network.activation.name,
        "beyond depth 1 such a network grows alike towards both ends of every line",
        "On a bounded domain, pass it through `deepened` with `outputs_above`, lower bounds of its outputs there.",
    )


def deepened(network: FullyConnected, depth: int, *, outputs_above: Tensor | None = None) -> FullyConnected:
    r"""The same function by a network of another, larger depth.

    Exact on all of $\mathbb R^n$ up to rounding (without rounding where $a \le 0$ and $L \ge 2$). With
    `outputs_above` it is f wherever every output is at or above its bound, and something else elsewhere.

    Args:
        network: f, of depth L.
        depth: The depth wanted, at least L.
        outputs_above: Lower bounds of the outputs on the domain that matters, `(d_out,)`: then every new layer has
            `d_out` neurons that are always on.

    Raises:
        OptionError: If `depth` is smaller than L.
        NotRepresentableError: For a non-constant depth-1 network of absolute values without lower bounds.
        ShapeError: If the bounds are not `(d_out,)`.

    Source:
        Jacot (2023), proof of Theorem 1: identity layers on nonnegative coordinates cost nothing but depth.
    """
    if depth < network.depth:
        raise OptionError("depth", depth, f"at least the depth {network.depth} of the network")
    while network.depth < depth:
        c = carrier(network, outputs_above=outputs_above)
        network = replace(
            network,
            weights=(*network.weights[:-1], c.weight, c.decode),
            biases=(*network.biases[:-1], c.bias, c.shift),
        )
    return network
