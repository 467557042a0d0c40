"""`isthmus fit`: from data to a rank."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.data_options import ColumnOptions, DataArgument, Seed
from isthmus.cli.option_groups import with_option_groups
from isthmus.cli.options import AsJson, Jobs, checked_jobs, checked_out, checked_seed
from isthmus.cli.selection_options import SelectionOptions
from isthmus.cli.table_options import TableOptions
from isthmus.foundation.progress import progress_bar


@with_option_groups
def fit(
    data: DataArgument,
    columns: ColumnOptions = ColumnOptions(),
    table: TableOptions = TableOptions(),
    test: Annotated[
        float, typer.Option(help="Share of rows set aside for an honest test error; 0 selects the rank on all rows.")
    ] = 0.15,
    cv: Annotated[
        int | None,
        typer.Option(help="Parts of the rows that are held out in turn. Default: 5, and 3 from 1,000 rows on.", min=2),
    ] = None,
    selecting: SelectionOptions = SelectionOptions(),
    path: Annotated[bool, typer.Option("--path", help="Follow the rank over λ, from λ to 64 λ, as well.")] = False,
    out: Annotated[Path | None, typer.Option(help="RUN folder. Default: runs/<data>-<digest>.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace another run in the folder, once this one is done.")] = False,
    export: Annotated[
        Path | None, typer.Option(help="Write the function for other runtimes too: .onnx, .safetensors or .pt2.")
    ] = None,
    seed: Seed = 0,
    n_jobs: Jobs = 1,
    as_json: AsJson = False,
) -> None:
    """Select the rank of DATA by cross-validation, split the function there, and write a RUN folder with a report.

    The rank is the smallest number of coordinates that the best function of the data can be passed through.
    """
    # What needs no torch comes first: a wrong file or column is said at once.
    from isthmus.data import load_dataset

    selecting.check()
    checked_jobs(n_jobs)
    if export is not None:
        checked_out(export, "--export")
    loading, reading = {**columns.loading(), "test": test}, table.reading()
    with progress_bar(f"reading {data}", logs=True) as progress:
        dataset = load_dataset(data, seed=checked_seed(seed), report=progress, **loading, **reading)
    loading |= {"drop": reading["drop"], "missing": reading["missing"], "table": asdict(reading["told"])}

    from isthmus.reports import write_report
    from isthmus.runs import RunFolder, RunOptions, load_run, run_fit

    options = RunOptions(
        selecting.config(), cv=cv, seed=seed, path=path, command=("isthmus", *sys.argv[1:]), data=loading
    )
    folder = out or Path("runs") / f"{_slug(data)}-{options.for_data(dataset).key(dataset)[:8]}"
    with progress_bar(f"fitting {dataset.name}", logs=True) as progress:
        record = run_fit(dataset, options, folder, overwrite=overwrite, n_jobs=n_jobs, report=progress)
        page = write_report([record], RunFolder(folder).report)
    from isthmus.cli.output import print_json, print_summary

    paths = {"run": folder, "report": page}
    if export is not None:
        paths["export"] = load_run(folder).export(export)
    if as_json:
        print_json(record, **paths)
    else:
        print_summary(record, **paths)


def _slug(data: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", Path(data).stem or data).strip("-").lower() or "run"
