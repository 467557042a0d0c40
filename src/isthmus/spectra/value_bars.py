"""How far each singular value of a noisy matrix may be off."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_DEVIATIONS = 2.0  # of the noise that reaches a value to first order
_TIMES = 2.0  # how far beyond its expectation the norm of noise may lie


@dataclass(frozen=True, eq=False)
class EntryNoise:
    """Independent noise of deviation `rows[j] * columns[k]` in the entry (j, k) of a matrix.

    Attributes:
        rows: `(m,)`.
        columns: `(d,)`.
    """

    rows: Tensor
    columns: Tensor

    def norm(self) -> float:
        """The spectral norm to be expected: at most the longest column and the longest row together."""
        column, row = self.rows.norm() * self.columns.max(), self.rows.max() * self.columns.norm()
        return float(column + row)


def value_bars(matrices: Tensor, error: Tensor, noise: EntryNoise) -> tuple[Tensor, Tensor]:
    r"""Singular values and how far each may be off, where a matrix holds an error of which two parts are known.

    With E the error of A = U Σ Vᵀ, Σ − Uᵀ E V has the true values. Of it the entry i alone is a block beside the rest,
    so that $σ_i$ is off by at most

    $$|u_i^\top E v_i| + \frac{2 b^2}{δ + \sqrt{δ^2 + 4 b^2}},\qquad b = \max(\|u_i^\top E\|, \|E v_i\|),$$

    δ the distance of $σ_i$ to the rest of the spectrum less what E may move both. By Weyl it is off by at most ‖E‖, and
    the smaller of the two is its bar. A leading value is known far better than the norm of E says.

    Args:
        matrices: A, `(n, m, d)`.
        error: An estimate of the systematic part of E, `(n, m, d)`.
        noise: What else E holds: two deviations of it are allowed for in an entry, twice its expected norm in a norm.

    Returns:
        Values and bars, `(n, min(m, d))` each.

    Source:
        Li and Li (2005), theorem 2.
    """
    u, values, vt = torch.linalg.svd(matrices, full_matrices=False)
    v = vt.mT
    in_rows, in_columns = _carried(noise.rows, u), _carried(noise.columns, v)
    left, right = u.mT @ error, error @ v
    entry = (left * vt).sum(2).abs() + _DEVIATIONS * in_rows * in_columns
    of_left = left.norm(dim=2) + _TIMES * in_rows * noise.columns.norm()
    of_right = right.norm(dim=1) + _TIMES * in_columns * noise.rows.norm()
    whole = torch.linalg.matrix_norm(error, ord=2) + _TIMES * noise.norm()
    gap = (_gaps(values, matrices.shape[1] != matrices.shape[2]) - whole[:, None] - entry).clamp_min(0.0)
    b = torch.maximum(of_left, of_right).square()
    beyond = 2.0 * b / (gap + (gap.square() + 4.0 * b).sqrt()).clamp_min(1e-300)
    return values, torch.minimum(entry + beyond, whole[:, None])


def _carried(sizes: Tensor, vectors: Tensor) -> Tensor:
    """Deviations of independent noise of these sizes `(d,)` along unit vectors `(n, d, r)`: `(n, r)`."""
    return (vectors.square() * sizes.square()[:, None]).sum(1).sqrt()


def _gaps(values: Tensor, is_zero_there: bool) -> Tensor:
    """The distance of each value to the nearest other, and to 0 where the matrix is not square, `(n, r)`."""
    distance = (values[:, :, None] - values[:, None, :]).abs()
    distance = distance + torch.diag(torch.full_like(values[0], torch.inf))
    nearest = distance.amin(2)
    return torch.minimum(nearest, values) if is_zero_there else nearest
