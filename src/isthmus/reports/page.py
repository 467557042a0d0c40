"""One self-contained HTML page from one or more records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from isthmus.errors import FileFormatError
from isthmus.files import write_atomically
from isthmus.reports import figures, tables
from isthmus.reports.summary import headline, paragraph, warnings

Record = Mapping[str, Any]

_NEEDED = {
    "fit": ("name", "task", "rank", "error_curve", "layers", "jacobian", "history", "data", "options", "versions"),
    "measure": ("name", "bottleneck_rank", "layers", "jacobian", "versions"),
}


def write_report(records: Sequence[Record], path: Path) -> Path:
    """Write the page, atomically: no file is loaded from elsewhere, so it can be mailed and kept.

    Args:
        records: Of fits or measurements, at least one.
        path: The .html file.

    Returns:
        `path`.

    Raises:
        FileFormatError: If a record lacks what the page shows.
    """
    for record in records:
        _check(record, path)
    drawn: dict[str, go.Figure] = {}
    sections = [_section(record, number, drawn) for number, record in enumerate(records, start=1)]
    overview = tables.overview(records) if len(records) > 1 else ""
    page = Template(_part("page.html")).substitute(
        title=escape(f"isthmus: {', '.join(str(record['name']) for record in records)}"),
        style=_part("style.css"),
        plotly=get_plotlyjs(),
        body=overview + "\n".join(sections),
        figures=_embedded({name: figure.to_plotly_json() for name, figure in drawn.items()}),
        script=_part("page.js"),
    )
    write_atomically(path, page.encode())
    return path


def _check(record: Record, path: Path) -> None:
    kind = record.get("kind")
    missing = [name for name in _NEEDED.get(str(kind), ("kind",)) if name not in record]
    if missing:
        cause = f"the record of {record.get('name', 'the run')} has no {', '.join(missing)}"
        raise FileFormatError(path, cause, "Fit or measure again to write a complete record.")


def _part(name: str) -> str:
    return resources.files("isthmus.reports").joinpath(name).read_text(encoding="utf-8")


def _embedded(value: Any) -> str:
    """JSON that can stand inside a script element whatever texts it holds."""
    text = json.dumps(value, default=list, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _section(record: Record, number: int, drawn: dict[str, go.Figure]) -> str:
    parts = [f'<section class="record" id="record-{number}">', f"<h1>{escape(headline(record))}</h1>"]
    parts.append(f'<p class="lead">{escape(paragraph(record))}</p>')
    parts += [f'<p class="warning lead">{escape(warning)}</p>' for warning in warnings(record)]
    parts.append(tables.facts(record))
    parts.append('<div class="figures">')
    for name, title, caption, figure, is_tall in _figures(record):
        identity = f"figure-{number}-{name}"
        drawn[identity] = figure
        shape, height = ("wide", "tall") if is_tall else ("", "")
        parts.append(
            f'<figure class="{shape}"><h3>{escape(title)}</h3><figcaption>{escape(caption)}</figcaption>'
            f'<div class="plot {height}" id="{identity}" role="img" aria-label="{escape(title)}"></div></figure>'
        )
    parts.append("</div>")
    parts += [
        tables.evidence(record),
        tables.errors(record),
        tables.layers(record),
        tables.origin(record),
        "</section>",
    ]
    return "\n".join(parts)


def _figures(record: Record) -> list[tuple[str, str, str, go.Figure, bool]]:
    """(id, title, caption, figure, whether it is tall and wide), in the order of the story."""
    spectra = [
        (
            "weights",
            "Weights through the network",
            "The first ten singular values of each W_ℓ: in the middle, as many stay large as numbers pass.",
            figures.spectrum_through_layers(record, "weight_singular_values", "singular values of W_ℓ"),
            False,
        ),
        (
            "activations",
            "Activations through the network",
            "Standard deviations of each layer's activations along their principal directions.",
            figures.spectrum_through_layers(record, "activation_singular_values", "standard deviation"),
            False,
        ),
        (
            "nonlinearity",
            "Impact of the nonlinearity",
            "Where it vanishes, a layer is linear on the data and only passes numbers on.",
            figures.nonlinearity(record),
            False,
        ),
        (
            "jacobian",
            "Jacobian spectrum",
            "Singular values of the derivative at data points, relative to the first; "
            "those below the tolerance count as absent.",
            figures.jacobian(record),
            False,
        ),
    ]
    if record["kind"] == "measure":
        return spectra
    story = [
        (
            "curve",
            "Error over k",
            "How well the best function through k numbers predicts rows that were not trained "
            "on. The answer is the smallest k that does as well as the whole network.",
            figures.error_curve(record),
            True,
        )
    ]
    if record.get("reconstructions"):
        story.append(
            (
                "images",
                "Images and their reconstructions",
                "Rows that were not trained on.",
                figures.images(record),
                True,
            )
        )
    if record.get("arrows"):
        story.append(
            (
                "arrows",
                "Where points go",
                "Random points of the plane and what the autoencoder makes of them.",
                figures.arrows(record),
                True,
            )
        )
    if record.get("latent"):
        more = "; the first three are drawn" if record["rank"] > 3 else ""
        story.append(
            (
                "latent",
                "Latent coordinates",
                f"Test rows by the numbers that pass{more}.",
                figures.latent(record),
                record["rank"] == 3,
            )
        )
    last = (
        "history",
        "Training",
        "Objective, data term and norm, on a logarithmic scale.",
        figures.history(record),
        False,
    )
    return [*story, *spectra, last]
