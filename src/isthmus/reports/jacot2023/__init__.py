"""Figures of the replayed slides, from records alone, by the name of the experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from isthmus.reports.figure import Drawing
from isthmus.reports.jacot2023 import (
    huge_depth,
    infinite_depth,
    linear_networks,
    sample_size,
)

DRAWINGS: Mapping[str, Callable[[Mapping[str, Any]], Sequence[Drawing]]] = {
    "huge-depth": huge_depth.drawings,
    "sample-size": sample_size.drawings,
    "linear-networks": linear_networks.drawings,
    "infinite-depth": infinite_depth.drawings,
}
