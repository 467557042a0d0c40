"""How an order of classes is shown: the one place where this room reaches up.

The reasons are in `docs/decisions/0012-results-that-show-themselves.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from isthmus.regions.class_order import ClassOrder


def figure(found: ClassOrder) -> go.Figure:
    """The line and the classes on it, as a plotly figure to show or to change."""
    from isthmus.reports import class_order as drawn

    return drawn.figure(_record(found))


def html(found: ClassOrder) -> str:
    """The order and where each class lies as a fragment of HTML, for notebooks."""
    from isthmus.reports import class_order as drawn

    return drawn.fragment(_record(found))


def _record(found: ClassOrder) -> dict[str, Any]:
    # By number: two classes may read the same, as 1 and "1" do.
    return {
        "edges": list(found.edges),
        "owners": [found.order.index(label) for label in found.labels],
        "names": [str(label) for label in (*found.order, *found.absent)],
        "centres": [found.centres[label] for label in found.order],
    }
