"""From what the user typed to a data set."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from isthmus.data.dataset import Dataset, Floats, Task
from isthmus.data.handwritten import digits, mnist
from isthmus.data.image_folder import from_folder, inputs_from_folder
from isthmus.data.numpy_files import (
    flattened,
    from_npy,
    from_npz,
    npy_columns,
    read_npy,
    read_npz,
)
from isthmus.data.splitting import check_seed
from isthmus.data.synthetic import curve, inverted_s, teacher
from isthmus.data.table import from_table, inputs_from_table
from isthmus.errors import FileMissingError, OptionError
from isthmus.foundation.arrays import as_matrix

BUILT_IN: dict[str, Callable[..., Dataset]] = {
    "teacher": teacher,
    "digits": digits,
    "mnist": mnist,
    "curve": curve,
    "inverted-s": inverted_s,
}
_TABLES = (".csv", ".tsv", ".parquet")
_KINDS = f"a {', '.join(_TABLES)}, .npz or .npy file, a folder of images, or {', '.join(BUILT_IN)}"
_NOT_SETTINGS = {"task", "name", "validation", "test"}


def load_dataset(
    source: str,
    *,
    task: Task | None = None,
    target: Sequence[str] = (),
    drop: Sequence[str] = (),
    missing: Literal["refuse", "drop"] = "refuse",
    seed: int = 0,
    validation: float = 0.15,
    test: float = 0.15,
) -> Dataset:
    """The data set behind a name or a path.

    Args:
        source: `teacher`, `digits`, `mnist`, `curve`, `inverted-s`, with settings after a colon
            (`teacher:k=3,n=1000`); or a .csv, .tsv, .parquet, .npz or .npy file; or a folder of images. These names
            win over files of the same name, which are reached as `./digits`.
        task: Default: what the data suggest.
        target: Columns to predict, for tables; column numbers for .npy.
        drop: Columns to leave out, for tables.
        missing: What to do with rows with missing values, for tables.
        seed: Draws built-in data and the split.
        validation: Share of the rows that decide the rank.
        test: Share of the rows for the figures that are reported.

    Raises:
        IsthmusError: With the cause and the remedy, for whatever cannot be used.
    """
    check_seed(seed)
    if not source.strip():
        raise OptionError("DATA", source, _KINDS)
    path = Path(source)
    name = source.partition(":")[0]
    if name in BUILT_IN:
        if target or drop:
            raise OptionError("--target or --drop", ",".join([*target, *drop]), "left out for built-in data")
        return _built_in(source, task=task, seed=seed, validation=validation, test=test)
    if not path.exists():
        close = difflib.get_close_matches(name, BUILT_IN, 1)
        hint = f"Did you mean {close[0]}? " if close else ""
        raise FileMissingError(path, f"{hint}DATA is {_KINDS}.")
    shares = {"seed": seed, "validation": validation, "test": test}
    kind = path.suffix.lower()
    if path.is_file() and kind in _TABLES:
        return from_table(path, task=task, target=target, drop=drop, missing=missing, **shares)
    if drop:
        raise OptionError("--drop", ",".join(drop), "left out for data without named columns")
    if path.is_dir():
        if target:
            raise OptionError("--target", ",".join(target), "left out for a folder of images")
        return from_folder(path, task=task, **shares)
    if kind == ".npz":
        return from_npz(path, task=task, target=target, **shares)
    if kind == ".npy":
        return from_npy(path, task=task, target=target, **shares)
    raise OptionError("DATA", source, _KINDS)


def load_inputs(
    source: str,
    *,
    input_names: Sequence[str] | None = None,
    missing: Literal["refuse", "drop"] = "refuse",
    seed: int = 0,
) -> Floats:
    """Only the inputs `(n, d_in)` behind a name or a path, to measure a network on.

    Args:
        source: As for `load_dataset`.
        input_names: For tables the columns that the network was trained on; the same encoding is repeated. Without
            names all columns of numbers are used. For a .npy matrix that also holds targets, the columns to take.
        missing: What to do with rows with missing values, for tables.
        seed: Draws built-in data.
    """
    path = Path(source)
    kind = path.suffix.lower()
    if path.is_file() and kind in _TABLES:
        return inputs_from_table(path, input_names, missing)
    if path.is_file() and kind in (".npz", ".npy"):
        x, _ = flattened(read_npz(path)["x"] if kind == ".npz" else npy_columns(read_npy(path), input_names))
        matrix: Floats = as_matrix(x, "x").numpy()
        return matrix
    if path.is_dir() and source.strip() and source.partition(":")[0] not in BUILT_IN:
        return inputs_from_folder(path)
    return load_dataset(source, seed=seed).x


def _built_in(source: str, *, task: Task | None, seed: int, validation: float, test: float) -> Dataset:
    name, _, text = source.partition(":")
    make = BUILT_IN[name]
    parameters = inspect.signature(make).parameters
    known = {key: p for key, p in parameters.items() if key not in _NOT_SETTINGS}
    given: dict[str, int | float | str] = {}
    for pair in filter(None, text.split(",")):
        key, _, value = pair.partition("=")
        if key not in known:
            raise OptionError(f"a setting of {name}", key, f"one of {', '.join(known)}")
        if key in given:
            raise OptionError(f"{key} of {name}", value, "given once")
        given[key] = _value(name, key, value, str(known[key].annotation))
    settings: dict[str, Any] = {"seed": seed, **given}
    check_seed(settings["seed"])
    if "validation" in parameters:
        settings |= {"validation": validation, "test": test}
    try:
        return make(task=task, name=source, **settings)
    except MemoryError as full:
        raise OptionError("DATA", source, "small enough for the memory of this machine") from full


def _value(name: str, key: str, text: str, annotation: str) -> int | float | str:
    try:
        if annotation.startswith("int"):
            return int(text)
        if annotation.startswith("float"):
            return float(text)
    except ValueError as not_a_number:
        kind = "a whole number" if annotation.startswith("int") else "a number"
        raise OptionError(f"{key} of {name}", text, kind) from not_a_number
    return text
