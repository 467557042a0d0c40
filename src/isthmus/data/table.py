"""Data sets from tables on disk: .csv, .tsv and .parquet, through pandas."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isthmus.data.assembly import dataset_from_arrays
from isthmus.data.columns import encode_as, holds_texts, source_column
from isthmus.data.dataset import Dataset, Floats, Weights
from isthmus.data.dates import days_since_1970
from isthmus.data.encoding import encode
from isthmus.data.names import column_names, nearest_columns, some_columns
from isthmus.data.numerals import quantities, refuse_mixed, texts_as_numbers
from isthmus.data.quoting import quoted
from isthmus.data.reading import Table, read_table, table_columns
from isthmus.data.splitting import LEAST_ROWS
from isthmus.errors import ColumnError, OptionError, TooFewRowsError
from isthmus.foundation.task import Task


def from_table(
    path: Path,
    *,
    task: Task | None,
    target: str | Sequence[str],
    drop: str | Sequence[str],
    weights: str | None,
    missing: str,
    **split: Any,
) -> Dataset:
    """A data set from a table: `target` columns are predicted from the others.

    Numbers and booleans are used as they are, numbers with a unit without it, ISO dates as days since 1970, texts with
    few different values as one column for each value; constant inputs are left out. Everything that is done is said in
    the notes.

    Raises:
        ColumnError: If a column cannot be used; the message names it and what to do.
        FileFormatError: If the file cannot be read.
        OptionError: If a named column does not exist, or a target is needed and missing.
    """
    columns = table_columns(path)  # a wrong name is told before a long file is read
    target = column_names(target, columns, option="--target")
    drop = column_names(drop, columns, option="--drop")
    weights = None if weights is None else _weight_column(weights, columns, [*target, *drop])
    _check_target(target, drop, task, columns)
    frame, notes = _rows(read_table(path), drop, missing)
    if len(frame) < LEAST_ROWS:
        raise TooFewRowsError(f"The table {path}", len(frame), LEAST_ROWS)
    rest = [name for name in frame.columns if name not in target and name != weights]
    inputs = encode(frame[rest], drops_constants=True)
    if not inputs.names:
        raise OptionError("the number of inputs", 0, "at least 1: every input column is constant or was dropped")
    y, task, output_names, more = _targets(frame, target, task)
    return dataset_from_arrays(
        inputs.matrix,
        y,
        task=task,
        weights=None if weights is None else _weights(weights, frame[weights]),
        name=str(path),
        input_names=inputs.names,
        output_names=output_names,
        notes=[*notes, *inputs.notes, *more],
        **split,
    )


def inputs_from_table(path: Path, names: Sequence[str] | None, missing: str, drop: str | Sequence[str] = ()) -> Floats:
    """The input matrix: the columns that a fit used, by their names, or without names all but those to drop.

    Raises:
        ColumnError: If a column does not hold what it should: what it held in the fit, or without names numbers.
        FileFormatError: If the file cannot be read.
        OptionError: If a column to drop does not exist, or none is left.
    """
    columns = table_columns(path)
    drop = column_names(drop, columns, option="--drop")
    if names is None:
        return _all_numbers(_rows(read_table(path), drop, missing)[0])
    sources = {source: name for name in names if (source := source_column(name, columns)) is not None}
    texts = {source for source, name in sources.items() if holds_texts(name, source)}
    others = [name for name in columns if name not in sources]
    return encode_as(_rows(read_table(path, texts=texts), others, missing, texts=texts)[0], names)


def check_missing(missing: str) -> None:
    """Raise `OptionError` unless `missing` says what to do with rows with missing values."""
    if missing not in ("refuse", "drop"):
        raise OptionError("--missing", missing, "refuse or drop")


def _check_target(target: Sequence[str], drop: Sequence[str], task: Task | None, columns: Sequence[str]) -> None:
    for name in target:
        if name in drop or list(target).count(name) > 1:
            raise OptionError("--target", ",".join(target), "different columns, none of them also in --drop")
    if task == "autoencoder" and target:
        raise OptionError("--target", ",".join(target), "left out for an autoencoder, which predicts its inputs")
    if task != "autoencoder" and not target:
        raise OptionError("--target", "", f"one or more of {some_columns(columns)}; or use --task autoencoder")


def _rows(table: Table, drop: Collection[str], missing: str, *, texts: Collection[str] = ()) -> tuple[Any, list[str]]:
    """The frame without the columns to drop and without missing values, numbers as numbers, and what was done."""
    frame, notes = _complete(table.frame.drop(columns=list(drop)), missing)
    frame, more = texts_as_numbers(frame, table.decimal, texts=texts)
    return frame, [*table.notes, *notes, *more]


def _complete(frame: Any, missing: str) -> tuple[Any, list[str]]:
    """The frame without missing values: refused, or their rows dropped."""
    check_missing(missing)
    gaps = frame.isna()
    if not gaps.to_numpy().any():
        return frame, []
    if missing == "drop":
        kept = frame[~gaps.any(axis=1)]
        count = len(frame) - len(kept)
        if kept.empty:
            worst = str(gaps.sum().idxmax())
            raise ColumnError(worst, "has so many missing values that no row is complete", f"Use --drop {worst!r}.")
        # Gaps turn a column of booleans into one of objects; without them it is a column of booleans again.
        kept = kept.reset_index(drop=True).infer_objects()
        rows = "1 row with missing values was" if count == 1 else f"{count} rows with missing values were"
        return kept, [f"{rows} left out."]
    column = next(name for name in gaps.columns if gaps[name].any())
    count, first = int(gaps[column].sum()), int(gaps[column].to_numpy().argmax()) + 1
    cause = f"has {count} missing value{'s' * (count > 1)} (first in row {first})"
    raise ColumnError(
        str(column), cause, f"Fill them in, leave these rows out with --missing drop, or use --drop {column!r}"
    )


def _all_numbers(frame: Any) -> Floats:
    """Every column as it is: without names a network takes them in this order, so none may be left out unsaid."""
    if not len(frame.columns):
        raise OptionError("the number of inputs", 0, "at least 1: every column was dropped")
    for name in frame.columns:
        if frame[name].dtype.kind not in "fiub":
            texts = frame[name].astype(str).tolist()
            refuse_mixed(name, texts)
            cause = f"holds {quoted(texts[0])}, where a network that does not name its inputs takes numbers"
            raise ColumnError(name, cause, f"Write it as numbers, or use --drop {name!r}")
    return encode(frame, drops_constants=False).matrix


def _weight_column(given: str, columns: Sequence[str], others: Sequence[str]) -> str:
    name = given if given in columns else given.strip()
    if name not in columns:
        raise OptionError("--weights", name, f"among {nearest_columns(name, columns)}")
    if name in others:
        raise OptionError("--weights", name, "a column that is neither in --target nor in --drop")
    return name


def _weights(name: str, column: Any) -> Weights:
    remedy = "Weights are finite numbers, at least 0, and one of them is positive: correct it"
    if column.dtype.kind not in "fiub":
        texts = column.astype(str).tolist()
        refuse_mixed(name, texts)
        raise ColumnError(name, f"holds {quoted(texts[0])} in row 1, where a row needs its weight", remedy)
    weights: Weights = column.to_numpy(np.float64)
    is_wrong = ~((weights >= 0) & np.isfinite(weights))
    if is_wrong.any():
        row = int(is_wrong.argmax())
        raise ColumnError(name, f"holds the weight {weights[row]:g} in row {row + 1}", remedy)
    if not weights.any():
        raise ColumnError(name, "holds the weight 0 in every row", remedy)
    return weights


def _targets(
    frame: Any, target: Sequence[str], task: Task | None
) -> tuple[Any, Task, tuple[str, ...] | None, list[str]]:
    if task == "autoencoder":
        return None, task, None, []
    outputs = frame[list(target)]
    notes: list[str] = []
    if task is None:
        first = outputs.iloc[:, 0]
        is_text = len(target) == 1 and first.dtype.kind not in "fiubM" and days_since_1970(first) is None
        texts = first.astype(str).tolist() if is_text else []
        is_text = is_text and quantities(texts) is None
        task = "classification" if is_text else "regression"
        if is_text:
            refuse_mixed(target[0], texts)
            notes = [f"Column {target[0]!r} holds texts, so this is a classification."]
    if task == "classification":
        if len(target) != 1:
            raise OptionError("--target", ",".join(target), "one column for a classification")
        column = outputs.iloc[:, 0]
        return column.to_numpy() if column.dtype.kind in "fiu" else column.astype(str).to_numpy(str), task, None, notes
    encoded = encode(outputs, drops_constants=False, allows_texts=False)
    for name, values in zip(encoded.names, encoded.matrix.T, strict=True):
        if (values == values[0]).all():
            raise ColumnError(name, "is constant: there is nothing to predict", "Choose a target that varies.")
    return encoded.matrix, task, encoded.names, [*notes, *encoded.notes]
