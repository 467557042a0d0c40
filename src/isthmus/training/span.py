r"""Wide data in the coordinates of what they span."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from isthmus.foundation.span import span_axes
from isthmus.networks import FullyConnected
from isthmus.training.objective import Objective

_WIDE = 256  # columns from which the principal axes of the data are worth their price


@dataclass(frozen=True, eq=False)
class Span:
    r"""Orthonormal bases U of the rows of x and V of the rows of y, their principal axes.

    On the data $W_1 x = (W_1 U)(U^\top x)$, and $W_1 U U^\top$ is never longer than $W_1$: a network of least norm has
    its first weights in the span of the inputs and, under the squared error, its last ones in that of the outputs. So
    it may be trained on $U^\top x$ and $V^\top y$, which are fewer numbers wherever the data do not fill their space
    (500 pictures of 784 pixels), and along whose axes the gradients are hardly correlated.

    Attributes:
        objective: Over the data in these coordinates.
        inputs: U, `(d_in, r)` in float64; None leaves the inputs as they are.
        outputs: V, `(d_out, r)`; None leaves the outputs as they are.
    """

    objective: Objective
    inputs: Tensor | None
    outputs: Tensor | None

    @staticmethod
    def of(objective: Objective) -> Span:
        """The span of data in memory, of the sides with 256 columns or more; no change for others."""
        x, y = objective.x, objective.y
        inputs = span_axes(x) if isinstance(x, Tensor) and x.shape[1] >= _WIDE else None
        outputs = None
        if objective.likelihood.is_quadratic and isinstance(y, Tensor) and y.shape[1] >= _WIDE:
            outputs = inputs if y is x else span_axes(y)
        x_inside = x if inputs is None or not isinstance(x, Tensor) else (x.double() @ inputs).to(x)
        if y is x:
            y_inside = x_inside
        else:
            y_inside = y if outputs is None or not isinstance(y, Tensor) else (y.double() @ outputs).to(y)
        return Span(replace(objective, x=x_inside, y=y_inside), inputs, outputs)

    def inside(self, network: FullyConnected) -> FullyConnected:
        """A network of the data as one of their coordinates: the same on the data, up to outputs outside the span."""
        weights, biases = list(network.weights), list(network.biases)
        if self.inputs is not None:
            weights[0] = (weights[0].double() @ self.inputs).to(weights[0])
        if self.outputs is not None:
            weights[-1] = (self.outputs.T @ weights[-1].double()).to(weights[-1])
            biases[-1] = (self.outputs.T @ biases[-1].double()).to(biases[-1])
        return FullyConnected(tuple(weights), tuple(biases), network.activation)

    def outside(self, network: FullyConnected) -> FullyConnected:
        """A network of the coordinates as one of the data, of the same norm."""
        weights, biases = list(network.weights), list(network.biases)
        if self.inputs is not None:
            weights[0] = (weights[0].double() @ self.inputs.T).to(weights[0])
        if self.outputs is not None:
            weights[-1] = (self.outputs @ weights[-1].double()).to(weights[-1])
            biases[-1] = (self.outputs @ biases[-1].double()).to(biases[-1])
        return FullyConnected(tuple(weights), tuple(biases), network.activation)
