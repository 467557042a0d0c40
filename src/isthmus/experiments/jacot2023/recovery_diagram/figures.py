"""Heat maps: depth to the right, λ upwards, one for each N."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from isthmus.experiments.jacot2023.diagram import phase_diagram
from isthmus.experiments.jacot2023.recovery_diagram.claims import LOWEST, RANDOM, share_right
from isthmus.experiments.record import measurements
from isthmus.reports.figure import Drawing

_CHAPTER = "figures"


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """The share right of both kinds at every N that has numbers."""
    rows, settings = measurements(record), record["settings"]
    found = []
    for kind in (RANDOM, LOWEST):
        for n in sorted({row["n"] for row in rows}):

            def right(cell: Sequence[Mapping[str, Any]], kind: str = kind) -> float:
                return share_right(cell, kind, settings["rank"])

            chosen = [row for row in rows if row["n"] == n]
            figure = phase_diagram(
                chosen, ("depth", "depth L", settings["depths"]), ("ridge", settings["ridges"]), right, (0, 1)
            )
            caption = f"Share of networks whose bottleneck rank at 0.1 is k = {settings['rank']}, over the seeds."
            name = f"right-{kind.replace(' ', '-')}-{n}"
            found.append(Drawing(name, _CHAPTER, f"Rank recovered, N = {n}, {kind}", caption, "λ", figure))
    return found
