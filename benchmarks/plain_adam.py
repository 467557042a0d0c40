"""Claim: `isthmus fit teacher` ends at or below the objective that plain Adam reaches, in less time.

Plain Adam is what a user would write: torch's fused Adam with the one-cycle schedule, 8,000 full-batch steps, float32,
denormals flushed, PyTorch modules and autograd, at five learning rates; the same data (the seed setting, as given and
unstandardised), the same width, depth, ridge, start distribution and thread count, one after the other in one process.
"""

from __future__ import annotations

import sys
import time

import torch
from torch import nn

from _environment import keep
from isthmus.datasets import load_dataset
from isthmus.denormals import flushed_denormals
from isthmus.functions import FullyConnected, from_torch
from isthmus.training import fit, squared_error
from isthmus.training.objective import Objective

RATES = (1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2)
DEPTH, WIDTH, RIDGE, STEPS = 13, 100, 0.05, 8000


@flushed_denormals()
def plain_adam(x: torch.Tensor, y: torch.Tensor, rate: float, seed: int) -> FullyConnected:
    torch.manual_seed(seed)
    layers: list[nn.Module] = [nn.Linear(x.shape[1], WIDTH)]
    for _ in range(DEPTH - 2):
        layers += [nn.ReLU(), nn.Linear(WIDTH, WIDTH)]
    model = nn.Sequential(*layers, nn.ReLU(), nn.Linear(WIDTH, y.shape[1]))
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    parameters = list(model.parameters())
    optimiser = torch.optim.Adam(parameters, lr=rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=STEPS)
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss = (model(x) - y).square().sum(1).mean()
        loss = loss + RIDGE / DEPTH * sum(p.square().sum() for p in parameters)
        loss.backward()
        optimiser.step()
        schedule.step()
    return from_torch(model)


def main(seeds: list[int]) -> None:
    figures = []
    for seed in seeds:
        data = load_dataset("teacher", seed=seed)
        rows = data.split.train
        x, y = torch.from_numpy(data.x[rows]).float(), torch.from_numpy(data.y[rows]).float()
        objective = Objective(x, y, squared_error, RIDGE)
        begin = time.perf_counter()
        ours = fit(x, y, depth=DEPTH, width=WIDTH, ridge=RIDGE, standardize="none", seed=seed)
        row = {
            "seed": seed,
            "isthmus": {"objective": objective.value(ours.network), "seconds": time.perf_counter() - begin},
            "plain_adam": [],
        }
        for rate in RATES:
            begin = time.perf_counter()
            network = plain_adam(x, y, rate, seed)
            reached = objective.value(network)
            row["plain_adam"].append({"rate": rate, "objective": reached, "seconds": time.perf_counter() - begin})
            print(f"seed {seed}  Adam {rate:g}: {reached:.4f} in {row['plain_adam'][-1]['seconds']:.0f} s", flush=True)
        best = min(row["plain_adam"], key=lambda run: run["objective"])
        row["objective_ratio"] = row["isthmus"]["objective"] / best["objective"]
        row["time_ratio_to_one_adam_run"] = row["isthmus"]["seconds"] / best["seconds"]
        print(
            f"seed {seed}  isthmus {row['isthmus']['objective']:.4f} in {row['isthmus']['seconds']:.0f} s; best Adam "
            f"{best['objective']:.4f}: objective × {row['objective_ratio']:.2f}, time × "
            f"{row['time_ratio_to_one_adam_run']:.2f}",
            flush=True,
        )
        figures.append(row)
    keep("plain_adam", "fit ends at or below plain Adam's best of five learning rates, sooner", figures)


if __name__ == "__main__":
    main([int(a) for a in sys.argv[1:]] or [0])
