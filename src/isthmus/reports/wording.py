"""Numbers as a reader wants them, the same in the terminal, the paragraph and the tables."""

from __future__ import annotations

from collections.abc import Mapping

_MINUTE, _HOUR = 60.0, 3600.0


def number(value: float | None) -> str:
    """Four significant figures; a dash for what was not measured."""
    return "–" if value is None else f"{value:.4g}".replace("-", "−")


def rough(value: float) -> str:
    """Two significant figures, for standard errors and small differences."""
    return f"{value:.2g}".replace("-", "−")


def share(value: float) -> str:
    """A fraction as a percentage with one decimal, two figures where that would be 0.0 %, a bound below 0.01 %."""
    if 0 < abs(value) < 1e-4:
        return "under 0.01%"
    return f"{value:.1%}" if value == 0 or abs(value) >= 0.001 else f"{100 * value:.2g}%"


def numbers(k: int) -> str:
    """`1 number`, `4 numbers`."""
    return f"{k} number" if k == 1 else f"{k} numbers"


def numbers_of(count: int, thing: str) -> str:
    """`1 input`, `4 inputs`."""
    return f"{count} {thing}{'s' * (count != 1)}"


def ordinal(n: int) -> str:
    """`1st`, `2nd`, `3rd`, `4th` and so on."""
    ending = "th" if n % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def interval(lower: int, upper: int) -> str:
    """`4`, or `4 to 6`."""
    return str(lower) if lower == upper else f"{lower} to {upper}"


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, whichever is read most easily."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.3g} s"
    return f"{seconds / _MINUTE:.3g} min" if seconds < 2 * _HOUR else f"{seconds / _HOUR:.3g} h"


def at_points(counts: Mapping[str, int], points: int) -> str:
    """How the Jacobian's rank is distributed: `rank 4 at 493 of 500 points, rank 5 at 7`, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    if len(ordered) == 1:
        return f"rank {ordered[0][0]} at {f'each of {points} points' if points > 1 else 'the one point'}"
    first, *others = ordered
    return ", ".join(
        [f"rank {first[0]} at {first[1]} of {points} points", *(f"rank {rank} at {n}" for rank, n in others)]
    )
