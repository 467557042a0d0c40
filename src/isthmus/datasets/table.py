"""Tables on disk: .csv, .tsv and .parquet, through pandas."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from isthmus.datasets.assembly import dataset_from_arrays
from isthmus.datasets.columns import Encoded, encode, encode_as, refuse_mixed
from isthmus.datasets.dataset import Dataset, Floats, Task
from isthmus.datasets.splitting import LEAST_ROWS
from isthmus.errors import ColumnError, FileFormatError, IsthmusError, MissingExtraError, OptionError, TooFewRowsError

_SAMPLE = 65536
_DECIMAL_COMMA = re.compile(r"(^|;)\s*-?\d+,\d+\s*(;|$)", re.MULTILINE)


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
    frame = read_table(path)
    columns = [str(name) for name in frame.columns]
    for option, names in (("--target", target), ("--drop", drop)):
        for name in names:
            if name not in columns:
                raise OptionError(option, name, f"among the columns: {', '.join(columns)}")
    if task == "autoencoder" and target:
        raise OptionError("--target", ",".join(target), "left out for an autoencoder, which predicts its inputs")
    if task != "autoencoder" and not target:
        raise OptionError("--target", "", f"one or more of the columns {', '.join(columns)}; or use --task autoencoder")
    frame = frame.drop(columns=[name for name in drop if name not in target])
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
        notes=[*notes, *inputs.notes, *more],
        **split,
    )


def inputs_from_table(path: Path, names: Sequence[str] | None, missing: str) -> Floats:
    """The input matrix: the columns that a fit used, by their names, or all that can be encoded."""
    frame = read_table(path)
    if names is None:
        return encode(_complete(frame, missing)[0], drops_constants=False).matrix
    used = [name for name in frame.columns if any(_is_from(name, other) for other in names)]
    return encode_as(_complete(frame[used], missing)[0], names)


def read_table(path: Path) -> Any:
    """The table as a pandas frame with at least one row, checked for columns of equal names."""
    try:
        import pandas as pd
    except ImportError as absent:
        raise MissingExtraError(f"Reading {path.suffix} files", "pandas", "tables") from absent
    remedy = "Save the table again as comma-separated UTF-8 text, or as .parquet."
    try:
        frame = _parquet(pd, path) if path.suffix.lower() == ".parquet" else _csv(pd, path)
    except IsthmusError:
        raise
    except UnicodeDecodeError as wrong:
        raise FileFormatError(path, f"it is not UTF-8 text ({wrong.reason} at byte {wrong.start})", remedy) from wrong
    except (ValueError, OSError, pd.errors.ParserWarning, csv.Error) as damaged:
        raise FileFormatError(path, " ".join(str(damaged).split()).rstrip("."), remedy) from damaged
    if frame.empty:
        raise FileFormatError(path, f"it has {len(frame.columns)} columns and no rows", "Pass a table with data.")
    return frame


def _csv(pd: Any, path: Path) -> Any:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        sample = stream.read(_SAMPLE)
    if "\0" in sample:
        raise ValueError("it holds binary data, not text")
    head = sample.splitlines()[0] if sample.strip() else ""
    if not head:
        raise ValueError("it is empty")
    separator = max(",;\t|", key=head.count)
    header = [name.strip() for name in next(csv.reader([head], delimiter=separator))]
    if repeated := {name for name in header if header.count(name) > 1}:
        raise ColumnError(sorted(repeated)[0], "stands in the header more than once", "Give each column its own name.")
    decimal = "," if separator == ";" and _DECIMAL_COMMA.search(sample) else "."
    with warnings.catch_warnings():
        # With more fields than names pandas would drop or shift columns and only warn.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        frame = pd.read_csv(
            path,
            sep=separator,
            decimal=decimal,
            encoding="utf-8-sig",
            index_col=False,
            skipinitialspace=True,
            low_memory=False,
        )
    frame.columns = header
    return frame


def _parquet(pd: Any, path: Path) -> Any:
    try:
        import pyarrow  # noqa: F401
    except ImportError as absent:
        raise MissingExtraError("Reading .parquet files", "pyarrow", "tables") from absent
    frame = pd.read_parquet(path, engine="pyarrow")
    frame.columns = [str(name) for name in frame.columns]
    return frame


def _complete(frame: Any, missing: str) -> tuple[Any, list[str]]:
    """The frame without missing values: refused, or their rows dropped."""
    gaps = frame.isna()
    if not gaps.to_numpy().any():
        return frame, []
    if missing == "drop":
        kept = frame[~gaps.any(axis=1)]
        count = len(frame) - len(kept)
        if kept.empty:
            worst = str(gaps.sum().idxmax())
            raise ColumnError(worst, "has so many missing values that no row is complete", f"Use --drop {worst!r}.")
        return kept.reset_index(drop=True), [f"{count} rows with missing values were left out."]
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
        is_text = len(target) == 1 and outputs.dtypes.iloc[0].kind not in "fiubM"
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
