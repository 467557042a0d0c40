"""From what the user typed to a data set."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from isthmus.data.assembly import check_task
from isthmus.data.complete_rows import check_missing
from isthmus.data.dataset import Dataset, Floats
from isthmus.data.handwritten import digits, mnist
from isthmus.data.image_folder import from_folder, inputs_from_folder
from isthmus.data.names import as_typed
from isthmus.data.numpy_files import (
    flattened,
    from_npy,
    from_npz,
    npy_columns,
    read_npy,
    read_npz,
)
from isthmus.data.reading import TABLE_KINDS, table_kind
from isthmus.data.splitting import check_seed, check_share
from isthmus.data.synthetic import curve, inverted_s, teacher
from isthmus.data.table import from_table, inputs_from_table
from isthmus.data.table_format import TableFormat, refuse_table_options
from isthmus.errors import FileMissingError, OptionError
from isthmus.foundation.matrices import real_matrix
from isthmus.foundation.progress import Report, silent
from isthmus.foundation.task import Task

BUILT_IN: dict[str, Callable[..., Dataset]] = {
    "teacher": teacher,
    "digits": digits,
    "mnist": mnist,
    "curve": curve,
    "inverted-s": inverted_s,
}
Missing = Literal["refuse", "drop", "indicate"]
_ANY = TableFormat()
_NO_TABLES = {
    "built-in": "built-in data",
    "folder": "a folder of images",
    ".npz": "a .npz file, whose columns have no names",
    ".npy": "a .npy file, whose columns have no names",
}
_KINDS = (
    f"a {', '.join(TABLE_KINDS)}, .npz or .npy file (texts also as .gz, .zip or .zst), a folder of images, "
    f"or {', '.join(BUILT_IN)}"
)
_NOT_SETTINGS = {"task", "name", "test"}


def load_dataset(
    source: str | Any,
    *,
    task: Task | None = None,
    target: str | Sequence[str] = (),
    drop: str | Sequence[str] = (),
    weights: str | None = None,
    group: str | None = None,
    time: str | None = None,
    missing: Missing = "refuse",
    told: TableFormat = _ANY,
    seed: int = 0,
    test: float = 0.15,
    report: Report = silent,
) -> Dataset:
    """The data set behind a name or a path.

    Args:
        source: `teacher`, `digits`, `mnist`, `curve`, `inverted-s`, with settings after a colon
            (`teacher:k=3,n=1000`); or a .csv, .tsv, .txt (each also .gz, .zip, .zst), .xlsx, .parquet, .feather, .npz
            or .npy file; or a folder of images. These names win over files of the same name, which are reached as
            `./digits`. Or a frame of pandas, Polars or whatever hands its columns over as Arrow does.
        task: Default: what the data suggest.
        target: Columns to predict, for tables; column numbers for .npy. Each entry is a name, or names between commas.
        drop: Columns to leave out, for tables, in the same way.
        weights: Column of a table that says how much each row counts; it is no input. A .npz file may hold an array
            `sample_weight` instead.
        group: Column of a table that says what rows belong together, of one person say: they are held out together.
        time: Column of a table that says when rows were taken: networks learn from the past and are judged by what came
            later.
        missing: What to do with missing values, for tables: refuse them, drop their rows, or indicate them by a column
            beside the median of the others. Rows without a target are left out in any case.
        told: How a table is written, where that is not to be found out.
        seed: Draws built-in data and the split.
        test: Share of the rows for the figures that are reported; 0 sets none aside. Data that come with rows to test
            on (teacher, MNIST in IDX files) keep these, or leave them out at 0.
        report: Told the fraction done of a long table, of which 50,000 different rows are drawn; notes say so.

    Raises:
        IsthmusError: With the cause and the remedy, for whatever cannot be used.

    Example:
        >>> from isthmus import load_dataset
        >>> data = load_dataset("teacher:k=2,n=100", seed=0)
        >>> data.task, data.x.shape, data.n_outputs
        ('regression', (1100, 50), 50)
    """
    if task is not None:
        check_task(task)
    check_seed(seed)
    check_share(test)
    check_missing(missing)
    if not isinstance(source, str | Path):
        kind, path = "table", source
        told.refuse_others((), "a frame")
    else:
        path, kind = Path(source), _kind(str(source))
    if kind in _NO_TABLES:
        refuse_table_options(_NO_TABLES[kind], told, drop, missing)
    refused = {"--target": as_typed(target), "--weights": weights, "--group": group, "--time": time}
    if kind == "built-in":
        _refuse(refused, _NO_TABLES[kind])
        return _built_in(source, task=task, seed=seed, test=test)
    if kind == "table":
        return from_table(
            path,
            task=task,
            target=target,
            drop=drop,
            weights=weights,
            group=group,
            time=time,
            missing=missing,
            told=told,
            seed=seed,
            test=test,
            report=report,
        )
    if kind == "folder":
        _refuse(refused, _NO_TABLES[kind])
        return from_folder(path, task=task, seed=seed, test=test)
    _refuse({name: refused[name] for name in ("--group", "--time")}, _NO_TABLES[kind])
    if kind == ".npz":
        return from_npz(path, task=task, target=target, weights=weights, seed=seed, test=test)
    _refuse({"--weights": weights}, "a .npy file; a .npz file may hold an array sample_weight")
    return from_npy(path, task=task, target=target, seed=seed, test=test)


@dataclass(frozen=True, eq=False)
class Inputs:
    """Rows to apply a network to, `(n, d_in)`, and what was done to them in sentences."""

    x: Floats
    notes: tuple[str, ...] = ()


def load_inputs(source: str | Any, **options: Any) -> Floats:
    """Only the rows of `read_inputs`."""
    return read_inputs(source, **options).x


def read_inputs(
    source: str | Any,
    *,
    input_names: Sequence[str] | None = None,
    fills: Mapping[str, float] | None = None,
    drop: str | Sequence[str] = (),
    missing: Missing = "refuse",
    told: TableFormat = _ANY,
    seed: int = 0,
) -> Inputs:
    """Only the inputs `(n, d_in)` behind a name or a path, to apply a network to; targets need not be there.

    Args:
        source: As for `load_dataset`.
        input_names: For tables the names of the inputs that the network was trained on: the same encoding is repeated,
            and other columns do not matter. Without names all columns are used, which must hold numbers. For a .npy
            matrix that also holds targets, the columns to take.
        fills: What that network was given in the place of missing values, by input.
        drop: Columns to leave out, for tables.
        missing: What to do with missing values, for tables; those that the network has an indicator for are told by it.
        told: How a table is written, where that is not to be found out.
        seed: Draws built-in data.

    Raises:
        IsthmusError: With the cause and the remedy, for whatever cannot be used.
    """
    check_missing(missing)
    if not isinstance(source, str | Path):
        kind, path = "table", source
        told.refuse_others((), "a frame")
    else:
        path, kind = Path(source), _kind(str(source))
    if kind == "table":
        return Inputs(*inputs_from_table(path, input_names, missing, drop, told=told, fills=fills or {}))
    refuse_table_options(_NO_TABLES[kind], told, drop, missing)
    if kind == "built-in":
        return Inputs(load_dataset(source, seed=seed).x)
    if kind == "folder":
        return Inputs(inputs_from_folder(path))
    x, _ = flattened(read_npz(path)["x"] if kind == ".npz" else npy_columns(read_npy(path), input_names))
    return Inputs(real_matrix(x, "x"))


def _kind(source: str) -> str:
    """What DATA is: "built-in", "table", "folder", ".npz" or ".npy"."""
    name = source.partition(":")[0]
    if not source.strip():
        raise OptionError("DATA", source, _KINDS)
    if name in BUILT_IN:
        return "built-in"
    path = Path(source)
    if not path.exists():
        close = difflib.get_close_matches(name, BUILT_IN, 1)
        hint = f"Did you mean {close[0]}? " if close else ""
        raise FileMissingError(path, f"{hint}DATA is {_KINDS}.")
    if path.is_dir():
        return "folder"
    if table_kind(path) is not None:
        return "table"
    kind = path.suffix.lower()
    if kind not in (".npz", ".npy"):
        raise OptionError("DATA", source, _KINDS)
    return kind


def _refuse(options: dict[str, str | None], what: str) -> None:
    for option, given in options.items():
        if given:
            raise OptionError(option, given, f"left out for {what}")


def built_in_settings(name: str) -> tuple[str, ...] | None:
    """What can be set after the colon of built-in data; None where a name is not that of built-in data."""
    return tuple(_settings(BUILT_IN[name])) if name in BUILT_IN else None


def _settings(make: Callable[..., Dataset]) -> dict[str, inspect.Parameter]:
    return {key: p for key, p in inspect.signature(make).parameters.items() if key not in _NOT_SETTINGS}


def _built_in(source: str, *, task: Task | None, seed: int, test: float) -> Dataset:
    name, _, text = source.partition(":")
    make = BUILT_IN[name]
    known = _settings(make)
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
    try:
        return make(task=task, test=test, name=source, **settings)
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
