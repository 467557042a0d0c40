"""Averaged derivatives of a kernel ridge regression, what users of active subspaces look at.

With J(x) the derivative of the fitted function, the mean of J Jᵀ is `(d_out, d_out)` and that of JᵀJ, the active
subspace's (Constantine 2015), `(d_in, d_in)`. At every x the rank of J is the number looked for, that of the means
need not be: J Jᵀ adds up the tangents of the image, which span more than k dimensions where it is curved, and JᵀJ the
normals of the fibres, which do so where g is not linear. Nor is the fitted function's J of low rank itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]
WIDTHS, RIDGES, POINTS = (0.03, 0.1, 0.3, 1.0), (1e-4, 1e-3, 1e-2, 1e-1, 1.0), 200  # γ times the number of inputs


def kernel_ridge(x: Floats, y: Floats, seed: int) -> KernelRidge:
    """Gaussian kernel on standardised rows; its width and the ridge by five-fold cross-validation."""
    grid = {"gamma": [width / x.shape[1] for width in WIDTHS], "alpha": list(RIDGES)}
    folds = KFold(5, shuffle=True, random_state=seed)
    search = GridSearchCV(KernelRidge(kernel="rbf"), grid, scoring="neg_mean_squared_error", cv=folds)
    return search.fit(x, y).best_estimator_


def derivative(model: KernelRidge, point: Floats) -> Floats:
    """J of Σ_i a_i exp(-γ |x - x_i|²) at one point, `(d_out, d_in)`."""
    weights = model.dual_coef_ * rbf_kernel(model.X_fit_, point[None], model.gamma)
    return 2.0 * model.gamma * weights.T @ (model.X_fit_ - point)


def averaged_spectra(x: Floats, y: Floats, seed: int) -> tuple[Floats, Floats]:
    """Eigenvalues, falling, of the means of J Jᵀ and of JᵀJ over at most 200 of the rows."""
    rows = StandardScaler().fit_transform(x)
    model = kernel_ridge(rows, y - y.mean(0), seed)
    points = np.random.default_rng(seed).permutation(rows)[:POINTS]
    outputs, inputs = np.zeros((y.shape[1],) * 2), np.zeros((x.shape[1],) * 2)
    for point in points:
        jacobian = derivative(model, point)
        outputs += jacobian @ jacobian.T / len(points)
        inputs += jacobian.T @ jacobian / len(points)
    return np.linalg.eigvalsh(outputs)[::-1], np.linalg.eigvalsh(inputs)[::-1]


def largest_gap(values: Floats, most: int) -> int:
    """The k ≤ most at which value k is most times value k + 1; values of no more than rounding count as rounding."""
    floored = np.maximum(values, values[0] * len(values) * np.finfo(float).eps)[: most + 1]
    return int(np.argmax(floored[:-1] / floored[1:])) + 1
