"""What a command prints: one JSON object, or a summary for people."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from isthmus.reports import column_table, comparison_table, evidence_table, headline, index_table, summary
from isthmus.reports.answer import answer_of
from isthmus.reports.wording import number
from isthmus.runs import FitRecord, MeasureRecord
from isthmus.runs.record import as_json
from isthmus.runs.record_parts import IndexRow

_ONLY_FOR_THE_PAGE = ("history", "latent", "reconstructions", "traversals", "arrows")
_INPUTS, _COMBINATIONS = 8, 3  # of the combinations of the inputs, what fits into 80 characters
_COLOURS = {"rely": "green", "caution": "yellow", "do not rely": "red"}


def print_object(value: object) -> None:
    """One JSON value on one line of standard output."""
    json.dump(value, sys.stdout, allow_nan=False)
    sys.stdout.write("\n")


def print_json(record: FitRecord | MeasureRecord, **paths: Path) -> None:
    """The record without what is only drawn, and where things are, as one object on standard output."""
    print_object({**as_json(record, without=_ONLY_FOR_THE_PAGE), **{name: str(path) for name, path in paths.items()}})


def print_summary(record: FitRecord | MeasureRecord, **paths: Path) -> None:
    """Verdict, headline, paragraph, tables and paths, for reading."""
    console = Console(highlight=False)
    if isinstance(record, FitRecord):
        console.print(f"\n[bold {_COLOURS[record.verdict.level]}]{_plain(record.verdict.sentence)}[/]")
    console.print(f"\n[bold]{_plain(headline(record))}[/bold]\n")
    console.print(Padding(_plain(summary(record)), (0, 0, 1, 2)))
    if isinstance(record, FitRecord):
        for note in record.data.notes:
            console.print(Padding(f"Data: {_plain(note)}", (0, 0, 0, 2)))
        if record.data.columns:
            console.print(_columns(record))
        console.print(_evidence(record))
        console.print(Padding(f"[dim]{_plain(evidence_table.legend(answer_of(record)))}[/dim]", (0, 0, 1, 2)))
        console.print(_comparison(record))
        if record.index is not None and record.index.rank:
            console.print(_combinations(record.index))
            legend = index_table.caption(record.index, inputs=_INPUTS, most=_COMBINATIONS)
            console.print(Padding(f"[dim]{_plain(legend)}[/dim]", (0, 0, 1, 2)))
    else:
        console.print(_layers(record))
    for name, path in paths.items():
        console.print(f"  {name:7} {_plain(str(path))}", soft_wrap=True)


def _evidence(record: FitRecord) -> Table:
    found = answer_of(record)
    title = _plain(f"held-out {found.loss_name}")
    # Nine columns in the 80 characters of a terminal: one space between them, and no words for what is small.
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    for column in evidence_table.columns(found):
        table.add_column(column, justify="right", no_wrap=" " not in column)
    for is_answer, (k, *cells) in evidence_table.rows(found):
        cells = [cell.replace("under ", "<") for cell in cells]
        table.add_row(f"→ {k}" if is_answer else k, *cells, style="bold" if is_answer else "")
    table.add_section()
    table.add_row("whole", number(record.evidence.whole_error), *[""] * (len(table.columns) - 2))
    return table


def _columns(record: FitRecord) -> Table:
    """What became of each column of the table."""
    table = Table(box=None, padding=(0, 1, 0, 2))
    for column in column_table.COLUMNS:
        table.add_column(column)
    for cells in column_table.rows(record.data):
        table.add_row(*map(_plain, cells))
    return table


def _comparison(record: FitRecord) -> Table:
    """The network beside simpler methods, on held-out rows and on those that were set aside."""
    name, *others = comparison_table.columns(record)
    table = Table(title=_plain(name), title_justify="left", box=None, pad_edge=True)
    for column in ("", *others):
        table.add_column(column, justify="right" if column else "left")
    for is_answer, cells in comparison_table.rows(record):
        table.add_row(*map(_plain, cells), style="bold" if is_answer else "")
    return table


def _combinations(found: IndexRow) -> Table:
    """The inputs that weigh most in the first of the combinations that the outputs depend on."""
    table = Table(title="\nlinear combinations of the inputs", title_justify="left", box=None, pad_edge=True)
    for column in index_table.columns(found, most=_COMBINATIONS):
        table.add_column(column, justify="left" if column == "input" else "right")
    for _, cells in index_table.rows(found, inputs=_INPUTS, most=_COMBINATIONS):
        table.add_row(*map(_plain, cells))
    return table


def _layers(record: MeasureRecord) -> Table:
    table = Table(title="layers", title_justify="left", box=None)
    for column in ("layer", "weight σ₁…σ₅", "activation s₁…s₅", "nonlinearity impact"):
        table.add_column(column, justify="right")
    for row in record.layers:
        weights, activations = (
            " ".join(f"{v:.3g}" for v in values[:5])
            for values in (row.weight_singular_values, row.activation_singular_values)
        )
        impact = "" if row.nonlinearity_impact is None else number(row.nonlinearity_impact)
        table.add_row(str(row.layer), weights, activations, impact)
    return table


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
