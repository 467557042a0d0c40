"""The rows of a sweep as a table for other programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from isthmus.sweeps.cell import CellRow

FOUND = ("status", "rank", "lower", "upper", "probability", "verdict", "error", "objective", "seconds", "failure")
"""What every row tells beside its settings."""


def sweep_csv(rows: Sequence[CellRow]) -> str:
    """A line for each cell under a header: number, settings, and what was found; empty where it is not known."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = list(rows[0].settings)
    writer.writerow(["number", *names, *FOUND])
    for row in rows:
        settings = [_plain(row.settings[name]) for name in names]
        writer.writerow([row.number, *settings, *(_plain(getattr(row, name)) for name in FOUND)])
    return text.getvalue()


def sweep_json(rows: Sequence[CellRow]) -> list[dict[str, Any]]:
    """Each cell as JSON values."""
    return [{**asdict(row), "probability": row.probability, "error": row.error} for row in rows]


def _plain(value: Any) -> Any:
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, list | dict) else value
