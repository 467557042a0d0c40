"""Figures of rank recovery: the slides' panels (a), (b), (c), and the rank that is found over depth and over k."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from isthmus.experiments.jacot2023.layer_figures import impact_over_layers, spectra_over_layers
from isthmus.experiments.record import measurements
from isthmus.reports.canvas import ACCENT, CONTRAST, MUTED, THIRD, blank, label
from isthmus.reports.figure import Drawing

_CHAPTER = "figures"
_STARTS = {
    "closed form": (MUTED, "triangle-up", "ridge regression"),
    "random": (ACCENT, "circle", "random start"),
    "grown": (CONTRAST, "diamond", "grown and trained on"),
    "built": (THIRD, "square", "built, rank 1"),
}
Row = Mapping[str, Any]


def drawings(record: Mapping[str, Any]) -> list[Drawing]:
    """Every figure that the record has the numbers for."""
    settings, rows = record["settings"], measurements(record)
    k, depth = settings["rank"], settings["depth"]
    shown = [row for row in rows if row["rank"] == k and row["depth"] == depth]
    found = list(_panels(k, depth, shown)) if shown else []
    at_k = [row for row in rows if row["rank"] == k]
    if at_k:
        found.append(
            Drawing(
                "depths",
                _CHAPTER,
                "Rank over the depth",
                f"Jacobian rank at 0.1 of every network that was compared, true rank {k} dotted. Filled: the one of "
                "lowest objective of its seed; too shallow networks have too large a rank, and at great depth rank 1 "
                "costs less than the rank of the true function.",
                "Jacobian rank at 0.1",
                rank_over_depth(at_k, k),
                is_wide=True,
            )
        )
    at_depth = [row for row in rows if row["depth"] == depth]
    if at_depth:
        found.append(
            Drawing(
                "ranks",
                _CHAPTER,
                "Rank found over the true rank",
                f"Bottleneck rank at 0.1 of networks of depth {depth}; the number in a disc counts the seeds. On the "
                "dotted line the rank is recovered.",
                "bottleneck rank at 0.1",
                rank_over_k(at_depth),
            )
        )
    return found


def _panels(k: int, depth: int, shown: Sequence[Row]) -> Iterator[Drawing]:
    seed = shown[0]["seed"]
    behind = (
        f" Seed {seed}; the {len(shown) - 1} other seeds faintly behind it." if len(shown) > 1 else f" Seed {seed}."
    )
    yield Drawing(
        "weights",
        _CHAPTER,
        "(a) Weights",
        f"The first ten singular values of W_ℓ, true rank {k}, L = {depth}.{behind}",
        "singular values of W_ℓ",
        spectra_over_layers([row["weights"] for row in shown], k),
    )
    yield Drawing(
        "activations",
        _CHAPTER,
        "(b) Activations",
        f"The first ten singular values of the matrix of activations Z_ℓ (at ℓ = {depth}: the outputs). The largest is "
        f"mostly the mean, for activations are nonnegative.{behind}",
        "singular values of Z_ℓ",
        spectra_over_layers([row["activations"] for row in shown], k),
    )
    yield Drawing(
        "impact",
        _CHAPTER,
        "(c) Impact of the nonlinearity",
        f"Where it vanishes the layer is linear on the data.{behind}",
        "‖Z̃_ℓ − σ(Z̃_ℓ)‖ / ‖Z̃_ℓ‖",
        impact_over_layers([row["impact"] for row in shown]),
    )


def rank_over_depth(rows: Sequence[Row], k: int) -> go.Figure:
    """Every network that was compared: its rank over its depth, the one of lowest objective of each cell filled."""
    figure = blank("depth L")
    depths = sorted({row["depth"] for row in rows})
    seeds = sorted({row["seed"] for row in rows})
    for start, (color, symbol, name) in _STARTS.items():
        points = [
            (row, network, index == row["best"])
            for row in rows
            for index, network in enumerate(row["networks"])
            if network["start"] == start
        ]
        if not points:
            continue
        figure.add_scatter(
            # Networks of one depth lie beside each other, or equal ranks would hide one another.
            x=[
                row["depth"] * (1 + 0.16 * (seeds.index(row["seed"]) - (len(seeds) - 1) / 2) / len(seeds))
                for row, _, _ in points
            ],
            y=[network["jacobian_rank"] for _, network, _ in points],
            mode="markers",
            name=label(name),
            marker={
                "symbol": [symbol if is_best else f"{symbol}-open" for _, _, is_best in points],
                "color": color,
                "size": 9,
                "line": {"width": 1.5, "color": color},
            },
            customdata=[[row["depth"], row["seed"], network["objective"]] for row, network, _ in points],
            hovertemplate="L = %{customdata[0]}, seed %{customdata[1]}: rank %{y}, objective "
            "%{customdata[2]:.3g}<extra></extra>",
        )
    figure.add_hline(y=k, line={"color": MUTED, "width": 1.2, "dash": "dot"})
    figure.update_xaxes(type="log", tickvals=depths)
    highest = max(network["jacobian_rank"] for row in rows for network in row["networks"])
    figure.update_yaxes(range=[-0.5, highest + 1], dtick=1 if highest <= 8 else 2)
    return figure


def rank_over_k(rows: Sequence[Row]) -> go.Figure:
    """Discs at (true rank, rank found), larger for more seeds, with their number inside."""
    figure = blank("true rank k")
    counts = Counter((row["rank"], row["networks"][row["best"]]["bottleneck_rank"]) for row in rows)
    most = max(counts.values())
    largest = max(max(pair) for pair in counts)
    figure.add_scatter(
        x=[0, largest + 1],
        y=[0, largest + 1],
        mode="lines",
        line={"color": MUTED, "width": 1.2, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )
    for is_right, color, name in ((True, ACCENT, "recovered"), (False, CONTRAST, "not recovered")):
        found = {pair: count for pair, count in counts.items() if (pair[0] == pair[1]) == is_right}
        figure.add_scatter(
            x=[true for true, _ in found],
            y=[rank for _, rank in found],
            mode="markers+text",
            name=name,
            text=[str(count) for count in found.values()],
            textfont={"color": "#ffffff", "size": 11},
            marker={"color": color, "size": [16 + 14 * (count / most) ** 0.5 for count in found.values()]},
            hovertemplate="k = %{x}: rank %{y}, %{text} seeds<extra></extra>",
        )
    figure.update_xaxes(range=[0.3, max(true for true, _ in counts) + 0.7], dtick=1)
    figure.update_yaxes(range=[0.3, largest + 0.7], dtick=1)
    return figure
