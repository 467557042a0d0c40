"""What the three estimators share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from isthmus.data import Task, merged_rows
from isthmus.data.dataset import Floats, Integers
from isthmus.data.sample import Sample
from isthmus.errors import OptionError, PartialFitError
from isthmus.estimators.checking import checked_rows
from isthmus.estimators.latents import Latents, input_names, latents
from isthmus.estimators.storage import load_estimator, save_estimator
from isthmus.foundation.arrays import as_weights
from isthmus.foundation.progress import progress_bar
from isthmus.runs import FitOptions
from isthmus.selection.hyperparameters import DEPTHS
from isthmus.selection.learned import Learned
from isthmus.selection.procedure import learned
from isthmus.training import Plan, check_options


class RankEstimator(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""A function through $\mathbb R^k$ with the smallest k that predicts held-out rows well.

    Equal rows are one row that counts more, rows of weight zero do not exist, and the order of the rows does not
    matter. The rows are held out in turn: networks that were trained on the others decide the rank (`CrossDecision`).
    A network that is trained on all rows is then narrowed to it.

    Args:
        depth: L, the number of weight matrices; or several, of which the one is taken that predicts the rows held out
            in the first fold best, of fewer than 100 rows those of all folds. None is 3 for classes, which deeper
            networks predict much worse, and else 6. Of one output 2 is tried too, and of several 3 where 6 predicts
            less than half; of fewer than 100 rows, they alone.
        width: Width of the hidden layers.
        ridge: λ; or several, of which one is chosen as for the depth. None climbs, in losses of the best constant, the
            ladder 0.001, 0.003, 0.01, 0.03, 0.1, 0.3 for outputs and 0.002, 0.006, 0.02, 0.06, 0.2 for classes, and
            takes the smallest that predicts those rows nearly as well as the best (`climbed`), of one output the best;
            for autoencoders it is 0.003.
        activation: Name of σ: "relu", "leaky_relu", "leaky_relu:SLOPE", "absolute" or "identity".
        tolerance: ε of the rank, see `CrossDecision`.
        folds: Parts of the rows that are held out in turn; None for five, and three from 1,000 rows on.
        starts: Random starts, of which the best is kept.
        steps: As in `Plan`.
        rounds: As in `Plan`.
        evaluations: As in `Plan`.
        learning_rate: As in `Plan`.
        batch_size: As in `Plan`.
        standardize: "columns", "global" or "none".
        device: Where to train. The result is on the CPU.
        random_state: Draws the held-out rows and the training.
        verbose: Whether to show the progress on a terminal.
    """

    def __init__(
        self,
        *,
        depth: int | Sequence[int] | None = None,
        width: int = 100,
        ridge: float | Sequence[float] | None = None,
        activation: str = "relu",
        tolerance: float = 0.1,
        folds: int | None = None,
        starts: int = 1,
        steps: int = 300,
        rounds: int = 1,
        evaluations: int = 100,
        learning_rate: float = 1e-2,
        batch_size: int | None = None,
        standardize: str = "columns",
        device: str = "cpu",
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.depth = depth
        self.width = width
        self.ridge = ridge
        self.activation = activation
        self.tolerance = tolerance
        self.folds = folds
        self.starts = starts
        self.steps = steps
        self.rounds = rounds
        self.evaluations = evaluations
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.standardize = standardize
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def encode(self, X: Any) -> Floats:
        r"""g: the coordinates in $\mathbb R^k$ of the rows of `X` `(n, d_in)`: `(n, rank_)`.

        Raises:
            ValueError, TypeError: As scikit-learn's estimators, if X is no matrix of numbers with the fitted columns.
            ColumnError, NonFiniteError, ScaleError: If an entry cannot be used; the message names its column.
        """
        check_is_fitted(self)
        x = checked_rows(self, X, is_fit=False)
        found: Floats = self._learned.encode(torch.from_numpy(np.require(x, requirements=["C", "W"]))).numpy()
        return found

    def transform(self, X: Any) -> Any:
        """`encode`, in the container that `set_output` asks for."""
        return self.encode(X)

    def save(self, path: str | Path) -> None:
        """Write everything to one `.safetensors` file, atomically; `load` reads it without unpickling anything.

        Raises:
            OptionError: If a parameter or a class label is no plain value, for example a `RandomState`.
        """
        check_is_fitted(self)
        save_estimator(self, self._learned, self._latents, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The estimator that `save` has written to `path`.

        Raises:
            FileMissingError: If there is no such file.
            FileFormatError: If it is damaged or holds something else.
        """
        estimator: Self
        estimator, found, there = load_estimator(cls, Path(path))
        estimator._take(found, there)
        return estimator

    @property
    def partial_fit(self) -> Any:
        """Refused, and not there for `hasattr`.

        Raises:
            PartialFitError: Always.
        """
        raise PartialFitError(type(self).__name__)

    def _decoded(self, Z: Any) -> Floats:
        check_is_fitted(self)
        z = check_array(Z, dtype=np.float64, ensure_min_features=0, input_name="Z")
        outputs: Floats = self._learned.decode(torch.from_numpy(np.require(z, requirements=["C", "W"]))).numpy()
        return outputs

    def _learn(self, x: Floats, y: Floats | Integers, weights: NDArray[np.float64], task: Task) -> None:
        depths = None if self.depth is None else _several("depth", self.depth)
        ridges = _several("ridge", self.ridge)
        asked = depths or (DEPTHS[task],)
        for depth, ridge in product(asked, ridges):
            check_options(task, depth, self.width, ridge)
        options = self._options(asked[0])
        sample = Sample(*merged_rows(x, y, weights), task)
        with progress_bar(type(self).__name__, shown=bool(self.verbose)) as report:
            found = learned(
                sample,
                options,
                depths=depths,
                ridges=None if self.ridge is None else ridges,
                folds=self.folds,
                report=report,
            )
        self._take(found, latents(found, sample.x, input_names(self)))

    def _options(self, depth: int) -> FitOptions:
        options = FitOptions(
            depth=depth,
            width=self.width,
            seed=int(check_random_state(self.random_state).randint(2**31 - 1)),
            starts=self.starts,
            standardize=self.standardize,  # type: ignore[arg-type]
            activation=self.activation,
            tolerance=self.tolerance,
            device=self.device,
            plan=Plan(
                steps=self.steps,
                rounds=self.rounds,
                evaluations=self.evaluations,
                learning_rate=self.learning_rate,
                batch_size=self.batch_size,
            ),
        )
        options.check()
        return options

    def _take(self, found: Learned, there: Latents | None) -> None:
        self._learned, self._latents = found, there
        self.rank_ = found.rank
        decision = found.decision
        self.rank_interval_ = decision.lower, decision.upper
        self.rank_probabilities_ = dict(enumerate(decision.probabilities))
        self.error_curve_ = np.array(decision.errors)
        self.decision_ = decision
        self.factorization_ = found.factorization
        self.attribution_ = None if there is None else there.attribution
        self.n_iter_ = found.evaluations
        self._n_features_out = found.rank


def _several(name: str, value: Any) -> tuple[Any, ...]:
    """The values to choose from: those of a sequence, or the one that is given."""
    if not isinstance(value, (list, tuple)):
        return (value,)
    if not value:
        raise OptionError(name, value, "a number or a list of some")
    return tuple(value)


def row_weights(sample_weight: Any, rows: int) -> NDArray[np.float64]:
    """The weights of the rows, `(rows,)`: those given, checked, or ones."""
    if sample_weight is None:
        return np.ones(rows)
    weights: NDArray[np.float64] = as_weights(sample_weight, rows).numpy()
    return weights
