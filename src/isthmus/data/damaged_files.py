"""What the readers of files raise, as errors that name the file and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isthmus.data.text_stream import undecodable_line
from isthmus.errors import FileFormatError, IsthmusError

SAVE_AGAIN = "Save the table again as comma-separated UTF-8 text, or as .parquet."


@contextmanager
def file_errors(path: Path, encoding: str | None = None) -> Iterator[None]:
    """What the readers raise for damaged files, as `FileFormatError`.

    Args:
        path: The file.
        encoding: Of a text file, where its user says it.
    """
    try:
        yield
    except (IsthmusError, PermissionError):
        raise
    except UnicodeError as wrong:
        if encoding is not None:
            cause = f"it is not text in {encoding} ({wrong})"
        else:
            line, byte = undecodable_line(path)
            cause = f"it is not UTF-8 text (byte 0x{byte:02X} in line {line})"
        raise FileFormatError(path, cause, f"Use --encoding, cp1252 for example. {SAVE_AGAIN}") from wrong
    except Exception as damaged:  # of a damaged file the readers raise whatever comes first
        raise FileFormatError(path, " ".join(str(damaged).split()).rstrip("."), SAVE_AGAIN) from damaged
