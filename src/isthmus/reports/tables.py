"""Tables and key figures of a page, as HTML; every text of a record is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from isthmus.reports.summary import headline

Record = Mapping[str, Any]


def facts(record: Record) -> str:
    """The key numbers."""
    if record["kind"] == "measure":
        shown = [
            ("bottleneck rank", str(record["bottleneck_rank"])),
            ("Jacobian rank ≥", str(record["jacobian_rank"])),
            ("at layer", str(record["bottleneck_layer"])),
            ("change of f", f"{record['bottleneck_error']:.2%}"),
            ("‖w‖²/L", number(record["norm_per_depth"])),
            ("cost ≥", number(record["cost_lower"])),
        ]
    else:
        shown = [
            ("rank", str(record["rank"])),
            ("interval", f"{record['rank_lower']} – {record['rank_upper']}"),
            ("Jacobian rank ≥", str(record["jacobian_rank"]["lower"])),
            ("at layer", f"{record['bottleneck_layer']} of {record['depth']}"),
            ("test error", number(record["test_error"])),
            ("objective", number(record["objective"])),
            ("‖w‖²/L", number(record["norm_per_depth"])),
            ("training", f"{record['seconds']:.0f} s"),
        ]
    return (
        '<dl class="facts">'
        + "".join(f"<div><dt>{escape(n)}</dt><dd>{escape(v)}</dd></div>" for n, v in shown)
        + "</dl>"
    )


def overview(records: Sequence[Record]) -> str:
    """One line a record, linked to its section."""
    rows = [
        [f'<a href="#record-{number}">{escape(str(record["name"]))}</a>', escape(headline(record))]
        for number, record in enumerate(records, start=1)
    ]
    body = "".join(f"<tr><td>{name}</td><td class='text'>{answer}</td></tr>" for name, answer in rows)
    return f'<h2>Runs</h2><div class="scroll"><table><tbody>{body}</tbody></table></div>'


def evidence(record: Record) -> str:
    """The sentences behind the answer."""
    if record["kind"] == "measure":
        said = [record["jacobian_evidence"], record["bottleneck_evidence"]]
    else:
        said = record["rank_evidence"]
    return "<h2>Evidence</h2>" + "".join(f'<p class="lead">{escape(sentence)}</p>' for sentence in said)


def errors(record: Record) -> str:
    """Held-out error over k, and the baseline beside it on the test rows."""
    if record["kind"] == "measure":
        return ""
    names = [baseline["name"] for baseline in record["baselines"]]
    body = []
    for row in record["error_curve"]:
        linear = [baseline["errors"].get(str(row["rank"])) for baseline in record["baselines"]]
        cells = [number(v) for v in (row["projected"], row["refitted"], *linear)]
        body.append((row["rank"] == record["rank"], [str(row["rank"]), *cells]))
    held_out = _table(["k", "projected", "refitted", *names], body)
    test = [(True, [f"network through {record['rank']}", number(record["network_test_error_at_rank"])])]
    test += [
        (False, [f"{b['name']} through {record['rank']}", number(b["test_error_at_rank"])]) for b in record["baselines"]
    ]
    test.append((False, ["whole network", number(record["test_error"])]))
    return f"<h2>Held-out error over k</h2>{held_out}<h2>Test error at the same k</h2>" + _table(
        ["", str(record["error_name"])], test
    )


def layers(record: Record) -> str:
    """Spectra and impact of every layer."""
    body = []
    for row in record["layers"]:
        weights, activations = (
            " ".join(f"{v:.3g}" for v in row[name][:6])
            for name in ("weight_singular_values", "activation_singular_values")
        )
        body.append((False, [str(row["layer"]), weights, activations, number(row["nonlinearity_impact"])]))
    head = ["ℓ", "singular values of W_ℓ", "spread of activations", "nonlinearity"]
    return f"<details><summary>Layer by layer</summary>{_table(head, body)}</details>"


def origin(record: Record) -> str:
    """How to repeat the run."""
    rows: list[tuple[str, object]] = [("created", record["created"])]
    for part in ("options", "data", "versions"):
        for name, value in record.get(part, {}).items():
            if name in ("input_names", "output_names") and len(value) > 12:
                value = [*value[:12], f"… ({len(value)} in all)"]
            rows.append((f"{part}: {name}", value))
    body = "".join(f"<tr><td>{escape(n)}</td><td class='text'>{escape(_plain(v))}</td></tr>" for n, v in rows)
    table = f'<div class="scroll"><table><tbody>{body}</tbody></table></div>'
    return f"<details><summary>How this was made</summary>{table}</details>"


def number(value: float | None) -> str:
    """Four significant figures, or nothing."""
    return "" if value is None else f"{value:.4g}"


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {entry}" for name, entry in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _table(head: Sequence[str], rows: Sequence[tuple[bool, Sequence[str]]]) -> str:
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        f"<tr{' class=answer' if is_answer else ''}>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
        for is_answer, cells in rows
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
