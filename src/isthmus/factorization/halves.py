"""The two halves of a function: f ≈ h ∘ g with g into R^k."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.errors import ConstantOutputError, OptionError
from isthmus.factorization.orientation import oriented
from isthmus.factorization.regularity import Regularity, regularity
from isthmus.foundation.arrays import as_matrix, check_columns
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.networks import Affine, FullyConnected, StandardizedNetwork
from isthmus.spectra import (
    SCALED_ROWS,
    BalancedTruncation,
    Model,
    Scaling,
    as_network,
    balanced_truncations,
    chosen,
    spaced,
    tried_rows,
    truncation_curve,
    units_of_chain,
)


def latent_names(rank: int) -> tuple[str, ...]:
    """Names of k latent coordinates, the same on pages, in files and in tables: z1, z2, …."""
    return tuple(f"z{i}" for i in range(1, rank + 1))


@dataclass(frozen=True, eq=False)
class Factorization:
    r"""Two functions that meet in $\mathbb R^k$, in the units of the data.

    The latent coordinates have mean 0 and covariance I over the data they were found on, in the order of their
    effect on f, and rise with most of what they correlate with (`oriented`): two fits of one function can be compared,
    as far as the effects of its coordinates on f differ.

    Attributes:
        encoder: g, from inputs to $\mathbb R^k$.
        decoder: h, from $\mathbb R^k$ to outputs.
        layer: ℓ, the layer of the network whose coordinates were kept (0: the inputs).
        error_curve: $\|f - f_k\| / \|f - \bar f\|$ over the data for k = 0, 1, 2, …, by projection alone, in the
            units that outputs were counted in.

    Example:
        >>> import torch
        >>> from isthmus import factor
        >>> from isthmus.networks.catalogue import catalogue
        >>> f = next(entry.network for entry in catalogue(0) if entry.name == "absolute value of one number")
        >>> halves = factor(f, torch.linspace(-1, 1, 41, dtype=torch.float64)[:, None])
        >>> halves.rank, halves.encode(torch.tensor([[0.5]]).double()).shape
        (1, torch.Size([1, 1]))
    """

    encoder: StandardizedNetwork
    decoder: StandardizedNetwork
    layer: int
    error_curve: tuple[float, ...]

    @property
    def rank(self) -> int:
        """k, the number of latent coordinates."""
        return self.encoder.network.d_out

    def encode(self, x: object) -> Tensor:
        """g at the rows of `x` `(n, d_in)`: `(n, k)`."""
        return self._applied(self.encoder, x, "x")

    def decode(self, z: object) -> Tensor:
        """h at the rows of `z` `(n, k)`: `(n, d_out)`."""
        return self._applied(self.decoder, z, "z")

    def __call__(self, x: object) -> Tensor:
        """h(g(x)), `(n, d_out)`."""
        return self.decode(self.encode(x))

    def regularity(self, x: object, *, points: int = 500) -> Regularity:
        """How regular both halves are over the rows of `x` `(n, d_in)`, in the units of the data, and which is harder.

        Args:
            x: The rows, in the units the encoder takes.
            points: At how many of them, evenly spaced, Jacobians are taken.

        Raises:
            ShapeError, DtypeError, NonFiniteError: If `x` does not hold finite rows that fit the encoder.

        Source:
            arXiv 2405.14544 for the norms of the Jacobians; arXiv 2407.05664 for the part that norms and Lipschitz
            constants play in learning compositions. Proofs of what is claimed: `docs/certificates.md`.
        """
        rows = as_matrix(x)
        check_columns(rows, self.encoder.network.d_in)
        return regularity(self.encoder.folded(), self.decoder.folded(), rows, points)

    @staticmethod
    def _applied(half: StandardizedNetwork, data: object, what: str) -> Tensor:
        rows = as_matrix(data, what)
        check_columns(rows, half.network.d_in, what)
        return half(rows.double())


def factor(
    model: Model,
    x: object,
    *,
    rank: int | None = None,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    scale_outputs: Scaling = "data",
) -> Factorization:
    r"""Split f into $h \circ g$ with g into $\mathbb R^k$, by keeping k coordinates of one layer.

    Args:
        model: A network, a standardised network or a torch module that converts.
        x: `(n, d_in)` in the units the model takes: where f should be kept. Of a module that convolves
            `(n, channels, …)`; the halves take such rows flattened.
        rank: k ≥ 1. Default: the smallest k that changes f by no more than `tolerance` of its spread, at least 1.
        tolerance: Used when `rank` is not given; the rank is then the upper end of `bottleneck_rank`, where that is
            exhibited.
        scale_outputs: In what units outputs are counted, as for `measure`: each by its spread over the rows, all by
            one number ("unit"), or as they are ("none").

    Raises:
        OptionError: If `rank` is below 1 or above what any layer carries.
        ConstantOutputError: If the model gives the same at all rows, so that its rank is 0, and no other is asked for.
        NonFiniteError, ShapeError, DtypeError: If `x` does not hold finite rows that fit the model.
        UnsupportedModuleError: If a torch module cannot be converted exactly.

    Source:
        Jacot (2023), definition of the bottleneck rank; the coordinates are those of `BalancedTruncation`.

    Example:
        >>> import torch
        >>> from isthmus import factor
        >>> from isthmus.networks import RELU, FullyConnected
        >>> rows = torch.eye(3, dtype=torch.float64)
        >>> narrow = FullyConnected((rows[:1], rows[:, :1]), (torch.zeros(1).double(), torch.zeros(3).double()), RELU)
        >>> x = torch.randn(50, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        >>> halves = factor(narrow, x)
        >>> halves.rank, bool((halves.decode(halves.encode(x)) - narrow(x)).abs().max() < 1e-9)
        (1, True)
    """
    network, inputs = as_network(model, x)
    if rank is not None and rank < 1:
        raise OptionError("rank", rank, "at least 1")
    with flushed_denormals(), torch.no_grad():
        sample = spaced(inputs, SCALED_ROWS)
        kind = model if isinstance(model, StandardizedNetwork) else network
        told = units_of_chain(kind, sample, network(sample), "none", scale_outputs).of_network(
            network, are_inputs_counted=False
        )
        # A rank that is asked for is followed to the end, however small the change already is.
        until = tolerance.relative if rank is None else -1.0
        found = truncation_curve(told, spaced(inputs, tried_rows(network)), until=until, most=rank)
        if rank is not None and rank >= len(found):
            raise OptionError("rank", rank, f"at most {len(found) - 1}, the most coordinates any layer carries")
        if len(found) == 1:
            raise ConstantOutputError("the model's outputs", aim="factor", remedy="Pass rows on which they vary")
        best = found[max(1, chosen(found, tolerance).rank) if rank is None else rank]
        enc, dec = oriented(*split(network, best.truncation, best.rank), inputs)
    return standardized(model, enc, dec, best.truncation.layer, tuple(n.change for n in found))


def standardized(
    model: Model, encoder: FullyConnected, decoder: FullyConnected, layer: int, curve: tuple[float, ...]
) -> Factorization:
    """The factorisation in the units of the data that `model` takes and gives."""
    inputs, outputs = Affine.identity(encoder.d_in), Affine.identity(decoder.d_out)
    if isinstance(model, StandardizedNetwork):
        inputs, outputs = model.inputs, model.outputs
    middle = Affine.identity(encoder.d_out)
    return Factorization(
        StandardizedNetwork(encoder, inputs, middle), StandardizedNetwork(decoder, middle, outputs), layer, curve
    )


def split(network: FullyConnected, truncation: BalancedTruncation, rank: int) -> tuple[FullyConnected, FullyConnected]:
    r"""(g, h) with $h \circ g$ = the network truncated to `rank` ≥ 1 coordinates of the layer.

    g ends in $z = E_k (a_\ell - \bar a)$ and h begins with $W_{\ell+1} (\bar a + D_k z) + b_{\ell+1}$.
    """
    at = truncation.layer
    kind = network.weights[0]
    encode, decode = truncation.encode[:rank], truncation.decode[:, :rank]
    w, b = network.weights[at].double(), network.biases[at].double()
    encoder = FullyConnected(
        (*network.weights[:at], encode.to(kind)),
        (*network.biases[:at], (-encode @ truncation.mean).to(kind)),
        network.activation,
    )
    decoder = FullyConnected(
        ((w @ decode).to(kind), *network.weights[at + 1 :]),
        ((w @ truncation.mean + b).to(kind), *network.biases[at + 1 :]),
        network.activation,
    )
    return encoder, decoder


def split_at(network: FullyConnected, x: Tensor, layer: int, rank: int) -> tuple[FullyConnected, FullyConnected]:
    """`split` with the balanced coordinates of the given layer over the rows of `x`, their signs `oriented` by them."""
    return oriented(*split(network, balanced_truncations(network, x)[layer], rank), x)
