"""Reconstruction through R^k."""

from __future__ import annotations

from typing import Any, Self

from sklearn.metrics import r2_score

from isthmus.data.dataset import Floats
from isthmus.estimators.base import RankEstimator, row_weights
from isthmus.estimators.checking import checked_rows
from isthmus.estimators.dimension import both_numbers, reconstructed_dimension


class RankAutoencoder(RankEstimator):
    r"""$x \approx h(g(x))$ with g into $\mathbb R^k$ and the k that held-out rows decide for: a nonlinear PCA.

    The rank is the number of coordinates that describe all rows at once; `dimension_` the number of directions in which
    they vary near each of them. A circle has dimension 1 and rank 2, a sphere 2 and 3: a closed surface of dimension d
    has no continuous one-to-one map into d numbers. Within an error, less can do: a circle that is cut open is
    described by one number but for the rows at the cut.

    Parameters: those of `isthmus.estimators.base.RankEstimator`.

    Attributes:
        rank_: k; 0 where nothing can be reconstructed but the mean.
        rank_interval_: (lower, upper): 95 % of the probability, and what other draws of the rows would say.
        rank_probabilities_: k -> how probably it is the answer, by the weighed evidence (`RankSelection`); None at a
            depth, λ or tolerance for which the evidence was not weighed.
        selection_: The answer with its evidence, a `RankSelection`. In a notebook it shows itself.
        error_curve_: Held-out error of the best function found through k = 0, 1, 2, … numbers, summed over the
            columns, in units of their variances (with `standardize="none"` in theirs).
        factorization_: g and h as a `Factorization`; None at rank 0.
        attribution_: How strongly each coordinate depends on each column over the different rows of the fit, each
            counting once, as an `Attribution`; None at rank 0. In a notebook it shows itself.
        dimension_: In how many directions h(g(x)) varies near a typical row, at most k (`manifold_dimension`).
        dimension_interval_: (lower, upper): two standard errors; they do not cover bends, noise or uneven rows.
        dimension_shares_: Dimension -> share of the rows near which it is that; several, where the rows lie on pieces
            of different dimensions.
        n_iter_: Gradient evaluations of the fit.
        n_features_in_, feature_names_in_: The columns that were fitted.

    Example:
        >>> import numpy as np
        >>> from isthmus.estimators import RankAutoencoder
        >>> t = np.random.default_rng(0).uniform(-1, 1, 80)
        >>> curve = np.stack([t, t**2, t**3], axis=1)  # an open curve in space
        >>> model = RankAutoencoder(depth=6, width=16, cv=2, random_state=0).fit(curve)
        >>> model.rank_, model.dimension_, model.transform(curve).shape
        (1, 1, (80, 1))
    """

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, groups: Any = None) -> Self:
        """Train and decide the rank.

        Args:
            X: Rows `(n, d)`.
            y: Ignored, for pipelines.
            sample_weight: How much each row counts, `(n,)`, ≥ 0; a row of weight 2 is a row that is there twice.
            groups: The group of each row, `(n,)`: rows of one group, one person say, are held out together.

        Raises:
            ValueError: As scikit-learn's estimators, if `X` is no matrix of numbers.
            NonFiniteError: If `X` holds NaN or infinity, or an entry is missing.
            ColumnError: If a column of `X` holds texts that are no numbers, dates, or varies by less than 1e-150.
            ScaleError: If an entry of `X` is above 1e150.
            TooFewRowsError: If `X` has fewer than four different rows.
            OptionError: If a parameter is out of range.
        """
        x = checked_rows(self, X, is_fit=True)
        weights = row_weights(sample_weight, len(x))
        self._learn(x, x, weights, "autoencoder", groups)
        found = reconstructed_dimension(self.selection_, x[weights > 0])
        self.dimension_, self.dimension_interval_ = found.dimension, (found.lower, found.upper)
        self.dimension_shares_ = found.shares
        return self

    def explain_dimension(self, X: Any) -> str:
        """Rank and dimension in words: what they say about the data and what they leave open.

        Args:
            X: Rows `(n, d)`, of whose variance the reconstructed share is told.
        """
        return both_numbers(self.rank_, self.dimension_, self.score(X))

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
