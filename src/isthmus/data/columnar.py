"""Files of tables whose columns have types, .parquet and .feather, some rows at a time."""

from __future__ import annotations

import base64
import decimal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.damaged_files import file_errors
from isthmus.data.dataset import Integers
from isthmus.data.header import refuse_repeated
from isthmus.data.numerals import EXACT
from isthmus.errors import MissingExtraError

COLUMNAR = (".parquet", ".feather")
_BATCH = 65_536
_BUFFER = 1 << 20  # bytes of a column that are unpacked at a time


@dataclass(frozen=True)
class ColumnarFile:
    """A table in a file.

    Attributes:
        path: The file.
        names: Of its columns, without an index.
        rows: How many there are.
    """

    path: Path
    names: tuple[str, ...]
    rows: int

    @staticmethod
    def opened(path: Path) -> ColumnarFile:
        """The file as it says itself what it holds; its rows are not looked at.

        Raises:
            ColumnError: If two columns have the same name: pandas would rename one.
            MissingExtraError: If pyarrow is not installed.
        """
        with _reader(path) as file:
            schema = file.schema_arrow if _is_parquet(path) else file.schema
            refuse_repeated(schema.names)  # a data set of Arrow, which counts rows, has no names that repeat
            rows = file.metadata.num_rows if _is_parquet(path) else _dataset_rows(path)
        index = (schema.pandas_metadata or {}).get("index_columns", [])
        return ColumnarFile(path, tuple(str(name) for name in schema.names if name not in index), rows)

    def frame(self) -> Any:
        """All of it, as a pandas frame."""
        return _frame(self._batches(None))

    def blocks(self, names: Sequence[str]) -> Iterator[Any]:
        """The rows of some columns one after the other, as pandas frames whose index counts them from 0."""
        begin = 0
        for batch in self._batches(names):
            block = _frame([batch])
            yield block.set_axis(np.arange(begin, begin + len(block)))
            begin += len(block)

    def at(self, rows: Integers, names: Sequence[str]) -> Any:
        """Some rows, by ascending numbers, as a pandas frame whose index holds these."""
        begin, taken = 0, []
        for batch in self._batches(names):
            first, last = np.searchsorted(rows, [begin, begin + batch.num_rows])
            taken.append(batch.take(_indices(rows[first:last] - begin)))
            begin += batch.num_rows
        return _frame(taken).set_axis(rows)

    def counts_rows(self, name: str) -> bool:
        """Whether a column holds whole numbers, each one more than the one before."""
        last = None
        for block in self.blocks([name]):
            column = block[name]
            if not counts_on(column, last):
                return False
            last = int(column.iloc[-1]) if len(column) else last
        return True

    def is_empty(self, name: str) -> bool:
        """Whether no row of a column holds a value."""
        return all(bool(block[name].isna().all()) for block in self.blocks([name]))

    def _batches(self, names: Sequence[str] | None) -> Iterator[Any]:
        with file_errors(self.path), _reader(self.path) as file:
            coded = _coded(file) if _is_parquet(self.path) else []
            if _is_parquet(self.path):
                found = file.iter_batches(_BATCH, columns=None if names is None else list(names), use_threads=False)
            else:
                found = _slices(file)
            for batch in found:
                # of a damaged file nothing is looked at before its offsets are known to be right
                batch.validate(full=True)
                batch = _encoded(batch, coded)
                yield batch if names is None else batch.select(list(names))


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


@contextmanager
def _reader(path: Path) -> Iterator[Any]:
    try:
        from pyarrow import ipc
        from pyarrow.parquet import ParquetFile
    except ImportError as absent:
        raise MissingExtraError(f"Reading {path.suffix.lower()} files", "pyarrow", "tables") from absent
    if _is_parquet(path):  # what is buffered before would be held, of all of the file, until its end
        with ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
            yield file
    else:
        with ipc.open_file(str(path)) as file:
            yield file


def _slices(file: Any) -> Iterator[Any]:
    for number in range(file.num_record_batches):
        batch = file.get_batch(number)
        for begin in range(0, batch.num_rows, _BATCH):
            yield batch.slice(begin, _BATCH)


def _coded(file: Any) -> list[str]:
    """The columns that were categories when a Parquet file was written; of numbers Arrow gives back the numbers."""
    from pyarrow import ipc, py_buffer, types

    held = (file.metadata.metadata or {}).get(b"ARROW:schema")
    written = [] if held is None else ipc.read_schema(py_buffer(base64.b64decode(held)))
    return [field.name for field in written if types.is_dictionary(field.type)]


def _encoded(batch: Any, coded: Sequence[str]) -> Any:
    """The batch with some of its columns as codes and their categories, as the other kind of file holds them."""
    from pyarrow import types

    for name in coded:
        place = batch.schema.get_field_index(name)
        if place >= 0 and not types.is_dictionary(batch.schema.field(place).type):
            batch = batch.set_column(place, name, batch.column(place).dictionary_encode())
    return batch


def _dataset_rows(path: Path) -> int:
    from pyarrow.dataset import dataset

    return int(dataset(str(path), format="feather").count_rows())


def _frame(batches: Iterable[Any]) -> Any:
    """One block a column needs no copy of the columns together; what is converted is let go of."""
    import pyarrow as pa

    table = pa.Table.from_batches(batches)
    exact = {name: _exact(table[name]) for name in table.column_names if _rounds(table[name])}
    frame = table.to_pandas(split_blocks=table.num_rows > table.num_columns, self_destruct=True)
    frame = frame.reset_index(drop=True)
    frame.columns = [str(label) for label in frame.columns]  # as the file has them, whatever its writer's labels were
    return with_floats(frame.assign(**exact) if exact else frame)


def _rounds(column: Any) -> bool:
    """Whether whole numbers with gaps, which pandas makes double precision, would be others in it."""
    import pyarrow.compute as pc
    from pyarrow import types

    if not (types.is_int64(column.type) or types.is_uint64(column.type)) or not column.null_count:
        return False
    ends = pc.min_max(column).as_py().values()
    return any(end is not None and abs(end) > EXACT for end in ends)


def _exact(column: Any) -> Any:
    import pandas as pd
    import pyarrow as pa

    return column.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype(), pa.uint64(): pd.UInt64Dtype()}.get)


def counts_on(column: Any, last: int | None = None) -> bool:
    """Whether a pandas column holds whole numbers, each one more than the one before, the first than `last`."""
    if column.dtype.kind not in "iu" or column.isna().any():
        return False
    numbers = column.to_numpy()
    numbers = numbers.astype(np.int64) if numbers.dtype.itemsize < 8 else numbers  # of bytes 255 and 0 differ by 1
    follows = last is None or not len(numbers) or int(numbers[0]) == last + 1
    return follows and bool((np.diff(numbers) == 1).all())


def with_floats(frame: Any) -> Any:
    """The frame with decimal numbers by type in double precision."""
    for name in frame.columns[[dtype.kind == "O" for dtype in frame.dtypes]]:
        known = frame[name].dropna()
        if known.dtype.kind == "O" and len(known) and isinstance(known.iloc[0], decimal.Decimal):
            frame[name] = frame[name].astype(float)
    return frame


def _indices(rows: Integers) -> Any:
    import pyarrow as pa

    return pa.array(rows)
