"""Plain Adam on the objective of a fit, as a user of torch writes it: what `training.py` compares with."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.likelihood import GAUSSIAN
from isthmus.networks import from_torch
from isthmus.training import Objective


def module(widths: list[int], seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


def loss_of(objective: Objective) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    if objective.likelihood is GAUSSIAN:
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


def as_people_do(
    objective: Objective, widths: list[int], kind: str, *, steps: int, seed: int, limit: float
) -> dict[str, Any]:
    """`weight_decay` in the optimiser, default rate, denormals as they come; at most `steps` and `limit` seconds."""
    model = module(widths, seed)
    decay = 2.0 * objective.ridge / (len(widths) - 1)
    optimiser = getattr(torch.optim, kind)(model.parameters(), lr=1e-3, weight_decay=decay)
    loss_function = loss_of(objective)
    begin = time.perf_counter()
    done = 0
    while done < steps and time.perf_counter() - begin < limit:
        optimiser.zero_grad()
        loss_function(model(objective.x), objective.y).backward()
        optimiser.step()
        done += 1
    seconds = time.perf_counter() - begin
    return {"optimiser": kind, "steps": done, "objective": value_of(objective, model), "seconds": seconds}


def value_of(objective: Objective, model: nn.Module) -> float | None:
    finite = all(bool(torch.isfinite(p).all()) for p in model.parameters())
    return objective.value(from_torch(model)) if finite else None
