"""Tables and key numbers of a page, as HTML. Every text of a record is escaped here, in `_cell` and `_rows`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from isthmus.reports import certificate, column_table, comparison_table, evidence_table, index_table
from isthmus.reports.answer import answer_of
from isthmus.reports.record import Record
from isthmus.reports.sentences import headline
from isthmus.reports.wording import (
    duration,
    interval,
    number,
    rough,
    share,
)
from isthmus.runs import FitRecord, MeasureRecord

_NAMES_SHOWN = 12  # of inputs or outputs: a page is not the place for hundreds of column names
# What options leave open, such as a depth chosen by the run, and numbers that have no tile of their own.
_RESULTS = (
    "depth",
    "width",
    "ridge",
    "objective",
    "train_error",
    "stationarity",
    "cost_lower",
    "training_seconds",
    "stopped",
)
_INPUTS_SHOWN = 30  # of a combination, those that weigh most
_ERRORS = ("held-out error", "test error")
_VALUES_SHOWN = 6  # singular values in a table of layers


def facts(record: Record) -> str:
    """The key numbers, eight of a fit and six of a measurement, so that they fill rows of two and of four or three."""
    layer = record.bottleneck_place or f"{record.bottleneck_layer} of {record.network_depth}"
    norm, cost = number(record.norm_per_depth), number(record.cost_lower)
    if isinstance(record, MeasureRecord):
        shown = [
            ("narrowest layer", layer),
            ("Jacobian rank", f"≥ {record.jacobian_rank}"),
            ("change of f", "–" if record.bottleneck_error is None else share(record.bottleneck_error)),
            ("tolerance", number(record.tolerance)),
            ("‖w‖² / L", norm),
            ("R / L, at least", cost),
        ]
    else:
        found = record.evidence
        # Of classes the two are not in one unit.
        held_out, test = ("held-out −log p", "test misclassified") if record.task == "classification" else _ERRORS
        shown = [
            ("narrowest layer", layer),
            ("Jacobian rank", f"≥ {record.jacobian_rank.lower}"),
            (held_out, f"{number(found.whole_error)} ± {rough(found.whole_standard_error)}"),
            (test, "–" if record.test is None else number(record.test.at_rank)),
            ("depth", str(record.depth)),
            ("λ", number(record.ridge)),
            ("‖w‖² / L", norm),
            ("time, in all", duration(record.seconds)),
        ]
    entries = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in shown)
    return f'<dl class="facts of-{len(shown)}">{entries}</dl>'


def overview(records: Sequence[Record]) -> str:
    """One row a record, linked to its section."""
    body = []
    for index, record in enumerate(records, start=1):
        cells = [
            f'<a href="#record-{index}">{escape(record.name)}</a>',
            escape(str(record.answer if isinstance(record, MeasureRecord) else interval_of(record))),
            escape(number(test_error_of(record))),
            escape(number(record.norm_per_depth)),
            escape(headline(record)),
        ]
        body.append("".join(f"<td{_wrapping(cell)}>{cell}</td>" for cell in cells))
    head = _head(["run", "rank", "test error", "‖w‖² / L", "what was found"])
    return _scrolling(f"{head}<tbody>{''.join(f'<tr>{cells}</tr>' for cells in body)}</tbody>")


def test_error_of(record: Record) -> float | None:
    """The error of the network through k numbers on the rows that were set aside; None without any."""
    return record.test.at_rank if isinstance(record, FitRecord) and record.test is not None else None


def interval_of(record: FitRecord) -> str:
    """The rank with its interval where they differ: `4 (4 to 5)`."""
    lower, upper = record.rank_lower, record.rank_upper
    return str(record.rank) if lower == upper else f"{record.rank} ({interval(lower, upper)})"


def errors(record: FitRecord) -> str:
    """The evidence for each k, the answer's row marked, with its legend."""
    found = answer_of(record)
    whole = ["whole", number(record.evidence.whole_error), *[""] * (len(evidence_table.columns(found)) - 2)]
    table = _table(evidence_table.columns(found), [*evidence_table.rows(found), (False, whole)])
    return f'{table}<p class="legend">{escape(evidence_table.legend(found))}</p>'


def comparison(record: FitRecord) -> str:
    """The network through k numbers beside simpler methods, on the held-out rows and on those that were set aside."""
    return _table(comparison_table.columns(record), comparison_table.rows(record))


def combinations(record: FitRecord) -> str:
    """The linear combinations of the inputs that the outputs depend on; nothing where there are none."""
    found = record.index
    if found is None or not found.rank:
        return ""
    caption = f"<p>{escape(index_table.caption(found, inputs=_INPUTS_SHOWN))}</p>"
    return caption + _table(index_table.columns(found), index_table.rows(found, inputs=_INPUTS_SHOWN))


def columns(record: FitRecord) -> str:
    """What became of each column of the table that was read; nothing where there was none."""
    body = [(False, cells) for cells in column_table.rows(record.data)]
    return _table(column_table.COLUMNS, body) if body else ""


def changes(record: MeasureRecord) -> str:
    """Change of a measured function over k."""
    found, tried = record.bottleneck_changes, record.bottleneck_change_ranks
    body = [(k == record.answer, [str(k), share(v)]) for k, v in zip(tried, found, strict=True)]
    return _table(["k", "change of f"], body) if body else ""


def layers(record: Record) -> str:
    """Spectra and impact of every layer."""
    body = []
    for row in record.layers:
        weights, activations = (
            "  ".join(f"{v:.3g}" for v in getattr(row, name)[:_VALUES_SHOWN])
            for name in ("weight_singular_values", "activation_singular_values")
        )
        is_narrow = row.layer == record.bottleneck_layer and not record.is_local
        number_and_name = f"{row.layer} {row.name}".strip()
        measured = (row.nonlinearity_impact, row.isometry_distance, row.cost_of_identity)
        body.append((is_narrow, [number_and_name, weights, activations, *map(number, measured)]))
    head = ["ℓ", "singular values of W_ℓ", "of the activations", "nonlinearity", "from an isometry", "cost of identity"]
    return _table(head, body)


def evidence(record: Record) -> str:
    """The sentences behind the answer, with their heading."""
    if isinstance(record, MeasureRecord):
        said = [record.jacobian_evidence, record.bottleneck_evidence, *certificate.sentences(record), *record.notes]
    else:
        said = [record.hyperparameters.reason, *record.rank_evidence]
    return f"<h2>Evidence</h2><ul class='evidence'>{''.join(f'<li>{escape(str(each))}</li>' for each in said)}</ul>"


def origin(record: Record) -> str:
    """How to repeat the run."""
    rows: list[tuple[str, str]] = [("created", record.created)]
    if isinstance(record, FitRecord):
        rows += [("command", " ".join(record.command))] if record.command else []
        rows += _rows("result", {name: getattr(record, name) for name in _RESULTS})
        rows += _rows("data", record.data.model_dump(exclude={"columns", "warnings", "notes"}))
        rows += _rows("options", record.options)
    rows += _rows("versions", record.versions)
    body = "".join(f"<tr><th scope='row'>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f'<div class="scroll"><table class="origin"><tbody>{body}</tbody></table></div>'


def _rows(part: str, entries: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    for name, value in entries.items():
        if isinstance(value, Mapping):
            yield from _rows(f"{part} · {name}", value)
        elif isinstance(value, list):
            rest = f", … ({len(value)} in all)" if len(value) > _NAMES_SHOWN else ""
            # An image's shape reads as 8 × 8, names and notes as a list.
            between = " × " if name.endswith("shape") else ", "
            yield f"{part} · {name}", between.join(map(str, value[:_NAMES_SHOWN])) + rest
        else:
            yield f"{part} · {name}", number(value) if value is None or isinstance(value, float) else str(value)


def _table(head: Sequence[str], rows: Iterable[tuple[bool, Sequence[str]]]) -> str:
    body = "".join(
        f"<tr{' class=chosen' if is_chosen else ''}>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for is_chosen, cells in rows
    )
    return _scrolling(f"{_head(head)}<tbody>{body}</tbody>")


def _head(names: Sequence[str]) -> str:
    return f"<thead><tr>{''.join(f'<th scope=col>{escape(name)}</th>' for name in names)}</tr></thead>"


def _scrolling(table: str) -> str:
    # Focusable, so that a wide table can be scrolled from the keyboard.
    return f'<div class="scroll" tabindex="0"><table>{table}</table></div>'


def _wrapping(cell: str) -> str:
    return ' class="text"' if len(cell) > 24 else ""
