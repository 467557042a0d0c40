"""Rows to learn from, and a network for them."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.data import Task
from isthmus.data.dataset import Floats, Integers
from isthmus.data.merging import Weights
from isthmus.foundation.progress import Report
from isthmus.networks import Scaling, activation
from isthmus.runs import FitOptions
from isthmus.training import FittedNetwork, fit


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows to learn from, each of them once.

    Attributes:
        x: Inputs `(n, d_in)`.
        y: Outputs `(n, d_out)`, or class indices `(n,)`; an autoencoder's is its x.
        weights: How much each row counts, `(n,)`, positive.
        task: What is learned.
    """

    x: Floats
    y: Floats | Integers
    weights: Weights
    task: Task

    def at(self, rows: Integers) -> Sample:
        """Some of the rows."""
        x = self.x[rows]
        return Sample(x, x if self.y is self.x else self.y[rows], self.weights[rows], self.task)

    @property
    def outputs(self) -> int:
        """Outputs, or columns of class indices: 1."""
        return 1 if self.y.ndim == 1 else int(self.y.shape[1])

    @property
    def is_constant(self) -> bool:
        """Whether all inputs or all outputs are the same."""
        return bool((self.x == self.x[0]).all() or (self.y == self.y[0]).all())


def fitted_sample(sample: Sample, options: FitOptions, scaling: Scaling, report: Report) -> FittedNetwork:
    """A network for all rows of the sample.

    Raises:
        KeyboardInterrupt: If the training was interrupted.
        IsthmusError: For whatever `fit` refuses.
    """
    fitted = fit(
        sample.x,
        None if sample.task == "autoencoder" else sample.y,
        sample_weight=sample.weights,
        task=sample.task,
        depth=options.depth or 1,  # it has been chosen
        width=options.width,
        ridge=options.ridge,
        seed=options.seed,
        starts=options.starts,
        standardize=scaling,
        activation=activation(options.activation),
        plan=options.plan,
        device=options.device,
        report=report,
    )
    if fitted.stopped == "interrupted":
        raise KeyboardInterrupt  # one of several trainings: the others should not begin
    return fitted
