"""The names of a table's columns: there, one a column, and different."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from isthmus.data.quoting import quoted
from isthmus.errors import ColumnError, FileFormatError

_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?")
_MANY = 10  # numbers in order: by chance one time in ten factorial


def checked_header(path: Path, names: Sequence[str], rows: Sequence[Sequence[str]], line: int) -> tuple[str, ...]:
    """The names of a text file's columns, one for each field of the `rows` beneath, "" where there is none.

    Args:
        path: The file, for messages.
        names: The fields of the header.
        rows: Fields of the first rows.
        line: The number of the header's line.

    Raises:
        FileFormatError: If the header holds data instead of names, or has fewer names than rows have fields.
        ColumnError: If two columns have the same name.
    """
    some = ", ".join(map(quoted, names[:3])) + (", …" if len(names) > 3 else "")
    for number, row in enumerate(rows, 1):
        if any(field.strip() for field in row[len(names) :]):
            cause = f"row {number} has {len(row)} fields where line {line} has {len(names)} names of columns ({some})"
            remedy = "Mend the row, or the names; leave out what stands above them with --skip-rows."
            raise FileFormatError(path, cause, remedy)
    if not are_names(names, rows):
        cause = f"line {line} holds data ({some}) where the names of the columns should be"
        remedy = "Use --no-header, or write a line with the names of the columns above it."
        raise FileFormatError(path, cause, remedy)
    refuse_repeated(name for name in names if name)
    return (*names, *[""] * (max(map(len, rows), default=0) - len(names)))


def numbered_header(width: int) -> tuple[str, ...]:
    """The names of columns in a file without names: x0, x1, …, as those of a matrix."""
    return tuple(f"x{column}" for column in range(width))


def are_names(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first line of a table holds names of columns, and not the first row of a table without names.

    Texts are names, unless numbers stand beside them and one of them stands in its column again; so are texts alone,
    unless most of them stand in their columns again, in rows that are not the header repeated. Numbers are names if
    they are in order as years, wavelengths or plain counts are: in equal steps, ten or more of them, or rising beside
    texts. A single one beside texts is a name if it is whole.
    """
    numbers = [number_of(name) for name in names if is_number(name)]
    texts = [(column, name) for column, name in enumerate(names) if name and not is_number(name)]
    if not numbers:
        others = [row for row in rows if [field.strip() for field in row] != list(names)]
        again = [any(len(row) > column and row[column].strip() == name for row in others) for column, name in texts]
        return 2 * sum(again) <= len(texts) or len(texts) == 1
    if any(len(row) > column and row[column].strip() == name for column, name in texts for row in rows):
        return False
    if len(numbers) == 1 and texts:
        return numbers[0].is_integer()
    if len(numbers) < 3 and not texts:
        return numbers in ([0.0], [1.0], [0.0, 1.0], [1.0, 2.0])
    steps = [after - before for before, after in pairwise(numbers)]
    is_rising, is_falling = all(step > 0 for step in steps), all(step < 0 for step in steps)
    if max(steps) - min(steps) <= 1e-6 * abs(steps[0]) and len(numbers) > 2:
        return is_rising or is_falling
    return (is_rising and bool(texts)) or ((is_rising or is_falling) and len(numbers) >= _MANY)


def is_number(text: str) -> bool:
    """Whether a field is a number, with a point or with a comma."""
    return _NUMBER.fullmatch(text.strip()) is not None


def number_of(text: str) -> float:
    """The number that such a field holds."""
    return float(text.strip().replace(",", "."))


def refuse_repeated(names: Iterable[str]) -> None:
    """Raise `ColumnError` for the first name that stands there twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ColumnError(name, "stands in the header more than once", "Give each column its own name.")
        seen.add(name)
