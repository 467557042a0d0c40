"""Results as figures and fragments: what `result.plot()` and a notebook call, through `foundation.show`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from isthmus.factorization import Attribution
from isthmus.regions import ClassOrder
from isthmus.reports import class_order, evidence_table, input_attribution, profiles, rank_evidence
from isthmus.reports.answer import answer_of
from isthmus.reports.page import write_report
from isthmus.runs import measure_record
from isthmus.selection import RankSelection
from isthmus.spectra import RankProfile


def figure_of(result: Any, *what: Any) -> go.Figure:
    """The figure of the report, with its axes named, to show or to change."""
    if isinstance(result, RankProfile):
        return profiles.figure(measure_record(result.model, result, "cpu"), *what)
    if isinstance(result, RankSelection):
        return rank_evidence.figure(answer_of(result))
    if isinstance(result, Attribution):
        return input_attribution.figure(result)
    assert isinstance(result, ClassOrder)
    return class_order.figure(result)


def fragment_of(result: Any) -> str:
    """The answer as HTML that needs no script, for notebooks."""
    if isinstance(result, RankProfile):
        return profiles.fragment(measure_record(result.model, result, "cpu"))
    if isinstance(result, RankSelection):
        return evidence_table.fragment(answer_of(result))
    if isinstance(result, Attribution):
        return input_attribution.fragment(result)
    assert isinstance(result, ClassOrder)
    return class_order.fragment(result)


def page_of(result: RankProfile, path: Path) -> Path:
    """The report of a profile as one self-contained HTML file."""
    return write_report([measure_record(result.model, result, "cpu")], path)
