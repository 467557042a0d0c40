"""How much memory a table needs, before it is read."""

from __future__ import annotations

from pathlib import Path

from isthmus.foundation.memory import refuse_beyond_memory

_BYTES_A_FIELD = 70  # peak of fitting 10^7 × 11 numbers that are held; of reading 60 × 200,000 it was 105
_UNPACKED = 5  # how many times as long a packed text commonly is


def refuse_too_large(what: str, rows: int, columns: int) -> None:
    """Raise `TooLargeError` if a table of so many rows and columns does not fit into the memory of this machine."""
    remedy = "Use fewer rows or columns, or save it as .parquet, of which a long one is read some rows at a time"
    refuse_beyond_memory(
        f"a table of about {rows} × {columns} numbers ({what})", rows * columns * _BYTES_A_FIELD, remedy
    )


def text_rows(path: Path, bytes_per_row: float) -> int:
    """About how many rows a text file has."""
    packed = 1 if path.suffix.lower() not in (".gz", ".zip", ".zst") else _UNPACKED
    return int(packed * path.stat().st_size / max(bytes_per_row, 1.0))
