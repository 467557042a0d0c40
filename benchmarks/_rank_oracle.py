"""Whether k can be told from k − 1 at all: an oracle that is given the true hidden numbers of a task.

It predicts from the k true numbers and from the best k − 1 numbers that it finds of them, on the same rows and folds,
and asks whether the held-out loss of the k is lower by more than two standard errors of its paired differences. Where
it is not, nobody can be blamed for k − 1; where it is, a miss is the method's.

**k − 1 numbers** are linear combinations of the k at right angles to one direction, or the middle of a network from the
k numbers through k − 1 neurons, all trained on the rows to learn from. The direction is sought over all: each axis, the
two weakest eigenvectors of the mean outer product of gradients, and random turns of the best, ever smaller ones, judged
by the rows left one out. The numbers have the covariance 1 first, so that directions compare. With one target, where k
counts linear combinations, there are no networks, for a function is a function of one number, itself. Of k = 1, k − 1
numbers are a constant. So that what a network gains by better coordinates is no evidence for fewer numbers, the k
numbers are read by the same networks with k neurons too.

**Predictions** are ridge regressions of outputs, logistic regressions of classes, on Nyström features of a Gaussian
kernel and the numbers themselves, as they are or stretched by how much the target changes along them; or networks.
Of classes networks read the linear numbers, too. Width and ridge are chosen by the rows left one out; of all the ways
to predict from as many numbers, each fold takes the one with the least held-out loss on the other folds.

Losses are squared errors of the first 30 principal components of the outputs over the variance of all, and −log of the
true class's probability, mixed with a little of equal ones. Nothing is shared with what is judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import null_space
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.neural_network import MLPClassifier, MLPRegressor

from _rank_losses import without_convergence
from _rank_tasks import Floats, RankTask

Map = Callable[[Floats], Floats]
Target = Floats | NDArray[np.int64]
FOLDS, ERRORS = 4, 2.0
LANDMARKS, FEW_LANDMARKS = {"outputs": 200, "classes": 100}, 80  # to predict; to compare directions
WIDTHS, RIDGES = (1.0, 2.5, 6.0), np.geomspace(1e-10, 1e-1, 10)  # of numbers of variance 1; for each row
STRENGTHS = (0.3, 3.0, 100.0)  # of the logistic regression, over its penalty
COMPONENTS, MIXED = 30, 1e-3
NEURONS, DECAY, DECAYS, STEPS = 32, 0.1, (0.3, 3.0), 200  # one decay for outputs, two for classes
TURNS, COMPARED = (0.6, 0.3, 0.15), 600  # radians, about; rows that directions are compared on


@dataclass(frozen=True)
class Verdict:
    """Of one task.

    Attributes:
        gap, standard_error: Mean of the held-out losses of k − 1 numbers less those of k, and its error.
        losses: Mean held-out losses with k − 1 and with k numbers.
        ways: How each predicts in most folds.
    """

    gap: float
    standard_error: float
    losses: tuple[float, float]
    ways: tuple[str, str]

    @property
    def is_decidable(self) -> bool:
        return self.gap > ERRORS * self.standard_error


@dataclass(frozen=True)
class Ridge:
    """Ridge regression on features of some numbers; its error is that of the rows left one out, mean over rows."""

    features: Map
    weights: Floats
    level: Floats
    error: float

    def __call__(self, z: Floats) -> Floats:
        return self.features(z) @ self.weights + self.level


def kernel_features(z: Floats, width: float, landmarks: int) -> Map:
    """Nyström features of a Gaussian kernel, and the numbers themselves ten times as large, so that lines cost little.

    The width is that of numbers whose squares sum to their count in the mean.
    """
    mean = z.mean(0)
    size = np.sqrt(np.square(z - mean).sum(1).mean()) + 1e-12
    nystroem = Nystroem(gamma=0.5 / (width * size) ** 2, n_components=min(landmarks, len(z)), random_state=0).fit(z)
    return lambda rows: np.hstack((nystroem.transform(rows), 10.0 * (rows - mean) / size))


def ridge_regression(z: Floats, y: Floats, widths: tuple[float, ...], landmarks: int) -> Ridge:
    """The best over widths and ridges by the rows left one out."""
    found = []
    for width in widths:
        features = kernel_features(z, width, landmarks)
        at = features(z)
        shift, level = at.mean(0), y.mean(0)
        squares, axes = np.linalg.eigh((at - shift).T @ (at - shift))
        told = squares > 1e-13 * squares[-1]
        squares, axes = squares[told], axes[:, told]
        scores = (at - shift) @ axes / np.sqrt(squares)
        along = scores.T @ (y - level)
        for ridge in RIDGES * len(z):
            shrunk = squares / (squares + ridge)
            # A floor near rounding only: a higher one takes the residuals of what interpolates for errors left one out.
            free = np.maximum(1.0 - 1.0 / len(z) - np.square(scores) @ shrunk, 1e-10)
            left = (y - level - scores @ (shrunk[:, None] * along)) / free[:, None]
            weights = axes @ ((shrunk / np.sqrt(squares))[:, None] * along)
            found.append(Ridge(features, weights, level - shift @ weights, float(np.square(left).sum(1).mean())))
    return min(found, key=lambda each: each.error)


def beside(direction: Floats) -> Map:
    """Coordinates `(n, k − 1)` at right angles to a direction `(k,)`."""
    plane = null_space(direction[None])
    return lambda z: z @ plane


def slopes(model: Ridge, z: Floats) -> tuple[Floats, Floats]:
    """Root mean squares of gradients `(j,)` along orthonormal directions `(j, j)`, a column each, the flattest first.

    The directions are eigenvectors of the mean outer product of gradients.
    """
    steps = 1e-3 * np.eye(z.shape[1])
    by_number = np.stack([(model(z + step) - model(z - step)) / 2e-3 for step in steps])
    squares, axes = np.linalg.eigh(np.einsum("and,bnd->ab", by_number, by_number))
    return np.sqrt(np.maximum(squares, 0.0)), axes


def stretched(model: Ridge, z: Floats) -> Map:
    """The numbers along the directions of `slopes`, by how much the target changes: flat ones get long widths."""
    sizes, axes = slopes(model, z[:300])
    return lambda rows: rows @ axes * np.maximum(sizes / sizes[-1], 0.1)


def flattest(z: Floats, y: Floats) -> Map:
    """Of the linear maps to k − 1 numbers the one from which y is predicted best."""
    z, y, rng = z[:COMPARED], y[:COMPARED], np.random.default_rng(0)
    whole = ridge_regression(z, y, WIDTHS, FEW_LANDMARKS)

    def missed(direction: Floats) -> float:
        return ridge_regression(beside(direction)(z), y, WIDTHS[1:2], FEW_LANDMARKS).error

    tried = [(missed(one), one) for one in (*np.eye(z.shape[1]), *slopes(whole, z[:300])[1].T[:2])]
    for turn in TURNS:
        tried = [min(tried, key=lambda each: each[0])]
        for _ in range(2 * z.shape[1]):
            other = tried[0][1] + turn * rng.standard_normal(z.shape[1]) / np.sqrt(z.shape[1])
            tried.append((missed(other / np.linalg.norm(other)), other / np.linalg.norm(other)))
    return beside(min(tried, key=lambda each: each[0])[1])


@without_convergence
def network(z: Floats, target: Target, layers: tuple[int, ...], decay: float) -> Any:
    """A network of scikit-learn's, fitted to the target."""
    kind = MLPClassifier if target.ndim == 1 else MLPRegressor
    settings: dict[str, Any] = {"activation": "tanh", "solver": "lbfgs", "alpha": decay, "max_iter": STEPS}
    return kind(hidden_layer_sizes=layers, random_state=0, **settings).fit(z, target)


def narrow_network(z: Floats, target: Target, j: int, decay: float) -> tuple[Any, Map]:
    """A network with j neurons in its middle, and that middle `(n, j)`."""
    model = network(z, target, (NEURONS, j, NEURONS), decay)
    (w, v), (b, c) = model.coefs_[:2], model.intercepts_[:2]
    return model, lambda rows: np.tanh(np.tanh(rows @ w + b) @ v + c)


Losses = Callable[[Floats, Target], Floats]  # of rows z and their target, for each row


def squared(predict: Map, learnt: Floats) -> Losses:
    """Squared errors of predictions held within the range of the outputs learnt from: else one far row decides all."""
    low, high = learnt.min(0), learnt.max(0)
    return lambda z, y: np.square(np.clip(predict(z).reshape(y.shape), low, high) - y).sum(1)


def surprise(model: Any, read: Map, count: int) -> Losses:
    """−log of the probability that a classifier gives, from what it reads, to the true class of `count`."""

    def losses(z: Floats, labels: Target) -> Floats:
        given = np.zeros((len(z), count))
        given[:, model.classes_] = model.predict_proba(read(z))
        return -np.log((1.0 - MIXED) * given[np.arange(len(z)), labels] + MIXED / count)

    return losses


def kernel_ridges(z: Floats, y: Floats, linear: Map, landmarks: int) -> list[tuple[Ridge, Map]]:
    """Ridge regressions of y on a linear map of z, and on it stretched, with the maps that they read."""
    plain = ridge_regression(linear(z), y, WIDTHS, landmarks)
    stretch = stretched(plain, linear(z))
    both: Map = lambda rows: stretch(linear(rows))  # noqa: E731
    return [(plain, linear), (ridge_regression(both(z), y, WIDTHS, landmarks), both)]


def ways_to_outputs(z: Floats, y: Floats, linear: Map, j: int) -> dict[str, Losses]:
    """Predictions of outputs from j numbers, a linear map of z or the middle of a network."""
    (plain, _), (by_stretch, stretch) = kernel_ridges(z, y, linear, LANDMARKS["outputs"])
    ways = {"lines": squared(lambda rows: plain(linear(rows)), y)}
    ways["stretched lines"] = squared(lambda rows: by_stretch(stretch(rows)), y)
    if y.shape[1] > 1:
        model, middle = narrow_network(z, y, j, DECAY)
        by_middle = ridge_regression(middle(z), y, WIDTHS, LANDMARKS["outputs"])
        ways["network"] = squared(model.predict, y)
        ways["middle of a network"] = squared(lambda rows: by_middle(middle(rows)), y)
    return ways


@without_convergence
def ways_to_classes(z: Floats, labels: Target, linear: Map, j: int, count: int) -> dict[str, Losses]:
    """Predictions of classes, of which there are `count` in all, from j numbers."""
    ridges = kernel_ridges(z, np.eye(count)[labels], linear, LANDMARKS["classes"])
    ridge, numbers = min(ridges, key=lambda each: each[0].error)
    read: Map = lambda rows: ridge.features(numbers(rows))  # noqa: E731
    ways = {}
    for strength in STRENGTHS:
        logistic = LogisticRegression(C=strength, max_iter=60).fit(read(z), labels)
        ways[f"lines, {strength:g}"] = surprise(logistic, read, count)
    for decay in DECAYS:
        plain = network(linear(z), labels, (NEURONS,), decay)
        ways[f"network on lines, {decay:g}"] = surprise(plain, linear, count)
        ways[f"network, {decay:g}"] = surprise(narrow_network(z, labels, j, decay)[0], lambda rows: rows, count)
    return ways


def ways_to(z: Floats, target: Target, j: int, count: int) -> dict[str, Losses]:
    """Predictions from the best j numbers, k or k − 1 of them; of none the mean or the shares of classes."""
    y = np.eye(count)[target] if target.ndim == 1 else target
    if j == 0:
        mean = y.mean(0)
        if target.ndim == 1:
            return {"constant": lambda rows, labels: -np.log((1.0 - MIXED) * mean[labels] + MIXED / count)}
        return {"constant": squared(lambda rows: np.tile(mean, (len(rows), 1)), y)}
    linear: Map = flattest(z, y) if j < z.shape[1] else lambda rows: rows
    return ways_to_classes(z, target, linear, j, count) if target.ndim == 1 else ways_to_outputs(z, y, linear, j)


def held_out(z: Floats, target: Target, j: int) -> tuple[Floats, str]:
    """Losses `(n,)` of predictions from the best j numbers, and how most folds predict."""
    count = int(target.max()) + 1 if target.ndim == 1 else 0
    losses: dict[str, Floats] = {}
    fold = np.empty(len(z), dtype=np.int64)
    for number, (train, test) in enumerate(KFold(FOLDS, shuffle=True, random_state=0).split(z)):
        for name, way in ways_to(z[train], target[train], j, count).items():
            losses.setdefault(name, np.empty(len(z)))[test] = way(z[test], target[test])
        fold[test] = number
    best = [min(losses, key=lambda name: float(losses[name][fold != number].mean())) for number in range(FOLDS)]
    return np.array([losses[best[own]][row] for row, own in enumerate(fold)]), max(best, key=best.count)


def verdict(task: RankTask) -> Verdict:
    """Whether k numbers predict better than k − 1 from the true ones, on the rows that methods learn from."""
    z = task.z - task.z.mean(0)
    u, _, turn = np.linalg.svd(z, full_matrices=False)
    z = np.sqrt(len(z)) * u @ turn
    target: Target = task.y
    if not task.is_classification:
        left, spread, _ = np.linalg.svd(task.y - task.y.mean(0), full_matrices=False)
        target = (left * spread)[:, :COMPONENTS] * np.sqrt(len(z) / np.square(spread).sum())
    (fewer, way_of_fewer), (losses, way) = (held_out(z, target, j) for j in (task.k - 1, task.k))
    gaps = fewer - losses
    standard_error = float(gaps.std(ddof=1) / np.sqrt(len(gaps)))
    means = float(fewer.mean()), float(losses.mean())
    return Verdict(float(gaps.mean()), standard_error, means, (way_of_fewer, way))
