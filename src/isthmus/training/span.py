r"""Wide data in the coordinates of what they span."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from isthmus.foundation.span import is_wide, span_axes
from isthmus.networks import FullyConnected, after_affine, before_affine
from isthmus.training.objective import Objective


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
        """The span of data in memory, of the sides that are wide (`is_wide`); no change for others."""
        x, y = objective.x, objective.y
        inputs = span_axes(x) if isinstance(x, Tensor) and is_wide(x) else None
        outputs = None
        if objective.likelihood.is_quadratic and isinstance(y, Tensor) and is_wide(y):
            outputs = inputs if y is x else span_axes(y)
        x_inside = x if inputs is None or not isinstance(x, Tensor) else (x.double() @ inputs).to(x)
        if y is x:
            y_inside = x_inside
        else:
            y_inside = y if outputs is None or not isinstance(y, Tensor) else (y.double() @ outputs).to(y)
        return Span(replace(objective, x=x_inside, y=y_inside), inputs, outputs)

    def inside(self, network: FullyConnected) -> FullyConnected:
        """A network of the data as one of their coordinates: the same on the data, up to outputs outside the span."""
        if self.inputs is not None:
            network = before_affine(network, self.inputs.to(network.weights[0]))
        return network if self.outputs is None else after_affine(network, self.outputs.T.to(network.weights[-1]))

    def outside(self, network: FullyConnected) -> FullyConnected:
        """A network of the coordinates as one of the data, of the same norm."""
        if self.inputs is not None:
            network = before_affine(network, self.inputs.T.to(network.weights[0]))
        return network if self.outputs is None else after_affine(network, self.outputs.to(network.weights[-1]))
