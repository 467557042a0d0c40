"""What layers measure, as a pandas table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from isthmus.errors import MissingExtraError

if TYPE_CHECKING:
    import pandas as pd


def table(layers: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """One row a layer, one column a measurement.

    Raises:
        MissingExtraError: If pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError as missing:
        raise MissingExtraError("A table of layers", "pandas", "tables") from missing
    return pd.DataFrame(list(layers))
