"""What a command prints: one JSON object, or a summary for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from isthmus.reports import evidence_table, headline, summary

_ONLY_FOR_THE_PAGE = ("history", "latent", "reconstructions", "arrows")


def print_object(value: object) -> None:
    """One JSON value on one line of standard output."""
    json.dump(value, sys.stdout, allow_nan=False)
    sys.stdout.write("\n")


def print_json(record: Mapping[str, Any], **paths: Path) -> None:
    """The record without what is only drawn, and where things are, as one object on standard output."""
    answer = {name: value for name, value in record.items() if name not in _ONLY_FOR_THE_PAGE}
    print_object({**answer, **{name: str(path) for name, path in paths.items()}})


def print_summary(record: Mapping[str, Any], **paths: Path) -> None:
    """Headline, paragraph, tables and paths, for reading."""
    console = Console(highlight=False)
    console.print(f"\n[bold]{_plain(headline(record))}[/bold]\n")
    console.print(Padding(_plain(summary(record)), (0, 0, 1, 2)))
    if record["kind"] == "fit":
        console.print(_errors(record))
    else:
        console.print(_layers(record))
    for name, path in paths.items():
        console.print(f"  {name:7} {_plain(str(path))}", soft_wrap=True)


def _errors(record: Mapping[str, Any]) -> Table:
    if found := record.get("cross_decision"):
        return _evidence(found)
    table = Table(title=f"held-out {record['error_name']}", title_justify="left", box=None, pad_edge=True)
    # Records of earlier fits have no probabilities.
    probabilities = record.get("rank_probabilities")
    likely = ["probability"] if probabilities else []
    for column in ("k", "projected", "refitted", *likely, *(b["name"] for b in record["baselines"])):
        table.add_column(column, justify="right")
    for row in record["error_curve"]:
        k = row["rank"]
        linear = [b["errors"].get(str(k)) for b in record["baselines"]]
        chance = [probabilities[str(k)]] if probabilities else []
        cells = [_number(value) for value in (row["projected"], row["refitted"], *chance, *linear)]
        is_answer = k == record["rank"]
        table.add_row(f"→ {k}" if is_answer else str(k), *cells, style="bold" if is_answer else "")
    table.add_section()
    table.add_row("whole", _number(record["whole_error"]), *[""] * (len(table.columns) - 2))
    return table


def _evidence(found: Mapping[str, Any]) -> Table:
    table = Table(title=f"held-out {_plain(found['error_name'])}", title_justify="left", box=None, pad_edge=True)
    for column in evidence_table.COLUMNS:
        table.add_column(column, justify="right")
    for is_answer, (k, *cells) in evidence_table.rows(found):
        table.add_row(f"→ {k}" if is_answer else k, *cells, style="bold" if is_answer else "")
    table.add_section()
    table.add_row("whole", _number(found["whole_error"]), *[""] * (len(table.columns) - 2))
    return table


def _layers(record: Mapping[str, Any]) -> Table:
    table = Table(title="layers", title_justify="left", box=None)
    for column in ("layer", "weight σ₁…σ₅", "activation s₁…s₅", "nonlinearity impact"):
        table.add_column(column, justify="right")
    for row in record["layers"]:
        weights, activations = (
            " ".join(f"{v:.3g}" for v in row[name][:5])
            for name in ("weight_singular_values", "activation_singular_values")
        )
        table.add_row(str(row["layer"]), weights, activations, _number(row["nonlinearity_impact"]))
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
