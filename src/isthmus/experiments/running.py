"""Run the cells of an experiment side by side, keep what is finished, judge at the end."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

from isthmus.errors import FileFormatError, IsthmusError, MissingExtraError, RenamedOptionError, RunConflictError
from isthmus.experiments.experiment import Experiment, Scale, plain
from isthmus.experiments.record import Record, measurements, new_record, read_record, write_record
from isthmus.foundation.parallel import in_parallel, workers_of
from isthmus.foundation.progress import Report, silent
from isthmus.training.interrupts import undeniable_interrupts


def reproduce(
    experiment: Experiment[Any],
    *,
    scale: Scale = "smoke",
    settings: Any | None = None,
    folder: Path,
    n_jobs: int | None = None,
    device: str = "cpu",
    overwrite: bool = False,
    report: Report = silent,
    **renamed: Any,
) -> Record:
    """Run an experiment and write its record, `folder/NAME.json`.

    Every cell computes with one thread, so its numbers do not depend on `n_jobs`. The record is judged and written
    again after each cell, beside one that is to be replaced; an unfinished one is continued, a finished one of the same
    settings is returned as it is.

    Args:
        experiment: What to run.
        scale: Which of its settings.
        settings: Instead of those of the scale.
        folder: Where the record goes.
        n_jobs: Cells at the same time, as for `in_parallel`.
        device: Where to compute.
        overwrite: Replace a record of other settings, or repeat a finished one, once the new one is whole.
        report: Told the fraction of cells done.
        renamed: Nothing that there is.

    Raises:
        RunConflictError: If the file holds something else.
        OptionError: If `n_jobs` is 0.
        RenamedOptionError: For a name of the first edition.
        WorkerError: If a process dies; what is finished is kept.
        MissingExtraError: If a cell needs a package that is not installed.
    """
    for name in renamed:
        raise RenamedOptionError("reproduce", name, {"jobs": "n_jobs"})
    workers_of(n_jobs)  # refused before anything is read or written
    settings = experiment.settings(scale) if settings is None else settings
    path = folder / f"{experiment.name}.json"
    record = new_record(experiment, settings, scale, device)
    kept = folder / f".{path.stem}.unfinished.json" if overwrite and path.is_file() else path
    if kept.is_file():
        with suppress(RunConflictError) if overwrite else nullcontext():  # what is replaced may be of anything
            record = _resumed(kept, record)
    if record["is_complete"]:
        return record
    done = [row["cell"] for row in record["results"]]
    cells = experiment.cells(settings)
    pending = [cell for cell in cells if dict(cell) not in done]
    order = {tuple(cell.items()): index for index, cell in enumerate(cells)}
    before = time.monotonic()
    work = partial(_row, experiment.name, record["settings"], device)
    with closing(in_parallel(work, [dict(cell) for cell in pending], n_jobs=n_jobs, is_ordered=False)) as rows:
        for row in rows:
            record["results"].append(row)
            record["seconds"] += (now := time.monotonic()) - before
            before = now
            record["results"].sort(key=lambda row: order[tuple(row["cell"].items())])
            _judge(experiment, settings, record)
            write_record(kept, record)
            report(len(record["results"]) / len(cells), _named(row["cell"]))
    _judge(experiment, settings, record)
    record["is_complete"] = True
    write_record(path, record)
    if kept != path:
        kept.unlink(missing_ok=True)
    return record


def _judge(experiment: Experiment[Any], settings: Any, record: Record) -> None:
    """The verdicts from what is there by now: of an unfinished record too."""
    record["claims"] = [plain(claim.record()) for claim in experiment.claims(settings, measurements(record))]


def _resumed(path: Path, fresh: Record) -> Record:
    """The record in the file, if it is of the same experiment."""
    try:
        found = read_record(path)
    except FileFormatError as other:
        raise RunConflictError(path, ["a file that is not the record of an experiment"]) from other
    same = ("name", "scale", "device", "settings", "environment")
    changed = [f"{name}: {found[name]} → {fresh[name]}" for name in same if found[name] != fresh[name]]
    if changed:
        raise RunConflictError(path, changed)
    return found


def _row(name: str, settings: dict[str, Any], device: str, cell: dict[str, Any], report: Report) -> dict[str, Any]:
    """One cell, wherever it runs."""
    from isthmus.experiments.registry import experiment_named

    experiment = experiment_named(name)
    began, worked = time.monotonic(), time.thread_time()

    def spent() -> dict[str, float]:
        # A cell computes in this thread, so its processor time is the thread's, whatever else the process does.
        return {
            "seconds": round(time.monotonic() - began, 3),
            "processor_seconds": round(time.thread_time() - worked, 3),
        }

    try:
        with undeniable_interrupts():
            numbers = experiment.work(experiment.restored(settings), cell, device)
    except MissingExtraError:
        raise  # nothing was tried: what is missing can be installed, and the cell run then
    except IsthmusError as refused:
        # A fit that diverges is a result: the others go on, and the record says which failed.
        return {"cell": cell, **spent(), "error": str(refused)}
    return {"cell": cell, **spent(), "numbers": plain(numbers)}


def _named(cell: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in cell.items())
