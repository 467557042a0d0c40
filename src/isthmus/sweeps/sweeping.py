"""Run the cells of a grid side by side, keep each as soon as it is known, and survive the loss of workers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from isthmus.errors import WorkerError
from isthmus.foundation.parallel import in_parallel, workers_of
from isthmus.foundation.progress import Report, silent
from isthmus.sweeps.cell import CellRow, deaths, forget, run_cell, starts_of
from isthmus.sweeps.specification import Cell, Specification
from isthmus.sweeps.store import SweepStore


def sweep(
    specification: Specification,
    out: Path,
    *,
    n_jobs: int | None = None,
    retry: bool = False,
    report: Report = silent,
) -> list[CellRow]:
    """Select the rank in every cell of a grid; what is in the store already is not done again.

    Each cell is a fit as `isthmus fit` does it, in `out/runs/NUMBER`, and a row of `out/cells.sqlite`, written as soon
    as it is known. What a cell refuses is its row; the others go on. Where a worker dies the cells it was at are done
    again one by one, those in which three die are given up. Under a `joblib.parallel_config` of a cluster the cells
    run there; its machines must see `out` under the same path.

    Args:
        specification: The grid.
        out: The store, a folder.
        n_jobs: Cells at the same time, as for `in_parallel`.
        retry: Whether cells that failed are tried again.
        report: Told the fraction of cells that are known.

    Returns:
        A row for every cell, in the order of the grid.

    Raises:
        OptionError: If `n_jobs` is 0.
        StoreConflictError, BusyFolderError, ForeignFolderError, FileFormatError: If `out` cannot be the store.
        StoreError, OSError: If the disk refuses; what is written is kept.
        WorkerError: If workers die before they begin.
        ClusterLostError: If the scheduler of a cluster dies; what is written is kept.
        MissingExtraError: If a cell needs a package that is not installed.
        KeyboardInterrupt: After Ctrl-C; what is written is kept.
    """
    workers_of(n_jobs)  # refused before anything is written
    out = out.resolve()
    with SweepStore(out, specification) as store:
        work = _Work(store, n_jobs, len(specification.cells), report)
        try:
            work.do(_pending(specification, store, retry))
        except KeyboardInterrupt:
            for cell in specification.cells:  # nobody died
                starts_of(out, cell.number).unlink(missing_ok=True)
            raise
        return store.rows()


class _Work:
    """Cells on their way into the store."""

    def __init__(self, store: SweepStore, n_jobs: int | None, total: int, report: Report) -> None:
        self._store, self._n_jobs, self._total, self._report = store, n_jobs, total, report

    def do(self, cells: Sequence[Cell]) -> None:
        """Do the cells; those at which a worker died one at a time, so that no other is lost with them."""
        pending = {cell.number: cell for cell in cells}
        while pending:
            before = self._deaths(pending)
            suspects = [pending[number] for number in pending if before[number] > 0]
            try:
                self._run(suspects[:1] or list(pending.values()), pending)
            except WorkerError:
                if self._deaths(pending) == before:
                    raise  # no cell had begun: it is not they that workers die of

    def _run(self, cells: Sequence[Cell], pending: dict[int, Cell]) -> None:
        work = partial(run_cell, self._store.path)
        with closing(in_parallel(work, cells, n_jobs=self._n_jobs, is_ordered=False, is_apart=True)) as rows:
            for row in rows:
                self._store.write([row])
                del pending[row.number]
                done = self._total - len(pending)
                self._report(done / self._total, f"{done} of {self._total} cells")

    def _deaths(self, pending: dict[int, Cell]) -> dict[int, int]:
        return {number: deaths(starts_of(self._store.path, number)) for number in pending}


def _pending(specification: Specification, store: SweepStore, retry: bool) -> list[Cell]:
    known = {row.number: row.status for row in store.rows()}
    if retry:
        for number, status in known.items():
            if status == "failed":
                forget(store.path, number)
    left = {"pending", "failed"} if retry else {"pending"}
    return [cell for cell in specification.cells if known[cell.number] in left]
