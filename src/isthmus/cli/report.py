"""`isthmus report`: a page from records."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.options import PAGE, AsJson, checked_view
from isthmus.errors import FileMissingError, OptionError


def report(
    runs: Annotated[list[Path], typer.Argument(help="RUN folders, or .json records of experiments.", metavar="RUN…")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="The page. Default: report.html in the one RUN, isthmus-report.html for several. For experiments "
            "also .md: the table of their claims."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write one self-contained HTML page from the records of finished runs or of experiments."""
    are_experiments = [run.suffix == ".json" for run in runs]
    if any(are_experiments) and not all(are_experiments):
        raise OptionError("RUN…", " ".join(map(str, runs)), "all RUN folders or all .json records of experiments")
    checked_view(out, "--out", (*PAGE, ".md") if all(are_experiments) else PAGE)
    for run in runs:
        if not run.exists():
            raise FileMissingError(run, "Pass folders made by `isthmus fit`, or records of experiments.")
        if run.is_file() and run.suffix != ".json":
            raise OptionError("RUN", str(run), "a folder made by `isthmus fit`, or the .json record of an experiment")
    written = _experiments(runs, out) if all(are_experiments) else _runs(runs, out)
    print(json.dumps({"path": str(written)}) if as_json else f"report  {written}")


def _experiments(runs: list[Path], out: Path | None) -> Path:
    from isthmus.experiments import read_record
    from isthmus.experiments.report import write_experiments

    return write_experiments([read_record(run) for run in runs], out or Path("isthmus-report.html"))


def _runs(runs: list[Path], out: Path | None) -> Path:
    from isthmus.reports import write_report
    from isthmus.runs import RunFolder

    folders = [RunFolder(run) for run in runs]
    finished = [folder for folder in folders if folder.is_finished or len(folders) == 1]
    if not finished:
        raise FileMissingError(folders[0].record, "None of these fits is finished: run them again to go on.")
    for folder in folders:
        if folder not in finished:
            print(f"isthmus: {folder.path} is left out: it has no record, so its fit is unfinished.", file=sys.stderr)
    path = out or (finished[0].report if len(runs) == 1 else Path("isthmus-report.html"))
    return write_report([folder.read() for folder in finished], path)
