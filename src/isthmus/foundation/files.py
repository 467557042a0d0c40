"""Writing files so that a reader sees the old content or the new, never half of it."""

from __future__ import annotations

import errno
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from isthmus.errors import FileFormatError, FileMissingError


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content`; a crash leaves the previous file untouched and no debris a reader could mistake."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():  # told by its own name, not by that of the file beside it
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files private; a result should be as readable as any other new file.
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON, atomically. NaN and infinity are refused: they are not JSON."""
    write_atomically(path, (json.dumps(value, indent=1, allow_nan=False) + "\n").encode())


def read_json(path: Path, remedy: str) -> Any:
    """The value in the JSON file `path`; damaged or missing files raise errors that end in `remedy`."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as missing:
        raise FileMissingError(path, remedy) from missing
    except (ValueError, RecursionError) as damaged:
        raise FileFormatError(path, f"it is not valid JSON ({damaged})", remedy) from damaged


def shareable(text: str) -> str:
    """Paths in an argument as seen from the working folder, or from home as `~`: a record passed on names nobody."""
    for folder, short in ((str(Path.cwd()), ""), (os.path.expanduser("~"), "~/")):  # noqa: PTH111 (Path.home may raise)
        if folder.strip(os.sep + "~"):
            text = short.join(re.split(rf"(?<![^\s=:,]){re.escape(folder + os.sep)}", text))
    return text
