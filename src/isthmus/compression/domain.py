"""Where f must be kept: a box of inputs, or the given rows only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.errors import DomainError, ShapeError

Bound = float | Tensor | object
_POINTS = 2000  # drawn in the box, and rows that are looked at beside them


@dataclass(frozen=True, eq=False)
class Domain:
    """The inputs at which the smaller network must compute f.

    Attributes:
        rows: Given rows, `(n, d)` in float64.
        lower, upper: The box, `(d,)` in float64; infinite where only the rows were given.
        is_everywhere: Whether f must be kept at every input: rows can refute, and prove nothing.
    """

    rows: Tensor
    lower: Tensor
    upper: Tensor
    is_everywhere: bool = False

    @staticmethod
    def of(rows: Tensor, box: tuple[object, object] | None) -> Domain:
        """The box if there is one, which must hold the rows; else the rows.

        Raises:
            ShapeError: If a bound is neither one number nor one a column.
            DomainError: If the box is unbounded, empty, or does not hold a row.
        """
        exact = rows.double()
        d = exact.shape[1]
        if box is None:
            return Domain(exact, torch.full((d,), -torch.inf, dtype=torch.float64), exact.new_full((d,), torch.inf))
        lower, upper = (_bound(side, name, d) for side, name in zip(box, ("lower", "upper"), strict=True))
        if not bool((lower < upper).all()):
            column = int((lower < upper).int().argmin())
            raise DomainError(
                f"The box is empty along column {column}: its lower bound {float(lower[column]):g} is not below its "
                f"upper bound {float(upper[column]):g}. Give the lower bound first."
            )
        is_outside = (exact < lower) | (exact > upper)
        if bool(is_outside.any()):
            row, column = is_outside.nonzero()[0].tolist()
            raise DomainError(
                f"The box does not hold the rows: column {column} of row {row} is {float(exact[row, column]):g}, "
                f"outside {float(lower[column]):g} to {float(upper[column]):g}. Widen the box, or pass rows inside it."
            )
        return Domain(exact, lower, upper)

    @property
    def is_box(self) -> bool:
        """Whether a box was stated."""
        return bool(torch.isfinite(self.lower).all())

    @property
    def in_words(self) -> str:
        """Which inputs they are."""
        if not self.is_box:
            return f"the {len(self.rows):,} given rows only"
        low, high = float(self.lower.min()), float(self.upper.max())
        is_one = bool((self.lower == low).all() and (self.upper == high).all())
        return f"every input from {low:g} to {high:g}" if is_one else "a box with bounds of its own for each column"

    def points(self, generator: torch.Generator) -> Tensor:
        """Rows, evenly spaced, and as many random points and corners of the box, `(m, d)`."""
        index = torch.linspace(0, len(self.rows) - 1, min(len(self.rows), _POINTS), dtype=torch.float64)
        chosen = self.rows[index.round().long()]
        if not self.is_box:
            return chosen
        return torch.cat([chosen, self.drawn(_POINTS, generator)])

    def drawn(self, count: int, generator: torch.Generator) -> Tensor:
        """Random points of the box, a tenth of them its corners, `(count, d)`."""
        share = torch.rand(count, len(self.lower), generator=generator, dtype=torch.float64)
        corners = count // 10
        share[:corners] = share[:corners].round()
        return self.lower + share * (self.upper - self.lower)


def _bound(side: object, name: str, d: int) -> Tensor:
    try:
        given = torch.as_tensor(side, dtype=torch.float64).cpu()
    except (TypeError, ValueError, RuntimeError) as wrong:
        raise DomainError(f"The {name} bound of the box is {side!r}; give a number, or one for each column.") from wrong
    if given.shape not in ((), (1,), (d,)):
        raise ShapeError(
            f"The {name} bound of the box has shape {tuple(given.shape)}; give one number, or one for each of the {d} "
            "columns."
        )
    if not bool(torch.isfinite(given).all()):
        raise DomainError(f"The {name} bound of the box is not finite: the box must be bounded.")
    return given.expand(d).clone()
