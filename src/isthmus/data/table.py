"""Tables on disk: .csv, .tsv and .parquet, through pandas."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from isthmus.data.assembly import dataset_from_arrays
from isthmus.data.columns import (
    Encoded,
    days_since_1970,
    encode,
    encode_as,
    refuse_mixed,
)
from isthmus.data.dataset import Dataset, Floats, Task
from isthmus.data.reading import read_table
from isthmus.data.splitting import LEAST_ROWS
from isthmus.errors import ColumnError, OptionError, TooFewRowsError


def from_table(
    path: Path, *, task: Task | None, target: Sequence[str], drop: Sequence[str], missing: str, **split: Any
) -> Dataset:
    """A data set from a table: `target` columns are predicted from the others.

    Numbers and booleans are used as they are, ISO dates as days since 1970, texts with few different values as one
    column for each value; constant inputs are left out. Everything that is done is said in the notes.

    Raises:
        ColumnError: If a column cannot be used; the message names it and what to do.
        FileFormatError: If the file cannot be read.
        OptionError: If a named column does not exist, or a target is needed and missing.
    """
    frame, read = read_table(path)
    columns = list(frame.columns)
    for option, names in (("--target", target), ("--drop", drop)):
        for name in names:
            if name not in columns:
                raise OptionError(option, name, f"among the columns: {', '.join(columns)}")
    for name in target:
        if name in drop or list(target).count(name) > 1:
            raise OptionError("--target", ",".join(target), "different columns, none of them also in --drop")
    if task == "autoencoder" and target:
        raise OptionError("--target", ",".join(target), "left out for an autoencoder, which predicts its inputs")
    if task != "autoencoder" and not target:
        raise OptionError("--target", "", f"one or more of the columns {', '.join(columns)}; or use --task autoencoder")
    frame = frame.drop(columns=list(drop))
    frame, notes = _complete(frame, missing)
    if len(frame) < LEAST_ROWS:
        raise TooFewRowsError(f"The table {path}", len(frame), LEAST_ROWS)
    inputs = encode(frame[[name for name in frame.columns if name not in target]], drops_constants=True)
    if not inputs.names:
        raise OptionError("the number of inputs", 0, "at least 1: every input column is constant or was dropped")
    y, task, output_names, more = _targets(frame, target, task)
    return dataset_from_arrays(
        inputs.matrix,
        y,
        task=task,
        name=str(path),
        input_names=inputs.names,
        output_names=output_names,
        notes=[*read, *notes, *inputs.notes, *more],
        **split,
    )


def inputs_from_table(path: Path, names: Sequence[str] | None, missing: str) -> Floats:
    """The input matrix: the columns that a fit used, by their names, or without names all that hold numbers."""
    frame, _ = read_table(path)
    if names is None:
        numbers = [name for name in frame.columns if frame[name].dtype.kind in "fiub"]
        if not numbers:
            raise OptionError("the number of inputs", 0, "at least 1: no column holds numbers")
        return encode(_complete(frame[numbers], missing)[0], drops_constants=False).matrix
    used = [name for name in frame.columns if any(_is_from(name, other) for other in names)]
    return encode_as(_complete(frame[used], missing)[0], names)


def _complete(frame: Any, missing: str) -> tuple[Any, list[str]]:
    """The frame without missing values: refused, or their rows dropped."""
    if missing not in ("refuse", "drop"):
        raise OptionError("--missing", missing, "refuse or drop")
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


def _is_from(column: str, encoded: str) -> bool:
    return encoded == column or encoded == f"{column} [days]" or encoded.startswith(f"{column}=")


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
        task = "classification" if is_text else "regression"
        if is_text:
            refuse_mixed(target[0], outputs.iloc[:, 0])
            notes = [f"Column {target[0]!r} holds texts, so this is a classification."]
    if task == "classification":
        if len(target) != 1:
            raise OptionError("--target", ",".join(target), "one column for a classification")
        column = outputs.iloc[:, 0]
        return column.to_numpy() if column.dtype.kind in "fiu" else column.astype(str).to_numpy(str), task, None, notes
    encoded: Encoded = encode(outputs, drops_constants=False, allows_texts=False)
    for name, values in zip(encoded.names, encoded.matrix.T, strict=True):
        if (values == values[0]).all():
            raise ColumnError(name, "is constant: there is nothing to predict", "Choose a target that varies.")
    return encoded.matrix, task, encoded.names, [*notes, *encoded.notes]
