"""Colours, and the empty figure that every plot starts from.

The page sets text and grid lines to suit the light or dark mode; the colours here keep a contrast of at least 3 to 1
against both grounds, so that the data look the same in both.
"""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go

ACCENT, CONTRAST, THIRD, MUTED = "#1a8a9e", "#cf6f2e", "#8f6bc1", "#87909a"
BAND = "rgba(26,138,158,0.20)"
SHADE = "rgba(135,144,154,0.16)"
GROUPS = (ACCENT, CONTRAST, THIRD, "#5b9a4a", "#c4588f", "#b08a1e", "#4f7fd0", "#c2544c", "#6f8f8a", "#9a7a5c")
# From cold to warm through middle greys: no end of it vanishes in a light or a dark ground, as Viridis' ends do.
SCALE = [[0.0, "#3a6fd8"], [0.35, "#2a9fae"], [0.65, "#c9a227"], [1.0, "#d9532f"]]
_DEEP, _PALE = (20, 100, 130), (70, 165, 150)
_LETTERS = 22  # of a name beside an axis; the rest is shown on hovering


def blank(x_title: str) -> go.Figure:
    """A figure with an x title; the page names the quantity of the y axis above it, where it can be read level."""
    figure = go.Figure()
    figure.update_layout(
        template="none",
        margin={"l": 48, "r": 10, "t": 10, "b": 42},
        font={"family": "system-ui, -apple-system, 'Segoe UI', sans-serif", "size": 12},
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "itemclick": False,
            "itemdoubleclick": False,
        },
        hoverlabel={"font": {"size": 12}},
        xaxis={"title": {"text": label(x_title), "standoff": 8}, "zeroline": False},
        yaxis={"zeroline": False, "automargin": True},
    )
    return figure


def label(text: object) -> str:
    """Text that plotly shows as it is; plotly would otherwise read tags such as <b> and <a> in it."""
    return escape(str(text), quote=False)


def shortened(name: str) -> str:
    """A name with room beside an axis; before `label`, which must not be cut."""
    return name if len(name) <= _LETTERS else name[: _LETTERS - 1] + "…"


def mark(figure: go.Figure, x: float, text: str) -> None:
    """A thin vertical line with its name beside the top end."""
    figure.add_vline(x=x, line={"color": CONTRAST, "width": 1.2, "dash": "dot"})
    # Drawn in the margin's direction of reading, with a shift, so that the line does not strike the letters through.
    note: dict[str, Any] = {"x": x, "y": 1, "yref": "paper", "xanchor": "left", "yanchor": "top", "xshift": 3}
    figure.add_annotation(**note, text=label(text), showarrow=False)


def shade_of(index: int, count: int) -> str:
    """The colour of kept direction `index` of `count`: from deep to pale, so that neighbours can be told apart."""
    t = index / max(count - 1, 1)
    r, g, b = (round(a + t * (z - a)) for a, z in zip(_DEEP, _PALE, strict=True))
    return f"rgb({r},{g},{b})"
