"""What a sweep runs over: a grid of data, their parameters, options of the selection, and seeds."""

from __future__ import annotations

import itertools
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import file_digest, sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from isthmus.data.sources import built_in_settings
from isthmus.data.splitting import check_seed
from isthmus.data.table_format import TableFormat
from isthmus.errors import FileFormatError, FileMissingError, IsthmusError, OptionError, UnknownNameError
from isthmus.selection import SelectionConfig, usual_schedule
from isthmus.training import Schedule

_LOADING = ("task", "target", "drop", "weights", "group", "time", "missing", "test")
_TABLE = tuple(field.name for field in fields(TableFormat))
_KEYS = ("data", "seeds", *_LOADING, *_TABLE, "parameters", "options")
_SCHEDULE = tuple(field.name for field in fields(Schedule))
_OPTIONS = (
    "cv",
    *(field.name for field in fields(SelectionConfig) if field.name != "schedule"),
    *(f"schedule.{name}" for name in _SCHEDULE),
)
T = TypeVar("T")
_REMEDY = "It is TOML with data, and as wanted seeds, [parameters] of built-in data and [options] of the selection."


@dataclass(frozen=True)
class Cell:
    """One selection of a sweep.

    Attributes:
        number: Its place in the grid, from 0.
        settings: What tells it from the others, and what all have in common: `data`, `seed`, parameters, options.
        source: DATA with its parameters, as `load_dataset` takes it.
        seed: Of built-in data, the split and the selection.
        loading: Further arguments of `load_dataset`.
        config: How the rank is selected.
        cv: Parts of the rows that are held out in turn.
    """

    number: int
    settings: Mapping[str, Any]
    source: str
    seed: int
    loading: Mapping[str, Any]
    config: SelectionConfig
    cv: int | None


@dataclass(frozen=True)
class Specification:
    """A grid of selections.

    Attributes:
        cells: All of them.
        axes: The names that have several values, with these, in the order of the specification.
        identity: Digest of everything that decides the results: the grid, the files of data, the version.
    """

    cells: tuple[Cell, ...]
    axes: Mapping[str, tuple[Any, ...]]
    identity: str


def read_specification(path: Path) -> Specification:
    """Read a grid from a TOML file.

    ```toml
    data = "teacher"            # one or several: whatever `isthmus fit` takes
    seeds = [0, 1, 2]
    test = 0.15                 # and the other arguments of `load_dataset`, the fields of `TableFormat` among them
    [parameters]                # of built-in data: one value or several
    k = [1, 2, 3]
    [options]                   # of the selection: cv, the fields of SelectionConfig, and of its schedule
    width = [20, 40]
    schedule.steps = 100
    ```

    Where an option takes several values to choose from, as `depth` does, a list within the list is one of its values.

    Raises:
        FileMissingError, FileFormatError: If there is no such file, or it is no TOML.
        OptionError: If a name is unknown (the nearest known one is given), a value is out of range or of the wrong
            kind, or the grid is empty or names a value twice.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise FileMissingError(path, _REMEDY) from missing
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as damaged:
        raise FileFormatError(path, f"it is not valid TOML ({damaged})", _REMEDY) from damaged
    return specification(given)


def specification(given: Mapping[str, Any]) -> Specification:
    """The grid of a specification that is read already; raises as `read_specification`."""
    _check_names("the specification", given, _KEYS)
    if "data" not in given:
        raise OptionError("data", None, "a name or a path, or a list of some")
    options = dict(_flattened(_table(given, "options")))
    _check_names("[options]", options, _OPTIONS)
    grid = {
        "data": given["data"],
        "seed": given.get("seeds", [0]),
        **_prefixed(_table(given, "parameters"), "parameters"),
    }
    grid |= _prefixed(options, "options")
    values = {name: _values("seeds" if name == "seed" else name, value) for name, value in grid.items()}
    loading = _loading(given)
    names = _short(values)
    combinations = itertools.product(*values.values())
    cells = tuple(
        _cell(number, dict(zip(values, combination, strict=True)), names, loading)
        for number, combination in enumerate(combinations)
    )
    axes = {names[name]: each for name, each in values.items() if len(each) > 1}
    return Specification(cells, axes, _identity(values, loading))


def _loading(given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `load_dataset` beside the source and the seed."""
    loading = {name: given[name] for name in _LOADING if name in given}
    told = {name: given[name] for name in _TABLE if name in given}
    return {**loading, "told": _validated(TableFormat, json.dumps(told, default=str), "", _TABLE)} if told else loading


def _table(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = given.get(name, {})
    if not isinstance(table, Mapping):
        raise OptionError(name, table, f"a table, [{name}], of names and values")
    return table


def _flattened(table: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _check_names(where: str, given: Iterable[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise UnknownNameError(where, name, known)


def _prefixed(table: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {f"{prefix}.{name}": value for name, value in table.items()}


def _values(name: str, value: Any) -> tuple[Any, ...]:
    values = tuple(value) if isinstance(value, list) else (value,)
    if not values:
        raise OptionError(name, value, "a value or several: without any the grid is empty")
    written = [json.dumps(each, default=str) for each in values]
    if len(set(written)) < len(written):
        raise OptionError(name, value, "different values: two cells would be the same")
    return values


def _short(names: Iterable[str]) -> dict[str, str]:
    """Names without the table they stand in, where that leaves them apart."""
    last = {name: name.rpartition(".")[2] for name in names}
    return {name: short if list(last.values()).count(short) == 1 else name for name, short in last.items()}


def _cell(number: int, values: dict[str, Any], names: Mapping[str, str], loading: Mapping[str, Any]) -> Cell:
    options = {name.removeprefix("options."): each for name, each in values.items() if name.startswith("options.")}
    cv, seed = options.pop("cv", None), values["seed"]
    if cv is not None and (type(cv) is not int or cv < 2):
        raise OptionError("options.cv", cv, "a whole number, at least 2")
    if type(seed) is not int:
        raise OptionError("seeds", seed, "whole numbers")
    check_seed(seed)
    return Cell(
        number=number,
        settings={names[name]: each for name, each in values.items()},
        source=_source(values),
        seed=seed,
        loading=loading,
        config=_config(options),
        cv=cv,
    )


def _source(values: Mapping[str, Any]) -> str:
    """DATA with the parameters of the cell; a file by its whole path, as a worker may stand in another folder."""
    data = values["data"]
    if not isinstance(data, str):
        raise OptionError("data", data, "a name or a path, or a list of some")
    parameters = {n.removeprefix("parameters."): v for n, v in values.items() if n.startswith("parameters.")}
    name = data.partition(":")[0]
    known = built_in_settings(name)
    if known is None:
        if parameters:
            raise OptionError("[parameters]", ", ".join(parameters), f"left out for {data}, which is no built-in data")
        if not Path(data).exists():
            raise FileMissingError(Path(data), "data in a specification is what `isthmus fit` takes as DATA.")
        return str(Path(data).resolve())
    _check_names(f"[parameters] of {name}", parameters, [each for each in known if each != "seed"])
    for parameter, value in parameters.items():
        if type(value) not in (int, float, str):
            raise OptionError(f"parameters.{parameter}", value, "numbers or texts")
        if any(pair.startswith(f"{parameter}=") for pair in data.partition(":")[2].split(",")):
            raise OptionError(f"parameters.{parameter}", value, f"given once: {data} has it too")
    given = ",".join(f"{name}={value}" for name, value in parameters.items())
    return f"{data}{',' if ':' in data else ':'}{given}" if given else data


def _config(options: Mapping[str, Any]) -> SelectionConfig:
    """The configuration with these values in the place of defaults."""
    plain: dict[str, Any] = asdict(SelectionConfig())
    if any(name.startswith("schedule.") for name in options):
        depths = options.get("depth") or 1
        deepest = max(depths) if isinstance(depths, list | tuple) else depths
        plain["schedule"] = asdict(usual_schedule(deepest if isinstance(deepest, int) else 1))
    for name, value in options.items():
        table, _, last = name.rpartition(".")
        (plain[table] if table else plain)[last] = value
    try:
        written = json.dumps(plain)
    except TypeError as wrong:
        raise OptionError("[options]", dict(options), f"numbers, texts and lists of them ({wrong})") from wrong
    return _validated(SelectionConfig, written, "options.", (*plain, *_SCHEDULE))


def _validated(kind: type[T], written: str, prefix: str, names: Sequence[str]) -> T:
    """The value of this kind with the fields that are written; what is wrong with one of `names` is said of it."""
    try:
        return TypeAdapter(kind).validate_json(written, strict=True)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        refused = first.get("ctx", {}).get("error")
        if isinstance(refused, IsthmusError):
            raise refused from wrong
        place = ".".join(str(part) for part in first["loc"] if str(part) in names)
        requirement = first["msg"].removeprefix("Input should be ")
        raise OptionError(f"{prefix}{place}", first["input"], requirement) from wrong


def _identity(values: Mapping[str, tuple[Any, ...]], loading: Mapping[str, Any]) -> str:
    files = {data: _digest(Path(data)) for data in values["data"] if Path(data).is_file()}
    facts = {"values": values, "loading": loading, "files": files, "isthmus": version("isthmus")}
    return sha256(json.dumps(facts, default=str).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
