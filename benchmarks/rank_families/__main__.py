"""What can be known of a task without a method under test: its draws, its weakest hidden number, its rank, its ease.

The rank is that of the Jacobian by finite differences; the ease is the share that kernel ridge regression explains.
Of classes both are of the logits less their mean, and the shares of the rarest and the commonest class are printed.

In the folder of the benchmarks: `python -m rank_families GROUP [--seed 100]`.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from time import perf_counter

import numpy as np
from sklearn.kernel_ridge import KernelRidge

from _rank_tasks import Cells, Family, Floats, RankTask, Teacher, suite
from rank_families import GROUPS


def outputs_of(teacher: Teacher, rows: Floats) -> Floats:
    """Clean outputs `(n, d_out)`; logits less their mean, for a shift of them all changes no class."""
    y = teacher.decode(teacher.encode(rows))
    return y - y.mean(1, keepdims=True) if teacher.is_classification else y


def jacobian_rank(teacher: Teacher, rows: Floats) -> int:
    """Largest number of singular values above 1e-6 of the first, of the outputs by the rows, by central differences.

    Of one output it is the index rank: that of the gradients of all rows together.
    """
    step = 1e-4 * np.diag(teacher.inputs(200).std(0))
    derivatives = []
    for row in rows:
        outputs = [outputs_of(teacher, row + side * step) for side in (1.0, -1.0)]
        derivatives.append(outputs[0] - outputs[1])
    if outputs[0].shape[1] == 1:
        derivatives = [np.hstack(derivatives)]
    values = [np.linalg.svd(each, compute_uv=False) for each in derivatives]
    return max(int((own > 1e-6 * own[0]).sum()) for own in values)


def kernel_explains(teacher: Teacher) -> float:
    """R² on 1000 fresh rows of kernel ridge regression on 500 without noise; width and ridge chosen on 100 of them."""
    rows = teacher.inputs(1500)
    x, y = teacher.shown(rows), outputs_of(teacher, rows)
    x, y = (x - x[:500].mean(0)) / x[:500].std(0), y - y[:500].mean(0)
    settings = [(width, ridge) for width in (0.7, 1.5, 3.0) for ridge in (1e-6, 1e-3, 1e-1)]

    def missed(train: slice, test: slice, setting: tuple[float, float]) -> float:
        width, ridge = setting
        model = KernelRidge(alpha=ridge, kernel="rbf", gamma=0.5 / (width**2 * x.shape[1])).fit(x[train], y[train])
        return float(np.square(model.predict(x[test]) - y[test]).sum())

    best = min(settings, key=lambda setting: missed(slice(400), slice(400, 500), setting))
    test = slice(500, 1500)
    return 1.0 - missed(slice(500), test, best) / float(np.square(y[test] - y[test].mean(0)).sum())


def class_shares(task: RankTask) -> str:
    """Shares of the rarest and the commonest class among the rows to learn from; nothing of a regression."""
    if not task.is_classification:
        return ""
    known = max(task.y.max(), task.y_test.max()) + 1
    shares = np.bincount(task.y.astype(np.int64), minlength=int(known)) / task.n
    return f"  {shares.min():.3f} to {shares.max():.3f}"


def report(families: Mapping[str, Family], cells: Cells, seed: int) -> None:
    """Print the checks of every task of the families."""
    print("family      k  noise     n  d_in  d_out  draws  weakest  rank  kernel R²")
    for place, (name, family) in enumerate(families.items()):
        drawn: list[Teacher] = []

        def keeping(k: int, d_in: int, d_out: int, rng: np.random.Generator, family: Family = family) -> Teacher:
            drawn.append(family(k, d_in, d_out, rng))  # noqa: B023
            return drawn[-1]  # noqa: B023

        seconds, start = 0.0, perf_counter()
        for task in suite({name: keeping}, seed, lambda _, place=place: cells(place)):
            seconds += perf_counter() - start
            teacher, draws = drawn[-1], len(drawn)
            drawn.clear()
            rows = teacher.inputs(20 if task.has_one_target else 3)
            rank, share, outputs = jacobian_rank(teacher, rows), kernel_explains(teacher), outputs_of(teacher, rows)
            print(
                f"{name:10}  {task.k}  {task.noise:5}  {task.n:4}  {task.x.shape[1]:4}  {outputs.shape[1]:5}  "
                f"{draws:5}  {task.weakest:7.2f}  {rank:4}  {share:9.2f}{class_shares(task)}"
                f"{'' if rank == task.k else '  WRONG'}",
                flush=True,
            )
            start = perf_counter()
        print(f"{name}: {seconds:.0f} s to draw")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("group", choices=[*GROUPS])
    parser.add_argument("--seed", type=int, default=100)
    asked = parser.parse_args()
    report(GROUPS[asked.group].families, GROUPS[asked.group].cells, asked.seed)
