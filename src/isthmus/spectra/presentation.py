"""How a profile is shown: the one place where this room reaches up.

The reasons are in `docs/decisions/0012-results-that-show-themselves.md`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from isthmus.spectra.profile import RankProfile


def figure(profile: RankProfile, what: str) -> go.Figure:
    """One figure of the report, as a plotly figure to show or to change."""
    from isthmus.reports import profiles
    from isthmus.runs import measure_record

    return profiles.figure(measure_record(profile.model, profile, "cpu"), what)


def page(profile: RankProfile, path: Path) -> Path:
    """The report as one self-contained HTML file."""
    from isthmus.reports import write_report
    from isthmus.runs import measure_record

    return write_report([measure_record(profile.model, profile, "cpu")], path)


def html(profile: RankProfile) -> str:
    """The answer and the layers as a fragment of HTML, for notebooks."""
    from isthmus.reports import profiles
    from isthmus.runs import measure_record

    return profiles.fragment(measure_record(profile.model, profile, "cpu"))
