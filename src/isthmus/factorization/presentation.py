"""How an attribution and a decision are shown: the one place where this room reaches up.

The reasons are in `docs/decisions/0012-results-that-show-themselves.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from isthmus.factorization.input_attribution import Attribution
    from isthmus.selection.rank_selection import CrossDecision
    from isthmus.selection.ridge_path import RankPath


def figure(attribution: Attribution) -> go.Figure:
    """The figure of the report, with its axes named, as a plotly figure to show or to change."""
    from isthmus.reports import input_attribution as drawn

    return drawn.figure(_record(attribution))


def html(attribution: Attribution) -> str:
    """The strongest inputs as a fragment of HTML, for notebooks."""
    from isthmus.reports import input_attribution as drawn

    return drawn.fragment(_record(attribution))


def evidence_figure(decision: CrossDecision, path: RankPath | None) -> go.Figure:
    """The picture of the evidence, with its axes named, as a plotly figure to show or to change."""
    from isthmus.reports import rank_evidence as evidence

    return evidence.figure(decision.record(), None if path is None else path.record())


def evidence_html(decision: CrossDecision) -> str:
    """The answer and the evidence for each k as a fragment of HTML, for notebooks."""
    from isthmus.reports import evidence_table

    return evidence_table.fragment(decision.record())


def _record(attribution: Attribution) -> dict[str, Any]:
    return {"attribution": {"inputs": list(attribution.input_names), "effects": attribution.effects.tolist()}}
