"""`isthmus predict`: what a finished run says of new rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.option_groups import with_option_groups
from isthmus.cli.options import AsJson, checked_new
from isthmus.cli.table_options import TableOptions
from isthmus.errors import FileMissingError, OptionError
from isthmus.foundation.progress import progress_bar

_KINDS = (".csv", ".parquet", ".npy")


@with_option_groups
def predict(
    run: Annotated[Path, typer.Argument(help="A RUN folder that isthmus fit wrote.", metavar="RUN")],
    data: Annotated[str, typer.Option(help="New rows: as for isthmus fit; the target may be missing.", metavar="DATA")],
    out: Annotated[Path, typer.Option(help="Where the predictions go: .csv, .parquet or .npy.")],
    latent: Annotated[
        bool, typer.Option("--latent", help="The numbers that pass, z1, z2, …, instead of the outputs.")
    ] = False,
    table: TableOptions = TableOptions(),
    seed: Annotated[int, typer.Option(help="Seed of built-in data.", min=0)] = 0,
    overwrite: Annotated[bool, typer.Option(help="Replace an earlier file.")] = False,
    as_json: AsJson = False,
) -> None:
    """Predict new rows with a finished RUN, or encode them as the numbers that pass."""
    if out.suffix.lower() not in _KINDS:
        raise OptionError("--out", str(out), f"a file whose name ends in {', '.join(_KINDS)}")
    checked_new(out, overwrite)
    if out.exists() and Path(data).exists() and out.samefile(data):
        raise OptionError("--out", str(out), "another file than DATA, which it would replace")
    if not run.exists():
        raise FileMissingError(run, "RUN is a folder that `isthmus fit` wrote.")
    from isthmus.cli.output import print_object
    from isthmus.data import read_inputs
    from isthmus.data.writing import write_table
    from isthmus.runs import load_run

    found = load_run(run)
    known = found.record.data.input_names
    with progress_bar(f"reading {data}", logs=True):
        rows = read_inputs(
            data,
            input_names=known,
            fills=found.record.data.fills,
            **table.reading(),
            seed=seed,
        )
    x = rows.x
    names = list(found.record.data.output_names)
    if latent:
        columns = dict(zip(found.latent_names, found.encode(x).T, strict=True))
    elif found.record.task == "classification":
        probabilities = found.predict_proba(x)
        columns = {"class": found.predict(x), **{f"p({n})": p for n, p in zip(names, probabilities.T, strict=True)}}
    else:
        columns = dict(zip(names, found.predict(x).T, strict=True))
    write_table(columns, out)
    answer = {"out": str(out), "rows": len(x), "columns": list(columns), "rank": found.record.rank}
    answer["notes"] = list(rows.notes)
    if as_json:
        print_object(answer)
        return
    print(f"{len(x)} rows of {', '.join(list(columns)[:5])}{', …' if len(columns) > 5 else ''}")
    for note in rows.notes:
        print(f"Data: {note}")
    if found.record.verdict.level == "do not rely":
        print(found.record.verdict.sentence)
    print(f"  out     {out}")
