"""One cell of a sweep: a fit in a folder of its own, and what is kept of it in a row."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from isthmus.data import load_dataset
from isthmus.errors import BusyFolderError, IsthmusError, MissingExtraError
from isthmus.foundation.progress import Report
from isthmus.runs import FitRecord, RunOptions, run_fit
from isthmus.sweeps.specification import Cell
from isthmus.training.interrupts import undeniable_interrupts

_AGAIN = 0.5  # seconds until a folder is looked at again
DEATHS = 3
"""So many processes may die in a cell before it is given up."""


@dataclass(frozen=True)
class CellRow:
    """What is known of a cell.

    Attributes:
        number: Its place in the grid.
        settings: What tells it from the others.
        status: "pending", "done" or "failed".
        rank: k; this and what follows is None until it is known.
        lower, upper: The ends of its interval.
        probabilities: Of each k by its text; None where the evidence was not weighed.
        verdict: "rely", "caution" or "do not rely".
        errors: Held-out loss through k = 0, 1, … numbers.
        objective: What the network of all rows reached.
        seconds: It took.
        failure: Why there is no answer, in a sentence.
    """

    number: int
    settings: Mapping[str, Any]
    status: str = "pending"
    rank: int | None = None
    lower: int | None = None
    upper: int | None = None
    probabilities: Mapping[str, float] | None = None
    verdict: str | None = None
    errors: tuple[float, ...] | None = None
    objective: float | None = None
    seconds: float | None = None
    failure: str | None = None

    @property
    def error(self) -> float | None:
        """The held-out loss at the rank."""
        return None if self.errors is None or self.rank is None else self.errors[self.rank]

    @property
    def probability(self) -> float | None:
        """That of the rank."""
        return None if self.probabilities is None else self.probabilities[str(self.rank)]


def run_cell(store: Path, cell: Cell, report: Report) -> CellRow:
    """Fit a cell in the store's folder of runs, or read what is there already; what is refused is a row as well.

    Raises:
        MissingExtraError: If it needs a package that is not installed: nothing was tried.
        OSError: If the disk refuses, which is no fault of the cell.
        KeyboardInterrupt: After Ctrl-C; what the fit had kept is gone on from.
    """
    mark = starts_of(store, cell.number)
    if deaths(mark) >= DEATHS:
        why = f"{DEATHS} processes died in it, most likely for want of memory. --retry tries again."
        return CellRow(cell.number, cell.settings, "failed", failure=why)
    mark.parent.mkdir(exist_ok=True)
    with mark.open("ab") as stream:
        stream.write(b".")
    try:
        with undeniable_interrupts(), _ended_without_fault(mark):
            return _row(cell, _fitted(store, cell, report))
    except MissingExtraError:
        raise
    except IsthmusError as refused:
        return CellRow(cell.number, cell.settings, "failed", failure=str(refused))
    except OSError:
        raise
    except Exception as unknown:
        why = f"{type(unknown).__name__}, which isthmus does not know: {unknown}. Please report it."
        return CellRow(cell.number, cell.settings, "failed", failure=" ".join(why.split()))
    finally:
        mark.unlink(missing_ok=True)  # a process that dies leaves it


@contextmanager
def _ended_without_fault(mark: Path) -> Iterator[None]:
    """Take the start back when the process is told to end: whoever needs the machine, it was not for the cell.

    Python delivers signals to the main thread alone; elsewhere the end counts as a death.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        os.truncate(mark, deaths(mark) - 1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def starts_of(store: Path, number: int) -> Path:
    """The file with a byte for each start of a cell that did not end."""
    return store / "started" / f"{number:05d}"


def run_of(store: Path, number: int) -> Path:
    """The RUN folder of a cell."""
    return store / "runs" / f"{number:05d}"


def deaths(mark: Path) -> int:
    """How many starts of a cell did not end."""
    return mark.stat().st_size if mark.exists() else 0


def forget(store: Path, number: int) -> None:
    """Remove all that a failed cell has left."""
    starts_of(store, number).unlink(missing_ok=True)
    shutil.rmtree(run_of(store, number), ignore_errors=True)


def _fitted(store: Path, cell: Cell, report: Report) -> FitRecord:
    loading = dict(cell.loading)
    dataset = load_dataset(cell.source, seed=cell.seed, **loading)
    if told := loading.pop("told", None):
        loading["table"] = asdict(told)
    command = ("isthmus", "sweep", f"cell {cell.number}")
    options = RunOptions(cell.config, cv=cell.cv, seed=cell.seed, command=command, data=loading)
    while True:
        try:
            # Cells are what is spread over workers, never the folds of one that runs in this process.
            return run_fit(dataset, options, run_of(store, cell.number), n_jobs=1, report=report)
        except BusyFolderError:  # a worker that its scheduler has lost may end the cell: then there is what it found
            report(0.0, "waiting for another process that is at work in it")
            time.sleep(_AGAIN)


def _row(cell: Cell, record: FitRecord) -> CellRow:
    return CellRow(
        number=cell.number,
        settings=cell.settings,
        status="done",
        rank=record.rank,
        lower=record.rank_lower,
        upper=record.rank_upper,
        probabilities=record.rank_probabilities,
        verdict=record.verdict.level,
        errors=tuple(record.evidence.errors),
        objective=record.objective,
        seconds=record.seconds,
    )
