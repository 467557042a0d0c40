"""How probably k numbers are enough, weighed from what speaks for it and against it."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

import torch
from torch import Tensor

from isthmus.foundation.task import Task
from isthmus.foundation.tolerance import Tolerance
from isthmus.selection.features import Averages, features
from isthmus.selection.independence_test import constant_probability

_NO_CHANCE = 2.0  # standard errors


@cache
def weights() -> dict[str, Any]:
    """Weights of the `features`, as the script that fits them has written them.

    One list for each task, of classes two: lines are asked of residuals of outputs, of classes themselves, and not of
    an autoencoder, whose outputs are linear functions of its inputs (`weights_for`).
    """
    found: dict[str, Any] = json.loads(resources.files("isthmus.selection").joinpath("weights.json").read_text("utf-8"))
    return found


def weights_for(seen: Averages, task: Task) -> list[float]:
    """Those that count: lines of classes that need all directions there are follow what networks bend, and say nothing.

    Args:
        seen: What the folds say.
        task: What is learned.
    """
    says_nothing = task == "classification" and not seen.linear.are_as_chance()
    found: list[float] = weights()["classification without lines" if says_nothing else task]
    return found


def sufficient_probabilities(seen: Averages, task: Task, tolerance: Tolerance) -> Tensor:
    r"""The probability that k numbers are enough, given that fewer are not, for k = 0, 1, …, K: `(K + 1,)`.

    For k ≥ 1 it is $1 / (1 + e^{-a_k})$ with $a_k$ the weighed sum of the features. K is enough where nothing is. Of
    outputs it is 0 where $e_k > \varepsilon e_0$ and both are above twice their standard errors: what is left is
    much and no chance, whatever else speaks for k.

    No numbers are enough with the `constant_probability`: networks that predict no better than a constant may be bad
    networks, so lines are asked, too.

    Args:
        seen: What the folds say.
        task: What is learned.
        tolerance: ε.
    """
    table = features(seen, tolerance)
    enough = torch.sigmoid(table @ torch.tensor(weights_for(seen, task), dtype=table.dtype))
    gained, error = float(seen.excess[0]), float(seen.deviations[0])
    if task != "classification" and gained > _NO_CHANCE * error:
        is_much = seen.excess > tolerance.relative * gained
        enough[is_much & (seen.excess > _NO_CHANCE * seen.deviations)] = 0.0
    enough[0] = constant_probability(seen.agreement, seen.linear.chance)
    enough[-1] = 1.0
    return enough


def posterior(sufficient: Tensor) -> Tensor:
    r"""Of k being the smallest number that is enough: $s_k \prod_{j<k} (1 - s_j)$, `(K + 1,)`."""
    before = torch.cat([torch.ones_like(sufficient[:1]), (1.0 - sufficient[:-1]).cumprod(0)])
    return sufficient * before
