r"""Derivatives of the objective with a slope chosen for each pre-activation that sits on the kink of σ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from isthmus.networks import FullyConnected
from isthmus.training.objective import Objective


@dataclass(frozen=True, eq=False)
class Sloped:
    r"""The objective at a network, with $\sigma'(z) = a + (1 - a)\,t$ at every hidden pre-activation.

    Off the kink t is 0 or 1 and the derivatives are the usual ones. On it any t in [0, 1] gives an element of the
    generalised gradient. Vectors hold the layers' $[W_\ell, b_\ell]$, row by row, one after the other.

    Attributes:
        network: In float64.
        objective: With all its rows in memory.
        t: `(n, H)`, the H hidden neurons of all layers side by side.
    """

    network: FullyConnected
    objective: Objective
    t: Tensor

    @staticmethod
    def of(network: FullyConnected, objective: Objective) -> Sloped:
        """With the slopes that the signs of the pre-activations give."""
        x, y = objective.sample()
        network = network.to(dtype=torch.float64)
        # Twice the same tensor stays the same tensor: an autoencoder's y is its x.
        inputs = x.double()
        targets = inputs if y is x else y.double() if y.is_floating_point() else y
        here = Sloped(network, replace(objective, x=inputs, y=targets), torch.empty(0))
        return replace(here, t=(here.z > 0).double())

    @cached_property
    def _trace(self) -> tuple[list[Tensor], list[Tensor]]:
        return self.network.trace(self.objective.sample()[0])

    @cached_property
    def inputs(self) -> list[Tensor]:
        r"""$(a_{\ell-1}, 1)$ of each layer, `(n, n_{ℓ-1} + 1)`."""
        return [torch.cat([a, torch.ones_like(a[:, :1])], 1) for a in self._trace[0]]

    @cached_property
    def z(self) -> Tensor:
        """The hidden pre-activations, `(n, H)`."""
        hidden = self._trace[1][:-1]
        return torch.cat(hidden, 1) if hidden else self.objective.sample()[0][:, :0]

    @cached_property
    def nearness(self) -> Tensor:
        """|z| relative to the root mean square of the neuron; infinite for a neuron that is zero everywhere."""
        return torch.nan_to_num(self.z.abs() / self.z.square().mean(0).sqrt(), nan=torch.inf)

    @cached_property
    def slopes(self) -> list[Tensor]:
        """σ′ of each hidden layer, `(n, n_ℓ)`."""
        a = self.network.activation.negative_slope
        return list((a + (1.0 - a) * self.t).split(self.network.widths[1:-1], 1))

    @cached_property
    def _deltas(self) -> tuple[list[Tensor], list[Tensor]]:
        """The gradients by the pre-activations of every layer, and by the hidden activations."""
        x, y = self.objective.sample()
        deltas, forces = [self.objective.loss(self._trace[1][-1], y, self.objective.weights)[1] / len(x)], []
        for w, slope in zip(reversed(self.network.weights[1:]), reversed(self.slopes), strict=True):
            forces.append(deltas[-1] @ w)
            deltas.append(forces[-1] * slope)
        return deltas[::-1], forces[::-1]

    @cached_property
    def forces(self) -> Tensor:
        """Derivatives of the objective by σ's positive part, `(n, H)`: where positive, the kink is a valley."""
        by_activation = torch.cat(self._deltas[1], 1) if self._deltas[1] else self.z
        return (1.0 - self.network.activation.negative_slope) * by_activation

    @cached_property
    def value(self) -> float:
        """The objective."""
        return self.objective.value(self.network)

    @cached_property
    def vector(self) -> Tensor:
        """The weights and biases, `(p,)`."""
        pairs = zip(self.network.weights, self.network.biases, strict=True)
        return _flat([torch.cat([w, b[:, None]], 1) for w, b in pairs])

    @cached_property
    def gradient(self) -> Tensor:
        """`(p,)`."""
        data = _flat([delta.T @ a for delta, a in zip(self._deltas[0], self.inputs, strict=True)])
        return data + 2.0 * self.objective.ridge / self.network.depth * self.vector

    def joints(self, vector: Tensor) -> list[Tensor]:
        """A vector `(p,)` as one matrix `(n_ℓ, n_{ℓ-1} + 1)` a layer."""
        shapes = [(w.shape[0], w.shape[1] + 1) for w in self.network.weights]
        parts = vector.split([n * m for n, m in shapes])
        return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]

    def moved(self, step: Tensor) -> FullyConnected:
        """The network after a step `(p,)`."""
        joints = self.joints(self.vector + step)
        return replace(self.network, weights=tuple(j[:, :-1] for j in joints), biases=tuple(j[:, -1] for j in joints))

    def shift(self, step: Tensor) -> Tensor:
        """To first order the change of the hidden pre-activations under a step, `(n, H)`."""
        changes, da = [], torch.zeros_like(self._trace[0][0])
        layers = zip(self.joints(step), self.inputs, self.network.weights, self.slopes, strict=False)
        for joint, a, w, slope in layers:
            changes.append(torch.addmm(a @ joint.T, da, w.T))
            da = slope * changes[-1]
        return torch.cat(changes, 1) if changes else self.z

    def normals(self, places: Tensor) -> Tensor:
        """The gradients of the m pre-activations at `places`, a mask `(n, H)`; `(m, p)`."""
        rows, neurons = places.nonzero(as_tuple=True)
        chosen = (neurons[:, None] == torch.arange(places.shape[1], device=places.device)).to(self.z)
        blocks: list[Tensor] = [
            chosen.new_zeros(len(rows), self.network.weights[-1].shape[0], self.inputs[-1].shape[1])
        ]
        delta: Tensor | None = None
        for layer, seed in reversed(list(enumerate(chosen.split(self.network.widths[1:-1], 1)))):
            if delta is not None:
                seed = seed + (delta @ self.network.weights[layer + 1]) * self.slopes[layer][rows]
            delta = seed
            blocks.append(delta[:, :, None] * self.inputs[layer][rows][:, None, :])
        return torch.cat([block.flatten(1) for block in reversed(blocks)], 1)

    def hessian(self) -> Tensor:
        r"""Second derivatives at fixed slopes, `(p, p)`.

        Between layers ℓ ≤ m, with $B_\ell$ the derivatives of f by the pre-activations of layer ℓ, $F$ those of the
        inputs of layer m by them, $\delta$ the loss's by the pre-activations of layer m, and C the loss's curvature:
        $\sum_i (B_\ell^\top C B_m)_{op}\, a_j\, a_k + a_j\, \delta_p F_{ko}$ for the entries (o, j) and (p, k).
        """
        b = self._backward()
        rows = []
        for layer, (a, c) in enumerate(zip(self.inputs, self._curved(b), strict=True)):
            row: list[Tensor] = []
            for other, forward in enumerate(self._forward(layer), start=layer):
                middle = torch.einsum("ico,icp->iop", c, b[other])
                pairs = middle[..., None] * self.inputs[other][:, None, None, :]
                if forward is not None:
                    pairs[..., :-1] += self._deltas[0][other][:, None, :, None] * forward.mT[:, :, None, :]
                block = a.T @ pairs.reshape(len(a), -1)
                row.append(block.view(a.shape[1], middle.shape[1], -1).transpose(0, 1).reshape(-1, pairs[0, 0].numel()))
            rows.append(torch.cat(row, 1))
        size = len(self.vector)
        upper = torch.cat([torch.nn.functional.pad(row, (size - row.shape[1], 0)) for row in rows])
        whole = upper.triu(1)
        whole = whole + whole.T
        whole.diagonal().add_(upper.diagonal() + 2.0 * self.objective.ridge / self.network.depth)
        return whole

    def _backward(self) -> list[Tensor]:
        """The derivatives of f by the pre-activations of each layer, `(n, d_out, n_ℓ)`."""
        outputs = self._trace[1][-1]
        b = [torch.eye(outputs.shape[1], dtype=outputs.dtype, device=outputs.device).expand(len(outputs), -1, -1)]
        for w, slope in zip(reversed(self.network.weights[1:]), reversed(self.slopes), strict=True):
            b.append((b[-1] @ w) * slope[:, None, :])
        return b[::-1]

    def _curved(self, b: list[Tensor]) -> list[Tensor]:
        """C B of each layer, C the second derivatives of the loss by the outputs, `(n, d_out, n_ℓ)`."""
        outputs, y = self._trace[1][-1].detach().requires_grad_(), self.objective.sample()[1]
        with torch.enable_grad():
            slope = self.objective.loss(outputs, y, self.objective.weights)[1]
            columns = [torch.autograd.grad(column.sum(), outputs, retain_graph=True)[0] for column in slope.unbind(1)]
        c = torch.stack(columns, 2) / len(outputs)
        return [c @ part for part in b]

    def _forward(self, layer: int) -> Iterator[Tensor | None]:
        """The derivatives of the inputs of each layer from `layer` on by its pre-activations; None for its own."""
        yield None
        forward = None
        for other in range(layer, self.network.depth - 1):
            slope = self.slopes[other]
            forward = (
                torch.diag_embed(slope)
                if forward is None
                else slope[..., None] * (self.network.weights[other] @ forward)
            )
            yield forward


def _flat(joints: list[Tensor]) -> Tensor:
    return torch.cat([joint.reshape(-1) for joint in joints])
