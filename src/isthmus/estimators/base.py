"""What the three estimators share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import check_cv
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from isthmus.compression import export_halves
from isthmus.data import Sample, Task
from isthmus.data.dataset import Floats, Integers
from isthmus.data.row_blocks import row_blocks
from isthmus.errors import PartialFitError, RenamedAttributeError, RenamedOptionError
from isthmus.estimators.checking import checked_rows
from isthmus.estimators.latents import Latents, input_names, latents
from isthmus.estimators.renaming import ATTRIBUTES, PARAMETERS, checked_names
from isthmus.estimators.storage import load_estimator, save_estimator
from isthmus.factorization import latent_names
from isthmus.foundation.arrays import as_weights
from isthmus.foundation.progress import progress_bar
from isthmus.selection import RankSelection, SelectionConfig, seed_from, select_rank_of
from isthmus.selection.config import SHORT_SCHEDULE
from isthmus.selection.folds import given_parts, parts_of_blocks
from isthmus.training import Schedule


class RankEstimator(TransformerMixin, BaseEstimator):
    r"""A function through $\mathbb R^k$ with the smallest k that predicts held-out rows well.

    Equal rows are one row that counts more, rows of weight zero do not exist, and the order of the rows does not
    matter. The rows are held out in turn: networks that were trained on the others tell the rank (`select_rank`). A
    network that is trained on all rows is then restricted to it.

    Args:
        depth: As in `SelectionConfig`, as all that follow down to `schedule`.
        ridge: λ.
        width: Of the hidden layers.
        activation: Name of σ.
        tolerance: ε of the rank.
        n_init: Random starts of each network.
        standardize: Scaling of the columns; None chooses.
        schedule: How long and how fast each network is trained, a `Schedule`; None for a short one.
        cv: Parts of the rows that are held out in turn; None for five, and three from 1,000 rows on. Or the parts, as a
            splitter of scikit-learn, which is given the groups of `fit`, or what it gives.
        device: Where to train. The result is on the CPU.
        n_jobs: Folds side by side; the numbers are the same for any (`select_rank`).
        random_state: Draws the held-out rows and the training.
        verbose: Whether to show the progress.
    """

    @checked_names
    def __init__(
        self,
        *,
        depth: int | Sequence[int] | None = None,
        ridge: float | Sequence[float] | None = None,
        width: int = 64,
        activation: str = "relu",
        tolerance: float = 0.1,
        n_init: int = 1,
        standardize: str | None = None,
        schedule: Schedule | None = None,
        cv: Any = None,
        device: str = "cpu",
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.depth = depth
        self.ridge = ridge
        self.width = width
        self.activation = activation
        self.tolerance = tolerance
        self.n_init = n_init
        self.standardize = standardize
        self.schedule = schedule
        self.cv = cv
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def __getattr__(self, name: str) -> Any:
        if name in ATTRIBUTES:
            raise RenamedAttributeError(type(self).__name__, name, ATTRIBUTES[name])
        if name == "partial_fit":
            raise PartialFitError(type(self).__name__)
        return super().__getattribute__(name)  # raises again what it did: a property may have said why it is not there

    def set_params(self, **params: Any) -> Self:
        """Set parameters, as scikit-learn's estimators do.

        Raises:
            RenamedOptionError: For a name of the first edition; the message says what it is now.
            ValueError: For another name that is no parameter.
        """
        for name in params:
            if name in PARAMETERS:
                raise RenamedOptionError(type(self).__name__, name, PARAMETERS)
        changed: Self = super().set_params(**params)
        return changed

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the latent coordinates, the same as on pages and in files: z1, z2 and so on.

        Args:
            input_features: Ignored, for pipelines.
        """
        check_is_fitted(self)
        return np.asarray(latent_names(self.rank_), dtype=object)

    def encode(self, X: Any) -> Floats:
        r"""g: the coordinates in $\mathbb R^k$ of the rows of `X` `(n, d_in)`: `(n, rank_)`.

        Raises:
            ValueError, TypeError: As scikit-learn's estimators, if X is no matrix of numbers with the fitted columns.
            ColumnError, NonFiniteError, ScaleError: If an entry cannot be used; the message names its column.
        """
        check_is_fitted(self)
        x = checked_rows(self, X, is_fit=False)
        found: Floats = self.selection_.encode(torch.from_numpy(np.require(x, requirements=["C", "W"]))).numpy()
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
        save_estimator(self, self.selection_, self._latents, Path(path))

    def export(self, path: str | Path) -> Path:
        """Write the function to a new `.onnx`, `.safetensors` or `.pt2` file for other runtimes, and return its path.

        The file takes the columns that were fitted and gives what `decode(encode(X))` gives: of classes their scores.

        Raises:
            OptionError: If the path ends otherwise.
            TargetExistsError: If something is there already.
            MissingExtraError: If onnx is needed and not installed.
        """
        check_is_fitted(self)
        encoder, decoder = (getattr(self.factorization_, name, None) for name in ("encoder", "decoder"))
        return export_halves(encoder, decoder, self.selection_.constant, self.n_features_in_, path)

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

    def _decoded(self, Z: Any) -> Floats:
        check_is_fitted(self)
        z = check_array(Z, dtype=np.float64, ensure_min_features=0, input_name="Z")
        outputs: Floats = self.selection_.decode(torch.from_numpy(np.require(z, requirements=["C", "W"]))).numpy()
        return outputs

    def _learn(
        self, x: Floats, y: Floats | Integers, weights: NDArray[np.float64], task: Task, groups: Any = None
    ) -> None:
        config, seed = self._config(), seed_from(self.random_state)
        sample, cv = Sample.merged(x, y, weights, task), self.cv
        is_count = cv is None or isinstance(cv, int | np.integer)
        blocks = row_blocks(groups, None, len(x))
        if blocks is not None and is_count:
            is_row = weights > 0
            blocks = blocks.at(np.flatnonzero(is_row))
            cv = parts_of_blocks(blocks, sample, x[is_row], weights[is_row], cv=cv, seed=seed)
        elif not is_count:
            cv = given_parts(check_cv(cv).split(x, y, groups), sample, x, weights, blocks)
        with progress_bar(type(self).__name__, shown=bool(self.verbose), logs=True) as report:
            found = select_rank_of(sample, config, cv=cv, seed=seed, n_jobs=self.n_jobs, report=report)
        self._take(found, latents(found, sample.x, input_names(self)))

    def _config(self) -> SelectionConfig:
        return SelectionConfig(
            depth=self.depth,
            ridge=self.ridge,
            width=self.width,
            activation=self.activation,
            standardize=self.standardize,  # type: ignore[arg-type]
            tolerance=self.tolerance,
            n_init=self.n_init,
            schedule=SHORT_SCHEDULE if self.schedule is None else self.schedule,
            device=self.device,
        )

    def _take(self, found: RankSelection, there: Latents | None) -> None:
        self.selection_, self._latents = found, there
        self.rank_ = found.rank
        self.rank_interval_ = found.interval
        p = found.probabilities
        self.rank_probabilities_ = None if p is None else dict(enumerate(p))
        index = found.index
        self.index_rank_ = None if index is None else index.rank
        self.index_rank_interval_ = None if index is None else index.interval
        self.index_rank_probabilities_ = None if index is None else dict(enumerate(index.probabilities))
        self.index_directions_ = None if index is None else index.directions.numpy()
        errors = None if index is None else index.standard_errors
        self.index_direction_errors_ = None if errors is None else errors.numpy()
        self.error_curve_ = np.array(found.evidence.errors)
        self.factorization_ = found.factorization
        self.attribution_ = None if there is None else there.attribution
        self.n_iter_ = found.n_evaluations


def row_weights(sample_weight: Any, rows: int) -> NDArray[np.float64]:
    """The weights of the rows, `(rows,)`: those given, checked, or ones."""
    if sample_weight is None:
        return np.ones(rows)
    weights: NDArray[np.float64] = as_weights(sample_weight, rows).numpy()
    return weights
