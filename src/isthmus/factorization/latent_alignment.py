"""Whether found latent variables are the true ones, up to an invertible map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.errors import ColumnError, ShapeError, TooFewRowsError
from isthmus.factorization.kernel_ridge import kernel_prediction
from isthmus.foundation.arrays import as_matrix
from isthmus.foundation.tolerance import Tolerance
from isthmus.spectra import spaced

_FOLDS = 5
_FEWEST = 20  # rows: four in each fold
_COMPONENTS = Tolerance(1e-6)  # below it principal components of single-precision variables are rounding


@dataclass(frozen=True, eq=False)
class Alignment:
    r"""How well two sets of variables determine each other, on rows that the maps between them have not seen.

    $R^2 = 1 - \sum (y - \hat y)^2 / \sum (y - \bar y)^2$ for each column: 1 where it is determined, about 0 (or a
    little below) where nothing is known about it. Found variables are the true ones up to an invertible smooth map if
    the nonlinear values of both directions are 1, up to an invertible affine map if the linear ones are.

    Attributes:
        true_from_found: R² of each true variable by kernel ridge regression on the found ones, `(d,)`.
        found_from_true: R² of each found variable by kernel ridge regression on the true ones, `(k,)`.
        true_from_found_linear: The same by least squares, `(d,)`.
        found_from_true_linear: The same by least squares, `(k,)`.
        angles: Principal angles between the spaces of linear functions of the found and of the true variables, both
            centred, in radians, ascending, `(min(k, d),)`; their cosines are the canonical correlations. On all rows.
    """

    true_from_found: Tensor
    found_from_true: Tensor
    true_from_found_linear: Tensor
    found_from_true_linear: Tensor
    angles: Tensor


def alignment(found: object, true: object, *, rows: int = 600, tolerance: Tolerance = _COMPONENTS) -> Alignment:
    """Predict the true variables from the found ones and the other way round, by five-fold cross-validation.

    Each fold holds every fifth row, so rows that are sorted along a curve are predicted from their neighbours; width
    and ridge of the kernel are chosen without the fold. An invertible affine map of the predictors changes nothing:
    they are taken in their principal components, scaled to variance 1.

    Args:
        found: `(n, k)`, for example `factorization.encode(x)`; n ≥ 20.
        true: `(n, d)`, the same rows.
        rows: At most so many, evenly spaced, are used; time grows with the cube of it.
        tolerance: Principal components with a smaller share of the largest deviation are left out.

    Raises:
        ShapeError: If the numbers of rows differ.
        TooFewRowsError: If there are fewer than 20.
        ColumnError: If a column is constant.
        DtypeError, NonFiniteError: If either is not a finite real matrix.

    Source:
        Hotelling (1936), canonical correlations.
    """
    z, t = _checked(found, "found"), _checked(true, "true")
    if len(z) != len(t):
        raise ShapeError(f"found has {len(z)} rows and true {len(t)}: pass the variables of the same rows.")
    if len(z) < _FEWEST:
        raise TooFewRowsError("found", len(z), _FEWEST)
    z, t = spaced(z, rows), spaced(t, rows)
    whitened_z, whitened_t = _whitened(z, tolerance), _whitened(t, tolerance)
    cosines = torch.linalg.svdvals(whitened_z.T @ whitened_t / len(z)).clamp(max=1.0)
    return Alignment(
        _held_out(whitened_z, t, kernel_prediction),
        _held_out(whitened_t, z, kernel_prediction),
        _held_out(whitened_z, t, _linear_prediction),
        _held_out(whitened_t, z, _linear_prediction),
        cosines.acos(),
    )


def _checked(data: object, what: str) -> Tensor:
    columns = as_matrix(data, what).double().cpu()
    for j in (columns == columns[0]).all(0).nonzero().flatten().tolist():
        raise ColumnError(f"{what}[{j}]", "is constant", "Leave it out: there is nothing to determine")
    return columns


def _whitened(columns: Tensor, tolerance: Tolerance) -> Tensor:
    """Principal components with mean 0 and variance 1, `(n, r)`."""
    u, s, _ = torch.linalg.svd(columns - columns.mean(0), full_matrices=False)
    kept: Tensor = u[:, s > tolerance.relative * s[0]] * len(columns) ** 0.5
    return kept


def _linear_prediction(x: Tensor, y: Tensor, fresh: Tensor) -> Tensor:
    design, there = (torch.cat([rows, torch.ones_like(rows[:, :1])], 1) for rows in (x, fresh))
    predicted: Tensor = there @ torch.linalg.lstsq(design, y).solution
    return predicted


def _held_out(x: Tensor, y: Tensor, predict: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Tensor:
    """R² of each column of `y` `(n, m)`, predicted from `x` `(n, r)` in the fold that was left out."""
    predicted = torch.empty_like(y)
    fold = torch.arange(len(y)) % _FOLDS
    for each in range(_FOLDS):
        there = fold == each
        predicted[there] = predict(x[~there], y[~there], x[there])
    return 1.0 - (y - predicted).square().sum(0) / (y - y.mean(0)).square().sum(0)
