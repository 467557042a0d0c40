"""The store of a sweep: a folder with a database of its cells beside their runs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from types import TracebackType
from typing import Any

from isthmus.errors import FileFormatError, ForeignFolderError, StoreConflictError, StoreError
from isthmus.foundation.locks import locked_folder
from isthmus.sweeps.cell import CellRow
from isthmus.sweeps.specification import Specification

_FORMAT = "isthmus-sweep-1"
_COLUMNS = tuple(field.name for field in fields(CellRow))
_NESTED = ("settings", "probabilities", "errors")
_SCHEMA = f"""
CREATE TABLE sweep (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE cells (
    number INTEGER PRIMARY KEY, settings TEXT NOT NULL, status TEXT NOT NULL, rank INTEGER, lower INTEGER,
    upper INTEGER, probabilities TEXT, verdict TEXT, errors TEXT, objective REAL, seconds REAL, failure TEXT
) STRICT;
INSERT INTO sweep VALUES ('format', '{_FORMAT}');
"""
_WAIT = 30.0  # seconds for another writer of the database to end


class SweepStore:
    """Rows of cells in `STORE/cells.sqlite`, one transaction each; a context that one process at a time may be in.

    The database is in WAL mode: it can be read and written by others while a sweep is at work. Rows come through the
    process that runs the sweep, as WAL needs all writers on one machine; the runs may be written anywhere.

    Args:
        path: The folder; made if it is not there.
        specification: What it is for.

    Raises:
        StoreConflictError: If it holds the cells of another specification.
        BusyFolderError: If another sweep is at work in it.
        ForeignFolderError: If it holds something else.
        FileFormatError: If the database is damaged.
        StoreError: If the disk refuses.
    """

    def __init__(self, path: Path, specification: Specification) -> None:
        self.path, self.database = path, path / "cells.sqlite"
        self._specification = specification
        if path.is_file() or (path.is_dir() and any(path.iterdir()) and not self.database.is_file()):
            raise ForeignFolderError(path)

    def __enter__(self) -> SweepStore:
        with self._sentences(), ExitStack() as opened:
            opened.enter_context(locked_folder(self.path))
            self._connection = sqlite3.connect(self.database, timeout=_WAIT, isolation_level=None)
            opened.callback(self._connection.close)
            self._open()
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def rows(self) -> list[CellRow]:
        """Every cell, in the order of the grid."""
        with self._sentences(), closing(self._connection.cursor()) as cursor:
            found = cursor.execute(f"SELECT {', '.join(_COLUMNS)} FROM cells ORDER BY number").fetchall()
        return [_row(dict(zip(_COLUMNS, values, strict=True))) for values in found]

    def write(self, rows: Iterable[CellRow]) -> None:
        """Replace rows, all or none."""
        with self._sentences():
            self._insert(rows)

    def _open(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")  # a crash of the machine may cost the last rows
        if not self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            self._fill()
            return
        known = dict(self._connection.execute("SELECT name, value FROM sweep"))
        if known.get("format") != _FORMAT:
            raise FileFormatError(self.database, "it is no store of this version", "Choose another --out.")
        if known.get("identity") != self._specification.identity:
            raise StoreConflictError(self.path)

    def _fill(self) -> None:
        cells = [CellRow(cell.number, cell.settings) for cell in self._specification.cells]
        self._connection.executescript(f"BEGIN; {_SCHEMA}")
        self._insert(cells, begun=True, extra=("identity", self._specification.identity))

    def _insert(self, rows: Iterable[CellRow], *, begun: bool = False, extra: Sequence[str] = ()) -> None:
        marks = ", ".join("?" * len(_COLUMNS))
        if not begun:
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany(f"INSERT OR REPLACE INTO cells VALUES ({marks})", map(_values, rows))
            if extra:
                self._connection.execute("INSERT INTO sweep VALUES (?, ?)", extra)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as refused:  # full, read-only, locked by a writer that does not end
            raise StoreError(self.path, str(refused)) from refused
        except sqlite3.DatabaseError as damaged:
            raise FileFormatError(
                self.database,
                f"it is no database ({damaged})",
                "Move it away: finished runs beside it are not repeated.",
            ) from damaged


def _values(row: CellRow) -> list[Any]:
    plain = asdict(row)
    return [
        json.dumps(plain[name]) if name in _NESTED and plain[name] is not None else plain[name] for name in _COLUMNS
    ]


def _row(values: Mapping[str, Any]) -> CellRow:
    read = {n: json.loads(v) if n in _NESTED and v is not None else v for n, v in values.items()}
    return CellRow(**{**read, "errors": None if read["errors"] is None else tuple(read["errors"])})
