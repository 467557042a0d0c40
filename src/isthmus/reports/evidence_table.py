"""The evidence for a rank as a sentence and a table, for notebooks and for the page."""

from __future__ import annotations

from html import escape

from isthmus.reports.rank_evidence import Evidence
from isthmus.reports.wording import (
    interval,
    number,
    numbers,
    rough,
    share,
)
from isthmus.selection.canonical_correlations import NOTHING_LEFT

COLUMNS = ("k", "held-out error", "s.e.", "probability", "objective", "next", "bend", "linear")
"""The last three: how much a number k + 1 matters, how much of it the others determine, and how many deviations the
statistic for "more than k linear functions are needed" lies above chance."""


def rows(found: Evidence) -> list[tuple[bool, list[str]]]:
    """For each k whether it is the answer, and its cells under `COLUMNS`."""
    # Records of earlier fits do not have what linear functions say.
    linear = found.get("linear", [NOTHING_LEFT] * len(found["errors"]))
    cells = [
        [
            *(str(k), number(error), rough(found["standard_errors"][k]), share(found["probabilities"][k])),
            *(number(found["objectives"][k]), share(found["effects"][k]), share(found["dependences"][k])),
            "–" if linear[k] <= NOTHING_LEFT else f"{round(linear[k], 1) + 0.0:g}",
        ]
        for k, error in enumerate(found["errors"])
    ]
    return [(k == found["rank"], row) for k, row in enumerate(cells)]


def answer(found: Evidence) -> str:
    """One sentence: the rank, its probability and what else the rows allow."""
    k, lower, upper = found["rank"], found["lower"], found["upper"]
    allowed = f"; the rows allow {interval(lower, upper)}" if lower != upper else ""
    return f"Through {numbers(k)}, with probability {share(found['probabilities'][k])}{allowed}."


def fragment(found: Evidence) -> str:
    """Both, as HTML without a script."""
    head = "".join(f"<th>{escape(name)}</th>" for name in COLUMNS)
    body = "".join(
        f'<tr style="font-weight:{weight}">{cells}</tr>'
        for weight, cells in (("bold" if is_answer else "normal", _cells(row)) for is_answer, row in rows(found))
    )
    return (
        f"<div><p>{escape(answer(found))}</p>"
        f'<div style="overflow-x:auto"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></div>'
    )


def _cells(row: list[str]) -> str:
    return "".join(f"<td>{escape(cell)}</td>" for cell in row)
