"""The evidence for a rank in one picture: panels over k under one another, and below them the ranks over λ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from isthmus.reports.answer import Answer
from isthmus.reports.canvas import (
    ACCENT,
    CONTRAST,
    MUTED,
    SHADE,
    THIRD,
    blank,
    label,
)
from isthmus.reports.wording import share
from isthmus.runs.record_parts import RankPathRow

_PARTS = {
    "errors": 2.4,
    "probabilities": 1.0,
    "objectives": 1.4,
    "sensitivities": 1.4,
    "redundancies": 1.0,
    "path": 1.4,
}  # heights of the panels
_PIXELS = 105  # of a part
_BETWEEN, _BEFORE_PATH, _OUTSIDE = 34, 84, 70  # pixels between two panels, above the path's, and around all
_FLOOR = 1e-6  # effects below it are rounding and drawn there
_SHOWN, _ROOM = 0.005, 12  # bars that can be seen get their number; of more bars than these only the answer's
_WIDE = 30.0  # from this ratio of the largest to the smallest value on, a linear axis would hide the small ones
_FEW_DECADES = 3  # with so many there is room for ticks between them
ANSWER, REASONS = ("errors", "probabilities"), ("objectives", "sensitivities", "redundancies", "path")  # panels
_TITLES = {
    "probabilities": "probability that k is the answer",
    "objectives": "training objective, the constant's is 1",
    "sensitivities": "how much number k + 1 matters",
    "redundancies": "how much of it the others determine",
    "path": "rank of the network that is trained at λ",
}


def evidence(
    found: Answer | None, path: RankPathRow | None = None, panels: Sequence[str] = (*ANSWER, *REASONS)
) -> go.Figure:
    """One figure with every one of the panels that there are numbers for; of the path alone the staircase.

    Args:
        found: The decision; None for the path alone.
        path: The path; None for no staircase.
        panels: Names of those to draw.
    """
    drawn = blank("numbers passed on, k" if found else "λ")
    domains = _domains(found, path, panels)
    for number, (name, domain) in enumerate(domains.items(), start=1):
        axis = "y" if number == 1 else f"y{number}"
        drawn.update_layout({axis.replace("y", "yaxis"): {"domain": domain, "zeroline": False, "automargin": True}})
        if number > 1:
            note: dict[str, Any] = {"xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "yanchor": "bottom"}
            drawn.add_annotation(**note, y=domain[1], text=_TITLES[name], showarrow=False)
        if name == "path" and path:
            _staircase(drawn, path, axis, "x2" if found else "x")
        elif found:
            _PANELS[name](drawn, found, axis)
    if found:
        _over_k(drawn, found, {name: domains[name] for name in domains if name != "path"})
    return drawn


def height(found: Answer | None, path: RankPathRow | None = None, panels: Sequence[str] = (*ANSWER, *REASONS)) -> int:
    """Pixels that the panels need."""
    names = _names(found, path, panels)
    between = sum(_BEFORE_PATH if name == "path" else _BETWEEN for name in names[1:])
    return round(_PIXELS * sum(_PARTS[name] for name in names)) + between + _OUTSIDE


def figure(found: Answer) -> go.Figure:
    """The figure with the words that the page sets around it."""
    drawn = evidence(found)
    drawn.update_layout(height=height(found))
    drawn.update_layout(yaxis_title={"text": label(f"held-out {found.loss_name}")})
    return drawn


def quantity(found: Answer, panels: Sequence[str]) -> str:
    """What the uppermost panel measures, for whoever sets it level above the figure."""
    return f"held-out {found.loss_name}" if "errors" in panels else _TITLES[panels[0]]


def _names(found: Answer | None, path: RankPathRow | None, panels: Sequence[str]) -> list[str]:
    known = [] if found is None else [n for n in _PANELS if n != "probabilities" or found.probabilities is not None]
    return [name for name in (*known, *(["path"] if path else [])) if name in panels]


def _domains(found: Answer | None, path: RankPathRow | None, panels: Sequence[str]) -> dict[str, list[float]]:
    """Where each panel lies, from 1 at the top down to 0."""
    whole, at, domains = height(found, path, panels) - _OUTSIDE, 0.0, dict[str, list[float]]()
    for name in _names(found, path, panels):
        at += (_BEFORE_PATH if name == "path" else _BETWEEN) if domains else 0
        end = at + _PIXELS * _PARTS[name]
        domains[name] = [max(0.0, 1.0 - end / whole), 1.0 - at / whole]
        at = end
    return domains


def _errors(drawn: go.Figure, found: Answer, axis: str) -> None:
    errors, whole = found.evidence.errors, found.evidence.whole_error
    drawn.add_scatter(
        x=[-0.4, len(errors) - 0.4],
        y=[whole, whole],
        mode="lines",
        name="whole network",
        line={"color": MUTED, "width": 1.5},
        hovertemplate="whole network: %{y:.4g}<extra></extra>",
    )
    drawn.add_scatter(
        x=list(range(len(errors))),
        y=list(errors),
        error_y={"array": list(found.evidence.standard_errors), "thickness": 1.2, "width": 3},
        mode="lines+markers",
        name="through k numbers",
        line={"color": ACCENT, "width": 2},
        marker={"size": 7},
        hovertemplate="k = %{x}: %{y:.4g}<extra></extra>",
    )
    if found.counts_losses:
        drawn.add_scatter(
            x=list(range(len(errors))),
            y=list(found.evidence.linear_errors),
            mode="lines+markers",
            name=found.linear_name,
            line={"color": CONTRAST, "width": 1.5, "dash": "dash"},
            marker={"size": 4},
            hovertemplate=f"{found.linear_name}, k = %{{x}}: %{{y:.4g}}<extra></extra>",
        )
    _fitting_scale(drawn, axis, errors)


def _probabilities(drawn: go.Figure, found: Answer, axis: str) -> None:
    chances = found.probabilities or ()
    labelled = [k == found.rank or (p >= _SHOWN and len(chances) <= _ROOM) for k, p in enumerate(chances)]
    drawn.add_bar(
        x=list(range(len(chances))),
        y=list(chances),
        yaxis=axis,
        width=0.5,
        marker={"color": [ACCENT if k == found.rank else MUTED for k in range(len(chances))]},
        text=[share(p) if shown else "" for p, shown in zip(chances, labelled, strict=True)],
        textposition="outside",
        textangle=0,
        constraintext="none",
        cliponaxis=False,
        showlegend=False,
        hovertemplate="k = %{x}: probability %{y:.3g}<extra></extra>",
    )
    drawn.update_layout({axis.replace("y", "yaxis"): {"range": [0.0, 1.25], "tickvals": [0, 0.5, 1]}})


def _objectives(drawn: go.Figure, found: Answer, axis: str) -> None:
    values = list(found.evidence.objectives)
    drawn.add_scatter(
        x=list(range(len(values))),
        y=values,
        yaxis=axis,
        mode="lines+markers",
        showlegend=False,
        line={"color": THIRD, "width": 2},
        marker={"size": 6},
        hovertemplate="k = %{x}: objective %{y:.4g}<extra></extra>",
    )
    _fitting_scale(drawn, axis, values)


def _sensitivities(drawn: go.Figure, found: Answer, axis: str) -> None:
    effects, epsilon = list(found.evidence.sensitivities), found.tolerance
    drawn.add_scatter(
        x=[-0.4, len(effects) - 0.4],
        y=[epsilon, epsilon],
        yaxis=axis,
        mode="lines",
        name=f"ε = {epsilon:g}",
        showlegend=False,
        line={"color": CONTRAST, "dash": "dash", "width": 1.5},
        hovertemplate="ε = %{y:.3g}<extra></extra>",
    )
    note: dict[str, Any] = {"xref": "paper", "x": 1, "xanchor": "right", "yref": axis, "yanchor": "bottom"}
    drawn.add_annotation(**note, y=_exponent(epsilon), text=f"ε = {epsilon:g}", showarrow=False)
    drawn.add_scatter(
        x=list(range(len(effects))),
        y=[max(effect, _FLOOR) for effect in effects],
        customdata=effects,
        yaxis=axis,
        mode="lines+markers",
        showlegend=False,
        line={"color": ACCENT, "width": 2},
        marker={"size": 6},
        hovertemplate="number after %{x}: %{customdata:.3g}<extra></extra>",
    )
    drawn.update_layout({axis.replace("y", "yaxis"): {"type": "log", "exponentformat": "power", "nticks": 5}})


def _redundancies(drawn: go.Figure, found: Answer, axis: str) -> None:
    drawn.add_bar(
        x=list(range(len(found.evidence.redundancies))),
        y=list(found.evidence.redundancies),
        yaxis=axis,
        width=0.5,
        marker={"color": THIRD},
        showlegend=False,
        hovertemplate="number after %{x}: R² = %{y:.3g}<extra></extra>",
    )
    drawn.update_layout({axis.replace("y", "yaxis"): {"range": [0.0, 1.05], "tickvals": [0, 0.5, 1]}})


_PANELS = {
    "errors": _errors,
    "probabilities": _probabilities,
    "objectives": _objectives,
    "sensitivities": _sensitivities,
    "redundancies": _redundancies,
}


def _staircase(drawn: go.Figure, path: RankPathRow, axis: str, over: str) -> None:
    points = path.points
    drawn.add_scatter(
        x=[point.ridge for point in points],
        y=[point.rank for point in points],
        xaxis=over,
        yaxis=axis,
        mode="lines+markers",
        showlegend=False,
        line={"color": ACCENT, "width": 2, "shape": "hvh"},
        marker={"size": 6},
        hovertemplate="λ = %{x:.3g}: rank %{y}<extra></extra>",
    )
    if path.plateau:
        on = {"x": [point.ridge for point in points if point.rank == path.plateau]}
        at = {"xaxis": over, "yaxis": axis, "y": [path.plateau] * len(on["x"])}
        marker = {"color": CONTRAST, "size": 9}
        drawn.add_scatter(**on, **at, mode="markers", showlegend=False, marker=marker, hoverinfo="skip")
    top = max((point.rank for point in points), default=0)
    whole = {"range": [-0.3, top + 0.6], "dtick": max(1, -(-top // 5))}
    title = {"text": "λ", "standoff": 8}
    drawn.update_layout(
        {
            over.replace("x", "xaxis"): {
                **{"type": "log", "anchor": axis, "title": title, "zeroline": False, "exponentformat": "power"},
                **{"dtick": 1 if _exponent(points[-1].ridge / points[0].ridge) > 1.5 else None},
            },
            axis.replace("y", "yaxis"): {"anchor": over, **whole},
        }
    )


def _over_k(drawn: go.Figure, found: Answer, domains: Mapping[str, list[float]]) -> None:
    """The axis of k under the lowest of its panels, the answer and what the rows allow through all of them."""
    last, lower, upper = len(found.evidence.errors) - 1, found.lower, found.upper
    for name, domain in domains.items():
        through = {"yref": "paper", "y0": domain[0], "y1": domain[1]}
        if lower != upper:
            ends = {"x0": lower - 0.3, "x1": min(upper, last) + 0.3}
            drawn.add_shape(type="rect", **ends, **through, fillcolor=SHADE, line_width=0, layer="below")
        if name != "probabilities":  # the answer's bar has its own colour, and a number that must be read
            line = {"color": CONTRAST, "width": 1.2, "dash": "dot"}
            drawn.add_shape(type="line", x0=found.rank, x1=found.rank, **through, line=line)
    note: dict[str, Any] = {"x": found.rank, "y": 1, "yref": "paper", "xanchor": "left", "yanchor": "top"}
    drawn.add_annotation(**note, xshift=3, text=f"k = {found.rank}", showarrow=False)
    lowest = "y" if len(domains) == 1 else f"y{len(domains)}"
    drawn.update_layout(xaxis={"anchor": lowest, "range": [-0.4, last + 0.6], "dtick": 1 if last <= 20 else None})


def _fitting_scale(drawn: go.Figure, axis: str, values: Sequence[float]) -> None:
    least, most = min(values), max(values)
    scale: dict[str, Any] = {"rangemode": "tozero"}
    if least > 0 and most / least > _WIDE:
        ends = math.floor(_exponent(least)), math.ceil(_exponent(most))
        steps = (1, 2, 5) if ends[1] - ends[0] <= _FEW_DECADES else (1,)
        ticks = [step * 10.0**exponent for exponent in range(ends[0], ends[1] + 1) for step in steps]
        scale = {"type": "log", "tickvals": ticks, "tickformat": "~g"}
    drawn.update_layout({axis.replace("y", "yaxis"): scale})


def _exponent(value: float) -> float:
    return math.log10(value)
