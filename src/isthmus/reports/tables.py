"""Tables and key numbers of a page, as HTML. Every text of a record is escaped here, in `_cell` and `_rows`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from isthmus.reports import evidence_table
from isthmus.reports.record import (
    Record,
    depth_of,
    is_local,
    is_measurement,
    rank_of,
)
from isthmus.reports.summary import headline
from isthmus.reports.wording import (
    duration,
    interval,
    number,
    rough,
    share,
)

_NAMES_SHOWN = 12  # of inputs or outputs: a page is not the place for hundreds of column names
# What options leave open, such as a depth chosen by the run, and numbers that have no tile of their own.
_RESULTS = ("depth", "width", "ridge", "tolerance", "error_name", "validation_error", "cost_lower", "stopped")
_VALUES_SHOWN = 6  # singular values in a table of layers


def facts(record: Record) -> str:
    """The key numbers, eight of a fit and six of a measurement, so that they fill rows of two and of four or three."""
    layer = record.get("bottleneck_place") or f"{record['bottleneck_layer']} of {depth_of(record)}"
    rank = record["jacobian_rank"]
    jacobian = f"≥ {rank['lower'] if isinstance(rank, Mapping) else rank}"
    norm, cost = number(record["norm_per_depth"]), number(record.get("cost_lower"))
    if is_measurement(record):
        shown = [
            ("narrowest layer", layer),
            ("Jacobian rank", jacobian),
            ("change of f", share(record["bottleneck_error"])),
            ("tolerance", number(record["tolerance"])),
            ("‖w‖² / L", norm),
            ("R / L, at least", cost),
        ]
    else:
        shown = [
            ("narrowest layer", layer),
            ("Jacobian rank", jacobian),
            ("held-out error", f"{number(record['whole_error'])} ± {rough(record['whole_standard_error'])}"),
            ("test error", number(record["test_error"])),
            ("training error", number(record["train_error"])),
            ("objective", number(record["objective"])),
            ("‖w‖² / L", norm),
            ("time", duration(record["seconds"])),
        ]
    entries = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in shown)
    return f'<dl class="facts of-{len(shown)}">{entries}</dl>'


def overview(records: Sequence[Record]) -> str:
    """One row a record, linked to its section."""
    body = []
    for index, record in enumerate(records, start=1):
        cells = [
            f'<a href="#record-{index}">{escape(str(record["name"]))}</a>',
            escape(str(rank_of(record) if is_measurement(record) else interval_of(record))),
            escape(number(record.get("test_error"))),
            escape(number(record["norm_per_depth"])),
            escape(headline(record)),
        ]
        body.append("".join(f"<td{_wrapping(cell)}>{cell}</td>" for cell in cells))
    head = _head(["run", "rank", "test error", "‖w‖² / L", "what was found"])
    return _scrolling(f"{head}<tbody>{''.join(f'<tr>{cells}</tr>' for cells in body)}</tbody>")


def interval_of(record: Record) -> str:
    """The rank with its interval where they differ: `4 (4 to 5)`."""
    lower, upper = record["rank_lower"], record["rank_upper"]
    return str(record["rank"]) if lower == upper else f"{record['rank']} ({interval(lower, upper)})"


def errors(record: Record) -> str:
    """Held-out error over k, the answer's row marked."""
    if found := record.get("cross_decision"):
        return _table(evidence_table.COLUMNS, evidence_table.rows(found))
    baselines, probabilities = record.get("baselines") or [], record.get("rank_probabilities") or {}
    body = []
    for row in record["error_curve"]:
        k = str(row["rank"])
        cells = [k, *(number(v) for v in (row["projected"], row["refitted"], row["standard_error"]))]
        likely = [share(probabilities.get(k, 0.0))] if probabilities else []
        linear = [number(baseline["errors"].get(k)) for baseline in baselines]
        body.append((row["rank"] == record["rank"], [*cells, *likely, *linear]))
    head = ["k", "projected", "refitted", "s.e.", *["probability"] * bool(probabilities)]
    whole = [number(record["whole_error"]), "", rough(record["whole_standard_error"])]
    rest = [""] * (len(head) - 4 + len(baselines))
    body.append((False, ["whole", *whole, *rest]))
    return _table([*head, *(str(b["name"]) for b in baselines)], body)


def comparison(record: Record) -> str:
    """Test error of the narrowed network, the whole one and the baselines at the same k."""
    k = record["rank"]
    if k == 0:
        return ""
    rows = [
        (f"{b['name']} through {k}", b["test_error_at_rank"])
        for b in record.get("baselines") or []
        if b.get("test_error_at_rank") is not None
    ]
    if not rows:
        return ""
    if record.get("network_test_error_at_rank") is not None:
        rows.insert(0, (f"network through {k}", record["network_test_error_at_rank"]))
    rows.append(("whole network", record["test_error"]))
    body = [(index == 0, [name, number(error)]) for index, (name, error) in enumerate(rows)]
    return _table(["on the test rows", "error"], body)


def changes(record: Record) -> str:
    """Change of a measured function over k."""
    found = record.get("bottleneck_changes") or []
    tried = record.get("bottleneck_change_ranks") or range(len(found))
    body = [(k == rank_of(record), [str(k), share(v)]) for k, v in zip(tried, found, strict=True)]
    return _table(["k", "change of f"], body) if body else ""


def layers(record: Record) -> str:
    """Spectra and impact of every layer."""
    body = []
    for row in record["layers"]:
        weights, activations = (
            "  ".join(f"{v:.3g}" for v in row[name][:_VALUES_SHOWN])
            for name in ("weight_singular_values", "activation_singular_values")
        )
        is_narrow = row["layer"] == record["bottleneck_layer"] and not is_local(record)
        number_and_name = f"{row['layer']} {row.get('name', '')}".strip()
        body.append((is_narrow, [number_and_name, weights, activations, number(row["nonlinearity_impact"])]))
    return _table(["ℓ", "singular values of W_ℓ", "of the activations", "nonlinearity"], body)


def evidence(record: Record) -> str:
    """The sentences behind the answer, with their heading."""
    names = ("jacobian_evidence", "bottleneck_evidence")
    said = [record[name] for name in names if record.get(name)] if is_measurement(record) else record["rank_evidence"]
    if not said:
        return ""
    return f"<h2>Evidence</h2><ul class='evidence'>{''.join(f'<li>{escape(str(each))}</li>' for each in said)}</ul>"


def origin(record: Record) -> str:
    """How to repeat the run."""
    rows: list[tuple[str, str]] = [("created", str(record["created"]))]
    rows += _rows("result", {name: record[name] for name in _RESULTS if record.get(name) is not None})
    for part in ("data", "options", "versions"):
        rows += _rows(part, record.get(part) or {})
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
