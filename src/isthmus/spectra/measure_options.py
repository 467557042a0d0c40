"""What was asked of a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

from isthmus.errors import OptionError
from isthmus.foundation.memory import DEFAULT_MEMORY
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.spectra.units import Scaling

EVALUATIONS = 1_000_000
"""How many rows a callable may be evaluated at."""


@dataclass(frozen=True)
class MeasureOptions:
    """The options of `measure`, which explains them, and whether the layers are measured as well."""

    tolerance: Tolerance = DEFAULT_TOLERANCE
    points: int = 500
    output: str | None = None
    leading: int | None = None
    memory: int = DEFAULT_MEMORY
    seed: int = 0
    check: bool = True
    evaluations: int = EVALUATIONS
    scale_inputs: Scaling = "data"
    scale_outputs: Scaling = "data"
    are_layers_measured: bool = True

    def __post_init__(self) -> None:
        for name in ("points", "leading", "evaluations"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, Integral) or value < 1):
                raise OptionError(name, value, "a whole number, at least 1")
