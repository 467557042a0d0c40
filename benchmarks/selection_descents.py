"""Claim: one descent a fold, by fewer and larger steps of a narrower network, predicts as well as before (decision 32).

Tasks of known rank that networks were chosen on (`chosen`: seed 100, and three of sines) and others of the same
families (`others`: seed 101). A network of depth 6 is trained by each recipe at the λ of a ladder, in losses of the
best constant; told is the least of its errors on fresh rows, over that of the recipe before, a descent of 300 steps
at 0.01 of width 100 for every λ: the geometric mean over the tasks, and the worst. Classes have depth 3.

`python benchmarks/selection_descents.py [--quick]`, some minutes on one thread.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from _environment import keep
from _rank_tasks import task
from isthmus.foundation.likelihood import likelihood_of
from isthmus.networks import standardization
from isthmus.training import FittedNetwork, Schedule, TrainingConfig, fit
from rank_families import GROUPS

FAMILIES = {**GROUPS["chosen-on"].families, **GROUPS["first"].families, **GROUPS["second"].families}
CHOSEN = (
    ("relu", 3, 0.05, 500),
    ("polynomial", 3, 0.05, 500),
    ("polynomial", 2, 0.2, 200),
    ("smooth", 3, 0.05, 500),
    ("physics", 4, 0.05, 500),
    ("scenes", 2, 0.0, 500),
    ("limbs", 3, 0.05, 500),
    ("mains", 5, 0.2, 500),
)
OTHERS = (
    ("relu", 2, 0.2, 500),
    ("relu", 4, 0.0, 500),
    ("polynomial", 4, 0.0, 200),
    ("smooth", 2, 0.05, 200),
    ("physics", 3, 0.2, 500),
    ("scenes", 2, 0.05, 200),
    ("limbs", 2, 0.0, 500),
    ("mains", 3, 0.05, 200),
    ("classes", 2, 0.05, 500),
    ("classes", 3, 0.05, 500),
)
SINES = ((2, 12, 10, 300), (3, 20, 20, 500), (5, 30, 30, 1000))  # k, inputs, outputs, rows
LADDERS = {"regression": (1e-3, 3e-3, 1e-2, 3e-2), "classification": (2e-3, 6e-3, 2e-2, 6e-2)}
STARTS = {"regression": 3e-3, "classification": 2e-2}
DEPTHS = {"regression": 6, "classification": 3}


@dataclass(frozen=True)
class Recipe:
    """How the networks of a ladder are trained."""

    width: int
    steps: int
    rate: float
    is_shared: bool
    evaluations: int = 100


BEFORE = Recipe(100, 300, 1e-2, is_shared=False)
NOW = Recipe(64, 150, 5e-2, is_shared=True)
RECIPES = (
    BEFORE,
    Recipe(100, 300, 1e-2, is_shared=True),
    Recipe(64, 300, 1e-2, is_shared=True),
    Recipe(64, 150, 1e-2, is_shared=True),
    Recipe(64, 150, 2e-2, is_shared=True),
    NOW,
)


@dataclass(frozen=True)
class Rows:
    """Rows to learn from and to judge on."""

    name: str
    kind: str
    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    @property
    def constant(self) -> float:
        """The loss of the best constant on the rows to learn from, standardised."""
        y = torch.from_numpy(self.y)
        targets = y if self.kind == "classification" else standardization(y, "columns").forward(y)
        return likelihood_of(self.kind).constant_loss(targets)


def family_rows(which: tuple[str, int, float, int], seed: int) -> Rows:
    drawn = task(which[0], FAMILIES[which[0]], *which[1:], seed)
    if not drawn.is_classification:
        return Rows(which[0], "regression", drawn.x, np.asarray(drawn.y), drawn.x_test, np.asarray(drawn.y_test))
    known = np.unique(drawn.y)
    kept = np.isin(drawn.y_test, known)
    y, y_test = (np.searchsorted(known, each) for each in (drawn.y, np.asarray(drawn.y_test)[kept]))
    return Rows(which[0], "classification", drawn.x, y, drawn.x_test[kept], y_test)


def sine_rows(k: int, inputs: int, outputs: int, n: int, seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n + 1000, inputs))
    z = np.sin(1.5 * x @ rng.normal(size=(inputs, k)) / np.sqrt(inputs))
    y = np.tanh(z @ rng.normal(size=(k, 20))) @ rng.normal(size=(20, outputs)) / 4.0
    y = y + 0.05 * y.std() * rng.normal(size=y.shape)
    return Rows(f"sines {k}", "regression", x[:n], y[:n], x[n:], y[n:])


def loss(fitted: FittedNetwork, rows: Rows) -> float:
    x, y = fitted.standardized(torch.from_numpy(rows.x_test), torch.from_numpy(rows.y_test))
    return float(fitted.objective.likelihood.row_losses(fitted.network(x), y).mean())


def least_loss(rows: Rows, recipe: Recipe) -> float:
    """The least loss on fresh rows over the ladder."""
    schedule = Schedule(steps=recipe.steps, learning_rate=recipe.rate, rounds=1, evaluations=recipe.evaluations)

    def trained(share: float, start: FittedNetwork | None, **change: int) -> FittedNetwork:
        own = Schedule(**{**schedule.__dict__, **change})
        ridge = share * rows.constant
        config = TrainingConfig(depth=DEPTHS[rows.kind], width=recipe.width, ridge=ridge, schedule=own)
        return fit(rows.x, rows.y, config=config, task=rows.kind, start=start)

    ladder = LADDERS[rows.kind]
    if not recipe.is_shared:
        return min(loss(trained(share, None), rows) for share in ladder)
    descended = trained(STARTS[rows.kind], None, rounds=0)
    return min(loss(trained(share, descended, steps=0), rows) for share in ladder)


def main() -> None:
    """Run all recipes on all tasks and keep the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two tasks of each, for a look; nothing is kept")
    is_quick = parser.parse_args().quick
    torch.set_num_threads(1)
    chosen = [family_rows(which, 100) for which in CHOSEN] + [
        sine_rows(*which, seed=at) for at, which in enumerate(SINES)
    ]
    tasks = {"chosen": chosen, "others": [family_rows(which, 101) for which in OTHERS]}
    figures: dict[str, Any] = {}
    for name, own in tasks.items():
        found = {}
        for recipe in RECIPES:
            begin = time.process_time()
            losses = [least_loss(rows, recipe) for rows in (own[:2] if is_quick else own)]
            found[recipe] = losses, time.process_time() - begin
        before = np.array(found[BEFORE][0])
        figures[name] = [
            {
                **recipe.__dict__,
                "error": round(float(np.exp(np.log(np.array(losses) / before).mean())), 3),
                "worst": round(float((np.array(losses) / before).max()), 2),
                "seconds": round(seconds, 1),
                "errors": {
                    f"{rows.name} {at}": round(ratio, 3)
                    for at, (rows, ratio) in enumerate(zip(own, losses / before, strict=False))
                },
            }
            for recipe, (losses, seconds) in found.items()
        ]
        for row in figures[name]:
            print(name, {key: value for key, value in row.items() if key != "errors"}, flush=True)
    if not is_quick:
        keep("selection_descents", str(__doc__).splitlines()[0], figures)


if __name__ == "__main__":
    main()
