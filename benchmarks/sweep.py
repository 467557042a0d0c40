"""A sweep of 1,000 small cells on four Dask workers, of which one is killed: all there, equal, and what it costs.

Run: python benchmarks/sweep.py [--cells N]
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from _environment import keep
from isthmus.sweeps import CellRow, dask_cluster, sweep
from isthmus.sweeps.specification import Specification, specification

WORKERS = 4
CLAIM = (
    "A sweep on four Dask workers, one of which is killed after a tenth of the cells, ends with every cell equal to "
    "the last bit to a sweep in one process that nothing disturbs. The overhead of a cell is the wall time that the "
    "fits, shared by the workers, do not explain; wanted are at most 50 ms."
)


def grid(cells: int) -> Specification:
    """Autoencoders of 20 points on a curve, 20 steps each: a twentieth of a second."""
    options = {"width": 4, "depth": 3, "ridge": 0.01, "cv": 2, "schedule": {"steps": 20, "rounds": 0}}
    return specification({"data": "curve", "seeds": list(range(cells)), "parameters": {"n": 20}, "options": options})


def disturbed(spec: Specification, out: Path) -> tuple[list[CellRow], float, int]:
    """The rows, the wall time from the first cell to the last, and how many cells were known when a worker died."""
    from distributed import LocalCluster

    begun: list[float] = []
    killed: list[int] = []
    total = len(spec.cells)

    def watch(fraction: float, state: str) -> None:
        begun.append(time.monotonic())
        if fraction >= 0.1 and not killed:
            killed.append(round(fraction * total))
            os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)

    with (
        LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster,
        dask_cluster(cluster.scheduler_address),
    ):
        rows = sweep(spec, out, report=watch)
    return rows, begun[-1] - begun[0], killed[0]


def compared(cells: int) -> dict[str, Any]:
    spec = grid(cells)
    with tempfile.TemporaryDirectory() as folder:
        rows, wall, at = disturbed(spec, Path(folder) / "disturbed")
        alone = sweep(spec, Path(folder) / "alone")
    fits = sum(row.seconds or 0.0 for row in rows)
    equal = [replace(a, seconds=None) == replace(b, seconds=None) for a, b in zip(rows, alone, strict=True)]
    return {
        "cells": cells,
        "workers": WORKERS,
        "killed_after": at,
        "done": sum(row.status == "done" for row in rows),
        "equal": sum(equal),
        "wall_seconds": round(wall, 1),
        "seconds_in_fits": round(fits, 1),
        "overhead_ms_per_cell": round(1000 * (wall - fits / WORKERS) / cells, 1),
        "overhead_worker_ms_per_cell": round(1000 * (wall * WORKERS - fits) / cells, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=1000)
    figures = compared(parser.parse_args().cells)
    print(figures)
    keep("sweep", CLAIM, figures)


if __name__ == "__main__":
    main()
