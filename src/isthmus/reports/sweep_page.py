"""A sweep as one page: heat maps of what was found over two of its axes, and the table of its cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from statistics import fmean
from typing import Any

import plotly.graph_objects as go

from isthmus.errors import OptionError
from isthmus.foundation.files import write_atomically
from isthmus.reports.canvas import SCALE, blank, label, shortened
from isthmus.reports.figure import ANSWER, Drawing
from isthmus.reports.heat_map import add_heat_map, name_cells
from isthmus.reports.page import figure_element, rendered
from isthmus.reports.wording import duration, interval, number
from isthmus.sweeps import CellRow

_QUANTITIES = {
    "rank": ("Rank", "The mean of the ranks over all other axes; on hovering, how often each rank was found."),
    "error": ("Held-out error", "The mean held-out loss through as many numbers as the rank, over all other axes."),
    "objective": ("Objective", "The mean training objective of the network of all rows, over all other axes."),
}
_SHOWN = 1000  # rows of the table; all of them are in the .csv file
_ROW_HEIGHT, _MARGINS = 34, 120  # pixels

Axes = Mapping[str, Sequence[Any]]


def chosen_axes(axes: Axes, x: str | None = None, y: str | None = None) -> tuple[str | None, str | None]:
    """The axes that a page is drawn over: those that are named, or else the first two, seeds last.

    Raises:
        OptionError: If a name is not that of an axis, or both are the same.
    """
    for option, name in (("--x", x), ("--y", y)):
        if name is not None and name not in axes:
            raise OptionError(option, name, f"one of {', '.join(axes) or 'no axes: nothing has several values'}")
    if x is not None and x == y:
        raise OptionError("--y", y, "another axis than --x")
    free = [name for name in sorted(axes, key=lambda name: name == "seed") if name not in (x, y)]
    x = x or (free.pop(0) if free else None)
    return x, y or (free.pop(0) if free else None)


def write_sweep_page(
    rows: Sequence[CellRow], axes: Axes, path: Path, *, name: str, x: str | None = None, y: str | None = None
) -> Path:
    """Write the page, atomically, and return its path.

    Args:
        rows: Of every cell.
        axes: What has several values, with these.
        path: The .html file; replaced if it exists.
        name: Of the sweep.
        x: The axis from left to right.
        y: The axis from bottom to top.

    Raises:
        OptionError: If `x` or `y` is no axis.
    """
    x, y = chosen_axes(axes, x, y)
    drawings = [*_drawings(rows, axes, x, y)]
    title = sweep_in_words(rows)
    elements = "".join(figure_element(drawing.name, drawing) for drawing in drawings)
    section = (
        f'<section class="record"><p class="eyebrow">{escape(name)} <span>sweep</span></p><h1>{escape(title)}</h1>'
        f'<p class="lead">{escape(_spent(rows))} {escape(constants_in_words(rows, axes))}</p>'
        f'<div class="figures">{elements}</div><h2>Cells</h2>{_table(rows, axes)}</section>'
    )
    figures = {drawing.name: drawing.figure for drawing in drawings}
    write_atomically(path, rendered(f"{name}: {title} – isthmus", "", section, figures).encode())
    return path


def sweep_in_words(rows: Sequence[CellRow]) -> str:
    """How many cells there are and how they ended, in a sentence."""
    done, failed = (sum(row.status == status for row in rows) for status in ("done", "failed"))
    return f"{done} of {len(rows)} cells done{f', {failed} failed' if failed else ''}."


def _spent(rows: Sequence[CellRow]) -> str:
    seconds = [row.seconds for row in rows if row.seconds is not None]
    return f"Together they took {duration(sum(seconds))}." if seconds else "None has an answer."


def _drawings(rows: Sequence[CellRow], axes: Axes, x: str | None, y: str | None) -> Iterator[Drawing]:
    for quantity, (title, caption) in _QUANTITIES.items():
        height = _MARGINS + _ROW_HEIGHT * len(axes[y] if y else [None])
        figure = heat_map(rows, axes, quantity, x, y)
        yield Drawing(quantity, ANSWER, title, caption, y or "", figure, is_wide=True, height=height)


def heat_map(rows: Sequence[CellRow], axes: Axes, quantity: str, x: str | None, y: str | None) -> go.Figure:
    """The mean of a quantity in the cells of each pair of values; empty where none is known."""
    across, up = (axes[name] if name else [None] for name in (x, y))
    figure = blank(x or "")
    values: list[list[float | None]] = []
    hover: list[list[str]] = []
    for above in up:
        there = [
            [row for row in rows if (not x or row.settings[x] == at) and (not y or row.settings[y] == above)]
            for at in across
        ]
        values.append([_mean(cells, quantity) for cells in there])
        hover.append([_in_words(cells, quantity) for cells in there])
    add_heat_map(
        figure,
        values,
        hover=hover,
        texts=[["" if value is None else number(value) for value in line] for line in values],
        scale=SCALE,
        colorbar={"thickness": 12},
    )
    figure.update_xaxes(name_cells([_value(at) for at in across]))
    figure.update_yaxes(name_cells([_value(above) for above in up]))
    return figure


def _mean(cells: Sequence[CellRow], quantity: str) -> float | None:
    known = [value for cell in cells if (value := getattr(cell, quantity)) is not None]
    return fmean(known) if known else None


def _in_words(cells: Sequence[CellRow], quantity: str) -> str:
    known = [value for cell in cells if (value := getattr(cell, quantity)) is not None]
    failed = sum(cell.status == "failed" for cell in cells)
    if quantity == "rank":
        said = ", ".join(f"rank {rank}: {known.count(rank)}" for rank in sorted(set(known)))
    else:
        said = f"{number(min(known))} to {number(max(known))}" if known else ""
    return label("; ".join(filter(None, [said, f"of {len(cells)} cells", f"{failed} failed" if failed else ""])))


def _value(value: Any) -> str:
    return label(shortened("" if value is None else str(value)))


def _table(rows: Sequence[CellRow], axes: Axes) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in columns(axes))
    lines = "".join(
        f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row_texts(row, axes))}</tr>" for row in rows[:_SHOWN]
    )
    more = "" if len(rows) <= _SHOWN else f"<p>{len(rows) - _SHOWN} more are in the table cells.csv.</p>"
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>{more}'


def constants_in_words(rows: Sequence[CellRow], axes: Axes) -> str:
    """What all cells have in common."""
    common = [f"{name} {value}" for name, value in rows[0].settings.items() if name not in axes]
    return f"All have {', '.join(common)}." if common else ""


def columns(axes: Axes) -> tuple[str, ...]:
    """Names of what `row_texts` gives."""
    return ("cell", *axes, "rank", "verdict", "error", "objective", "time")


def row_texts(row: CellRow, axes: Axes) -> list[str]:
    """A cell as texts: number, what tells it from the others, rank with its interval, verdict or failure, and so on."""
    rank = "–"
    if row.rank is not None and row.lower is not None and row.upper is not None:
        bounds = "" if row.lower == row.upper else f" ({interval(row.lower, row.upper)})"
        rank = f"{row.rank}{bounds}"
    time = "–" if row.seconds is None else duration(row.seconds)
    said = row.failure or row.verdict or row.status
    found = [rank, said, number(row.error), number(row.objective), time]
    return [str(row.number), *(str(row.settings[name]) for name in axes), *found]
