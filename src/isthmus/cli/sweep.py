"""`isthmus sweep`: many selections over a grid."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import AsJson, Jobs, checked_jobs
from isthmus.errors import FileMissingError, OptionError
from isthmus.foundation.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isthmus.sweeps import CellRow, Specification

_SHOWN = 40  # cells in the terminal


def sweep_command(
    spec: Annotated[Path, typer.Argument(help="The grid: a TOML file of data, parameters, options.", metavar="SPEC")],
    out: Annotated[Path, typer.Option(help="STORE: folder of the cells and their runs; an unfinished one goes on.")],
    n_jobs: Jobs = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Run on the Dask cluster of this scheduler, such as tcp://127.0.0.1:8786.")
    ] = None,
    x: Annotated[str | None, typer.Option(help="Axis of the heat maps from left to right.")] = None,
    y: Annotated[str | None, typer.Option(help="Axis of the heat maps from bottom to top.")] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Try again the cells that failed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Select the rank in every cell of a grid of data, options and seeds; ends in a table and a page of heat maps."""
    if not spec.is_file():
        raise FileMissingError(spec, "SPEC is a TOML file with data, seeds, [parameters] and [options].")
    checked_jobs(n_jobs)
    if scheduler is not None and n_jobs != 1:
        raise OptionError("--n-jobs", n_jobs, "left out beside --scheduler, whose workers are all used")
    from isthmus.foundation.files import write_atomically
    from isthmus.reports.sweep_page import chosen_axes, write_sweep_page
    from isthmus.sweeps import dask_cluster, read_specification, sweep, sweep_csv

    grid = read_specification(spec)
    chosen_axes(grid.axes, x, y)
    place = nullcontext() if scheduler is None else dask_cluster(scheduler)
    with place, progress_bar(f"sweeping {spec.stem}", logs=True) as report:
        workers = n_jobs if scheduler is None else None
        rows = sweep(grid, out, n_jobs=workers, retry=retry, report=report)
    table, page = out / "cells.csv", out / "sweep.html"
    write_atomically(table, sweep_csv(rows).encode())
    write_sweep_page(rows, grid.axes, page, name=spec.stem, x=x, y=y)
    paths = {"store": str(out), "table": str(table), "report": str(page)}
    _print_json(grid, rows, paths) if as_json else _print(grid, rows, paths)


def _print_json(grid: Specification, rows: Sequence[CellRow], paths: dict[str, str]) -> None:
    from isthmus.cli.output import print_object
    from isthmus.sweeps import sweep_json

    counts: dict[str, Any] = {each: sum(row.status == each for row in rows) for each in ("done", "failed")}
    axes = {name: list(values) for name, values in grid.axes.items()}
    print_object({"kind": "sweep", "axes": axes, **counts, "cells": sweep_json(rows), **paths})


def _print(grid: Specification, rows: Sequence[CellRow], paths: dict[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table

    from isthmus.reports.sweep_page import columns, constants_in_words, row_texts, sweep_in_words

    console = Console(highlight=False)
    console.print(f"\n[bold]{sweep_in_words(rows)}[/bold]\n")
    if common := constants_in_words(rows, grid.axes):
        console.print(f"  {common}\n".replace("[", r"\["))
    table = Table(box=None)
    for column in columns(grid.axes):
        table.add_column(column.replace("[", r"\["))
    for row in rows[:_SHOWN]:
        table.add_row(*(text.replace("[", r"\[") for text in row_texts(row, grid.axes)))
    console.print(table)
    if len(rows) > _SHOWN:
        console.print(f"  {len(rows) - _SHOWN} more cells are in the table.")
    console.print()
    for name, path in paths.items():
        console.print(f"  {name:7} {path}".replace("[", r"\["), soft_wrap=True)
