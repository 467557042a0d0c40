r"""Networks of networks: every finite piecewise-linear function that is built from some is again a network.

Each operation returns a `FullyConnected` that computes exactly what its name says on all of $\mathbb R^n$, up to
rounding. Networks of different depths are first made equally deep (`deepened`). A network of depth 1 has no activation
at work, so it combines with a deeper network of any activation; otherwise both must share theirs, and dtype and device.

Source: Jacot (2023), definition of finite piecewise-linear functions and of rank axioms 2 and 3.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from isthmus.errors import IncompatibleNetworksError, NotRepresentableError, ShapeError
from isthmus.networks.affine_maps import after_affine, scaled
from isthmus.networks.depth import Carrier, carrier, deepened
from isthmus.networks.network import FullyConnected


def compose(outer: FullyConnected, inner: FullyConnected) -> FullyConnected:
    r"""$x \mapsto f(g(x))$ for `outer` f and `inner` g.

    The first affine map of f and the last of g become one: the depth is $L_f + L_g - 1$.

    Raises:
        ShapeError: If g has not as many outputs as f has inputs.
        IncompatibleNetworksError: If activations, dtypes or devices differ.
    """
    outer, inner = _compatible(outer, inner)
    if outer.d_in != inner.d_out:
        raise ShapeError(
            f"The outer function takes {outer.d_in} inputs but the inner one has {inner.d_out} outputs. "
            "Check the order: compose(outer, inner) is outer(inner(x))."
        )
    w, b = outer.weights[0], outer.biases[0]
    return replace(
        outer,
        weights=(*inner.weights[:-1], w @ inner.weights[-1], *outer.weights[1:]),
        biases=(*inner.biases[:-1], torch.addmv(b, w, inner.biases[-1]), *outer.biases[1:]),
    )


def stack(f: FullyConnected, g: FullyConnected) -> FullyConnected:
    r"""$x \mapsto (f(x), g(x))$, the outputs of f first; depth $\max(L_f, L_g)$.

    Raises:
        ShapeError: If f and g take different numbers of inputs.
        IncompatibleNetworksError: If activations, dtypes or devices differ.
        NotRepresentableError: If one must be made deeper and cannot (see `deepened`).
    """
    if f.d_in != g.d_in:
        raise ShapeError(
            f"The functions take {f.d_in} and {g.d_in} inputs; they must share their input. "
            "For separate inputs use `direct_product`."
        )
    f, g = _equally_deep(f, g)
    first = torch.cat([f.weights[0], g.weights[0]])
    return replace(f, weights=(first, *_blocks(f, g)[1:]), biases=_joined_biases(f, g))


def direct_product(f: FullyConnected, g: FullyConnected) -> FullyConnected:
    r"""$(x, y) \mapsto (f(x), g(y))$; depth $\max(L_f, L_g)$. Its Jacobian rank is the sum of theirs.

    Raises:
        IncompatibleNetworksError: If activations, dtypes or devices differ.
        NotRepresentableError: If one must be made deeper and cannot (see `deepened`).
    """
    f, g = _equally_deep(f, g)
    return replace(f, weights=_blocks(f, g), biases=_joined_biases(f, g))


def add(f: FullyConnected, g: FullyConnected) -> FullyConnected:
    r"""$x \mapsto f(x) + g(x)$; depth $\max(L_f, L_g)$.

    Raises:
        ShapeError: If inputs or outputs of f and g differ in number.
        IncompatibleNetworksError: If activations, dtypes or devices differ.
        NotRepresentableError: If one must be made deeper and cannot (see `deepened`).
    """
    _check_outputs(f, g)
    both = stack(f, g)
    eye = torch.eye(f.d_out).to(both.weights[0])
    return after_affine(both, torch.cat([eye, eye], 1))


def maximum(f: FullyConnected, g: FullyConnected) -> FullyConnected:
    r"""$x \mapsto \max(f(x), g(x))$, entrywise; depth $\max(L_f, L_g) + 1$.

    With $d = f - g$ and slope a: $\max(f, g) = g + d_+$ and $d_+ = (\sigma(d) + a\,\sigma(-d)) / (1 - a^2)$; for the
    absolute value $\max(f, g) = (f + g + |d|) / 2$. The other summand passes the new layer as `deepened` does it.

    Raises:
        ShapeError: If inputs or outputs of f and g differ in number.
        IncompatibleNetworksError: If activations, dtypes or devices differ.
        NotRepresentableError: For the identity activation (linear networks have no kink), and for absolute values where
            both are affine and their sum is not constant (see `deepened`).
    """
    _check_outputs(f, g)
    both = stack(f, g)
    if both.activation.is_linear:
        raise NotRepresentableError(
            "A maximum", both.activation.name, "it composes affine maps to affine maps", "Use a ReLU network instead."
        )
    a = both.activation.negative_slope
    eye = torch.eye(f.d_out).to(both.weights[0])
    difference = after_affine(both, torch.cat([eye, -eye], 1))
    if a == -1.0:
        rest, units, decode = torch.cat([eye, eye], 1) / 2, [1.0], [eye / 2]
    elif a == 0.0:
        rest, units, decode = torch.cat([0 * eye, eye], 1), [1.0], [eye]
    else:
        rest, units, decode = torch.cat([0 * eye, eye], 1), [1.0, -1.0], [eye / (1 - a * a), eye * (a / (1 - a * a))]
    kept = carrier(after_affine(both, rest))
    return _with_kinks(both, kept, difference, units, decode)


def minimum(f: FullyConnected, g: FullyConnected) -> FullyConnected:
    r"""$x \mapsto \min(f(x), g(x)) = -\max(-f(x), -g(x))$, entrywise; depth and errors as for `maximum`."""
    return scaled(maximum(scaled(f, -1.0), scaled(g, -1.0)), -1.0)


def _with_kinks(
    both: FullyConnected, kept: Carrier, difference: FullyConnected, units: list[float], decode: list[Tensor]
) -> FullyConnected:
    w, b = difference.weights[-1], difference.biases[-1]
    return replace(
        both,
        weights=(
            *both.weights[:-1],
            torch.cat([kept.weight, *(u * w for u in units)]),
            torch.cat([kept.decode, *decode], 1),
        ),
        biases=(*both.biases[:-1], torch.cat([kept.bias, *(u * b for u in units)]), kept.shift),
    )


def _compatible(f: FullyConnected, g: FullyConnected) -> tuple[FullyConnected, FullyConnected]:
    if f.dtype != g.dtype:
        raise IncompatibleNetworksError("dtype", f.dtype, g.dtype, "Convert one of them with `.to(dtype=…)`.")
    if f.device != g.device:
        raise IncompatibleNetworksError("device", f.device, g.device, "Move one of them with `.to(device=…)`.")
    if f.activation == g.activation:
        return f, g
    if g.depth == 1 and f.depth > 1:
        return f, replace(g, activation=f.activation)
    if f.depth == 1 and g.depth > 1:
        return replace(f, activation=g.activation), g
    raise IncompatibleNetworksError(
        "activation",
        f.activation.name,
        g.activation.name,
        "Write both with the same activation; `rewritten` does it where it can be done.",
    )


def _equally_deep(f: FullyConnected, g: FullyConnected) -> tuple[FullyConnected, FullyConnected]:
    f, g = _compatible(f, g)
    depth = max(f.depth, g.depth)
    return deepened(f, depth), deepened(g, depth)


def _blocks(f: FullyConnected, g: FullyConnected) -> tuple[Tensor, ...]:
    return tuple(torch.block_diag(v, w) for v, w in zip(f.weights, g.weights, strict=True))


def _joined_biases(f: FullyConnected, g: FullyConnected) -> tuple[Tensor, ...]:
    return tuple(torch.cat([b, c]) for b, c in zip(f.biases, g.biases, strict=True))


def _check_outputs(f: FullyConnected, g: FullyConnected) -> None:
    if f.d_out != g.d_out:
        raise ShapeError(f"The functions have {f.d_out} and {g.d_out} outputs; they must have equally many.")
