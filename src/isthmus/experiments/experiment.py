"""An experiment as a value: what is claimed, with which settings, in which pieces, how it is judged and drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Generic, Literal, TypeVar

import numpy as np

from isthmus.reports.figure import Drawing

Cell = Mapping[str, int | float | str]
"""One independent piece of an experiment, such as `{"depth": 13, "seed": 0}`."""
Numbers = Mapping[str, Any]
"""What a cell measured, as JSON values; finite."""
Scale = Literal["smoke", "full"]
S = TypeVar("S")  # a frozen dataclass of numbers, texts and tuples of them


@dataclass(frozen=True)
class Claim:
    """A statement of the source beside what was measured.

    Attributes:
        claim: The statement.
        published: What the source gives: a number, a picture in words.
        measured: The same from our runs, with its spread.
        agrees: Whether it does; None where the runs cannot decide.
        why: How it was judged, and where it disagrees the reason as far as it is known.
    """

    claim: str
    published: str
    measured: str
    agrees: bool | None
    why: str

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Experiment(Generic[S]):
    """A claim of the paper that can be run again.

    Attributes:
        name: What `isthmus reproduce` calls it.
        title: A line.
        claim: What is replayed, in one sentence.
        source: Where the source says it.
        published: What the source shows, in one sentence.
        smoke: Settings of seconds, which exercise every branch.
        full: Settings of the committed record.
        cells: The independent pieces of work for given settings, longest first.
        work: What one cell measures on a device. Equal settings and cells give equal numbers.
        claims: The verdicts, from `{**cell, **numbers}` of every finished cell.
        drawings: The figures of a record, from nothing but the record.
    """

    name: str
    title: str
    claim: str
    source: str
    published: str
    smoke: S
    full: S
    cells: Callable[[S], Sequence[Cell]]
    work: Callable[[S, Cell, str], Numbers]
    claims: Callable[[S, Sequence[Mapping[str, Any]]], Sequence[Claim]]
    drawings: Callable[[Mapping[str, Any]], Sequence[Drawing]]

    def settings(self, scale: Scale) -> S:
        """The settings of a scale."""
        return self.smoke if scale == "smoke" else self.full

    def restored(self, written: Mapping[str, Any]) -> S:
        """Settings from a record.

        Raises:
            ValueError: If a name is missing or unknown, or a value is of another type than in the full settings.
        """
        known = {field.name: getattr(self.full, field.name) for field in fields(self.full)}  # type: ignore[arg-type]
        if set(written) != set(known):
            raise ValueError(
                f"its settings are not those of {self.name}: {', '.join(sorted(set(written) ^ set(known)))}"
            )
        values = {name: _frozen(value) for name, value in written.items()}
        for name, value in values.items():
            if not _is_alike(value, known[name]):
                raise ValueError(f"its setting {name!r} has the wrong type")
        return type(self.full)(**values)


def plain(value: Any) -> Any:
    """A value without tuples and numpy scalars, as it will be read back from JSON."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {name: plain(entry) for name, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def _frozen(value: Any) -> Any:
    return tuple(_frozen(entry) for entry in value) if isinstance(value, list) else value


def _is_alike(value: Any, known: Any) -> bool:
    """Whether a value can stand for one known to be right: its type, and that of its entries."""
    if isinstance(known, tuple):
        return isinstance(value, tuple) and all(_is_alike(entry, known[0]) for entry in value if known)
    if isinstance(known, bool) or isinstance(value, bool):
        return type(value) is type(known)
    return isinstance(value, int | float if isinstance(known, float) else type(known))
