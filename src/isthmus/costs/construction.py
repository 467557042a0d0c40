r"""Theorem 1's construction: g, identity layers on R^k, h, without building the identity layers one by one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.errors import (
    IncompatibleNetworksError,
    NotRepresentableError,
    OptionError,
    ShapeError,
)
from isthmus.networks import FullyConnected

_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class StretchedNetwork:
    r"""A network whose middle layers are diagonal and equal, kept as one vector.

    $$f = h \circ \sigma \circ (\operatorname{diag}(c)\,\sigma)^{m} \circ g$$

    Where $g \ge 0$ and $c = 1$ the m middle layers are identity layers and f = h ∘ g. Depth is $L_g + m + L_h$ and

    $$\|w\|^2 = \|w_g\|^2 + m \sum_j c_j^2 + \|w_h\|^2.$$

    Attributes:
        encoder: g, into R^k.
        scale: c, what each middle layer multiplies each of the k coordinates with, `(k,)`, ≥ 0.
        count: m, the number of middle layers, ≥ 0.
        decoder: h, from R^k.

    Raises:
        ShapeError: If g has not as many outputs as h has inputs, or c not as many entries.
        IncompatibleNetworksError: If g and h differ in activation, dtype or device.
        OptionError: If `count` or a scale is negative.

    Source:
        Jacot (2023), proof of Theorem 1.
    """

    encoder: FullyConnected
    scale: Tensor
    count: int
    decoder: FullyConnected

    def __post_init__(self) -> None:
        g, h = self.encoder, self.decoder
        if not g.d_out == h.d_in == len(self.scale):
            raise ShapeError(
                f"The encoder has {g.d_out} outputs, the decoder {h.d_in} inputs and the scale {len(self.scale)} "
                "entries; all three must be k."
            )
        for what in ("activation", "dtype", "device"):
            if getattr(g, what) != getattr(h, what):
                raise IncompatibleNetworksError(what, getattr(g, what), getattr(h, what), "Convert one of them first.")
        if self.count < 0:
            raise OptionError("count", self.count, "at least 0")
        if not bool((self.scale >= 0).all()) or not bool(torch.isfinite(self.scale).all()):
            raise OptionError("scale", self.scale.tolist(), "nonnegative and finite")

    @property
    def rank(self) -> int:
        """The number of coordinates that pass the middle."""
        return int((self.scale > 0).sum())

    @property
    def depth(self) -> int:
        """L, the number of weight matrices."""
        return self.encoder.depth + self.count + self.decoder.depth

    @property
    def d_in(self) -> int:
        """Number of inputs."""
        return self.encoder.d_in

    @property
    def d_out(self) -> int:
        """Number of outputs."""
        return self.decoder.d_out

    @property
    def squared_norm(self) -> float:
        r"""$\|w\|^2$ over all weights and biases, by the formula."""
        middle = self.count * float(self.scale.double().square().sum())
        return self.encoder.squared_norm + middle + self.decoder.squared_norm

    @property
    def norm_per_depth(self) -> float:
        r"""$\|w\|^2 / L$."""
        return self.squared_norm / self.depth

    def latent(self, x: Tensor) -> Tensor:
        """What arrives in the middle, `(n, k)`: the outputs of g, which have to be nonnegative for f = h ∘ g."""
        return self.encoder(x)

    def __call__(self, x: Tensor) -> Tensor:
        """f at the rows of `x` `(n, d_in)`: `(n, d_out)`."""
        sigma = self.encoder.activation
        # m equal layers are one: σ(c z) = c σ(z), and σ∘σ differs from σ only where σ(z) < 0.
        z = sigma(self.encoder(x))
        passed = z * self.scale**self.count
        if self.count and sigma.negative_slope > 0.0 and not sigma.is_linear:
            # What rounding makes of a zero is not stretched: a slope above 1 would blow it up.
            is_negative = z < -_ROUNDING * z.abs().amax()
            passed = torch.where(is_negative, z * (sigma.negative_slope * self.scale) ** self.count, passed)
        return self.decoder(passed)

    def at(self, depth: int) -> StretchedNetwork:
        """The same function (where g ≥ 0) at another depth; c is adapted so that $c^m$ stays.

        Raises:
            OptionError: If `depth` is below $L_g + L_h$, or is it while the middle scales.
        """
        least = self.encoder.depth + self.decoder.depth
        gain = self.scale**self.count
        if depth < least:
            raise OptionError("depth", depth, f"at least {least}, the depth of the two halves")
        count = depth - least
        if count == 0:
            last = replace(
                self.encoder,
                weights=(*self.encoder.weights[:-1], gain[:, None] * self.encoder.weights[-1]),
                biases=(*self.encoder.biases[:-1], gain * self.encoder.biases[-1]),
            )
            return StretchedNetwork(last, torch.ones_like(self.scale), 0, self.decoder)
        return replace(self, scale=gain ** (1.0 / count), count=count)

    def dense(self) -> FullyConnected:
        """The same network with every layer written out."""
        middle = [torch.diag(self.scale)] * self.count
        return FullyConnected(
            (*self.encoder.weights, *middle, *self.decoder.weights),
            (*self.encoder.biases, *[torch.zeros_like(self.scale)] * self.count, *self.decoder.biases),
            self.encoder.activation,
        )


def three_part(
    encoder: FullyConnected, decoder: FullyConnected, depth: int, *, outputs_above: Tensor | None = None
) -> StretchedNetwork:
    r"""The depth-L network of Theorem 1 for f = h ∘ g: g, then $L - L_g - L_h$ identity layers on R^k, then h.

    σ lets nonnegative values pass, so g is shifted once, in its last bias, by the least $s \ge 0$ that makes its
    outputs nonnegative on Ω, and h takes the shift back in its first bias. Then f is unchanged on Ω and

    $$\|w\|^2 = \|w_g\|^2 + k (L - L_g - L_h) + \|w_h\|^2$$

    exactly, $w_g$ and $w_h$ with the shift; so $R(f; Ω, L)/L \to k$ at most. It is not the least such network:
    `lightened` rescales its neurons and chooses the coordinates in the middle.

    Args:
        encoder: g, of depth $L_g$, into R^k.
        decoder: h, of depth $L_h$, from R^k.
        depth: L, at least $L_g + L_h$.
        outputs_above: Lower bounds of the outputs of g on Ω, `(k,)`. Not needed for the identity activation.

    Raises:
        OptionError: If `depth` is smaller than $L_g + L_h$.
        NotRepresentableError: If no bounds are given for an activation that is not the identity.
        ShapeError: If the halves do not meet in the same R^k, or the bounds are not `(k,)`.
        IncompatibleNetworksError: If activations, dtypes or devices differ.

    Source:
        Jacot (2023), proof of Theorem 1.
    """
    least = encoder.depth + decoder.depth
    if depth < least:
        raise OptionError("depth", depth, f"at least {least}, the depth of the two halves")
    if encoder.d_out != decoder.d_in:
        raise ShapeError(
            f"The encoder has {encoder.d_out} outputs and the decoder {decoder.d_in} inputs; both must be k."
        )
    ones = torch.ones_like(encoder.biases[-1])
    if encoder.activation.is_linear:
        return StretchedNetwork(encoder, ones, depth - least, decoder)
    if outputs_above is None:
        raise NotRepresentableError(
            "An identity layer on values of either sign",
            encoder.activation.name,
            "it lets only nonnegative values pass unchanged",
            "Give outputs_above, lower bounds of the encoder's outputs on the domain.",
        )
    if outputs_above.shape != encoder.biases[-1].shape:
        raise ShapeError(
            f"outputs_above has shape {tuple(outputs_above.shape)}; give one number for each of the {encoder.d_out} "
            "outputs of the encoder."
        )
    shift = (-outputs_above.to(ones)).clamp_min(0.0)
    return StretchedNetwork(shifted_outputs(encoder, shift), ones, depth - least, shifted_inputs(decoder, shift))


def shifted_outputs(network: FullyConnected, shift: Tensor) -> FullyConnected:
    r"""$x \mapsto f(x) + s$."""
    return replace(network, biases=(*network.biases[:-1], network.biases[-1] + shift))


def shifted_inputs(network: FullyConnected, shift: Tensor) -> FullyConnected:
    r"""$z \mapsto f(z - s)$."""
    first = torch.addmv(network.biases[0], network.weights[0], shift, alpha=-1.0)
    return replace(network, biases=(first, *network.biases[1:]))
