"""Channels pruned by torch-pruning, in an interpreter that has it: `_torch_pruning.py MODEL ROWS OUT RATIO`.

MODEL and OUT are modules saved by torch in this benchmark itself. Of its importances the one by magnitude over groups,
its default, with a global ranking; the pruning ratio is halved towards the one that leaves one RATIO-th of the
parameters.
"""

from __future__ import annotations

import copy
import sys

import torch
import torch_pruning
from torch import nn


def pruned(model: nn.Module, x: torch.Tensor, ratio: float) -> nn.Module:
    model = copy.deepcopy(model)
    last = [part for part in model.modules() if isinstance(part, nn.Linear)][-1]
    pruner = torch_pruning.pruner.BasePruner(
        model,
        x,
        importance=torch_pruning.importance.GroupMagnitudeImportance(p=2),
        global_pruning=True,
        pruning_ratio=ratio,
        max_pruning_ratio=0.95,
        ignored_layers=[last],
    )
    pruner.step()
    return model


def size(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def main() -> None:
    model, x, out, times = sys.argv[1:]
    torch.set_num_threads(1)
    given, rows = (torch.load(path, weights_only=False) for path in (model, x))
    wanted, low, high = size(given) / float(times), 0.0, 1.0
    best = None
    for _ in range(12):
        middle = (low + high) / 2
        trial = pruned(given, rows, middle)
        if size(trial) <= wanted:
            best, high = trial, middle
        else:
            low = middle
    torch.save(pruned(given, rows, 1.0) if best is None else best, out)


if __name__ == "__main__":
    main()
