"""What the follow-ups say of a measured network: partial isometries, cost of identity, energies."""

from __future__ import annotations

import plotly.graph_objects as go

from isthmus.reports.canvas import ACCENT, CONTRAST, MUTED, blank, label
from isthmus.reports.record import Record
from isthmus.reports.wording import number, numbers_of, share
from isthmus.runs import MeasureRecord


def sentences(record: MeasureRecord) -> list[str]:
    """The certificate and the tangent kernel in words; nothing where there is no certificate."""
    found, layers = record.certificate, record.layers
    if found is None or record.certified_share is None:
        return []
    near = round(record.certified_share * len(layers))
    return [
        f"{near} of {numbers_of(len(layers), 'layer')} lie within {number(record.tolerance)} of a partial isometry of "
        f"rank {found.rank} (relative to its norm, found from the Jacobian at row {found.row}); together their "
        f"squared distances are at most Σ‖W‖² − kL − 2 log|Jf|₊ = {number(found.excess)}, biases not counted, which "
        f"alone proves it for {share(found.guaranteed_share)} of them",
        f"the trace of the tangent kernel over the depth is {number(record.kernel_per_depth)}, the mean over the data",
    ]


def isometry_distances(record: Record) -> go.Figure:
    """Distance of each layer from the partial isometry that the certificate exhibits, with the tolerance."""
    found = [(row.layer, row.isometry_distance) for row in record.layers if row.isometry_distance is not None]
    figure = _over_layers([("distance", ACCENT, found)])
    figure.add_hline(y=record.tolerance, line={"color": CONTRAST, "dash": "dash", "width": 1.2})
    figure.update_layout(showlegend=False)
    return figure


def identity_costs(record: Record) -> go.Figure:
    """Cost of identity, kinetic energy and their difference −2H/L of each hidden layer."""
    rows = [row for row in record.layers if row.cost_of_identity is not None and row.kinetic_energy is not None]
    cost = [(row.layer, row.cost_of_identity or 0.0) for row in rows]
    kinetic = [(row.layer, row.kinetic_energy or 0.0) for row in rows]
    energy = [(layer, c - k) for (layer, c), (_, k) in zip(cost, kinetic, strict=True)]
    return _over_layers(
        [("cost of identity", ACCENT, cost), ("kinetic energy", CONTRAST, kinetic), ("−2H/L", MUTED, energy)]
    )


def _over_layers(lines: list[tuple[str, str, list[tuple[int, float]]]]) -> go.Figure:
    figure = blank("layer ℓ")
    for name, color, points in lines:
        figure.add_scatter(
            x=[layer for layer, _ in points],
            y=[value for _, value in points],
            mode="lines+markers",
            name=label(name),
            line={"color": color, "width": 2},
            marker={"size": 5},
            hovertemplate="layer %{x}: %{y:.4g}<extra></extra>",
        )
    return figure
