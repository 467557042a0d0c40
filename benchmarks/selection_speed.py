"""Claim: a selection takes a fifth of the time that it took at 7fb5944, and no more than scikit-learn's tuned network.

Twelve tasks, eight real tables and four of known rank, each in a process of its own on one thread: this build, the one
before, a grid of 12 of scikit-learn's networks with 5 folds, and a grid of kernel ridge regressions. Processor seconds
are those of `fit` alone, with what it imports on the way. Then wide data, a cloud, a long table, and two workers.

`git worktree add OLD 7fb5944`, then `python benchmarks/selection_speed.py FOLDER OLD` keeps a file a measurement in
FOLDER and goes on where it was stopped.
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

TABLES = ("diabetes", "breast cancer", "fair", "star98", "randhie", "anes96", "modechoice", "digits")
KNOWN = (("relu", 3, 0.05, 500), ("polynomial", 4, 0.05, 200), ("smooth", 5, 0.0, 2000), ("classes", 3, 0.05, 500))
SEED = 102
METHODS = ("this", "old", "network", "kernel")


class Data:
    """Rows to learn from and to test on."""

    def __init__(self, x: Any, y: Any, x_test: Any, y_test: Any, k: int | None = None) -> None:
        self.x, self.y, self.x_test, self.y_test, self.k = x, y, x_test, y_test, k
        self.is_classification = np.asarray(y).dtype.kind in "iu"


def twelve(name: str) -> Data:
    """One of the twelve tasks."""
    if name in TABLES:
        from _rank_real import real_task

        found = real_task(name, 0)
        return Data(found.x, found.y, found.x_test, found.y_test)
    from _rank_tasks import task
    from rank_families import GROUPS

    family, k, noise, n = next(each for each in KNOWN if each[0] == name)
    families = {**GROUPS["chosen-on"].families, **GROUPS["first"].families}
    drawn = task(family, families[family], k, noise, n, SEED)
    return Data(drawn.x, drawn.y, drawn.x_test, drawn.y_test, k)


def frames(rows: int, seed: int) -> tuple[Any, Any]:
    """Two 16 × 16 pictures of a pendulum, and the next two: the true number is 2."""
    rng = np.random.default_rng(seed)
    angle, speed = rng.uniform(-2.0, 2.0, rows), rng.uniform(-1.5, 1.5, rows)
    across, up = (each.ravel()[None] for each in np.meshgrid(*[np.linspace(-1.2, 1.2, 16)] * 2))
    seen = []
    for _ in range(4):
        squares = (across - np.sin(angle)[:, None]) ** 2 + (up + np.cos(angle)[:, None]) ** 2
        seen.append(np.exp(-squares / 0.08))
        for _ in range(10):
            speed = speed - 0.06 * np.sin(angle)
            angle = angle + 0.015 * speed
    return np.hstack(seen[:2]), np.hstack(seen[2:])


def wide(columns: int, in_span: bool) -> Data:
    """40 rows of two numbers in many columns, or in the 39 coordinates they span."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=(40, 2))
    x = np.tanh(z @ rng.normal(size=(2, columns))) + 0.1 * rng.normal(size=(40, columns))
    y = np.stack([z[:, 0] ** 2, z[:, 1], z[:, 0] * z[:, 1]], 1)
    if in_span:
        u, s, _ = np.linalg.svd(x - x.mean(0), full_matrices=False)
        x = u[:, :39] * s[:39]
    return Data(x, y, x, y)


def other(name: str) -> Data:
    """The tasks beside the twelve."""
    if name == "frames":
        return Data(*frames(800, 0), *frames(500, 1), k=2)
    if name.startswith("wide"):
        return wide(int(name.split("-")[1]), name.endswith("span"))
    if name == "long":
        rng = np.random.default_rng(0)
        x = rng.normal(size=(3_000_000, 6))
        y = np.stack([np.sin(x[:, 0] + x[:, 1]), np.abs(x[:, 2])], 1) + 0.1 * rng.normal(size=(3_000_000, 2))
        return Data(x[:-1000], y[:-1000], x[-1000:], y[-1000:], k=2)
    raise ValueError(name)


def error(model: Any, data: Data) -> float:
    from _rank_losses import squared_error, wrong_share

    return (wrong_share if data.is_classification else squared_error)(model, data.x_test, data.y_test)


def selected(data: Data, n_jobs: int | None = None) -> dict[str, Any]:
    from isthmus import RankClassifier, RankRegressor

    how = {} if n_jobs is None else {"n_jobs": n_jobs}
    model = (RankClassifier if data.is_classification else RankRegressor)(random_state=0, **how)
    begin, wall = time.process_time(), time.perf_counter()
    model.fit(data.x, data.y)
    seconds, wall = time.process_time() - begin, time.perf_counter() - wall
    return {"seconds": seconds, "wall": wall, "rank": model.rank_, "k": data.k, "error": error(model, data)}


def tuned(data: Data, kind: str) -> dict[str, Any]:
    from sklearn.kernel_ridge import KernelRidge
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from _rank_losses import as_target, without_convergence

    if kind == "network":
        sizes = {"hidden_layer_sizes": [(100,), (100, 100), (50, 50)], "alpha": [1e-4, 1e-2, 1.0, 10.0]}
        learner = (MLPClassifier if data.is_classification else MLPRegressor)(random_state=0)
        name = type(learner).__name__.lower()
    elif data.is_classification:
        learner, sizes, name = LogisticRegression(max_iter=1000), {"C": list(np.geomspace(1e-3, 1e3, 12))}, ""
        name = "logisticregression"
    else:
        learner, name = KernelRidge(kernel="rbf"), "kernelridge"
        sizes = {"alpha": [1e-3, 1e-2, 0.1, 1.0], "gamma": list(np.geomspace(0.05, 5.0, 5) / data.x.shape[1])}
    grid = {f"{name}__{key}": values for key, values in sizes.items()}
    search = GridSearchCV(make_pipeline(StandardScaler(), learner), grid, cv=5)
    begin = time.process_time()
    without_convergence(search.fit)(data.x, as_target(np.asarray(data.y)))
    return {"seconds": time.process_time() - begin, "error": error(search, data)}


def cloud(columns: int) -> dict[str, Any]:
    from isthmus import manifold_dimension

    rng = np.random.default_rng(0)
    z = rng.normal(size=(1024, 20))
    x = z if columns == 20 else z @ np.linalg.qr(rng.normal(size=(columns, 20)))[0].T
    begin = time.process_time()
    found = manifold_dimension(x)
    return {"seconds": time.process_time() - begin, "dimension": found.dimension}


def one(method: str, name: str) -> dict[str, Any]:
    """One measurement, in this process."""
    import resource

    import torch

    torch.set_num_threads(1)
    if name.startswith("cloud"):
        return cloud(int(name.split("-")[1]))
    data = twelve(name) if name in (*TABLES, *(each[0] for each in KNOWN)) else other(name)
    if method in ("network", "kernel"):
        return tuned(data, method)
    if method == "two jobs":
        selected(data, 2)  # the workers have started
        return {"alone": selected(data, 1)["wall"], "together": selected(data, 2)["wall"]}
    row = selected(data)
    return row | {"gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}


def measured(folder: Path, old: Path, method: str, name: str) -> dict[str, Any]:
    """One measurement in a process of its own, or what was measured before."""
    file = folder / f"{method}-{name}.json".replace(" ", "-")
    if not file.exists():
        here = Path(__file__).parent
        paths = [str(old / "src"), str(here)] if method == "old" else [str(here)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, __file__, "--one", method, name]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        text = done.stdout.splitlines()[-1] if done.returncode == 0 else json.dumps({"failed": done.stderr[-300:]})
        file.write_text(text)
        print(method, name, text, flush=True)
    return dict(json.loads(file.read_text()))


def main(folder: Path, old: Path) -> None:
    """Measure what is not measured, and keep the record."""
    from _environment import keep

    folder.mkdir(parents=True, exist_ok=True)
    names = [*TABLES, *(each[0] for each in KNOWN)]

    def told(method: str, name: str) -> dict[str, Any]:
        return measured(folder, old, method, name)

    rows = {name: {method: told(method, name) for method in METHODS} for name in names}
    faster = [row["old"]["seconds"] / row["this"]["seconds"] for row in rows.values()]
    beside = [row["network"]["seconds"] / row["this"]["seconds"] for row in rows.values()]
    figures = {
        "old_over_this": {"median": float(np.median(faster)), "least": min(faster)},
        "network_over_this": {"median": float(np.median(beside)), "least": min(beside)},
        "frames": {method: told(method, "frames") for method in ("this", "old")},
        "wide": {name: told("this", name) for name in ("wide-2000-span", "wide-2000", "wide-20000")},
        "cloud": {name: told("this", name) for name in ("cloud-20", "cloud-3072")},
        "long": told("this", "long"),
        "two_jobs": told("two jobs", "smooth"),
        "rows": rows,
    }
    print(json.dumps({key: value for key, value in figures.items() if key != "rows"}, indent=1))
    keep("selection_speed", str(__doc__).splitlines()[0], figures)


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        print(json.dumps(one(sys.argv[2], sys.argv[3])))
    else:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
