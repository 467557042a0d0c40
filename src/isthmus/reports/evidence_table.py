"""The evidence for a rank as a sentence and a table, for the terminal, notebooks and the page."""

from __future__ import annotations

from html import escape

from isthmus.reports.answer import Answer
from isthmus.reports.wording import interval, number, numbers, rough, share
from isthmus.selection.canonical_correlations import NOTHING_LEFT

_LEGEND = (
    "Error: on held-out rows, through k numbers. More than best: how much more than through the best number of "
    "numbers, ± one standard error. Objective: in training, the constant's is 1. Next matters: how much number k + 1 "
    "moves the outputs, relative to the first. "
)
_BEND, _ASK, _NEED, _SEE = "next is a bend", "labels ask", "lines need more", "lines see more"
_MEANINGS = {
    _BEND: "Next is a bend: how much of number k + 1 the first k determine.",
    _ASK: "Labels ask: by how many standard deviations (σ) number k + 1 speaks for the classes of rows held out.",
    _NEED: "Lines need more: by how many σ linear functions alone ask for more than k numbers.",
    _SEE: "Lines see more: by how many standard deviations (σ) linear functions of the inputs see what k numbers leave "
    "clearer than what the whole networks leave.",
}
"""What is weighed beside losses: of classes what labels and lines ask for, of outputs bends and lines of residuals."""


def legend(found: Answer) -> str:
    """How to read the columns."""
    linear = f"Linear: the same error of {found.linear_name} through k numbers. " if found.counts_losses else ""
    return linear + _LEGEND + " ".join(_MEANINGS[head] for head in _heads_of_task(found))


def columns(found: Answer) -> list[str]:
    """Heads of the columns."""
    likely = ["probability"] if found.probabilities is not None else []
    linear = ["linear"] if found.counts_losses else []
    return [
        "k",
        "error",
        *linear,
        "more than best",
        *likely,
        "objective",
        "next matters",
        *_heads_of_task(found),
    ]


def rows(found: Answer) -> list[tuple[bool, list[str]]]:
    """For each k whether it is the answer, and its cells under `columns`."""
    seen, least, cells = found.evidence, min(found.evidence.errors), []
    for k, error in enumerate(seen.errors):
        excess = "–" if error == least else f"{rough(error - least)} ± {rough(seen.standard_errors[k])}"
        likely = [share(found.probabilities[k])] if found.probabilities is not None else []
        linear = [number(seen.linear_errors[k])] if found.counts_losses else []
        is_last = k == len(seen.errors) - 1
        following = ["–", "–"] if is_last else [share(seen.sensitivities[k]), _of_next(found, k)]
        own = [number(seen.objectives[k]), *following, _lines(found, k)]
        cells.append([str(k), number(error), *linear, excess, *likely, *own])
    return [(k == found.rank, row) for k, row in enumerate(cells)]


def _heads_of_task(found: Answer) -> tuple[str, str]:
    return (_ASK, _NEED) if found.task == "classification" else (_BEND, _SEE)


def _of_next(found: Answer, k: int) -> str:
    seen = found.evidence
    return _deviations(seen.label_scores[k]) if found.task == "classification" else share(seen.redundancies[k])


def _lines(found: Answer, k: int) -> str:
    of_classes = found.task == "classification"
    deviations = found.evidence.linear[k] if of_classes else found.evidence.residual_lines[k]
    is_asked = deviations > NOTHING_LEFT if of_classes else found.task != "autoencoder"
    return _deviations(deviations) if is_asked else "–"


def _deviations(count: float) -> str:
    return f"{number(round(count, 1) + 0.0)} σ"


def answer(found: Answer) -> str:
    """One sentence: the rank, its probability and what else the rows allow."""
    k, lower, upper = found.rank, found.lower, found.upper
    allowed = f"; the rows allow {interval(lower, upper)}" if lower != upper else ""
    likely = "" if found.probabilities is None else f", with probability {share(found.probabilities[k])}"
    return f"Through {numbers(k)}{likely}{allowed}. {found.verdict.sentence}"


def fragment(found: Answer) -> str:
    """Both, as HTML without a script."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns(found))
    body = "".join(
        f'<tr style="font-weight:{weight}">{cells}</tr>'
        for weight, cells in (("bold" if is_answer else "normal", _cells(row)) for is_answer, row in rows(found))
    )
    return (
        f"<div><p>{escape(answer(found))}</p>"
        f'<div style="overflow-x:auto"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        f"<p><small>{escape(legend(found))}</small></p></div>"
    )


def _cells(row: list[str]) -> str:
    return "".join(f"<td>{escape(cell)}</td>" for cell in row)
