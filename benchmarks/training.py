"""Claim: the training engine reaches what the best of 15 plain Adam runs reaches in less than a sixth of its time.

Sections, each by its name on the command line (all of them without one), each kept in `results/training.json`:

- `headline`: the seed setting against plain Adam (five rates, three schedules, 8,000 full-batch steps, denormals
  flushed), and against Adam and AdamW with `weight_decay` as people run them, denormals as they come.
- `settings`: a classification and a 784-dimensional autoencoder against Adam's best of five rates.
- `ablation`: each lever off, one at a time.
- `batched`: 16 networks in one tensor against one after another.
- `scaling`: cost of a step against depth, width and rows, with the floor beside it.
- `recovery`: share of exact ranks on the teacher grid.

The recipe was chosen on the teachers of seeds 100 to 104; nothing here uses them.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from _environment import RESULTS, environment
from isthmus.datasets import load_dataset
from isthmus.denormals import flushed_denormals
from isthmus.functions import RELU, FullyConnected, from_torch
from isthmus.training import (
    FittedNetwork,
    Objective,
    Parameters,
    Plan,
    fit,
    fit_many,
    random_network,
    squared_error,
)

SEEDS = (0, 1, 2)
RATES = (1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2)
SCHEDULES = ("one-cycle", "cosine", "constant")
DEPTH, WIDTH, RIDGE, STEPS = 13, 100, 0.05, 8000
LONG = Plan(steps=2000, rounds=40, precision=0.0)


def module(widths: list[int], seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for fan_in, fan_out in zip(widths[:-1], widths[1:], strict=True):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


def loss_of(objective: Objective) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    if objective.loss is squared_error:
        return lambda outputs, y: (outputs - y).square().sum(1).mean()
    return nn.functional.cross_entropy


def adam(objective: Objective, widths: list[int], rate: float, schedule: str, steps: int, seed: int) -> dict[str, Any]:
    """What a user writes: modules, autograd, torch's fused Adam and schedules, the ridge in the loss."""
    model = module(widths, seed)
    parameters = list(model.parameters())
    optimiser = torch.optim.Adam(parameters, lr=rate, fused=True)
    schedules = torch.optim.lr_scheduler
    follow = {
        "one-cycle": lambda: schedules.OneCycleLR(optimiser, max_lr=rate, total_steps=steps),
        "cosine": lambda: schedules.CosineAnnealingLR(optimiser, steps),
        "constant": lambda: schedules.ConstantLR(optimiser, factor=1.0),
    }[schedule]()
    x, y, loss_function = objective.x, objective.y, loss_of(objective)
    scale = objective.ridge / (len(widths) - 1)
    begin = time.perf_counter()
    with flushed_denormals():
        for _ in range(steps):
            optimiser.zero_grad()
            loss = loss_function(model(x), y) + scale * sum(p.square().sum() for p in parameters)
            loss.backward()
            optimiser.step()
            follow.step()
    seconds = time.perf_counter() - begin
    return {"rate": rate, "schedule": schedule, "objective": value_of(objective, model), "seconds": seconds}


def as_people_do(objective: Objective, widths: list[int], kind: str, seed: int, limit: float) -> dict[str, Any]:
    """`weight_decay` in the optimiser, default rate, denormals as they come; at most `limit` seconds."""
    model = module(widths, seed)
    decay = 2.0 * objective.ridge / (len(widths) - 1)
    optimiser = getattr(torch.optim, kind)(model.parameters(), lr=1e-3, weight_decay=decay)
    loss_function = loss_of(objective)
    begin = time.perf_counter()
    steps = 0
    while steps < STEPS and time.perf_counter() - begin < limit:
        optimiser.zero_grad()
        loss_function(model(objective.x), objective.y).backward()
        optimiser.step()
        steps += 1
    seconds = time.perf_counter() - begin
    return {"optimiser": kind, "steps": steps, "objective": value_of(objective, model), "seconds": seconds}


def value_of(objective: Objective, model: nn.Module) -> float | None:
    finite = all(bool(torch.isfinite(p).all()) for p in model.parameters())
    return objective.value(from_torch(model)) if finite else None


def timed(work: Callable[[], FittedNetwork]) -> tuple[FittedNetwork, float]:
    """The result and the seconds before its clock starts: they count too."""
    begin = time.perf_counter()
    fitted = work()
    return fitted, time.perf_counter() - begin - fitted.seconds


def reached(fitted: FittedNetwork, before: float, target: float) -> float | None:
    """Seconds after which the objective was at most `target`, reading and standardising included."""
    return next((m.seconds + before for m in fitted.history if m.objective <= target), None)


def at(fitted: FittedNetwork, before: float, seconds: float) -> float:
    """The lowest objective within `seconds`."""
    return min(m.objective for m in fitted.history if m.seconds + before <= seconds)


def teacher(seed: int, k: int = 4) -> tuple[Any, Any]:
    data = load_dataset(f"teacher:k={k}", seed=seed)
    rows = data.split.train
    return data.x[rows], data.y[rows]


def ours(x: Any, y: Any, seed: int, plan: Plan, **options: Any) -> FittedNetwork:
    settings = {"depth": DEPTH, "width": WIDTH, "ridge": RIDGE, "standardize": "none", **options}
    return fit(x, y, seed=seed, plan=plan, **settings)


def against_adam(
    objective: Objective, widths: list[int], fitted: FittedNetwork, before: float, *, steps: int, seed: int
) -> dict[str, Any]:
    runs = [adam(objective, widths, rate, s, steps, seed) for s in SCHEDULES for rate in RATES]
    best = min((run for run in runs if run["objective"] is not None), key=lambda run: run["objective"])
    row: dict[str, Any] = {"seed": seed, "adam": runs, "best_adam": best}
    row["seconds_to_adams_objective"] = reached(fitted, before, best["objective"])
    row["objective"], row["seconds"] = fitted.value, fitted.seconds + before
    if row["seconds_to_adams_objective"]:
        row["time_ratio"] = best["seconds"] / row["seconds_to_adams_objective"]
    return row


def headline() -> dict[str, Any]:
    rows = []
    for seed in SEEDS:
        x, y = teacher(seed)
        fitted, before = timed(lambda: ours(x, y, seed, Plan()))
        widths = [50, *[WIDTH] * (DEPTH - 1), 50]
        row = against_adam(fitted.objective, widths, fitted, before, steps=STEPS, seed=seed)
        long, before_long = timed(lambda: ours(x, y, seed, LONG))
        row["objective_at_equal_time"] = at(long, before_long, row["best_adam"]["seconds"])
        row["lower_at_equal_time"] = 1.0 - row["objective_at_equal_time"] / row["best_adam"]["objective"]
        row["as_people_do"] = []
        for kind in ("Adam", "AdamW"):
            today = as_people_do(fitted.objective, widths, kind, seed, limit=90.0)
            seconds = reached(fitted, before, today["objective"])
            today["time_ratio"] = today["seconds"] / seconds if seconds else None
            row["as_people_do"].append(today)
        rows.append(row)
        print(
            f"seed {seed}: best Adam {row['best_adam']['objective']:.4f} in {row['best_adam']['seconds']:.0f} s "
            f"({row['best_adam']['schedule']}, {row['best_adam']['rate']:g}); reached in "
            f"{row['seconds_to_adams_objective']:.1f} s: x{row['time_ratio']:.1f}; ends at {row['objective']:.4f} after "
            f"{row['seconds']:.1f} s; at equal time {100 * row['lower_at_equal_time']:.0f} % lower; as people do it "
            f"{[(t['optimiser'], round(t['objective'], 2), t['steps'], t['time_ratio']) for t in row['as_people_do']]}",
            flush=True,
        )
    return {"rows": rows, "medians": medians(rows, "time_ratio", "lower_at_equal_time")}


def medians(rows: list[dict[str, Any]], *names: str) -> dict[str, float]:
    return {name: statistics.median(row[name] for row in rows) for name in names}


def keep_section(name: str, figures: Any) -> None:
    path = RESULTS / "training.json"
    result = json.loads(path.read_text()) if path.is_file() else {"claim": (__doc__ or "").partition("\n")[0]}
    result[name] = {"environment": environment(), "figures": figures}
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


SECTIONS = {"headline": headline}


def main(names: list[str]) -> None:
    for name in names or list(SECTIONS):
        begin = time.perf_counter()
        figures = SECTIONS[name]()
        keep_section(name, figures)
        print(f"{name}: {time.perf_counter() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1:])
