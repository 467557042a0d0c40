"""Claim: the time of a selection grows no faster than its data: rows, columns, outputs, and the rank itself.

Rows of k numbers that are bent twice, with 5 % noise; one size at a time grows from 10 inputs, 10 outputs, 400 rows and
k = 2, each selection in a process of its own on one thread. Exponents are the slopes of straight lines through the
logarithms of processor seconds, over all sizes and over the upper half of them; memory is the most that was resident.

`python benchmarks/selection_growth.py FOLDER` keeps a file a selection in FOLDER and goes on where it was stopped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

USUAL = {"rows": 400, "columns": 10, "outputs": 10, "k": 2}
SIZES = {
    "rows": (400, 2_000, 10_000, 50_000, 200_000, 1_000_000),
    "columns": (10, 40, 160, 640, 2_560, 20_000),
    "outputs": (10, 40, 160, 640),
    "k": (1, 2, 4, 8),
}


def rows(size: dict[str, int]) -> tuple[Any, Any]:
    n, d, m, k = size["rows"], size["columns"], size["outputs"], size["k"]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, d))
    z = np.sin(1.5 * x[:, :10] @ rng.normal(size=(10, k)) / np.sqrt(10.0))
    y = np.tanh(z @ rng.normal(size=(k, 20))) @ rng.normal(size=(20, m)) / 4.0
    return x, y + 0.05 * y.std() * rng.normal(size=y.shape)


def one(size: dict[str, int]) -> dict[str, Any]:
    """A selection, in this process."""
    import resource

    import torch

    from isthmus import select_rank

    torch.set_num_threads(1)
    x, y = rows(size)
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    found = select_rank(x, y)
    seconds = time.process_time() - begin
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": round(seconds, 2), "rank": found.rank, "megabytes": [before // 1000, most // 1000]}


def measured(folder: Path, size: dict[str, int]) -> dict[str, Any]:
    """In a process of its own, or what was measured before."""
    file = folder / ("-".join(f"{name}-{value}" for name, value in size.items()) + ".json")
    if not file.exists():
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, __file__, "--one", json.dumps(size)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        file.write_text(done.stdout.splitlines()[-1])
        print(size, done.stdout.splitlines()[-1], flush=True)
    return size | dict(json.loads(file.read_text()))


def slope(found: list[dict[str, Any]], name: str) -> float:
    """Of log seconds over log size."""
    return round(float(np.polyfit(*(np.log([each[key] for each in found]) for key in (name, "seconds")), 1)[0]), 2)


def main(folder: Path) -> None:
    """Measure what is not measured, and keep the record."""
    from _environment import keep

    folder.mkdir(parents=True, exist_ok=True)
    figures = {}
    for name, sizes in SIZES.items():
        found = [measured(folder, USUAL | {name: value}) for value in sizes]
        upper = found[len(found) // 2 :]
        exponents = {"of_all": slope(found, name), "of_the_larger": slope(upper, name)}
        figures[name] = {"exponents": exponents, "rows": found}
        print(name, exponents)
    keep("selection_growth", str(__doc__).splitlines()[0], figures)


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        print(json.dumps(one(json.loads(sys.argv[2]))))
    else:
        main(Path(sys.argv[1]))
