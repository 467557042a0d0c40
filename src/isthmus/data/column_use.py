"""What has become of a column of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "date", "duration", "categories", "target", "weights", "group", "time", "left out"]


@dataclass(frozen=True)
class ColumnUse:
    """A column and its use.

    Attributes:
        name: As the table calls it; `column 3` where it does not.
        kind: What it is used as.
        detail: The unit, the categories, or why it was left out; "" where there is nothing to say.
    """

    name: str
    kind: Kind
    detail: str = ""
