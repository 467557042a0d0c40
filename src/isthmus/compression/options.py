"""What is asked of a smaller network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isthmus.foundation.progress import Report
from isthmus.foundation.tolerance import Tolerance
from isthmus.spectra.units import Scaling


@dataclass(frozen=True)
class Options:
    """The arguments of `compress` beside the model and the rows, as they are explained there."""

    box: tuple[object, object] | None
    tolerance: Tolerance | None
    rank: int | None
    scale_outputs: Scaling
    seed: int
    names: Mapping[str, Any]
    report: Report
