"""One plotly figure for each measurement in a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

Record = Mapping[str, Any]

ACCENT, SECOND, THIRD, GREY = "#1b8ea6", "#d1793b", "#8a6fb8", "#8a939b"
_RAMP = ("#0b4f6c", "#14708a", "#1b8ea6", "#45a99f", "#7fbf8e", "#b5cf7a", "#dcc96a", "#e3a857", "#d97f4a", "#c45a45")
_SHOWN = 10  # singular values of a layer, as in the paper's figure


def spectrum_through_layers(record: Record, name: str, title: str) -> go.Figure:
    """The first ten singular values of every layer, one line for each index."""
    layers = record["layers"]
    figure = _figure("layer ℓ", title, many=True)
    for index in range(min(_SHOWN, max(len(layer[name]) for layer in layers))):
        found = [(layer["layer"], layer[name][index]) for layer in layers if index < len(layer[name])]
        figure.add_scatter(
            x=[x for x, _ in found],
            y=[y for _, y in found],
            mode="lines+markers",
            name=str(index + 1),
            line={"color": _RAMP[index], "width": 2},
            marker={"size": 4},
            hovertemplate=f"layer %{{x}}<br>value {index + 1}: %{{y:.4g}}<extra></extra>",
        )
    figure.update_layout(legend={"title": {"text": "index"}})
    return figure


def nonlinearity(record: Record) -> go.Figure:
    """How much each layer bends the data."""
    found = [
        (row["layer"], row["nonlinearity_impact"]) for row in record["layers"] if row["nonlinearity_impact"] is not None
    ]
    figure = _figure("layer ℓ", "‖Z̃ − σ(Z̃)‖ / ‖Z̃‖")
    figure.add_bar(x=[x for x, _ in found], y=[y for _, y in found], marker={"color": ACCENT}, name="impact")
    figure.update_layout(showlegend=False)
    return figure


def jacobian(record: Record) -> go.Figure:
    """Singular values of the Jacobian relative to the first: median, 5 to 95 % of the points, tolerance."""
    spectrum = record["jacobian"]
    shown = min(len(spectrum["median"]), 20)
    index = list(range(1, shown + 1))
    low, median, high = ([max(v, 1e-8) for v in spectrum[name][:shown]] for name in ("low", "median", "high"))
    figure = _figure("index i", "σᵢ / σ₁")
    figure.add_scatter(
        x=index + index[::-1],
        y=high + low[::-1],
        fill="toself",
        mode="lines",
        line={"width": 0},
        fillcolor="rgba(27,142,166,.22)",
        name="5–95 % of points",
        hoverinfo="skip",
    )
    figure.add_scatter(x=index, y=median, mode="lines+markers", name="median", line={"color": ACCENT})
    figure.add_hline(y=record["tolerance"], line={"color": SECOND, "dash": "dash"}, annotation_text="tolerance")
    k = record["rank"] if record["kind"] == "fit" else record["bottleneck_rank"]
    if 0 < k < shown:
        figure.add_vrect(x0=k, x1=k + 1, fillcolor=GREY, opacity=0.16, line_width=0, annotation_text=f"gap after {k}")
    figure.update_yaxes(type="log", exponentformat="power", dtick=2)
    return figure


def error_curve(record: Record) -> go.Figure:
    """Held-out error for every k: projected, refitted, the whole network, and the linear baseline."""
    rows = record["error_curve"]
    ranks = [row["rank"] for row in rows]
    whole, deviation = record["whole_error"], record["whole_standard_error"]
    figure = _figure("numbers passed on, k", f"held-out {record['error_name']}")
    figure.add_hrect(y0=whole - deviation, y1=whole + deviation, fillcolor=GREY, opacity=0.2, line_width=0)
    figure.add_hline(y=whole, line={"color": GREY}, annotation_text="whole network ± 1 s.e.")
    figure.add_scatter(
        x=ranks,
        y=[row["projected"] for row in rows],
        mode="lines+markers",
        name="projected",
        line={"color": ACCENT},
        error_y={"array": [row["standard_error"] for row in rows], "thickness": 1},
    )
    refitted = [(row["rank"], row["refitted"]) for row in rows if row["refitted"] is not None]
    figure.add_scatter(
        x=[k for k, _ in refitted],
        y=[e for _, e in refitted],
        mode="markers",
        name="refitted",
        marker={"color": SECOND, "symbol": "diamond", "size": 9},
    )
    for baseline in record["baselines"]:
        curve = sorted((int(k), error) for k, error in baseline["errors"].items())
        figure.add_scatter(
            x=[k for k, _ in curve],
            y=[e for _, e in curve],
            mode="lines",
            name=baseline["name"],
            line={"color": THIRD, "dash": "dot"},
        )
    figure.add_vline(x=record["rank"], line={"color": SECOND, "width": 1, "dash": "dash"})
    return figure


def history(record: Record) -> go.Figure:
    """Objective, error and norm over the training."""
    moments = record["history"]
    figure = _figure("gradient evaluations", "")
    for name, label, color in (
        ("objective", "objective", ACCENT),
        ("error", "data term", SECOND),
        ("norm_per_depth", "‖w‖²/L", THIRD),
    ):
        figure.add_scatter(
            x=[m["step"] for m in moments],
            y=[m[name] for m in moments],
            mode="lines",
            name=label,
            line={"color": color},
        )
    figure.update_yaxes(type="log")
    return figure


def latent(record: Record) -> go.Figure:
    """Held-out rows by their first (up to three) latent coordinates."""
    found = record["latent"]
    points = list(zip(*found["coordinates"], strict=True))[:3]
    if len(points) == 1:
        points.append(tuple(found["color"]) if _is_numeric(found["color"]) else (0.0,) * len(points[0]))
    figure = _figure("z₁", "z₂" if len(found["coordinates"][0]) > 1 else escape(found["color_name"]))
    for name, chosen, marker in _groups(found):
        axes = {axis: [values[i] for i in chosen] for axis, values in zip("xyz", points, strict=False)}
        kind = go.Scatter3d if len(points) == 3 else go.Scatter
        figure.add_trace(kind(**axes, mode="markers", name=name, marker=marker, showlegend=name != ""))
    if len(points) == 3:
        figure.update_layout(
            scene={f"{a}axis": {"title": {"text": f"z{s}"}} for a, s in zip("xyz", "₁₂₃", strict=True)}
        )
    return figure


def images(record: Record) -> go.Figure:
    """Held-out images above what the narrowed network and the baseline make of them."""
    found = record["reconstructions"]
    height, width = found["shape"]
    rows = [("as given", found["originals"]), (f"through {record['rank']}", found["outputs"])]
    if found.get("baseline"):
        rows.append((found["baseline_name"], found["baseline"]))
    count = len(found["originals"])
    canvas: list[list[float | None]] = [[None] * (count * (width + 1)) for _ in range(len(rows) * (height + 1))]
    for row, (_, pictures) in enumerate(rows):
        for column, picture in enumerate(pictures):
            for i in range(height):
                for j in range(width):
                    canvas[row * (height + 1) + i][column * (width + 1) + j] = picture[i * width + j]
    figure = _figure("", "")
    figure.update_layout(margin={"l": 10, "r": 10, "t": 4, "b": 4})
    top = max(max(picture) for picture in found["originals"])
    figure.add_heatmap(z=canvas, colorscale="gray", zmin=0.0, zmax=top, showscale=False, hoverinfo="skip")
    middles = [row * (height + 1) + height / 2 for row in range(len(rows))]
    figure.update_yaxes(
        autorange="reversed",
        automargin=True,
        showline=False,
        ticks="",
        tickvals=middles,
        ticktext=[name for name, _ in rows],
        showgrid=False,
        scaleanchor="x",
        constrain="domain",
        title=None,
    )
    figure.update_xaxes(visible=False, constrain="domain")
    return figure


def arrows(record: Record) -> go.Figure:
    """Random points of the plane, and where the autoencoder sends them."""
    found = record["arrows"]
    figure = _figure("", "")
    lines_x: list[float | None] = []
    lines_y: list[float | None] = []
    for start, end in zip(found["from"], found["to"], strict=True):
        lines_x += [start[0], end[0], None]
        lines_y += [start[1], end[1], None]
    figure.add_scatter(
        x=lines_x, y=lines_y, mode="lines", line={"color": GREY, "width": 1}, showlegend=False, hoverinfo="skip"
    )
    for name, label, color in (
        ("data", "data", ACCENT),
        ("from", "random points", THIRD),
        ("to", "their images", SECOND),
    ):
        figure.add_scatter(
            x=[p[0] for p in found[name]],
            y=[p[1] for p in found[name]],
            mode="markers",
            name=label,
            marker={"color": color, "size": 5},
        )
    figure.update_yaxes(scaleanchor="x")
    return figure


def _groups(found: Mapping[str, Any]) -> list[tuple[str, Sequence[int], dict[str, Any]]]:
    """Points of one colour scale, or one group for each class."""
    colors = found["color"]
    if _is_numeric(colors):
        bar = {"title": {"text": escape(found["color_name"]), "side": "right"}, "thickness": 10}
        marker = {"color": colors, "colorscale": "Viridis", "size": 5, "opacity": 0.85, "colorbar": bar}
        return [("", range(len(colors)), marker)]
    kinds = sorted(set(colors))
    return [
        (
            escape(kind),
            [i for i, c in enumerate(colors) if c == kind],
            {"size": 5, "color": _RAMP[(3 * n) % len(_RAMP)]},
        )
        for n, kind in enumerate(kinds)
    ]


def _is_numeric(colors: Sequence[Any]) -> bool:
    return all(isinstance(c, int | float) for c in colors)


def _figure(x: str, y: str, *, many: bool = False) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(
        template="none",
        margin={"l": 58, "r": 12, "t": 12, "b": 46},
        font={"family": "system-ui, sans-serif", "size": 12},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis={"title": {"text": x}},
        yaxis={"title": {"text": y}},
        meta="many" if many else "",
    )
    return figure
