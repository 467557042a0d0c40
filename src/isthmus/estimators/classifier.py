"""Classification through R^k."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from isthmus.data.dataset import Floats
from isthmus.estimators.base import RankEstimator, row_weights
from isthmus.estimators.checking import checked_targets
from isthmus.estimators.latents import Latents
from isthmus.regions import ClassOrder, class_order
from isthmus.selection import RankSelection


class RankClassifier(ClassifierMixin, RankEstimator):
    r"""Classification whose logits are $h(g(x))$ with g into $\mathbb R^k$ and the k that held-out rows decide for.

    Parameters: those of `isthmus.estimators.base.RankEstimator`.

    Attributes:
        classes_: The labels of the rows that count, in sorted order.
        rank_: k; 0 where nothing can be predicted but the most frequent class.
        rank_interval_: (lower, upper): 95 % of the probability, and what other draws of the rows would say.
        rank_probabilities_: k -> how probably it is the answer, by the weighed evidence (`RankSelection`); None at a
            depth, λ or tolerance for which the evidence was not weighed.
        selection_: The answer with its evidence, a `RankSelection`. In a notebook it shows itself.
        error_curve_: Mean of −log of the class's probability over the held-out rows, of the best function found through
            k = 0, 1, 2, … numbers.
        factorization_: g and h as a `Factorization`, of logits; None at rank 0.
        attribution_: How strongly each coordinate depends on each column over the different rows of the fit, each
            counting once, as an `Attribution`; None at rank 0. In a notebook it shows itself.
        class_order_: Which class is the most probable where, along the only coordinate of rank 1, as a `ClassOrder`:
            over the values it takes at the rows of the fit, exactly. None at any other rank. In a notebook it shows
            itself.
        n_iter_: Gradient evaluations of the fit.
        n_features_in_, feature_names_in_: The columns that were fitted.

    Example:
        >>> import numpy as np
        >>> from isthmus import RankClassifier
        >>> x = np.random.default_rng(0).standard_normal((90, 3))
        >>> size = np.array(["small", "middle", "large"])[np.digitize(x[:, 0], [-0.4, 0.4])]
        >>> model = RankClassifier(depth=3, ridge=0.006, width=16, cv=2, random_state=0).fit(x, size)
        >>> model.rank_, sorted([model.class_order_.order[0], model.class_order_.order[-1]])
        (1, ['large', 'small'])
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Train and decide the rank.

        Args:
            X: Inputs `(n, d_in)`.
            y: One label a row, `(n,)`.
            sample_weight: How much each row counts, `(n,)`, ≥ 0; a row of weight 2 is a row that is there twice.
            groups: The group of each row, `(n,)`: rows of one group, one person say, are held out together.

        Raises:
            ValueError: As scikit-learn's estimators, if the data do not fit together.
            NonFiniteError: If `X` or `y` holds NaN or infinity, or an entry is missing.
            ColumnError: If a column of `X` holds texts that are no numbers, dates, or varies by less than 1e-150.
            ScaleError: If an entry of `X` is above 1e150.
            TooFewRowsError: If `X` has fewer than four different rows, or not two to hold out beside one of each class.
            OptionError: If a parameter is out of range.
        """
        x, y = checked_targets(self, X, y, is_numeric=False)
        check_classification_targets(y)
        weights = row_weights(sample_weight, len(x))
        is_counted = weights > 0
        indices = np.zeros(len(y), np.int64)
        self.classes_, indices[is_counted] = np.unique(y[is_counted], return_inverse=True)
        self._learn(x, indices, weights, "classification", groups)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable label of each row of `X` `(n, d_in)`: `(n,)`."""
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[probabilities.argmax(1)])

    def predict_proba(self, X: Any) -> Floats:
        """The probability of each class, `(n, n_classes)`, in the order of `classes_`."""
        return self.decode(self.encode(X))

    def decode(self, Z: Any) -> Floats:
        """The probability of each class where the coordinates are the rows of `Z` `(n, rank_)`: `(n, n_classes)`."""
        probabilities: Floats = torch.from_numpy(self._decoded(Z)).softmax(1).numpy()
        return probabilities

    def _take(self, found: RankSelection, there: Latents | None) -> None:
        super()._take(found, there)
        self.class_order_: ClassOrder | None = None
        if found.factorization is None or there is None or found.rank != 1:
            return
        lower, upper = float(there.lower), float(there.upper)
        if lower < upper:  # what does not vary orders nothing
            self.class_order_ = class_order(found.factorization.decoder, lower, upper, self.classes_.tolist())
