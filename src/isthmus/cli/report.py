"""`isthmus report`: a page from records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from isthmus.reports import write_report
from isthmus.runs import RunFolder


def report(
    runs: Annotated[list[Path], typer.Argument(help="RUN folders.", metavar="RUN…")],
    out: Annotated[
        Path | None,
        typer.Option(help="The page. Default: report.html in the one RUN, isthmus-report.html for several."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Write one self-contained HTML page from the records of finished runs."""
    records = [RunFolder(run).read() for run in runs]
    path = out or (RunFolder(runs[0]).report if len(runs) == 1 else Path("isthmus-report.html"))
    written = write_report(records, path)
    print(json.dumps({"path": str(written)}) if as_json else f"report  {written}")
