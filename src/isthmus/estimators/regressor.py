"""Regression through R^k."""

from __future__ import annotations

from typing import Any, Self

from sklearn.base import MultiOutputMixin, RegressorMixin

from isthmus.data.dataset import Floats
from isthmus.estimators.base import RankEstimator, row_weights
from isthmus.estimators.checking import checked_targets


class RankRegressor(MultiOutputMixin, RegressorMixin, RankEstimator):
    r"""Regression $y \approx h(g(x))$ with g into $\mathbb R^k$ and the k that held-out rows decide for.

    Parameters: those of `isthmus.estimators.base.RankEstimator`.

    Attributes:
        rank_: k; 0 where nothing can be predicted but a constant.
        rank_interval_: (lower, upper): 95 % of the probability, and what other draws of the rows would say.
        rank_probabilities_: k -> how probably it is the answer, by the weighed evidence (`RankSelection`); None at a
            depth, λ or tolerance for which the evidence was not weighed.
        index_rank_: The smallest number of linear combinations of the inputs that the outputs depend on; None from
            classifiers and autoencoders.
        index_rank_interval_, index_rank_probabilities_: As of the rank; the last k stands for more as well.
        index_directions_: These combinations `(index_rank_, d_in)`, in the units of the columns, the largest effect
            first (`IndexRank`).
        index_direction_errors_: Their standard errors, by the jackknife over the folds; None of one or two.
        selection_: The answer with its evidence, a `RankSelection`. In a notebook it shows itself.
        error_curve_: Held-out error of the best function found through k = 0, 1, 2, … numbers, summed over the
            outputs, in units of their variances (with `standardize="none"` in theirs).
        factorization_: g and h as a `Factorization`; None at rank 0.
        attribution_: How strongly each coordinate depends on each column over the different rows of the fit, each
            counting once, as an `Attribution`; None at rank 0. In a notebook it shows itself.
        n_iter_: Gradient evaluations of the fit.
        n_features_in_, feature_names_in_: The columns that were fitted.

    Example:
        >>> import numpy as np
        >>> from isthmus import RankRegressor
        >>> x = np.random.default_rng(0).standard_normal((60, 3))
        >>> y = np.abs(x[:, :1]) * [1.0, -2.0]  # two outputs of one number
        >>> model = RankRegressor(depth=3, ridge=0.01, width=16, cv=2, random_state=0).fit(x, y)
        >>> model.rank_, model.rank_interval_, model.transform(x).shape
        (1, (1, 1), (60, 1))
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Train and decide the rank.

        Args:
            X: Inputs `(n, d_in)`.
            y: Outputs `(n,)` or `(n, d_out)`.
            sample_weight: How much each row counts, `(n,)`, ≥ 0; a row of weight 2 is a row that is there twice.
            groups: The group of each row, `(n,)`: rows of one group, one person say, are held out together.

        Raises:
            ValueError: As scikit-learn's estimators, if the data do not fit together.
            NonFiniteError: If `X` or `y` holds NaN or infinity, or an entry is missing.
            ColumnError: If a column of either holds texts that are no numbers, dates, or varies by less than 1e-150.
            ScaleError: If an entry of either is above 1e150.
            TooFewRowsError: If `X` has fewer than four different rows.
            OptionError: If a parameter is out of range.
        """
        x, y = checked_targets(self, X, y, is_numeric=True)
        self._is_vector = y.ndim == 1
        self._learn(x, y.reshape(len(y), -1), row_weights(sample_weight, len(x)), "regression", groups)
        return self

    def predict(self, X: Any) -> Floats:
        """h(g(x)) at the rows of `X` `(n, d_in)`: `(n,)` or `(n, d_out)`, as y was."""
        return self.decode(self.encode(X))

    def decode(self, Z: Any) -> Floats:
        """h at the rows of `Z` `(n, rank_)`: `(n,)` or `(n, d_out)`, as y was."""
        outputs = self._decoded(Z)
        return outputs[:, 0] if self._is_vector else outputs
