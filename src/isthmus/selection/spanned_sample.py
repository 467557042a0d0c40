"""Wide rows in the coordinates that they span."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from isthmus.data import Sample
from isthmus.factorization import Factorization
from isthmus.foundation.span import is_wide, span_axes
from isthmus.networks import (
    Affine,
    FullyConnected,
    Scaling,
    StandardizedNetwork,
    after_affine,
    before_affine,
    standardization,
)
from isthmus.selection.index_rank import IndexRank
from isthmus.selection.rank_selection import RankSelection
from isthmus.training import FittedNetwork


@dataclass(frozen=True, eq=False)
class SpannedSample:
    r"""Rows that are standardised and turned into the principal coordinates of their span, and the way back.

    Of 40 rows in 2,000 columns there are 39 such coordinates, and all that is asked of rows is the same in them: a
    network of least norm reads and writes nothing outside the span. What decomposes matrices of the columns is then
    fast. Mean, scale and axes are those of all rows; they know of held-out rows where these are, not what they answer.

    Attributes:
        sample: In these coordinates; not to be standardised again.
        whole: The rows as they are.
        inputs, outputs: The standardisations; of classes no outputs.
        input_axes, output_axes: U `(d_in, r)` and V `(d_out, r)`; None leaves the columns as they are.
    """

    sample: Sample
    whole: Sample
    inputs: Affine
    outputs: Affine
    input_axes: Tensor | None
    output_axes: Tensor | None

    @staticmethod
    def of(sample: Sample, scaling: Scaling, leading: int | None = None) -> SpannedSample | None:
        """The rows in the span, if the inputs or the outputs are wide.

        Args:
            sample: The rows as they are.
            scaling: Of their columns.
            leading: How many of the inputs' coordinates are kept, those of most variance; None for all.
        """
        x, weights = torch.from_numpy(sample.x), torch.from_numpy(sample.weights)
        y = None if sample.labels is not None else torch.from_numpy(np.asarray(sample.y, np.float64))
        if not (is_wide(x) or (y is not None and is_wide(y))):
            return None
        inputs = standardization(x, scaling, weights)
        x_inside, input_axes = _turned(inputs.forward(x), leading)
        if sample.y is sample.x:
            inside = Sample(x_inside, x_inside, sample.weights, sample.task)
            return SpannedSample(inside, sample, inputs, inputs, input_axes, input_axes)
        if y is None:
            inside = Sample(x_inside, sample.y, sample.weights, sample.task)
            return SpannedSample(inside, sample, inputs, Affine.identity(sample.outputs), input_axes, None)
        outputs = standardization(y, scaling, weights)
        y_inside, output_axes = _turned(outputs.forward(y))
        inside = Sample(x_inside, y_inside, sample.weights, sample.task)
        return SpannedSample(inside, sample, inputs, outputs, input_axes, output_axes)

    def outside(self, found: RankSelection) -> RankSelection:
        """What was selected in these coordinates, as functions of the columns."""
        network, halves = found.network, found.factorization
        return replace(
            found,
            constant=self.written(found.constant[None])[0],
            index=None if found.index is None else self._index(found.index),
            network=self._fitted(network) if isinstance(network, FittedNetwork) else network,
            factorization=None if halves is None else self._halves(halves),
        )

    def _index(self, found: IndexRank) -> IndexRank:
        axes = self.input_axes
        columns = [each if axes is None else each @ axes.T for each in (found.directions, found.replicates)]
        directions, replicates = (each / self.inputs.scale for each in columns)
        return replace(found, directions=directions, replicates=replicates)

    def written(self, outputs: Tensor) -> Tensor:
        """Outputs `(m, r)` in these coordinates as columns of the data `(m, d_out)`."""
        turned = outputs if self.output_axes is None else outputs @ self.output_axes.T.to(outputs)
        return self.outputs.backward(turned)

    def _fitted(self, found: FittedNetwork) -> FittedNetwork:
        like = found.network.weights[0]
        x = self.inputs.forward(torch.from_numpy(self.whole.x)).to(like)
        objective = replace(found.objective, x=x)
        if self.whole.y is self.whole.x:
            objective = replace(objective, y=x)
        elif self.whole.labels is None:
            objective = replace(objective, y=self.outputs.forward(torch.from_numpy(self.whole.y)).to(like))
        network = _reading(_writing(found.network, self.output_axes), self.input_axes)
        return replace(found, network=network, inputs=self.inputs, outputs=self.outputs, objective=objective)

    def _halves(self, found: Factorization) -> Factorization:
        encoder, decoder = found.encoder, found.decoder
        g, h = _reading(encoder.network, self.input_axes), _writing(decoder.network, self.output_axes)
        return replace(
            found,
            encoder=StandardizedNetwork(g, self.inputs, encoder.outputs),
            decoder=StandardizedNetwork(h, decoder.inputs, self.outputs),
        )


def _turned(rows: Tensor, leading: int | None = None) -> tuple[np.ndarray, Tensor | None]:
    if not is_wide(rows):
        return rows.numpy(), None
    axes = span_axes(rows)[:, :leading]
    return (rows @ axes).numpy(), axes


def _reading(network: FullyConnected, axes: Tensor | None) -> FullyConnected:
    """The network of columns that reads their coordinates along the axes."""
    return network if axes is None else before_affine(network, axes.T.to(network.weights[0]))


def _writing(network: FullyConnected, axes: Tensor | None) -> FullyConnected:
    """The network that writes columns where it wrote their coordinates along the axes."""
    return network if axes is None else after_affine(network, axes.to(network.weights[-1]))
