r"""How far from stationary a network is where pre-activations sit on the kink of σ."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.errors import OptionError
from isthmus.networks import FullyConnected
from isthmus.training.box import box_minimum
from isthmus.training.objective import Objective
from isthmus.training.slopes import Sloped

BAND = 1e-6  # |z| over the neuron's root mean square: far below what training resolves, far above float64's rounding
_ROUNDS = 10
_STILL = 1e-6  # a change of the slopes that no longer matters


@dataclass(frozen=True, eq=False)
class Subgradient:
    r"""The least generalised gradient at a network.

    Attributes:
        stationarity: $\min_t \|\nabla(t)\| / \mathcal L_\lambda$.
        on_the_kink: Number of hidden pre-activations within the band, and of all of them.
    """

    stationarity: float
    on_the_kink: tuple[int, int]


@torch.no_grad()
def least_subgradient(network: FullyConnected, objective: Objective, *, band: float = BAND) -> Subgradient:
    r"""The least norm among the generalised gradients, in float64, relative to the objective.

    At a minimum many pre-activations sit on the kink of σ, and the gradient jumps there by more than its own size. What
    is zero at a minimum is a combination of the gradients around it: with $\sigma'(z) = a + (1-a)\,t$, t in [0, 1] for
    each pre-activation on the kink,

    $$\min_{0 \le t \le 1} \|\nabla \mathcal L_\lambda(t)\|$$

    The gradient is linear in the t of each layer, and $\partial \nabla / \partial t = \varphi\, \nabla z$ with φ the
    derivative of the objective by σ's positive part: least squares over a box, repeated as φ and ∇z follow t. What is
    returned is the best of the gradients on the way, so an upper bound of the minimum.

    Args:
        network: Any network.
        objective: What it should be stationary for.
        band: A pre-activation is on the kink if |z| is at most this fraction of its neuron's root mean square over the
            rows. At 0 only exact zeros are.

    Raises:
        OptionError: If `band` is negative or not finite.
    """
    if not 0.0 <= band < float("inf"):
        raise OptionError("band", band, "a finite number ≥ 0")
    here = Sloped.of(network, objective)
    places = here.nearness <= band
    best = float(here.gradient.norm())
    t = torch.full_like(here.z[places], 0.5)
    for _ in range(_ROUNDS if len(t) else 0):
        here = replace(here, t=here.t.masked_scatter(places, t))
        best = min(best, float(here.gradient.norm()))
        before, t = t, _least_squares(here, places)
        if float((t - before).abs().max()) <= _STILL:
            break
    value = objective.value(here.network)
    return Subgradient(best / value if value > 0 else 0.0, (int(places.sum()), places.numel()))


def _least_squares(here: Sloped, places: Tensor) -> Tensor:
    """The t at `places` that minimise the gradient as it is linearised in them."""
    columns = here.forces[places, None] * here.normals(places)
    t = here.t[places]
    rest = here.gradient - t @ columns
    return box_minimum(columns @ columns.T, columns @ rest, t)
