"""Figures of the replayed slides, from records alone, by the name of the experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from isthmus.reports.figure import Drawing
from isthmus.reports.jacot2023 import (
    linear_networks,
)

DRAWINGS: Mapping[str, Callable[[Mapping[str, Any]], Sequence[Drawing]]] = {
    "linear-networks": linear_networks.drawings,
}
