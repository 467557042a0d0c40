"""What an experiment found, as a file: enough to judge it, to draw it and to run it again."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from isthmus.errors import FileFormatError
from isthmus.experiments.experiment import Experiment, Scale, plain
from isthmus.foundation.files import read_json, write_atomically

EXPERIMENT_FORMAT = "isthmus-experiment"
_VERSION = 1
_REMEDY = "Pass a record that `isthmus reproduce` wrote, or run the experiment again."
_HEADER = {"name": str, "title": str, "claim": str, "source": str, "published": str, "scale": str, "device": str}
_BODY = {"settings": dict, "environment": dict, "is_complete": bool, "results": list, "claims": list}
_CLAIM = {"claim": str, "published": str, "measured": str, "why": str}

Record = dict[str, Any]


def new_record(experiment: Experiment[Any], settings: Any, scale: Scale, device: str) -> Record:
    """The record of an experiment of which nothing is done yet."""
    return {
        "format": EXPERIMENT_FORMAT,
        "version": _VERSION,
        "name": experiment.name,
        "title": experiment.title,
        "claim": experiment.claim,
        "source": experiment.source,
        "published": experiment.published,
        "scale": scale,
        "device": device,
        "settings": plain(asdict(settings)),
        "environment": environment(),
        "is_complete": False,
        "seconds": 0.0,
        "claims": [],
        "results": [],
    }


def environment() -> dict[str, str]:
    """What the numbers may depend on besides the settings."""
    return {
        **{name: version(name) for name in ("isthmus", "torch", "numpy")},
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def read_record(path: Path) -> Record:
    """The record in a file.

    Raises:
        FileMissingError, FileFormatError: If there is none, or it is damaged or of another kind.
    """
    record = read_json(path, _REMEDY)
    if not isinstance(record, dict) or record.get("format") != EXPERIMENT_FORMAT:
        raise FileFormatError(path, "it is not the record of an experiment", _REMEDY)
    if record.get("version") != _VERSION:
        raise FileFormatError(path, f"its version is {record.get('version')!r}", _REMEDY)
    for name, kind in (_HEADER | _BODY).items():
        if not isinstance(record.get(name), kind):
            raise FileFormatError(path, f"{name!r} is missing or of the wrong type", _REMEDY)
    if record["scale"] not in ("smoke", "full"):
        raise FileFormatError(path, f"its scale is {record['scale']!r}", _REMEDY)
    for row in record["results"]:
        is_done = isinstance(row, dict) and isinstance(row.get("cell"), dict)
        if not is_done or not isinstance(row.get("numbers", row.get("error")), dict | str):
            raise FileFormatError(path, "a result has no cell or no numbers", _REMEDY)
    for claim in record["claims"]:
        if not isinstance(claim, dict) or any(not isinstance(claim.get(n), k) for n, k in _CLAIM.items()):
            raise FileFormatError(path, "a claim is damaged", _REMEDY)
        if claim.get("agrees") not in (True, False, None):
            raise FileFormatError(path, "a verdict is neither true, false nor null", _REMEDY)
    return record


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write the record, atomically, a line for each result: such a file can be compared line by line."""
    head = json.dumps({**record, "results": []}, indent=1, allow_nan=False, ensure_ascii=False)
    rows = ",\n".join("  " + json.dumps(row, allow_nan=False, ensure_ascii=False) for row in record["results"])
    text = head.removesuffix("[]\n}") + (f"[\n{rows}\n ]\n}}\n" if rows else "[]\n}\n")
    write_atomically(path, text.encode())


def measurements(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`{**cell, **numbers}` of every cell that has numbers."""
    return [{**row["cell"], **row["numbers"]} for row in record["results"] if "numbers" in row]


def verdict(record: Mapping[str, Any]) -> bool | None:
    """Whether all claims that could be decided agree; None if none could be."""
    decided = [claim["agrees"] for claim in record["claims"] if claim["agrees"] is not None]
    return all(decided) if decided else None


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Where the numbers of two records of the same settings differ: the place, and by how much.

    Numbers differ by |a − b| / max(|a|, |b|), anything else by infinity; times are not compared.
    """
    found = []
    rows = {_key(row["cell"]): row.get("numbers", row.get("error")) for row in other["results"]}
    for row in one["results"]:
        place = ", ".join(f"{name} = {value}" for name, value in row["cell"].items())
        there = rows.pop(_key(row["cell"]), None)
        found += [(f"{place}{at}", size) for at, size in _apart(row.get("numbers", row.get("error")), there, "")]
    found += [(str(dict(key)), float("inf")) for key in rows]
    return found


def _key(cell: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(cell.items()))


def _apart(a: Any, b: Any, at: str) -> Iterator[tuple[str, float]]:
    if isinstance(a, Mapping) and isinstance(b, Mapping) and set(a) == set(b):
        for name in a:
            yield from _apart(a[name], b[name], f"{at}: {name}" if not at else f"{at}.{name}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for index, (left, right) in enumerate(zip(a, b, strict=True)):
            yield from _apart(left, right, f"{at}[{index}]")
    elif a != b:
        are_numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (a, b))
        yield at, abs(a - b) / max(abs(a), abs(b)) if are_numbers else float("inf")
