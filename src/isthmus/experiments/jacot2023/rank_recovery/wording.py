"""Numbers of several seeds in a few words."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median


def whole(values: Sequence[int]) -> str:
    """The value, or the smallest and the largest."""
    if not values:
        return "none"
    return str(min(values)) if min(values) == max(values) else f"{min(values)} to {max(values)}"


def spread(values: Sequence[float], form: str = ".3g") -> str:
    """Median [smallest, largest] in the format `form`."""
    if not values:
        return "none"
    return f"{median(values):{form}} [{min(values):{form}}, {max(values):{form}}]"


def share(right: Sequence[bool]) -> str:
    """How many of how many."""
    return f"{sum(right)} of {len(right)}"
