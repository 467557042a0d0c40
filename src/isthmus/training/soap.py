"""Adam in the eigenbases of Shampoo, on all matrices of equal shape at once."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.training.parameters import Parameters

_DECAY = 0.9  # of the moments and covariances, a step
_TINY = 1e-5  # well above the rounding noise in directions that have no gradient, which would else be steps too
_LARGEST_SIDE = 512  # a longer side keeps its own basis: turning 784 pixels cost nine times what it saved
_LARGEST_LONG_SIDE = 256  # the same for a side twice as long as the other: wide data come along their principal axes


class Soap:
    r"""Steps down the gradient of a matrix $J = [W, b]$ in the basis in which its gradients are least correlated.

    With $L = \overline{G G^\top}$ and $R = \overline{G^\top G}$ (decaying means over the steps) and their eigenbases
    $Q_L, Q_R$, Adam runs on $Q_L^\top G Q_R$ and its step is turned back. The bases follow by one step of orthogonal
    iteration every `refresh` steps.

    Packages offer the method for one matrix at a time. Here the layers of equal shape, of all networks, are one
    batched product each, which takes about half the time and keeps networks that are trained together independent;
    `docs/decisions/0014-training-engine.md` has the figures. The tests compare it with such a package.

    Args:
        parameters: S networks; their vectors are moved.
        gradient: Where their gradients are when `step` is called.
        refresh: Steps between two turns of the bases.

    Source:
        Vyas et al. (2024), SOAP.
    """

    def __init__(self, parameters: Parameters, gradient: Parameters, *, refresh: int) -> None:
        self._parameters, self._gradient, self._refresh = parameters, gradient, refresh
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for layer, w in enumerate(parameters.weights):
            by_shape.setdefault(tuple(w.shape[1:]), []).append(layer)
        self._groups = [_Group(layers) for layers in by_shape.values()]
        self._steps = 0

    def step(self, rate: float | Tensor) -> None:
        """Move the vectors; `rate` is one step size or one for each network `(S,)`. The first call only looks."""
        rates = torch.as_tensor(rate, dtype=self._parameters.vector.dtype, device=self._parameters.vector.device)
        for group in self._groups:
            move = group.move(group.joint(self._gradient), self._steps, self._refresh)
            if move is not None:
                group.subtract(self._parameters, move * rates.expand(self._parameters.count)[:, None, None, None])
        self._steps += 1

    def state(self) -> dict[str, Tensor]:
        """Everything but the parameters, for a checkpoint; empty before the first step."""
        if not self._steps:
            return {}
        named = {f"{i}.{name}": t for i, group in enumerate(self._groups) for name, t in group.state.items()}
        return {"steps": torch.tensor(self._steps), **named}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Continue from a `state` of the same shapes."""
        if not state:
            return
        self._steps = int(state["steps"])
        device = self._parameters.vector.device
        for i, group in enumerate(self._groups):
            prefix = f"{i}."
            group.state = {k.removeprefix(prefix): t.to(device) for k, t in state.items() if k.startswith(prefix)}

    def only(self, networks: Tensor, parameters: Parameters, gradient: Parameters) -> Soap:
        """The optimiser of some of the networks, whose weights have been copied to `parameters`."""
        rest = Soap(parameters, gradient, refresh=self._refresh)
        rest._steps = self._steps
        for mine, other in zip(self._groups, rest._groups, strict=True):
            other.state = {name: t[networks] for name, t in mine.state.items()}
        return rest


class _Group:
    """The layers of one shape: their moments, covariances and bases, `(S, layers, …)`."""

    def __init__(self, layers: list[int]) -> None:
        self.layers = layers
        self.state: dict[str, Tensor] = {}

    def joint(self, parameters: Parameters) -> Tensor:
        """$[W, b]$ of these layers, `(S, layers, n, m + 1)`."""
        w = torch.stack([parameters.weights[layer] for layer in self.layers], 1)
        b = torch.stack([parameters.biases[layer] for layer in self.layers], 1)
        return torch.cat([w, b[..., None]], -1)

    def subtract(self, parameters: Parameters, move: Tensor) -> None:
        for index, layer in enumerate(self.layers):
            parameters.weights[layer].sub_(move[:, index, :, :-1])
            parameters.biases[layer].sub_(move[:, index, :, -1])

    def move(self, g: Tensor, steps: int, refresh: int) -> Tensor | None:
        """The direction of the step that `g` asks for; None at the first, which only sets the bases."""
        state, decay = self.state, _DECAY
        if not state:
            for side, gram in (("left", g @ g.mT), ("right", g.mT @ g)):
                if _is_turned(gram.shape[-1], min(g.shape[-2:])):
                    state[f"{side}_mean"] = gram * (1.0 - decay)
                    state[f"{side}_basis"] = torch.linalg.eigh(gram)[1].flip(-1).contiguous()
            state["first"], state["second"] = torch.zeros_like(g), torch.zeros_like(g)
            return None
        turned = self._turned(g)
        state["first"].lerp_(turned, 1.0 - decay)
        state["second"].lerp_(turned.square(), 1.0 - decay)
        correction = (1.0 - decay**steps) ** 0.5 / (1.0 - decay**steps)
        step: Tensor = self._turned_back(state["first"] / (state["second"].sqrt() + _TINY)) * correction
        if "left_mean" in state:
            state["left_mean"].lerp_(g @ g.mT, 1.0 - decay)
        if "right_mean" in state:
            state["right_mean"].lerp_(g.mT @ g, 1.0 - decay)
        if steps % refresh == 0:
            self._turn_bases()
        return step

    def _turned(self, g: Tensor) -> Tensor:
        """Qₗᵀ g Qᵣ."""
        if "left_basis" in self.state:
            g = self.state["left_basis"].mT @ g
        return g @ self.state["right_basis"] if "right_basis" in self.state else g

    def _turned_back(self, u: Tensor) -> Tensor:
        """Qₗ u Qᵣᵀ."""
        if "left_basis" in self.state:
            u = self.state["left_basis"] @ u
        return u @ self.state["right_basis"].mT if "right_basis" in self.state else u

    def _turn_bases(self) -> None:
        """One step of orthogonal iteration; the first moment turns with the bases, the second keeps its places."""
        state = self.state
        first = self._turned_back(state["first"])
        for side, axis in (("left", -2), ("right", -1)):
            if f"{side}_basis" not in state:
                continue
            basis = state[f"{side}_basis"]
            product = state[f"{side}_mean"] @ basis
            order = (basis * product).sum(-2).argsort(-1, descending=True)
            place = order[..., :, None] if axis == -2 else order[..., None, :]
            state["second"] = torch.take_along_dim(state["second"], place, axis)
            turned = torch.linalg.qr(torch.take_along_dim(product, order[..., None, :], -1))[0]
            # One memory layout: a resumed fit, whose tensors come from a file, must round as this one does.
            state[f"{side}_basis"] = turned.contiguous()
        state["first"] = self._turned(first)


def _is_turned(side: int, shorter: int) -> bool:
    return side <= (_LARGEST_LONG_SIDE if side > 2 * shorter else _LARGEST_SIDE)
