"""Reconstruction through R^k."""

from __future__ import annotations

from typing import Any, Self

from sklearn.metrics import r2_score

from isthmus.datasets.dataset import Floats
from isthmus.estimators.base import RankEstimator, row_weights
from isthmus.estimators.checking import checked_rows


class RankAutoencoder(RankEstimator):
    r"""$x \approx h(g(x))$ with g into $\mathbb R^k$ and the k that held-out rows decide for: a nonlinear PCA.

    Parameters: those of `isthmus.estimators.base.RankEstimator`.

    Attributes:
        rank_: k; 0 where nothing can be reconstructed but the mean.
        rank_interval_: (lower, upper): every smaller k is significantly worse, the upper one significantly enough.
        rank_probabilities_: k -> how often resampled held-out rows decide for it.
        error_curve_: Held-out error of the best function found through k = 0, 1, 2, … numbers, summed over the
            columns, in units of their variances (with `standardize="none"` in theirs).
        factorization_: g and h as a `Factorization`; None at rank 0.
        attribution_: How strongly each coordinate depends on each column over the different rows of the fit, each
            counting once, as an `Attribution`; None at rank 0. In a notebook it shows itself.
        n_iter_: Gradient evaluations of the fit.
        n_features_in_, feature_names_in_: The columns that were fitted.
    """

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Train and decide the rank.

        Args:
            X: Rows `(n, d)`.
            y: Ignored, for pipelines.
            sample_weight: How much each row counts, `(n,)`, ≥ 0; a row of weight 2 is a row that is there twice.

        Raises:
            ValueError: As scikit-learn's estimators, if `X` is no matrix of numbers.
            NonFiniteError: If `X` holds NaN or infinity, or an entry is missing.
            ColumnError: If a column of `X` holds texts that are no numbers, dates, or varies by less than 1e-150.
            ScaleError: If an entry of `X` is above 1e150.
            TooFewRowsError: If `X` has fewer than four different rows.
            OptionError: If a parameter is out of range.
        """
        x = checked_rows(self, X, is_fit=True)
        self._learn(x, x, row_weights(sample_weight, len(x)), "autoencoder")
        return self

    def inverse_transform(self, X: Any) -> Floats:
        """`decode`, under the name that pipelines call."""
        return self.decode(X)

    def decode(self, Z: Any) -> Floats:
        """h at the rows of `Z` `(n, rank_)`: `(n, d)`."""
        return self._decoded(Z)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Share of the variance of the rows of `X` that is reconstructed; y is ignored."""
        reconstructed = self.decode(self.encode(X))
        share = r2_score(X, reconstructed, sample_weight=sample_weight, multioutput="variance_weighted")
        return float(share)
