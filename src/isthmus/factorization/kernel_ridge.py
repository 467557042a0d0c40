"""Kernel ridge regression whose width and ridge are chosen by exact leave-one-out errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_WIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0)  # of the Gaussian, in median distances: from local to almost linear
_RIDGES = tuple(10.0**power for power in range(-10, 1))  # a share of the trace of the kernel matrix


_MANY, _FEW = 400, 300  # rows: of more than so many the width is chosen by so many
_COLUMNS = 64  # of y, at a time: memory grows with them, the rows and the ridges
_FRESH = 16_384  # rows that are predicted at a time


@dataclass(frozen=True, eq=False)
class _Fits:
    """One width and all ridges: kernel exp(−|x − x'|²/scale), inverse eigenvalues `(ridges, n)` in its eigenvectors."""

    width: float
    scale: Tensor
    vectors: Tensor
    inverses: Tensor
    leverages: Tensor

    def errors(self, y: Tensor) -> Tensor:
        r"""Squares of the columns of y `(n, m)`, each row left out in turn, summed: `(ridges, m)`.

        Fitted without row i a regression leaves there the residual $\alpha_i / ((K + \lambda I)^{-1})_{ii}$ with
        $\alpha = (K + \lambda I)^{-1} y$.

        Source:
            Rasmussen and Williams (2006), section 5.4.2.
        """
        alpha = self.vectors @ (self.inverses[:, :, None] * (self.vectors.T @ y))
        return (alpha / self.leverages[:, :, None]).square().sum(1)

    def coefficients(self, y: Tensor, ridge: Tensor) -> Tensor:
        """α of each column of y at its own ridge, of index `ridge` `(m,)`: `(n, m)`."""
        return self.vectors @ (self.inverses[ridge].T * (self.vectors.T @ y))


def _fits(x: Tensor, widths: Sequence[float] = _WIDTHS) -> Iterator[_Fits]:
    """Ridge regressions on x with some of the widths."""
    squares = torch.cdist(x, x).square()
    median = squares[squares > 0].median() if (squares > 0).any() else squares.new_ones(())
    ridges = squares.new_tensor(_RIDGES)[:, None] * len(x)
    for width in widths:
        scale = 2.0 * width**2 * median
        values, vectors = torch.linalg.eigh((-squares / scale).exp())
        inverses = 1.0 / (values.clamp_min(0.0) + ridges)
        yield _Fits(width, scale, vectors, inverses, inverses @ vectors.square().T)


def kernel_prediction(x: Tensor, y: Tensor, fresh: Tensor) -> Tensor:
    r"""Predict the columns of y at fresh rows with the kernel $\exp(-|x - x'|^2 / 2h^2)$.

    For each column of y the h and λ are taken with which rows are predicted best from the others; of more than 400 rows
    h by 300 of them, as each h tried takes time that grows with their cube.

    Args:
        x: `(n, d)` float64, columns on a common scale.
        y: `(n, m)`.
        fresh: `(p, d)`.

    Returns:
        `(p, m)`.
    """
    mean = y.mean(0)
    best = y.new_full((y.shape[1],), torch.inf)
    predicted = mean.expand(len(fresh), -1).clone()
    width_of = _best_widths(x, y - mean) if len(x) > _MANY else None
    widths = _WIDTHS if width_of is None else [width for width in _WIDTHS if bool((width_of == width).any())]
    every = torch.arange(y.shape[1], device=y.device)
    for fits in _fits(x, widths):
        own_columns = every if width_of is None else every[width_of == fits.width]
        chosen, coefficients = [own_columns[:0]], [y[:, :0]]
        for columns in own_columns.split(_COLUMNS):
            own = y[:, columns] - mean[columns]
            errors, ridge = fits.errors(own).min(0)
            better = errors < best[columns]
            chosen.append(columns[better])
            best[chosen[-1]] = errors[better]
            coefficients.append(fits.coefficients(own[:, better], ridge[better]))
        improved, pull = torch.cat(chosen), torch.cat(coefficients, 1)
        for rows in torch.arange(len(fresh), device=y.device).split(_FRESH):
            across = (-torch.cdist(fresh[rows], x).square() / fits.scale).exp()
            predicted[rows[:, None], improved] = mean[improved] + across @ pull
    return predicted


def _best_widths(x: Tensor, y: Tensor) -> Tensor:
    """The width with which some rows of each column of y `(n, m)` are predicted best from the others: `(m,)`."""
    rows = torch.linspace(0, len(x) - 1, _FEW, device=x.device).round().long()
    best, width_of = y.new_full((y.shape[1],), torch.inf), y.new_full((y.shape[1],), _WIDTHS[0])
    for fits in _fits(x[rows]):
        for columns in torch.arange(y.shape[1], device=y.device).split(_COLUMNS):
            errors = fits.errors(y[rows][:, columns]).amin(0)
            better = errors < best[columns]
            best[columns[better]] = errors[better]
            width_of[columns[better]] = fits.width
    return width_of


def predicted_share(x: Tensor, y: Tensor) -> Tensor:
    """The share of the variance of each column of y that rows of x predict, each row from the others; `(m,)`.

    0 where nothing is predicted, and for a constant column.

    Args:
        x: `(n, d)` float64, columns on a common scale; n ≥ 2.
        y: `(n, m)`.
    """
    centred = y - y.mean(0)
    whole = centred.square().sum(0)
    left = torch.stack([fits.errors(centred).amin(0) for fits in _fits(x)]).amin(0)
    return torch.where(whole > 0, 1.0 - left / whole.clamp_min(torch.finfo(y.dtype).tiny), 0.0).clamp_min(0.0)
