"""`isthmus report`: a page from records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.options import AsJson
from isthmus.errors import OptionError
from isthmus.experiments import read_record
from isthmus.experiments.report import write_experiments
from isthmus.reports import write_report
from isthmus.runs import RunFolder


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
    if all(are_experiments):
        written = write_experiments([read_record(run) for run in runs], out or Path("isthmus-report.html"))
    elif any(are_experiments):
        raise OptionError("RUN…", " ".join(map(str, runs)), "all RUN folders or all .json records of experiments")
    else:
        records = [RunFolder(run).read() for run in runs]
        path = out or (RunFolder(runs[0]).report if len(runs) == 1 else Path("isthmus-report.html"))
        written = write_report(records, path)
    print(json.dumps({"path": str(written)}) if as_json else f"report  {written}")
