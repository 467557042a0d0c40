"""Columns written as a table."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import MissingExtraError, OptionError
from isthmus.foundation.files import write_atomically


def write_table(columns: Mapping[str, NDArray[Any]], path: Path) -> None:
    """Write columns of equal length to a .csv, .parquet or .npy file, atomically.

    Args:
        columns: By name; a .npy file has no names and takes numbers only.
        path: The file; replaced if it exists.

    Raises:
        OptionError: If the name ends in something else, or there is nothing or no number to write to .npy.
        MissingExtraError: If pandas, or pyarrow for .parquet, is not installed.
    """
    kind = path.suffix.lower()
    stream = io.BytesIO()
    if kind == ".npy":
        numbers = [column for column in columns.values() if column.dtype.kind in "fiub"]
        if not numbers:
            raise OptionError("the number of columns of numbers", 0, "at least 1 for .npy; write a .csv file")
        np.save(stream, np.stack(numbers, 1), allow_pickle=False)
    elif kind in (".csv", ".parquet"):
        try:
            import pandas as pd
        except ImportError as absent:
            raise MissingExtraError(f"Writing {kind} files", "pandas", "tables") from absent
        frame = pd.DataFrame(dict(columns))
        if kind == ".csv":
            stream.write(frame.to_csv(index=False).encode())
        else:
            try:
                frame.to_parquet(stream, index=False, engine="pyarrow")
            except ImportError as absent:
                raise MissingExtraError("Writing .parquet files", "pyarrow", "tables") from absent
    else:
        raise OptionError("the file", str(path), "one whose name ends in .csv, .parquet or .npy")
    write_atomically(path, stream.getvalue())
