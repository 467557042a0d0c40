"""What a user would ask today how many numbers a map passes through: `BASELINES`, name -> (task, seed) -> k or None.

None where a method is not defined. Only reduced-rank regression, the averaged derivatives and the bottleneck look at
the map from x to y; the others at one of the two clouds, and their answers are the map's rank at best by luck: the
dimension of x is that of the inputs, the dimension of y, where there is no noise, is the rank of the map as long as no
number is folded away, and components count the linear hull.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import skdim
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from _rank_bottleneck import WIDEST, bottleneck_width
from _rank_kernel import averaged_spectra, largest_gap
from _rank_linear import (
    components_by_likelihood,
    components_of_trace,
    components_of_variance,
    reduced_rank,
)
from _rank_tasks import RankTask

Baseline = Callable[[RankTask, int], int | None]
SHUFFLES = 50


def outputs(task: RankTask) -> NDArray[np.float64]:
    """y, or one column a class of ones and zeros."""
    return np.eye(int(task.y.max()) + 1)[task.y] if task.is_classification else task.y


def on_outputs(answer: Callable[[NDArray[np.float64], int], int | None]) -> Baseline:
    return lambda task, seed: None if task.is_classification else answer(task.y, seed)


def on_inputs(answer: Callable[[NDArray[np.float64], int], int | None]) -> Baseline:
    return lambda task, seed: answer(task.x, seed)


class AveragedDerivatives:
    """Spectra of the task last asked about, kept because several rules read the same ones."""

    def __init__(self) -> None:
        self._last: tuple[Any, ...] = (None, None)

    def spectra(self, task: RankTask, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self._last[0] is not task or self._last[1] != seed:
            self._last = (task, seed, averaged_spectra(task.x, outputs(task), seed))
        return self._last[2]

    def by_share(self, task: RankTask, seed: int) -> int:
        """95 % of the trace on the side, outputs or inputs, that needs fewer: neither mean has a rank below k."""
        return min(components_of_trace(values) for values in self.spectra(task, seed))

    def by_gap(self, task: RankTask, seed: int) -> int:
        return min(largest_gap(values, WIDEST) for values in self.spectra(task, seed))


def components_by_parallel_analysis(rows: NDArray[np.float64], seed: int) -> int:
    """Components of the correlations above the 95 % quantile of those of columns shuffled one by one (Horn 1965)."""
    scaled = StandardScaler().fit_transform(rows)
    return int(skdim.id.lPCA(ver="parallel", n_permutations=SHUFFLES, random_state=seed).fit(scaled).dimension_)


def dimension(estimator: Callable[[], Any]) -> Callable[[NDArray[np.float64], int], int]:
    """Intrinsic dimension of a cloud by an estimator of scikit-dimension, its settings as they come, to the nearest."""
    return lambda rows, _: round(float(estimator().fit(rows).dimension_))


_derivatives = AveragedDerivatives()
_components: dict[str, Callable[[NDArray[np.float64], int], int | None]] = {
    "components, 95 %": lambda rows, _: components_of_variance(rows),
    "components, Minka": lambda rows, _: components_by_likelihood(rows),
    "components, parallel": components_by_parallel_analysis,
}
_dimensions = {"TwoNN": skdim.id.TwoNN, "MLE": skdim.id.MLE, "local PCA": skdim.id.lPCA}

BASELINES: dict[str, Baseline] = {
    "bottleneck network": lambda task, seed: bottleneck_width(task.x, task.y, seed),
    "reduced-rank regression": lambda task, seed: reduced_rank(task.x, outputs(task), seed),
    "kernel derivatives, 95 %": _derivatives.by_share,
    "kernel derivatives, gap": _derivatives.by_gap,
    **{f"{name} of y": on_outputs(answer) for name, answer in _components.items()},
    **{f"{name} of x": on_inputs(answer) for name, answer in _components.items()},
    **{f"{name} of y": on_outputs(dimension(estimator)) for name, estimator in _dimensions.items()},
}
