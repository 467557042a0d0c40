"""The coordinates that rows span."""

from __future__ import annotations

import torch
from torch import Tensor

_WIDE, _VERY_WIDE = 64, 256  # columns: worth a turn where there are more of them than rows, and in any case
_ROUNDING = 1e-6  # directions of less than this, relative to the largest, are the rounding of single precision
_CHUNK = 8192
_FEW = 128  # rows that may span all others


def is_wide(rows: Tensor) -> bool:
    """Whether rows `(n, d)` have so many columns that the coordinates they span are worth the price of finding them."""
    n, d = rows.shape
    return d >= _VERY_WIDE or (d >= _WIDE and d > n)


def span_axes(rows: Tensor) -> Tensor:
    """Orthonormal principal axes of rows about the origin, the longest first.

    Of n rows in d columns the smaller Gram matrix is decomposed, so the time grows like n d min(n, d); where a few rows
    span all others, as many decide.

    Args:
        rows: `(n, d)`.

    Returns:
        `(d, r)` in float64: the rows differ from their projections by less than a millionth of the longest axis.
    """
    n, d = rows.shape
    if min(n, d) > 2 * _FEW and n <= _CHUNK and (few := _axes_of_few(rows.double())) is not None:
        return few
    if n < d:
        wide = rows.double()
        values, vectors = torch.linalg.eigh(wide @ wide.T)
        kept = values > _ROUNDING**2 * values[-1]
        # Divided by their lengths short axes are orthonormal to few digits only.
        axes: Tensor = torch.linalg.qr(wide.T @ (vectors[:, kept] / values[kept].sqrt()).flip(1))[0]
        return axes
    gram = torch.zeros(d, d, dtype=torch.float64, device=rows.device)
    for chunk in rows.split(_CHUNK):
        gram.addmm_(chunk.double().T, chunk.double())
    values, vectors = torch.linalg.eigh(gram)
    kept_axes: Tensor = vectors[:, values > _ROUNDING**2 * values[-1]]
    return kept_axes.flip(1).contiguous()


def _axes_of_few(rows: Tensor) -> Tensor | None:
    """`span_axes` where evenly chosen rows span all others, else None."""
    basis = torch.linalg.qr(rows[:: len(rows) // _FEW][:_FEW].T)[0]
    inside = rows @ basis
    values, vectors = torch.linalg.eigh(inside.T @ inside)
    missed = float(rows.norm() ** 2 - inside.norm() ** 2)
    if missed > _ROUNDING**2 * float(values[-1]):
        return None
    axes: Tensor = basis @ vectors[:, values > _ROUNDING**2 * values[-1]].flip(1)
    return axes
