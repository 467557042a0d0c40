"""The network through k numbers beside simpler methods as a table, for the terminal and the page."""

from __future__ import annotations

from isthmus.reports.wording import number, rough
from isthmus.runs import FitRecord


def columns(record: FitRecord) -> list[str]:
    """Heads of the columns: what the errors measure, and on which rows."""
    aside = ["rows set aside"] if record.test is not None else []
    return [record.verdict.error_name, "held-out rows", "more than the network", *aside]


def rows(record: FitRecord) -> list[tuple[bool, list[str]]]:
    """For the network and each method whether it is the answer, and its cells under `columns`."""
    test = record.test
    through = f"network through {record.rank}"
    found = [(True, [through, number(record.verdict.error), "", *([] if test is None else [number(test.at_rank)])])]
    aside = {} if test is None else {each.name: each.error for each in test.comparisons}
    for each in record.verdict.comparisons:
        error = "–" if each.standard_error is None else rough(each.standard_error)
        beside = f"{'+' if each.difference > 0 else ''}{rough(each.difference)} ± {error}"
        there = [] if test is None else [number(aside.get(each.name))]
        found.append((False, [each.name, number(each.error), beside, *there]))
    if test is not None:
        found.append((False, ["whole network", "", "", number(test.whole)]))
    return found
