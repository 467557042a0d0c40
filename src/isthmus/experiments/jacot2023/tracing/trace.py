"""A statement with the places of a diagram at which it holds, and at which it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Place:
    """A place of a diagram.

    Attributes:
        group: The values of all axes but the last, in words: "Adam, λ = 0.01".
        at: The value of the last axis, "L = 13".
        value: What was measured there, in words.
        holds: Whether the statement does.
        networks: How many networks or functions the value rests on.
    """

    group: str
    at: str
    value: str
    holds: bool
    networks: int


@dataclass(frozen=True)
class Trace:
    """Where a statement holds.

    Attributes:
        experiment: Whose statement it is.
        claim: As its record has it.
        diagram: The experiment whose record is read.
        rule: When it holds at a place, after what the values are.
        places: From the settings and the rows of the diagram's record; those without a network are left out.
    """

    experiment: str
    claim: str
    diagram: str
    rule: str
    places: Callable[[Mapping[str, Any], Sequence[Row]], Sequence[Place]]


def share(rows: Sequence[Row], has: Callable[[Row], bool]) -> float:
    """The share of the rows that have it; of one row at least."""
    return sum(has(row) for row in rows) / len(rows)
