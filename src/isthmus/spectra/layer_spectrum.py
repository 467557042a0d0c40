"""What each layer does to the data: spectra of weights and activations, and how much its nonlinearity bends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from torch import Tensor

from isthmus.foundation.threads import side_by_side
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import FullyConnected
from isthmus.spectra.gram import singular_values
from isthmus.spectra.identity_cost import IdentityCost
from isthmus.spectra.running_covariance import Moments, MomentSum

CHUNK = 4096  # rows whose activations are held at a time


@dataclass(frozen=True)
class LayerSpectrum:
    r"""Measurements of layer ℓ.

    Attributes:
        layer: ℓ, from 1 to L.
        weight_singular_values: Singular values of $W_\ell$, descending.
        activation_singular_values: Standard deviations of $A_\ell$ along its principal directions (singular values
            of the centred activations over √n), descending; of the outputs at ℓ = L.
        nonlinearity_impact: $\|\tilde Z_\ell - \sigma(\tilde Z_\ell)\|_F / \|\tilde Z_\ell\|_F$; None at ℓ = L,
            where there is no activation, and where $\tilde Z_\ell = 0$.
        name: What the model calls the layer; empty for a chain.
        isometry_distance: $\|W_\ell - V_\ell V'^\top_{\ell-1}\|_F / \sqrt k$, the relative distance to the partial
            isometry that the certificate of the profile exhibits; None where there is none.
        cost_of_identity: What one identity layer more would cost behind ℓ,
            $\|\tilde Z_\ell (\sigma(\tilde Z_\ell); 1)^+\|_F^2$ with the constant that biases read; None at ℓ = L, for
            an empty layer, and where the model is no chain.
        identity_residual: The share of $\tilde Z_\ell$, as a norm, that no such layer gives back: where it is large the
            cost is that of another map than the identity.
        kinetic_energy: The least $\|(O (W, b)_{\ell+1} B - \tilde Z_\ell) B^+\|_F^2$ over rotations O, how far the next
            layer moves in the same units; the energy −2H/L is `cost_of_identity - kinetic_energy`.

    Source:
        Jacot (2023), experiment on rank recovery, panels (a), (b), (c); Jacot and Kaiser, arXiv 2405.17573, for the
        cost of identity, whose form with biases and rotations is ours.
    """

    layer: int
    weight_singular_values: tuple[float, ...]
    activation_singular_values: tuple[float, ...]
    nonlinearity_impact: float | None
    name: str = ""
    isometry_distance: float | None = None
    cost_of_identity: float | None = None
    identity_residual: float | None = None
    kinetic_energy: float | None = None

    def summary(self, tolerance: Tolerance) -> dict[str, object]:
        r"""One row of a table: largest singular values, ranks at the tolerance, stable rank, nonlinearity impact.

        The stable rank of the weight is $\|W\|_F^2 / \|W\|^2$.
        """
        weights, activations = self.weight_singular_values, self.activation_singular_values
        largest = weights[0] if weights else 0.0
        return {
            "layer": self.layer,
            "name": self.name,
            "weight_norm": largest,
            "weight_rank": _above(weights, tolerance),
            "weight_stable_rank": sum((s / largest) ** 2 for s in weights) if largest > 0 else 0.0,
            "activation_deviation": activations[0] if activations else None,
            "activation_rank": _above(activations, tolerance),
            "nonlinearity_impact": self.nonlinearity_impact,
            "isometry_distance": self.isometry_distance,
            "cost_of_identity": self.cost_of_identity,
        }


def _above(values: tuple[float, ...], tolerance: Tolerance) -> int:
    """How many values exceed the tolerance times the first."""
    return sum(v > tolerance.relative * values[0] for v in values)


def layer_inputs(network: FullyConnected, x: Tensor) -> Iterator[list[Tensor]]:
    r"""For each chunk of rows: $[A_0 = x, A_1, …, A_{L-1}, f(x)]$, `(chunk, n_ℓ)` each."""
    for rows in x.to(dtype=network.dtype, device=network.device).split(CHUNK):
        a, z = network.trace(rows)
        yield [*a, z[-1]]


def layer_moments(network: FullyConnected, x: Tensor) -> list[Moments]:
    """Moments of $A_0, …, A_{L-1}$ over the rows of `x`, in memory that does not grow with the rows."""
    sums = [MomentSum(d, network.device) for d in network.widths[:-1]]
    for collected in layer_inputs(network, x):
        for a, total in zip(collected, sums, strict=False):
            total.add(a)
    return [total.result() for total in sums]


def layer_spectra(network: FullyConnected, x: Tensor | Iterable[Tensor]) -> list[LayerSpectrum]:
    """The measurements of every layer over the rows of `x` `(n, d_in)`, which may come in chunks."""
    sums = [MomentSum(d, network.device) for d in network.widths[1:]]
    bends = [Bend() for _ in network.weights]
    identities = [IdentityCost(d, network.device) for d in network.widths[1:-1]]
    for chunk in [x] if isinstance(x, Tensor) else x:
        for rows in chunk.to(dtype=network.dtype, device=network.device).split(CHUNK):
            a, z = network.trace(rows)
            for layer, total in enumerate(sums):
                total.add(a[layer + 1] if layer + 1 < len(a) else z[-1])
                if layer + 1 < len(a):
                    bends[layer].add(z[layer], a[layer + 1])
                    identities[layer].add(z[layer], a[layer + 1])
    weights = side_by_side(singular_values, network.weights)
    found = [
        LayerSpectrum(
            layer,
            tuple(weight.tolist()),
            shown_deviations(total),
            bend.impact(),
        )
        for layer, (weight, total, bend) in enumerate(zip(weights, sums, bends, strict=True), start=1)
    ]
    for index, each in enumerate(identities):
        cost, residual, kinetic = each.result(
            sums[index].result(), network.weights[index + 1], network.biases[index + 1]
        )
        found[index] = replace(found[index], cost_of_identity=cost, identity_residual=residual, kinetic_energy=kinetic)
    return found


def shown_deviations(total: MomentSum) -> tuple[float, ...]:
    """The deviations that n rows can have: at most n − 1 of them, and at least one."""
    deviations = total.result().deviations()
    return tuple(deviations[: min(len(deviations), max(1, total.count - 1))].tolist())


class Bend:
    r"""Accumulates $\|\tilde Z - \sigma(\tilde Z)\|^2$ and $\|\tilde Z\|^2$ over chunks."""

    def __init__(self) -> None:
        self._bent = self._whole = 0.0

    def add(self, z: Tensor, a: Tensor) -> None:
        """Take in pre-activations and activations of some rows."""
        # A product of a vector with itself in float64 neither copies the chunk twice nor rounds the sum.
        difference, before = (z - a).double().flatten(), z.double().flatten()
        self._bent += float(difference @ difference)
        self._whole += float(before @ before)

    def impact(self) -> float | None:
        """The nonlinearity impact; None where nothing came, or only zeros."""
        return (self._bent / self._whole) ** 0.5 if self._whole > 0 else None
