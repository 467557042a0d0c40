"""What became of the columns of a table, in a few rows."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.runs.record_parts import ColumnRow, DataRow

COLUMNS = ("used as", "columns")
_SHOWN, _LONGEST = 8, 40  # columns of a use that are named, and characters of each


def rows(data: DataRow) -> list[tuple[str, str]]:
    """A row for each use, in the order in which the table has them; what was left out last, by its reason."""
    groups: dict[str, list[str]] = {}
    for column in sorted(data.columns, key=lambda column: column.kind == "left out"):
        is_left_out = column.kind == "left out"
        use = f"{column.kind}: {column.detail}" if is_left_out else column.kind
        groups.setdefault(use, []).append(_cut(column.name) if is_left_out else _described(column))
    return [(use, _some(names)) for use, names in groups.items()]


def _described(column: ColumnRow) -> str:
    return f"{_cut(column.name)} ({column.detail})" if column.detail else _cut(column.name)


def _cut(name: str) -> str:
    name = " ".join(name.split())
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _some(names: Sequence[str]) -> str:
    if len(names) <= _SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[: _SHOWN - 2])}, … {names[-1]}: {len(names)} in all"
