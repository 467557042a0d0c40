r"""Down in ‖w‖² along the networks that compute f: the exact steps' last word, for networks that are small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.costs.patches import Patches
from isthmus.networks import FullyConnected

_MOST_PARAMETERS, _MOST_CONSTRAINTS = 1500, 2500
_ON_A_KINK = 1e-7  # pre-activations within this of the largest are held at zero
_CORRECTIONS, _ENOUGH = 4, 1e-10
_LONGEST, _SHORTEST = 1.0, 1e-3
_STALLED = 1e-5  # relative gain of a step below which the descent ends


def descended(network: FullyConnected, patches: Patches, *, steps: int = 40) -> FullyConnected:
    r"""A network of smaller ‖w‖² that computes f on Ω, found by training under constraints; the given one if none is.

    The constraints c(w) = 0 say that f's values at the corners stay, and that pre-activations on a kink at a corner
    stay there, so that every neuron keeps its sign on every patch. With J the Jacobian of c, each step goes towards

    $$\arg\min \|w'\|^2 \quad \text{subject to} \quad c(w) + J (w' - w) = 0,$$

    which is $J^+ (J w - c)$, by a length that is halved until ‖w‖² falls once Newton corrections $-J^+ c$ have brought
    the network back to c = 0 and no other pre-activation has changed its sign. Unlike a rescaling, this also moves norm
    between layers and neurons in every direction that leaves f as it is. It ends at a local minimum or after `steps`.

    Args:
        network: Computes f on Ω, float64. More than 1,500 parameters or 2,500 constraints come back as they are.
        patches: Ω and f.
        steps: At most so many.
    """
    problem = _Constrained.of(network, patches)
    if problem is None:
        return network
    w, length = problem.flat(network), _LONGEST
    for _ in range(steps):
        residual, jacobian = problem.expansion(w)
        target = _solved(jacobian, jacobian @ w - residual)
        found, before = None, float(w @ w)
        while length >= _SHORTEST and found is None:
            tried = problem.restored(w + length * (target - w))
            if tried is not None and float(tried @ tried) < before:
                found = tried
            else:
                length *= 0.5
        if found is None:
            break
        w, length = found, min(_LONGEST, 2.0 * length)
        if before - float(w @ w) < _STALLED * before:
            break
    result = problem.network(w)
    is_better = result.squared_norm < network.squared_norm and patches.is_computed_by(result)
    return result if is_better else network


def _solved(jacobian: Tensor, right: Tensor) -> Tensor:
    """$J^+ b$: the shortest of the nearest solutions."""
    solution: Tensor = torch.linalg.lstsq(jacobian, right[:, None], driver="gelsd").solution[:, 0]
    return solution


@dataclass(frozen=True, eq=False)
class _Constrained:
    """The constraints as a function of all weights in one vector.

    Attributes:
        start: The network.
        corners: Where f is kept, `(V, d_in)`.
        values: f there, `(V, d_out)`.
        held: For each hidden layer where its pre-activations are held at zero, `(V, n_ℓ)`.
        signs: For each hidden layer the signs of the others, `(V, n_ℓ)`.
    """

    start: FullyConnected
    corners: Tensor
    values: Tensor
    held: tuple[Tensor, ...]
    signs: tuple[Tensor, ...]

    @staticmethod
    def of(network: FullyConnected, patches: Patches) -> _Constrained | None:
        if network.parameter_count > _MOST_PARAMETERS or patches.values.numel() > _MOST_CONSTRAINTS:
            return None
        hidden = [] if network.activation.is_linear else network.pre_activations(patches.corners)[:-1]
        held = tuple(z.abs() <= _ON_A_KINK * z.abs().max() for z in hidden)
        if patches.values.numel() + sum(int(h.sum()) for h in held) > _MOST_CONSTRAINTS:
            return None
        signs = tuple(z.sign() for z in hidden)
        return _Constrained(network, patches.corners, network(patches.corners), held, signs)

    def flat(self, network: FullyConnected) -> Tensor:
        return torch.cat([t.flatten() for pair in zip(network.weights, network.biases, strict=True) for t in pair])

    def network(self, w: Tensor) -> FullyConnected:
        weights, biases = self._layers(w)
        return FullyConnected(tuple(weights), tuple(biases), self.start.activation)

    def expansion(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """(c, J)."""
        jacobian: Callable[[Tensor], Tensor] = torch.func.jacrev(self._residual)
        return self._residual(w), jacobian(w).detach()

    def restored(self, w: Tensor) -> Tensor | None:
        """The nearest weights with c = 0, or None where they are not near or a sign has changed."""
        for _ in range(_CORRECTIONS):
            residual, jacobian = self.expansion(w)
            if not bool(torch.isfinite(jacobian).all() and torch.isfinite(residual).all()):
                return None  # the corrections ran away
            if float(residual.abs().max()) <= _ENOUGH * max(1.0, float(self.values.abs().max())):
                break
            w = w - _solved(jacobian, residual)
        is_met = float(self._residual(w).abs().max()) <= 10 * _ENOUGH * max(1.0, float(self.values.abs().max()))
        return w if is_met and self._keeps_signs(w) else None

    def _layers(self, w: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        weights, biases, begin = [], [], 0
        for like, bias in zip(self.start.weights, self.start.biases, strict=True):
            end = begin + like.numel()
            weights.append(w[begin:end].view_as(like))
            biases.append(w[end : end + len(bias)])
            begin = end + len(bias)
        return weights, biases

    def _hidden(self, w: Tensor) -> tuple[list[Tensor], Tensor]:
        a, hidden = self.corners, []
        weights, biases = self._layers(w)
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            z = a @ weight.T + bias
            if layer + 1 == len(weights):
                break
            hidden.append(z)
            # By the signs that are kept: a pre-activation held at zero has no side of its own.
            a = z if self.start.activation.is_linear else self._activated(z, layer)
        return hidden, z

    def _activated(self, z: Tensor, layer: int) -> Tensor:
        slope = torch.where(self.signs[layer] < 0, self.start.activation.negative_slope, 1.0)
        return torch.where(self.held[layer], torch.zeros_like(z), slope * z)

    def _residual(self, w: Tensor) -> Tensor:
        hidden, output = self._hidden(w)
        kept = [z[held] for z, held in zip(hidden, self.held, strict=False)]
        return torch.cat([(output - self.values).flatten(), *kept])

    def _keeps_signs(self, w: Tensor) -> bool:
        hidden, _ = self._hidden(w)
        return all(
            bool((held | (z.sign() == signs) | (signs == 0)).all())
            for z, held, signs in zip(hidden, self.held, self.signs, strict=False)
        )
