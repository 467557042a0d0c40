"""The one place that says what "close to zero" means, and relative to what."""

from __future__ import annotations

import math
from dataclasses import dataclass

from isthmus.errors import OptionError


@dataclass(frozen=True)
class Tolerance:
    r"""Which singular values count as zero: those at or below `relative` times the largest.

    A trained network carries its k signal directions and often one more at a few per cent or per mille of the
    largest (a sheet of dimension k lies slightly bent in k + 1 dimensions), so a rank without a tolerance means
    nothing. The default is justified in `docs/decisions/0004-default-tolerance.md`.

    Attributes:
        relative: Threshold in units of the largest singular value, in (0, 1).

    Example:
        >>> from isthmus import Tolerance
        >>> Tolerance(0.01).relative
        0.01
    """

    relative: float = 0.1

    def __post_init__(self) -> None:
        if not (math.isfinite(self.relative) and 0.0 < self.relative < 1.0):
            raise OptionError("tolerance", self.relative, "a number strictly between 0 and 1")


DEFAULT_TOLERANCE = Tolerance()
