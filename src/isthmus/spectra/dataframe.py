"""Results as pandas tables, for those who have pandas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from isthmus.errors import MissingExtraError

if TYPE_CHECKING:
    import pandas as pd


def data_frame(rows: Sequence[Mapping[str, Any]], what: str, *, index: str | None = None) -> pd.DataFrame:
    """One row of a table for each mapping.

    Args:
        rows: Column names and values.
        what: What the table is of, for the message.
        index: The column that names the rows; they are numbered if None.

    Raises:
        MissingExtraError: If pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as missing:
        raise MissingExtraError(f"A table of {what}", "pandas", "tables") from missing
    table = pd.DataFrame(list(rows))
    return table if index is None else table.set_index(index)
