"""Territories of four classes, and where three of them meet: the slides' figure on low-dimensional topology."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from isthmus.experiments.jacot2023.inverted_s_classification.claims import is_free, rows_of
from isthmus.experiments.jacot2023.inverted_s_classification.settings import LOWEST, RANDOM
from isthmus.experiments.record import measurements
from isthmus.reports.canvas import ACCENT, CONTRAST, THIRD, blank
from isthmus.reports.figure import MEANING, Drawing
from isthmus.reports.heat_map import add_heat_map, name_cells
from isthmus.reports.regions_picture import CATEGORIES

Row = Mapping[str, Any]

_GAP = 0.05  # between two panels, as a share of the whole
_TITLES = 0.1  # between the two rows, for the titles of the lower one, as a share of the height
_INK = "#22282e"  # on the light colours of the territories, in both modes


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """The panels, the counts over depth and λ, and the counts over the seeds."""
    results = measurements(record)
    settings = record["settings"]
    rows = rows_of(results)
    if not rows:
        return []
    found = []
    drawn = [row for row in rows if "panel" in row]
    data = next((r for r in results if "x" in r), None)
    if drawn and data is not None:
        found.append(
            Drawing(
                "panels",
                MEANING,
                "Territories of the classes",
                "The largest output at each point of the plane, exactly, for the data of the first seed. Black rings: "
                "where three classes meet. Above the shallow network (the slides' A, B), below the deep one (C, D).",
                "",
                panels(drawn, data, settings),
                is_wide=True,
                proportion=1.35,
            )
        )
    return [
        *found,
        Drawing(
            "map",
            MEANING,
            "Tripoints over depth and λ",
            "Mean number of tripoints in the box over the seeds, and in brackets how many of the networks have none "
            "(and all four classes). λ = 0 is gradient descent without ℓ2.",
            "λ",
            count_map(rows, settings),
            is_wide=True,
        ),
        Drawing(
            "histogram",
            MEANING,
            "Tripoints over the seeds",
            f"How many networks have how many tripoints, at L = {settings['depths'][0]} and {settings['depths'][1]}.",
            "share of the seeds",
            histogram(rows, settings),
            is_wide=True,
        ),
    ]


def panels(rows: Sequence[Row], data: Row, settings: Mapping[str, Any]) -> go.Figure:
    """A row of panels for each depth: no ℓ2, ℓ2 from a random start, lowest found."""
    figure = blank("")
    columns = sorted({(row["ridge"], row["start"]) for row in rows}, key=lambda c: (c[0], c[1] == LOWEST))
    wide, high = (1 - _GAP * (len(columns) - 1)) / len(columns), (1 - _TITLES) / 2
    for row in rows:
        i, j = columns.index((row["ridge"], row["start"])), settings["depths"].index(row["depth"])
        name = (
            str(j * len(columns) + i + 1).removeprefix("1")
            if j * len(columns) + i == 0
            else str(j * len(columns) + i + 1)
        )
        left, bottom = i * (wide + _GAP), (1 - j) * (high + _TITLES)
        _axes(figure, row, name, [left, left + wide], [bottom, bottom + high], settings["box"])
        _territories(figure, row["panel"], name)
        _points(figure, row["panel"], data, name, is_named=name == "")
    figure.update_layout(
        margin={"l": 8, "r": 8, "t": 44, "b": 40}, legend={"y": 0.0, "yref": "container", "yanchor": "bottom"}
    )
    return figure


def _axes(figure: go.Figure, row: Row, name: str, across: list[float], upwards: list[float], box: float) -> None:
    plain = {"range": [-box, box], "showticklabels": False, "showgrid": False, "zeroline": False, "ticks": ""}
    figure.update_layout(
        {
            f"xaxis{name}": plain | {"domain": across, "anchor": f"y{name}", "constrain": "domain"},
            f"yaxis{name}": plain | {"domain": upwards, "anchor": f"x{name}", "scaleanchor": f"x{name}"},
        }
    )
    how = f"λ = {row['ridge']:g}, {row['start']}" if row["ridge"] else "no ℓ2"
    figure.add_annotation(
        x=0.5,
        y=1.0,
        xref=f"x{name} domain",
        yref=f"y{name} domain",
        yanchor="bottom",
        text=f"L = {row['depth']}: {row['tripoints']} tripoint{'' if row['tripoints'] == 1 else 's'}<br>{how}",
        showarrow=False,
    )


def _territories(figure: go.Figure, panel: Mapping[str, Any], name: str) -> None:
    for owner, lines in panel["territories"].items():
        path = " ".join("M " + " L ".join(f"{x},{y}" for x, y in line) + " Z" for line in lines)
        figure.add_shape(
            type="path",
            path=path,
            fillrule="evenodd",
            fillcolor=CATEGORIES[int(owner) % len(CATEGORIES)],
            line={"color": _INK, "width": 0.8},
            layer="below",
            xref=f"x{name}",
            yref=f"y{name}",
        )


def _points(figure: go.Figure, panel: Mapping[str, Any], data: Row, name: str, *, is_named: bool) -> None:
    axes = {"xaxis": f"x{name}", "yaxis": f"y{name}"}
    for owner in sorted(set(data["y"])):
        points = [p for p, c in zip(data["x"], data["y"], strict=True) if c == owner]
        figure.add_scatter(
            x=[p[0] for p in points],
            y=[p[1] for p in points],
            mode="markers",
            name=f"class {owner + 1}",
            showlegend=is_named,
            # Filled as its territory, with an edge in ink, so that a point in the wrong one stands out.
            marker={
                "color": CATEGORIES[int(owner) % len(CATEGORIES)],
                "size": 4,
                "line": {"color": _INK, "width": 0.7},
            },
            hoverinfo="skip",
            **axes,
        )
    figure.add_scatter(
        x=[p[0] for p in panel["tripoints"]],
        y=[p[1] for p in panel["tripoints"]],
        mode="markers",
        name="tripoint",
        showlegend=is_named,
        marker={"symbol": "circle-open", "color": _INK, "size": 13, "line": {"width": 3}},
        hovertemplate="(%{x:.3g}, %{y:.3g})<extra>tripoint</extra>",
        **axes,
    )


def count_map(rows: Sequence[Row], settings: Mapping[str, Any]) -> go.Figure:
    """Two panels, random starts and lowest objectives: depth across, λ upwards, the mean count as a colour."""
    figure = blank("")
    depths = sorted({*settings["map_depths"], *settings["depths"]})
    for index, start in enumerate((RANDOM, LOWEST)):
        ridges = [r for r in (0.0, *settings["ridges"]) if r or start == RANDOM]
        some = {
            (ridge, depth): [r for r in rows if (r["ridge"], r["depth"], r["start"]) == (ridge, depth, start)]
            for ridge in ridges
            for depth in depths
        }
        means = [
            [sum(r["tripoints"] for r in some[q, d]) / len(some[q, d]) if some[q, d] else None for d in depths]
            for q in ridges
        ]
        texts = [[_cell(some[q, d]) for d in depths] for q in ridges]
        name = "2" if index else ""
        add_heat_map(
            figure,
            means,
            hover=texts,
            texts=texts,
            scale=[[0.0, "#e8f1ee"], [1.0, CONTRAST]],
            axes=(f"x{name}", f"y{name}"),
            cmin=0,
            cmax=4,
            showscale=False,
        )
        left = 0.54 * index
        figure.update_layout(
            {
                f"xaxis{name}": {
                    **name_cells([f"L = {d}" for d in depths]),
                    **{"domain": [left, left + 0.46], "anchor": f"y{name}"},
                    "title": {"text": f"depth ({start})", "standoff": 8},
                },
                f"yaxis{name}": {**name_cells([f"{q:g}" if q else "0" for q in ridges]), "anchor": f"x{name}"},
            }
        )
    return figure


def _cell(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    free = sum(is_free(row) for row in rows)
    return f"{sum(row['tripoints'] for row in rows) / len(rows):.1f} ({free}/{len(rows)})"


def histogram(rows: Sequence[Row], settings: Mapping[str, Any]) -> go.Figure:
    """Bars side by side for each kind of network, the deep ones hatched."""
    figure = blank("tripoints in the box")
    ridge = settings["ridges"][0]
    kinds = (("no ℓ2", 0.0, RANDOM, ACCENT), ("ℓ2", ridge, RANDOM, CONTRAST), ("ℓ2, lowest", ridge, LOWEST, THIRD))
    for depth, pattern in zip(settings["depths"], ("", "/"), strict=True):
        for name, q, start, color in kinds:
            counts = Counter(r["tripoints"] for r in rows if (r["depth"], r["ridge"], r["start"]) == (depth, q, start))
            total = sum(counts.values())
            if total:
                figure.add_bar(
                    x=sorted(counts),
                    y=[counts[c] / total for c in sorted(counts)],
                    name=f"L = {depth}, {name} ({total})",
                    marker={
                        "color": color,
                        "pattern": {"shape": pattern, "fgcolor": color},
                    },
                    hovertemplate="%{x} tripoints: %{y:.0%}<extra></extra>",
                )
    figure.update_layout(barmode="group")
    figure.update_xaxes(dtick=1)
    figure.update_yaxes(tickformat=".0%")
    return figure
