"""`isthmus fit`: from data to a rank."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from isthmus.cli.data_options import (
    ActivationName,
    DataArgument,
    Group,
    Seed,
    Standardize,
    Starts,
    Target,
    Task,
    Time,
    Weights,
)
from isthmus.cli.options import (
    AsJson,
    Device,
    Jobs,
    Tolerated,
    checked_device,
    checked_jobs,
    checked_out,
    checked_seed,
)
from isthmus.cli.table_options import TableOptions, with_table_options
from isthmus.errors import OptionError
from isthmus.foundation.progress import progress_bar

_QUICK_FOLDS = 2


@with_table_options
def fit(
    data: DataArgument,
    task: Task = None,
    target: Target = None,
    weights: Weights = None,
    group: Group = None,
    time: Time = None,
    table: TableOptions = TableOptions(),
    test: Annotated[
        float, typer.Option(help="Share of rows set aside for an honest test error; 0 selects the rank on all rows.")
    ] = 0.15,
    quick: Annotated[
        bool, typer.Option("--quick", help=f"The same rule with less evidence: {_QUICK_FOLDS} of the folds.")
    ] = False,
    cv: Annotated[
        int | None,
        typer.Option(help="Parts of the rows that are held out in turn. Default: 5, and 3 from 1,000 rows on.", min=2),
    ] = None,
    depth: Annotated[
        str | None,
        typer.Option(help="Number of weight matrices L, or several to choose from. Default: chosen.", metavar="N,…"),
    ] = None,
    ridge: Annotated[
        str | None,
        typer.Option(help="λ in (λ/L)‖w‖², or several to choose from. Default: chosen.", metavar="λ,…"),
    ] = None,
    width: Annotated[int | None, typer.Option(help="Width of the hidden layers. Default: 64.")] = None,
    out: Annotated[Path | None, typer.Option(help="RUN folder. Default: runs/<data>-<digest>.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace another run in the folder, once this one is done.")] = False,
    export: Annotated[
        Path | None, typer.Option(help="Write the function for other runtimes too: .onnx, .safetensors or .pt2.")
    ] = None,
    seed: Seed = 0,
    standardize: Standardize = None,
    activation: ActivationName = "relu",
    tolerance: Tolerated = 0.1,
    path: Annotated[bool, typer.Option("--path", help="Follow the rank over λ, from λ to 64 λ, as well.")] = False,
    n_init: Starts = 1,
    learning_rate: Annotated[float | None, typer.Option(help="Peak step size of the descent.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of the descent (SOAP) of each network.")] = None,
    rounds: Annotated[int | None, typer.Option(help="At most so many rounds of L-BFGS after it.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Rows in a step of the descent. Default: all up to 4096.")
    ] = None,
    device: Device = "cpu",
    n_jobs: Jobs = 1,
    as_json: AsJson = False,
) -> None:
    """Select the rank of DATA by cross-validation, split the function there, and write a RUN folder with a report."""
    # What needs no torch comes first: a wrong file or column is said at once.
    from isthmus.data import load_dataset

    asked: dict[str, Any] = {
        "depth": _several("--depth", depth, int),
        "ridge": _several("--ridge", ridge, float),
        "width": width,
        "standardize": None if standardize is None else standardize.value,
        "max_folds": _QUICK_FOLDS if quick else None,
    }
    loading: dict[str, Any] = {
        "task": task.value if task else None,
        "target": list(target or ()),
        "weights": weights,
        "group": group,
        "time": time,
        "test": test,
    }
    checked_jobs(n_jobs)
    if export is not None:
        checked_out(export)
    reading = table.reading()
    with progress_bar(f"reading {data}", logs=True) as progress:
        dataset = load_dataset(data, seed=checked_seed(seed), report=progress, **loading, **reading)
    loading |= {"drop": reading["drop"], "missing": reading["missing"], "table": asdict(reading["told"])}

    from isthmus.reports import write_report
    from isthmus.runs import RunFolder, RunOptions, load_run, run_fit
    from isthmus.selection import SelectionConfig, usual_schedule

    given = {name: value for name, value in asked.items() if value is not None}
    config = SelectionConfig(
        activation=activation, tolerance=tolerance, n_init=n_init, device=checked_device(device), **given
    )
    schedule: dict[str, Any] = {
        "learning_rate": learning_rate,
        "steps": steps,
        "rounds": rounds,
        "batch_size": batch_size,
    }
    trained = {name: value for name, value in schedule.items() if value is not None}
    if trained:
        config = replace(config, schedule=replace(usual_schedule(max(config.depths or (1,))), **trained))
    options = RunOptions(config, cv=cv, seed=seed, path=path, command=("isthmus", *sys.argv[1:]), data=loading)
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


def _several(option: str, text: str | None, kind: type[int] | type[float]) -> Any:
    """The numbers between commas: one, or a list of several to choose from; None where the option is not given."""
    if text is None:
        return None
    try:
        found = [kind(piece) for piece in text.split(",")]
    except ValueError as wrong:
        what = "whole numbers" if kind is int else "numbers"
        hint = "; left out, it is chosen by held-out rows" if text == "auto" else ""
        raise OptionError(option, text, f"one of the {what}, or several separated by commas{hint}") from wrong
    return found[0] if len(found) == 1 else found


def _slug(data: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", Path(data).stem or data).strip("-").lower() or "run"
