"""Data sets from tables, in files or in frames."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data import row_draw
from isthmus.data.assembly import dataset_from_arrays
from isthmus.data.column_use import ColumnUse, Kind
from isthmus.data.columns import encode_as, holds_texts, source_column
from isthmus.data.complete_rows import CompleteRows, complete_rows
from isthmus.data.dataset import Dataset, Floats, Weights
from isthmus.data.dates import days_since_1970
from isthmus.data.durations import seconds_in
from isthmus.data.encoding import INDICATOR, encode
from isthmus.data.labels import check_class_count
from isthmus.data.names import column_names, nearest_columns, some_columns
from isthmus.data.numerals import quantities, refuse_mixed, texts_as_numbers
from isthmus.data.quoting import quoted, row_number
from isthmus.data.reading import Table, frame_table, read_table, table_columns
from isthmus.data.splitting import LEAST_ROWS
from isthmus.data.suspicions import suspicions
from isthmus.data.table_draw import TableDraw, drawn_table
from isthmus.data.table_format import TableFormat
from isthmus.errors import ColumnError, MissingOptionError, OptionError, TooFewRowsError
from isthmus.foundation.memory import refuse_beyond_memory
from isthmus.foundation.progress import Report, silent
from isthmus.foundation.task import Task

_BYTES_A_NUMBER = 16  # as blocks, and as a matrix
_APART: Mapping[str, Kind] = {"--weights": "weights", "--group": "group", "--time": "time"}


def from_table(
    source: Path | Any,
    *,
    task: Task | None,
    target: str | Sequence[str],
    drop: str | Sequence[str],
    weights: str | None,
    group: str | None,
    time: str | None,
    missing: str,
    told: TableFormat,
    report: Report = silent,
    **split: Any,
) -> Dataset:
    """A data set from a table, in a file or a frame: `target` columns are predicted from the others.

    Numbers and booleans are used as they are, numbers with a unit without it, ISO dates as days since 1970, durations
    as seconds, texts with few different values as one column for each value; constant and empty columns are left out.
    What became of each column stands in `columns`, what was done to rows in `notes`, what is suspicious in `warnings`.
    Of very many rows some are drawn (`drawn_table`).

    Raises:
        ColumnError: If a column cannot be used; the message names it and what to do.
        FileFormatError: If the file cannot be read.
        OptionError: If a named column does not exist, or a target is needed and missing.
    """
    table = None if isinstance(source, Path) else frame_table(source)
    # a wrong name is told before a long file is read
    columns = table_columns(source, told) if table is None else list(table.rows.names)
    target = column_names(target, columns, option="--target")
    drop = column_names(drop, columns, option="--drop")
    _check_target(target, drop, task, columns)
    named = {"--weights": weights, "--group": group, "--time": time}
    apart = {option: _column_apart(option, name, columns, [*target, *drop]) for option, name in named.items() if name}
    if len(set(apart.values())) < len(apart):
        raise OptionError(*list(apart.items())[-1], "a column of its own")
    table = table or read_table(source, told)
    needed = [*target, *apart.values()]
    complete = complete_rows(table, drop, missing, targets=target, others=list(apart.values()))
    name = str(source) if isinstance(source, Path) else "a frame"
    if complete.rows < LEAST_ROWS:
        raise TooFewRowsError(f"The table {name}", complete.rows, LEAST_ROWS)
    frame, drawn = _used_rows(table, complete, target, apart, task, report)
    frame, rewritten = texts_as_numbers(frame, table.decimal)
    inputs = encode(
        frame[[each for each in frame.columns if each not in needed]],
        drops_constants=True,
        gaps=complete.gaps,
        counts=None if drawn is None else drawn.counts,
        rows=complete.rows,
    )
    if not inputs.names:
        raise OptionError("the number of inputs", 0, "at least 1: every input column is constant or was dropped")
    y, task, output_names, uses, more = _targets(frame, target, task)
    uses += [ColumnUse(name, _APART[option]) for option, name in apart.items()]
    uses += [ColumnUse(each, "left out", "--drop") for each in drop]
    counts = _weights(apart["--weights"], frame[apart["--weights"]]) if weights else None
    groups = frame[apart["--group"]].astype(str).to_numpy(str) if group else None
    times = _times(apart["--time"], frame[apart["--time"]]) if time else None
    notes, x = [*complete.notes, *rewritten, *more], inputs.matrix
    if drawn is not None:
        notes.append(drawn.note)
        x = x[drawn.is_drawn]
        y, groups, times = (None if each is None else each[drawn.is_drawn] for each in (y, groups, times))
        counts = drawn.weights if weights or (drawn.weights != 1.0).any() else None
    return dataset_from_arrays(
        x,
        y,
        task=task,
        weights=counts,
        repeats=None if drawn is None else drawn.repeats,
        groups=groups,
        times=times,
        name=name,
        input_names=inputs.names,
        output_names=output_names,
        notes=notes,
        warnings=[*table.warnings, *suspicions(frame, inputs.uses, target, rows=complete.rows)],
        columns=[*inputs.uses, *uses, *table.uses],
        fills=inputs.fills,
        **split,
    )


def inputs_from_table(
    source: Path | Any,
    names: Sequence[str] | None,
    missing: str,
    drop: str | Sequence[str] = (),
    *,
    told: TableFormat,
    fills: Mapping[str, float],
) -> tuple[Floats, tuple[str, ...]]:
    """The columns that a fit used, by their names, or without names all but those to drop; and what was done.

    Raises:
        ColumnError: If a column does not hold what it should: what it held in the fit, or without names numbers.
        FileFormatError: If the file cannot be read.
        OptionError: If a column to drop does not exist or is one that the fit used, or none is left.
    """
    given = None if isinstance(source, Path) else frame_table(source)
    columns = dict.fromkeys(table_columns(source, told) if given is None else given.rows.names)
    drop = column_names(drop, list(columns), option="--drop")
    if names is None:
        if missing == "indicate":
            raise OptionError("--missing", missing, "refuse or drop for a network that does not name its inputs")
        table = given or read_table(source, told)
        complete = complete_rows(table, drop, missing)
        left_out = [f"{use.name!r} was left out: {use.detail}." for use in table.uses]
        x, notes = _encoded(table, complete, _all_numbers)
        return x, (*notes, *table.warnings, *left_out)
    sources = {name: source_column(name, columns) for name in names}
    bases = {base for base in sources.values() if base is not None}
    if needed := [name for name in drop if name in bases]:
        raise OptionError("--drop", ",".join(needed), "left out for columns that the network was trained on")
    texts = {base for name, base in sources.items() if base is not None and holds_texts(name, base)}
    indicated = bases & {name.removesuffix(INDICATOR) for name in names if name.endswith(INDICATOR)}
    table = given or read_table(source, told, texts=texts)
    others = [name for name in table.rows.names if name not in bases]
    complete = complete_rows(table, others, missing, indicated=indicated)
    return _encoded(table, complete, lambda block: encode_as(block, names, fills), texts)


def _encoded(
    table: Table, complete: CompleteRows, encode_block: Callable[[Any], Floats], texts: Collection[str] = ()
) -> tuple[Floats, tuple[str, ...]]:
    """The rows of a table as numbers, a block at a time, and what was done."""
    found: list[Floats] = []
    notes, size = list(complete.notes), (complete.rows, len(complete.names))
    refuse_beyond_memory(f"a matrix of {size[0]} × {size[1]} numbers", _BYTES_A_NUMBER * size[0] * size[1])
    for block in table.rows.blocks(complete.names):
        frame, rewritten = texts_as_numbers(complete.of(block), table.decimal, texts=texts)
        notes += rewritten
        if len(frame):
            found.append(encode_block(frame))
    return np.concatenate(found), tuple(notes)


def _used_rows(
    table: Table,
    complete: CompleteRows,
    target: Sequence[str],
    apart: Mapping[str, str],
    task: Task | None,
    report: Report,
) -> tuple[Any, TableDraw | None]:
    """A frame of the rows that can be used; of very many, of those drawn and those that decide how they are read."""
    if table.rows.rows <= row_draw.MOST_ROWS:
        return complete.of(next(table.rows.blocks(complete.names))), None
    weights = apart.get("--weights")
    blocks = [name for name in apart.values() if name != weights]
    drawn = drawn_table(table, complete, targets=target, apart=blocks, weights=weights, task=task, report=report)
    return drawn.frame, drawn


def _check_target(target: Sequence[str], drop: Sequence[str], task: Task | None, columns: Sequence[str]) -> None:
    for name in target:
        if name in drop or list(target).count(name) > 1:
            raise OptionError("--target", ",".join(target), "different columns, none of them also in --drop")
    if task == "autoencoder" and target:
        raise OptionError("--target", ",".join(target), "left out for an autoencoder, which predicts its inputs")
    if task != "autoencoder" and not target:
        remedy = f"Name one or more of {some_columns(columns)}; or use --task autoencoder"
        raise MissingOptionError("--target", remedy)


def _all_numbers(frame: Any) -> Floats:
    """Every column as it is: without names a network takes them in this order, so none may be left out unsaid."""
    if not len(frame.columns):
        raise OptionError("the number of inputs", 0, "at least 1: every column was dropped")
    for name in frame.columns[[dtype.kind not in "fiub" for dtype in frame.dtypes]]:
        refuse_mixed(name, frame[name])
        cause = f"holds {quoted(frame[name].iloc[0])}, where a network that does not name its inputs takes numbers"
        raise ColumnError(name, cause, f"Write it as numbers, or use --drop {name!r}")
    return encode(frame, drops_constants=False).matrix


def _column_apart(option: str, given: str, columns: Sequence[str], others: Sequence[str]) -> str:
    """A column that is no input but says something of the rows."""
    name = given if given in columns else given.strip()
    if name not in columns:
        raise OptionError(option, name, f"among {nearest_columns(name, columns)}")
    if name in others:
        raise OptionError(option, name, "a column that is neither in --target nor in --drop")
    return name


def _times(name: str, column: Any) -> Floats:
    encoded = encode(column.to_frame(name), drops_constants=False, allows_texts=False)
    return encoded.matrix[:, 0]


def _weights(name: str, column: Any) -> Weights:
    remedy = "Weights are finite numbers, at least 0, and one of them is positive: correct it"
    if column.dtype.kind not in "fiub":
        refuse_mixed(name, column)
        cause = f"holds {quoted(column.iloc[0])} in row {row_number(column, 0)}, where a row needs its weight"
        raise ColumnError(name, cause, remedy)
    weights: Weights = column.to_numpy(np.float64)
    is_wrong = ~((weights >= 0) & np.isfinite(weights))
    if is_wrong.any():
        row = int(is_wrong.argmax())
        raise ColumnError(name, f"holds the weight {weights[row]:g} in row {row_number(column, row)}", remedy)
    if not weights.any():
        raise ColumnError(name, "holds the weight 0 in every row", remedy)
    return weights


def _targets(
    frame: Any, target: Sequence[str], task: Task | None
) -> tuple[Any, Task, tuple[str, ...] | None, list[ColumnUse], list[str]]:
    """Outputs, task, their names, what became of the columns, and what was done."""
    if task == "autoencoder":
        return None, task, None, [], []
    outputs = frame[list(target)]
    notes: list[str] = []
    if task is None:
        task = "classification" if len(target) == 1 and _are_classes(target[0], outputs.iloc[:, 0]) else "regression"
        if task == "classification":
            notes = [f"Column {target[0]!r} holds texts, so this is a classification."]
    if task == "classification":
        if len(target) != 1:
            raise OptionError("--target", ",".join(target), "one column for a classification")
        column = outputs.iloc[:, 0]
        check_class_count(column.nunique())  # of a long table not each of very many is drawn
        labels = column.to_numpy() if column.dtype.kind in "fiu" else column.astype(str).to_numpy(str)
        return labels, task, None, [ColumnUse(target[0], "target", f"{column.nunique()} classes")], notes
    encoded = encode(outputs, drops_constants=False, allows_texts=False)
    for name, values in zip(encoded.names, encoded.matrix.T, strict=True):
        if (values == values[0]).all():
            raise ColumnError(name, "is constant: there is nothing to predict", "Choose a target that varies.")
    details = [f"{use.kind}, {use.detail}" if use.detail else use.kind for use in encoded.uses]
    uses = [ColumnUse(use.name, "target", detail) for use, detail in zip(encoded.uses, details, strict=True)]
    return encoded.matrix, task, encoded.names, uses, notes


def _are_classes(name: str, column: Any) -> bool:
    """Whether a target holds texts that are no numbers, dates or durations in another dress."""
    if column.dtype.kind in "fiubMm" or days_since_1970(column) is not None or seconds_in(column) is not None:
        return False
    if quantities(column.astype(str).tolist()) is not None:
        return False
    refuse_mixed(name, column)
    return True
