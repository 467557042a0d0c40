"""`.pt2` archives, cleaned of everything that torch would run or unpickle while loading them."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from isthmus.errors import FileFormatError

_REMEDY = "Export the model again with torch.export.save, with plain tensors as weights."
_ARITHMETIC = "add|sub|mul|truediv|floordiv|mod|neg|pow|eq|ne|lt|le|gt|ge|getitem"
_TARGET = re.compile(rf"torch\.ops\.aten\.\w+\.\w+|_operator\.({_ARITHMETIC})")
_NAME = re.compile(r"[\w.]*")
_WORDS = {
    *("Symbol", "positive", "nonnegative", "integer", "True", "False", "Integer", "Add", "Mul", "Pow", "Max", "Min"),
    *("Mod", "FloorDiv", "CleanDiv", "CeilDiv", "Eq", "Ne", "Lt", "Le", "Gt", "Ge", "int_oo"),
}
_EXPRESSION = re.compile(r"[\w\s()+*/,='<>-]*")
_SYMBOL = re.compile(r"[su]\d+")
_PLAIN = re.compile(r"weight_\d+|tensor_\d+|.*_config\.json")


def cleaned(path: Path) -> io.BytesIO:
    """The archive at `path` as `torch.export.load` may safely read it.

    `torch.export.load` (2.13) unpickles sample inputs and weights marked so, loads compiled libraries, executes
    guards and evaluates expressions. Here the sample inputs and guards are emptied, and whatever else could run code
    is refused.

    Raises:
        FileFormatError: If the file is damaged, not a .pt2, or holds what is never loaded.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {each.filename: archive.read(each) for each in archive.infolist() if not each.is_dir()}
    except Exception as damaged:  # of a damaged archive zipfile and zlib raise whatever comes first
        raise FileFormatError(path, f"it is damaged or not a .pt2 archive ({damaged})", _REMEDY) from damaged
    names = {name.partition("/")[2]: name for name in entries}
    if "archive_format" not in names or entries[names["archive_format"]].strip() != b"pt2":
        kind = "a pickled torch file" if any(name.endswith(".pkl") for name in names) else "a zip of another kind"
        raise FileFormatError(path, f"it is {kind}, not an exported program; pickles are never loaded", _REMEDY)
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_STORED) as copy:
        for inner, name in names.items():
            copy.writestr(name, _safe(path, inner, entries[name]))
    kept.seek(0)
    return kept


def _safe(path: Path, inner: str, content: bytes) -> bytes:
    """The content of one entry as it may be loaded."""
    if inner.startswith("data/sample_inputs/"):
        return b""  # a pickle that nothing here needs
    if inner.startswith("models/"):
        program = _json(path, inner, content)
        program["guards_code"] = []
        for place in _strings(program):
            _check(path, *place)
        return json.dumps(program).encode()
    if inner.startswith(("data/weights/", "data/constants/")):
        file = inner.rpartition("/")[2]
        if not _PLAIN.fullmatch(file):
            raise _refused(path, f"{file} is a pickled object")
        if file.endswith(".json"):
            config = _json(path, inner, content).get("config", {})
            if not isinstance(config, dict) or not all(isinstance(each, dict) for each in config.values()):
                raise FileFormatError(path, f"{inner} is damaged (no description of tensors)", _REMEDY)
            for payload in config.values():
                if payload.get("use_pickle") or not _PLAIN.fullmatch(str(payload.get("path_name"))):
                    raise _refused(path, f"{payload.get('path_name')} is a pickled object")
        return content
    if inner.startswith(("data/aotinductor", "data/executorch")):
        raise _refused(path, "it holds compiled code")
    return content


def _json(path: Path, inner: str, content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as damaged:
        raise FileFormatError(path, f"{inner} is damaged ({damaged})", _REMEDY) from damaged
    if not isinstance(value, dict):
        raise FileFormatError(path, f"{inner} is damaged (no object)", _REMEDY)
    return value


def _strings(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name != "metadata":  # stack traces and the like: kept as texts, never looked at
                yield from _strings(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner, key)
    elif isinstance(value, str):
        yield key, value


def _check(path: Path, key: str, text: str) -> None:
    if key == "target" and not _TARGET.fullmatch(text):
        raise _refused(path, f"it calls {text!r}, which is no plain tensor operation")
    if key in ("name", "parameter_name", "buffer_name") and not _NAME.fullmatch(text):
        raise _refused(path, f"the name {text!r} is not one that torch gives")
    if key == "expr_str":
        words = {word for word in re.findall(r"[A-Za-z_]\w*", text) if not _SYMBOL.fullmatch(word)}
        if not _EXPRESSION.fullmatch(text) or not words <= _WORDS:
            raise _refused(path, f"the size {text!r} is not a plain expression, and torch would evaluate it")


def _refused(path: Path, cause: str) -> FileFormatError:
    return FileFormatError(path, f"{cause}; what may run code is never loaded", _REMEDY)
