"""Other methods on the tasks of one output that `index_rank` has answered, written beside its answers for that to read.

Sliced inverse regression and SAVE are those of the package `sliced` (0.7, which needs numpy before 2 and the alias
`numpy.int`, given back to it here); principal Hessian directions follow Li (1992); `kernel` is the gradient outer
product of kernel ridge regression, width and ridge by held-out rows, `xrfm` the matrix that a recursive feature machine
learns (its package, five rounds), and `mave` is asked in R (`_index_mave`), if `--rscript` says how. All are given the
inputs in whitened coordinates of their span. The number is found by the sequential χ² test at 5 % of SIR (Li 1991) and
pHd, by the largest gap that `sliced` takes for SAVE, by cross-validation for MAVE, and by the largest ratio of
neighbouring eigenvalues for the others. Angles are those of the leading k directions with the true k, which is more
than a user has.

`python benchmarks/_index_rivals.py DIR [METHODS] [--rscript COMMAND]`, in an environment with `sliced` (and setuptools
before 80 and six, which it needs), `xrfm` and torch
"""

from __future__ import annotations

import argparse
import json
import shlex
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.stats import chi2

from _index_mave import minimum_average_variance
from _index_tasks import REPORTED, largest_angle, task

Floats = NDArray[np.float64]
Found = tuple[int, Callable[[int], Floats]]
"""The number, and the k leading directions as columns `(r, k)`."""
SLICES, LEVEL, ROWS, CONSTANT = 10, 0.05, 1000, 1e-9
WIDTHS, RIDGES = (1.0, 2.0, 4.0, 8.0), (1e-4, 1e-3, 1e-2, 1e-1)


def whitened(x: Floats) -> Floats:
    """Uncorrelated coordinates of variance 1 of the span; a column constant but for rounding has no part in it."""
    spread, largest = x.std(0), np.abs(x).max(0)
    varies = spread > CONSTANT * largest
    scaled = (x[:, varies] - x[:, varies].mean(0)) / spread[varies]
    left, values, _ = np.linalg.svd(scaled, full_matrices=False)
    return left[:, values > CONSTANT * values[0]] * np.sqrt(len(x))


def leading(directions: Floats) -> Callable[[int], Floats]:
    """Of directions as columns, the strongest first."""
    return lambda k: directions[:, :k]


def sequential(statistics: Callable[[int], tuple[float, int]], most: int) -> int:
    """The first k whose test does not refuse that k are enough."""
    for k in range(most):
        statistic, degrees = statistics(k)
        if degrees < 1 or chi2.sf(statistic, degrees) > LEVEL:
            return k
    return most


def sliced_inverse_regression(x: Floats, y: Floats) -> Found:
    from sliced import SlicedInverseRegression

    n, p = x.shape
    fitted = SlicedInverseRegression(n_directions=None, n_slices=SLICES).fit(x, y)
    values = np.sort(np.abs(fitted.eigenvalues_))[::-1]
    k = sequential(lambda k: (n * values[k:].sum(), (p - k) * (SLICES - k - 1)), min(p, SLICES - 1))
    return k, leading(fitted.directions_.T)


def sliced_average_variance(x: Floats, y: Floats) -> Found:
    from sliced import SlicedAverageVarianceEstimation

    auto = SlicedAverageVarianceEstimation(n_directions="auto", n_slices=SLICES).fit(x, y)
    every = SlicedAverageVarianceEstimation(n_directions=None, n_slices=SLICES).fit(x, y)
    return len(auto.directions_), leading(every.directions_.T)


def principal_hessian_directions(x: Floats, y: Floats) -> Found:
    n, p = x.shape
    line = np.column_stack([np.ones(n), x])
    residuals = y - line @ np.linalg.lstsq(line, y, rcond=None)[0]
    values, vectors = np.linalg.eigh((x.T * residuals) @ x / n)
    order = np.argsort(-np.abs(values))
    squares = values[order] ** 2
    k = sequential(lambda k: (n * squares[k:].sum() / (2.0 * residuals.var()), (p - k) * (p - k + 1) // 2), p)
    return k, leading(vectors[:, order])


def by_ratio(matrix: Floats) -> Found:
    values, vectors = np.linalg.eigh(matrix)
    values, vectors = np.maximum(values[::-1], 1e-12 * values[-1]), vectors[:, ::-1]
    most = max(1, len(values) // 2) if len(values) > 10 else len(values) - 1
    ratios = values[:most] / values[1 : most + 1]
    return int(ratios.argmax()) + 1, leading(vectors)


def kernel_gradients(x: Floats, y: Floats) -> Found:
    x, y = x[:ROWS], y[:ROWS] - y[:ROWS].mean()
    trained, held = np.arange(len(x)) % 5 != 0, np.arange(len(x)) % 5 == 0
    squares, best = cdist(x, x, "sqeuclidean"), (np.inf, 1.0, 1.0)
    for width in WIDTHS:
        kernel = np.exp(-0.5 * squares / (width**2 * np.median(squares) / 4.0))
        for ridge in RIDGES:
            own = kernel[np.ix_(trained, trained)] + ridge * np.eye(trained.sum())
            loss = ((kernel[np.ix_(held, trained)] @ np.linalg.solve(own, y[trained]) - y[held]) ** 2).mean()
            best = min(best, (float(loss), width, ridge))
    scale = best[1] ** 2 * np.median(squares) / 4.0
    kernel = np.exp(-0.5 * squares / scale)
    pull = kernel * np.linalg.solve(kernel + best[2] * np.eye(len(x)), y) / scale
    slopes = pull @ x - pull.sum(1)[:, None] * x
    return by_ratio(slopes.T @ slopes / len(x))


def recursive_feature_machine(x: Floats, y: Floats) -> Found:
    import torch
    from xrfm import RFM

    rows, targets = torch.from_numpy(x).float(), torch.from_numpy(y[:, None]).float()
    cut = int(0.8 * len(x))
    machine = RFM(kernel="l2", bandwidth=10.0, iters=5, device="cpu", verbose=False)
    machine.fit((rows[:cut], targets[:cut]), (rows[cut:], targets[cut:]), reg=1e-3)
    return by_ratio(machine.M.double().numpy())


METHODS: dict[str, Callable[[Floats, Floats], Found]] = {
    "sir": sliced_inverse_regression,
    "save": sliced_average_variance,
    "phd": principal_hessian_directions,
    "kernel": kernel_gradients,
    "xrfm": recursive_feature_machine,
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("methods", nargs="*", help="all without names; what others have found stays")
    parser.add_argument("--rscript", help="how Rscript is called where MAVE is installed")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    setattr(np, "int", int)  # noqa: B010
    methods = dict(METHODS)
    if given.rscript:
        methods["mave"] = partial(minimum_average_variance, shlex.split(given.rscript))
    kept = given.folder / "rivals.json"
    found: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    seeds = [int(file.stem.removeprefix("task-")) for file in sorted(given.folder.glob("task-*.json"))]
    for name in given.methods or methods:
        method = methods[name]
        right, angles, failed = 0, [], 0
        for seed in seeds:
            of = task(REPORTED, seed)
            x = whitened(of.x)
            try:
                k, directions = method(x, of.y[:, 0])
            except Exception as raised:  # a rival that fails has not answered
                failed += 1
                print(name, seed, repr(raised)[:200], flush=True)
                continue
            right += k == of.k
            angles.append(largest_angle(x @ directions(of.k), of.z))
        found[name] = {
            "tasks": len(seeds),
            "exact": right,
            "failed": failed,
            "angle_median": round(float(np.median(angles)), 1) if angles else None,
            "angle_below_15": sum(angle < 15 for angle in angles),
        }
        print(name, found[name], flush=True)
        kept.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
