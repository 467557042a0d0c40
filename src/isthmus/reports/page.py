"""One self-contained HTML page from one or more records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import plotly.graph_objects as go

from isthmus.errors import OptionError
from isthmus.foundation.files import write_atomically
from isthmus.reports import tables
from isthmus.reports.figure import (
    ANSWER,
    INSIDE,
    MEANING,
    OPENING,
    TRAINING,
    Drawing,
    drawings,
)
from isthmus.reports.record import Record
from isthmus.reports.sentences import cautions, headline, paragraph
from isthmus.reports.wording import interval
from isthmus.runs import FitRecord, MeasureRecord

_DIGITS = 5  # significant figures of what is drawn: finer than a pixel, and half the size of the page's data
_CHAPTERS = {
    MEANING: "What passes",
    ANSWER: "Why this many",
    INSIDE: "Inside the network",
    TRAINING: "How it was learned",
}


def write_report(records: Sequence[Record], path: Path) -> Path:
    """Write the page, atomically. It loads nothing from elsewhere, so it can be mailed and kept.

    Args:
        records: Of fits or measurements, at least one.
        path: The .html file; replaced if it exists.

    Returns:
        `path`.

    Raises:
        OptionError: If there are no records.
    """
    if not records:
        raise OptionError("the number of records", 0, "at least 1")
    drawn: dict[str, Drawing] = {}
    sections = [_section(record, index, drawn) for index, record in enumerate(records, start=1)]
    figures = {name: drawing.figure for name, drawing in drawn.items()}
    page = rendered(_title(records), _overview(records), "\n".join(sections), figures)
    write_atomically(path, page.encode())
    return path


def rendered(title: str, overview: str, sections: str, figures: Mapping[str, go.Figure]) -> str:
    """The page around sections of HTML, with the figures of their elements of class `plot` by the elements' ids."""
    drawable = {name: _drawable(figure) for name, figure in figures.items()}
    return framed(title, f"{overview}\n{sections}", drawable, ["plotly-basic.min.js", "page.js"])


def framed(title: str, body: str, data: object, scripts: Sequence[str], styles: Sequence[str] = ()) -> str:
    """The frame of every page, with its head, around a body of HTML.

    Args:
        title: Of the window.
        body: HTML.
        data: What the scripts draw, as values of JSON in the element `figures`.
        scripts: Names of the files of this room that are run after the body, in this order.
        styles: Names of files of this room beside `style.css`.
    """
    return Template(part("page.html")).substitute(
        title=escape(title),
        style="".join(map(part, ("style.css", *styles))),
        body=body,
        figures=_embedded(data),
        scripts="\n".join(f"<script>{part(name)}</script>" for name in ("theme.js", *scripts)),
    )


def _title(records: Sequence[Record]) -> str:
    if len(records) > 1:
        return f"{len(records)} runs – isthmus"
    return f"{records[0].name}: {headline(records[0])} – isthmus"


def part(name: str) -> str:
    """The text of a file of this room."""
    return resources.files("isthmus.reports").joinpath(name).read_text(encoding="utf-8")


def _drawable(figure: go.Figure) -> dict[str, Any]:
    plain = figure.to_plotly_json()
    return {"data": _rounded(plain["data"]), "layout": _rounded(plain["layout"])}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, Mapping):
        return {name: _rounded(entry) for name, entry in value.items()}
    return [_rounded(entry) for entry in value] if isinstance(value, list | tuple | range) else value


def _embedded(value: Any) -> str:
    """JSON that stays inside its script element whatever texts it holds."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _overview(records: Sequence[Record]) -> str:
    if len(records) == 1:
        return ""
    return f'<section class="overview"><h1>{len(records)} runs</h1>{tables.overview(records)}</section>'


def _section(record: Record, index: int, drawn: dict[str, Drawing]) -> str:
    found = drawings(record)
    chapters = [
        _chapter(record, index, chapter, [drawing for drawing in found if drawing.chapter == chapter])
        for chapter in _CHAPTERS
    ]
    drawn.update({_identity(index, drawing): drawing for drawing in found})
    return "\n".join(
        [
            f'<section class="record" id="record-{index}">',
            _opening(record),
            _figures(index, [drawing for drawing in found if drawing.chapter == OPENING], heading="h2"),
            _lead(record),
            tables.facts(record),
            *chapters,
            tables.evidence(record),
            _data(record),
            f"<details><summary>How this was made</summary>{tables.origin(record)}</details>",
            "</section>",
        ]
    )


def _opening(record: Record) -> str:
    """The answer in one glance: whether to rely on it, a large numeral and the sentence; the picture follows."""
    kind, bounds = "measurement", ""
    if isinstance(record, FitRecord):
        kind, bounds = record.task, _bounds(record.rank_lower, record.rank_upper)
    # In one record the page's only h1, in several the sections' own: each section can be read by itself.
    return (
        f'<p class="eyebrow">{escape(record.name)} <span>{escape(kind)}</span></p>{_verdict(record)}'
        f'<div class="opening"><p class="rank" aria-hidden="true">{record.answer}{bounds}</p>'
        f"<h1>{escape(headline(record))}</h1></div>"
    )


def _lead(record: Record) -> str:
    """What was found in a paragraph, and what to beware of."""
    notes = "".join(f'<p class="caution">{escape(caution)}</p>' for caution in cautions(record))
    return f'<div class="said"><p class="lead">{escape(paragraph(record))}</p>{notes}</div>'


def _data(record: Record) -> str:
    """What was done to the data, and what became of their columns."""
    if isinstance(record, MeasureRecord):
        return ""
    notes = "".join(f"<li>{escape(note)}</li>" for note in record.data.notes)
    listed = f"<ul class='evidence'>{notes}</ul>" if notes else ""
    table = tables.columns(record)
    return f"<h2>Data</h2>{listed}{table}" if listed or table else ""


def _verdict(record: Record) -> str:
    if isinstance(record, MeasureRecord):
        return ""
    level = record.verdict.level.replace(" ", "-")
    return f'<p class="verdict {level}">{escape(record.verdict.sentence)}</p>'


def _bounds(lower: int, upper: int) -> str:
    return f"<small>data allow<br> {'only ' if lower == upper else ''}{interval(lower, upper)}</small>"


def _chapter(record: Record, index: int, chapter: str, found: Sequence[Drawing]) -> str:
    after = "".join(_numbers(record, chapter))
    if not found and not after:
        return ""
    return f"<h2>{_CHAPTERS[chapter]}</h2>{_figures(index, found)}{after}"


def _figures(index: int, found: Sequence[Drawing], heading: str = "h3") -> str:
    elements = "".join(figure_element(_identity(index, drawing), drawing, heading) for drawing in found)
    return f'<div class="figures">{elements}</div>' if found else ""


def _numbers(record: Record, chapter: str) -> Iterator[str]:
    """The same as the figures of a chapter in numbers, for reading and for those who do not see the figures."""
    if chapter == ANSWER:
        if isinstance(record, MeasureRecord):
            tabled = tables.changes(record)
        else:
            yield tables.comparison(record)
            tabled = tables.errors(record)
        if tabled:
            yield f"<details><summary>In numbers</summary>{tabled}</details>"
    if chapter == MEANING and isinstance(record, FitRecord) and (tabled := tables.combinations(record)):
        yield f"<h3>Linear combinations of the inputs</h3>{tabled}"
    if chapter == INSIDE:
        yield f"<details><summary>Layer by layer</summary>{tables.layers(record)}</details>"


def figure_element(identity: str, drawing: Drawing, heading: str = "h3") -> str:
    """The place of a drawing on the page, with its words; `rendered` fills it by the identity."""
    shape = ' class="wide"' if drawing.is_wide else ""
    shaped = f' style="height:auto;aspect-ratio:{drawing.proportion:.4g}"' if drawing.proportion else ""
    shaped = f' style="height:{drawing.height}px"' if drawing.height else shaped
    quantity = f'<p class="quantity">{escape(drawing.quantity)}</p>' if drawing.quantity else ""
    described = escape(f"{drawing.title}. {drawing.caption}")
    return (
        f"<figure{shape}><{heading}>{escape(drawing.title)}</{heading}>"
        f"<figcaption>{escape(drawing.caption)}</figcaption>{quantity}"
        f'<div class="plot" id="{identity}" role="img" aria-label="{described}"{shaped}></div>'
        "</figure>"
    )


def _identity(index: int, drawing: Drawing) -> str:
    return f"figure-{index}-{drawing.name}"
