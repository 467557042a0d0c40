"""The linear combinations of the inputs that a function depends on: a sentence and a table, for terminal and page."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.reports.wording import numbers_of, rough
from isthmus.runs.record_parts import IndexRow

_NAMED = 6  # columns of a group of ties, and groups, that are named


def sentences(found: IndexRow) -> Iterator[str]:
    """The answer, and which combinations of the inputs cannot be told apart."""
    yield found.sentence
    inputs = len(found.inputs)
    if found.dimensions < inputs and not found.ties and found.rank:
        yield f"They were sought in the {found.dimensions} of {inputs} directions of the inputs that the networks read."
    constant = [names[0] for names in found.ties if len(names) == 1]
    if constant:
        yield f"{_listed(constant)} {'does' if len(constant) == 1 else 'do'} not vary and can have any weight."
    tied = [_listed(names) for names in found.ties if len(names) > 1]
    if tied:
        groups = "; ".join(tied[:_NAMED]) + ("; and others" if len(tied) > _NAMED else "")
        yield f"Weight can be moved with hardly a change at any row among {groups}; it is shown spread evenly."


def columns(found: IndexRow, *, most: int | None = None) -> list[str]:
    """Heads: the input, and each combination, the largest effect first; at most so many of them."""
    return ["input", *(f"a{i}" for i in range(1, len(found.directions[:most]) + 1))]


def rows(found: IndexRow, *, inputs: int, most: int | None = None) -> list[tuple[bool, list[str]]]:
    """The inputs that weigh most by their deviations, at most so many, with weights ± standard errors as cells."""
    directions, errors = found.directions[:most], found.standard_errors
    sizes = [
        max((abs(row[j]) * found.deviations[j] for row in directions), default=0.0) for j in range(len(found.inputs))
    ]
    order = sorted(range(len(sizes)), key=lambda j: -sizes[j])[:inputs]
    return [
        (
            False,
            [
                found.inputs[j],
                *(_cell(row[j], None if errors is None else errors[i][j]) for i, row in enumerate(directions)),
            ],
        )
        for j in order
    ]


def caption(found: IndexRow, *, inputs: int, most: int | None = None) -> str:
    """How to read the table."""
    shown, of = len(rows(found, inputs=inputs)), len(found.inputs)
    which = f"The {shown} of {numbers_of(of, 'input')} that weigh most. " if shown < of else ""
    left = len(found.directions) - len(found.directions[:most])
    more = f" {left} more are in the record." if left else ""
    errors = "standard errors by the jackknife over the folds"
    if found.standard_errors is None:
        errors = "two folds or fewer say nothing of standard errors"
    return (
        f"{which}Combinations a·x of variance 1 without correlation, the largest effect on the outputs first; "
        f"{errors}.{more}"
    )


def _cell(weight: float, error: float | None) -> str:
    return f"{weight:.3g}" if error is None else f"{weight:.3g} ± {rough(error)}"


def _listed(names: list[str]) -> str:
    if len(names) > _NAMED:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
