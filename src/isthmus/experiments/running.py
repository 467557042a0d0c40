"""Run the cells of an experiment side by side, keep what is finished, judge at the end."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import torch

from isthmus.errors import FileFormatError, IsthmusError, MissingExtraError, OptionError, RunConflictError, WorkerError
from isthmus.experiments.experiment import Cell, Experiment, Scale, plain
from isthmus.experiments.record import Record, measurements, new_record, read_record, write_record
from isthmus.foundation.progress import Report, silent

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def reproduce(
    experiment: Experiment[Any],
    *,
    scale: Scale = "smoke",
    settings: Any | None = None,
    folder: Path,
    jobs: int = 1,
    device: str = "cpu",
    overwrite: bool = False,
    report: Report = silent,
) -> Record:
    """Run an experiment and write its record, `folder/NAME.json`.

    Every cell runs in a process of one thread, so its numbers do not depend on `jobs`. The record is written again
    after each cell, beside one that is to be replaced; an unfinished one is continued, a finished one of the same
    settings is returned as it is.

    Args:
        experiment: What to run.
        scale: Which of its settings.
        settings: Instead of those of the scale.
        folder: Where the record goes.
        jobs: Cells at the same time.
        device: Where to compute.
        overwrite: Replace a record of other settings, or repeat a finished one, once the new one is whole.
        report: Told the fraction of cells done.

    Raises:
        RunConflictError: If the file holds something else.
        OptionError: If `jobs` is below 1.
        WorkerError: If a process dies; what is finished is kept.
        MissingExtraError: If a cell needs a package that is not installed.
    """
    if jobs < 1:
        raise OptionError("jobs", jobs, "at least 1")
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
    try:
        for row in _finished(experiment.name, record["settings"], pending, jobs, device):
            record["results"].append(row)
            record["seconds"] += row.pop("waited")
            write_record(kept, record)
            report(len(record["results"]) / len(cells), _named(row["cell"]))
    except BrokenProcessPool as died:
        raise WorkerError(len(record["results"]), len(cells)) from died
    order = {tuple(cell.items()): index for index, cell in enumerate(cells)}
    record["results"].sort(key=lambda row: order[tuple(row["cell"].items())])
    record["claims"] = [plain(claim.record()) for claim in experiment.claims(settings, measurements(record))]
    record["is_complete"] = True
    write_record(path, record)
    if kept != path:
        kept.unlink(missing_ok=True)
    return record


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


def _finished(
    name: str, settings: Mapping[str, Any], cells: Sequence[Cell], jobs: int, device: str
) -> Iterator[dict[str, Any]]:
    """The rows of cells as they finish; `waited` is the wall time since the one before."""
    if not cells:
        return
    before = time.monotonic()
    context = multiprocessing.get_context("spawn")  # a fork would inherit locked threads
    with _one_thread(), ProcessPoolExecutor(min(jobs, len(cells)), mp_context=context) as pool:
        try:
            waiting: list[Future[dict[str, Any]]] = [
                pool.submit(_row, name, dict(settings), dict(cell), device) for cell in cells
            ]
            for future in as_completed(waiting):
                now = time.monotonic()
                yield {**future.result(), "waited": now - before}
                before = now
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise


def _row(name: str, settings: dict[str, Any], cell: dict[str, Any], device: str) -> dict[str, Any]:
    """One cell, in a process of its own."""
    from isthmus.experiments.registry import experiment_named

    torch.set_num_threads(1)
    experiment = experiment_named(name)
    began = time.monotonic()
    try:
        numbers = experiment.work(experiment.restored(settings), cell, device)
    except MissingExtraError:
        raise  # nothing was tried: what is missing can be installed, and the cell run then
    except IsthmusError as refused:
        # A fit that diverges is a result: the others go on, and the record says which failed.
        return {"cell": cell, "seconds": round(time.monotonic() - began, 3), "error": str(refused)}
    return {"cell": cell, "seconds": round(time.monotonic() - began, 3), "numbers": plain(numbers)}


def _named(cell: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in cell.items())


@contextmanager
def _one_thread() -> Iterator[None]:
    """Processes started meanwhile have one thread: the libraries read these names once, when they are loaded."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
