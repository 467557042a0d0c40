r"""Kinetic and potential energy of a leaky ResNet along its depth.

With $B = (\sigma(\alpha); 1)$ a layer's map is $T B = \alpha + \partial$, $\partial = (\alpha_{\ell+1} -
\alpha_\ell) / c_\ell$ the velocity in units of $\tilde L$. Its squared norm that the data see is
$\|(\alpha + \partial) B^+\|^2$, with the potential $\|\alpha B^+\|^2$, the cost of identity, and the kinetic energy
$\|\partial B^+\|^2$. Their difference is $-2H/\tilde L$, with H the Hamiltonian, and the mean of it over the path the
derivative of the least cost by $\tilde L$ (docs/certificates.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.errors import OptionError
from isthmus.foundation.arrays import as_matrix
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import LeakyResNet
from isthmus.spectra.identity_cost import SPAN, IdentityCost
from isthmus.spectra.running_covariance import MomentSum


@dataclass(frozen=True)
class LeakyLayer:
    r"""One layer of a leaky ResNet on data.

    Attributes:
        time: $\sum_{j < \ell} c_j$, where on the path from 0 to L̃ it begins.
        step: $c_\ell$.
        cost_of_identity: $\|\alpha_\ell B^+\|_F^2$, the potential.
        kinetic_energy: $\|\partial_\ell B^+\|_F^2$.
        identity_residual: The share of α, as a norm, that no map of B gives back: negative pre-activations decay and
            are not driven, and where they are many the energies are those of another path.
    """

    time: float
    step: float
    cost_of_identity: float
    kinetic_energy: float
    identity_residual: float

    @property
    def energy(self) -> float:
        r"""$-2H/\tilde L$ = cost of identity − kinetic energy."""
        return self.cost_of_identity - self.kinetic_energy


def leaky_layers(network: LeakyResNet, x: object, *, tolerance: Tolerance = SPAN) -> tuple[LeakyLayer, ...]:
    r"""The energies of every layer at the rows of `x`; a layer that nothing arrives at has none and is left out.

    Args:
        network: Its residual layers are measured, not the first and the last map.
        x: `(n, d_in)`.
        tolerance: Directions of the activations below it, relative to their root mean square norm, count as none.
            Directions that are forgotten decay as $e^{-t}$ and count until then.

    Raises:
        OptionError: If the network is another.
        ShapeError, DtypeError, NonFiniteError: If `x` does not hold finite rows that fit.

    Source:
        Jacot and Kaiser (2024), arXiv 2405.17573, abstract: the two energies; the forms here, with biases and a
        tolerance, are ours.
    """
    if not isinstance(network, LeakyResNet):
        raise OptionError("network", type(network).__name__, "a LeakyResNet; `measure` has the energies of a chain")
    alphas = network.trace(as_matrix(x))[:-2]
    found, time = [], 0.0
    for index, (alpha, step) in enumerate(zip(alphas, network.steps, strict=True), start=1):
        after = network.layers.activation(alpha)
        moments, identity = MomentSum(alpha.shape[1], alpha.device), IdentityCost(alpha.shape[1], alpha.device)
        moments.add(after)
        identity.add(alpha, after)
        weight, bias = network.layers.weights[index], network.layers.biases[index]
        cost, residual, kinetic = identity.result(moments.result(), weight, bias, tolerance, may_turn=False)
        if cost is not None and residual is not None and kinetic is not None:
            found.append(LeakyLayer(time, step, cost, kinetic, residual))
        time += step
    return tuple(found)
