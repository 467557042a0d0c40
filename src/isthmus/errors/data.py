"""The arrays and tables that were given cannot be used as they are."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.errors.base import IsthmusError


class ShapeError(IsthmusError, ValueError):
    """An array does not have the shape that the mathematics needs."""


class NonFiniteError(IsthmusError, ValueError):
    """An array holds NaN or infinity."""

    def __init__(self, what: str, row: int, column: int | str) -> None:
        super().__init__(
            f"{what} holds NaN or infinity (first at row {row}, column {column}). "
            "Remove or fill these entries before passing the data on."
        )


class NonFiniteOutputError(NonFiniteError):
    """A model gives NaN or infinity for finite inputs."""

    def __init__(self, model: str, row: int | None, column: int) -> None:
        where = "near one of the rows, less than a step of a difference away" if row is None else f"at row {row}"
        message = (
            f"The output of {model} is not finite {where} (output {column}). Look at what it is given there: a "
            "logarithm, a root or a division may not be defined, or numbers overflow. Leave such rows out, or measure "
            "the part before it."
        )
        IsthmusError.__init__(self, message)


class DtypeError(IsthmusError, TypeError):
    """An array does not hold real numbers."""

    def __init__(self, what: str, dtype: object) -> None:
        super().__init__(f"{what} has dtype {dtype}, not real numbers. Convert it to float32 or float64 first.")


class TooFewRowsError(IsthmusError, ValueError):
    """There are fewer rows than a fit with held-out data needs."""

    def __init__(self, what: str, rows: int, needed: int, remedy: str = "Provide more data") -> None:
        super().__init__(
            f"{what} has {rows} row{'s' * (rows != 1)}; "
            f"at least {needed} {'is' if needed == 1 else 'are'} needed. {remedy}."
        )


class RareClassError(IsthmusError, ValueError):
    """A class has too few rows to be trained on and tested."""

    def __init__(self, name: str, rows: int, needed: int) -> None:
        super().__init__(
            f"Class {name!r} has {rows} row{'s' * (rows != 1)}; each class needs at least {needed}. "
            "Leave these rows out, merge the class with another, or use --task regression for a number."
        )


class ColumnError(IsthmusError, ValueError):
    """A column of a table cannot be used as it is."""

    def __init__(self, column: str, cause: str, remedy: str) -> None:
        super().__init__(f"Column {column!r} {cause}. {remedy.rstrip('.')}.")


class ConstantOutputError(IsthmusError, ValueError):
    """The outputs do not vary, so the function has rank 0."""

    def __init__(self, what: str = "y", *, aim: str = "fit", remedy: str = "Choose a target that varies") -> None:
        super().__init__(
            f"Every row of {what} is the same: the function is constant, its rank is 0 and there is nothing to {aim}. "
            f"{remedy}."
        )


class ContradictingRowsError(IsthmusError, ValueError):
    """Equal inputs have different outputs, so no function goes through the data.

    Attributes:
        pairs: Rows with equal inputs and different outputs.
    """

    def __init__(self, pairs: Sequence[tuple[int, int]]) -> None:
        self.pairs = tuple(pairs)
        named = ", ".join(f"{first} and {second}" for first, second in self.pairs[:5])
        more = f" and {len(self.pairs) - 5} more pairs" if len(self.pairs) > 5 else ""
        super().__init__(
            f"Rows {named}{more} have equal inputs and different outputs, so no function goes through all of them. "
            "Average or leave out such rows."
        )


class ScaleError(IsthmusError, ValueError):
    """The data are too large for single precision, or even for double precision."""

    def __init__(self, what: str, largest: float, limit: float, *, precision: str = "single") -> None:
        remedy = "Standardise the data" if precision == "single" else "Mend or remove such entries"
        super().__init__(
            f"{what} reaches {largest:.2g} in magnitude; squares of numbers above {limit:.0e} leave {precision} "
            f"precision. {remedy}, or express them in a larger unit."
        )
