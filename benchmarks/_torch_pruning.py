"""Channels pruned by torch-pruning, in an interpreter that has it: `_torch_pruning.py MODEL ROWS OUT RATIO`.

MODEL and OUT are modules saved by torch in this benchmark itself. Of its importances the one by magnitude over groups,
its default, with a global ranking; of a hundred pruning ratios the one is taken that leaves most parameters below one
RATIO-th. (Beyond some ratio more are left: layers that would lose all of their channels are skipped.)
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
    wanted = size(given) / float(times)
    trials = (pruned(given, rows, percent / 100) for percent in range(1, 100))
    torch.save(max((trial for trial in trials if size(trial) <= wanted), key=size), out)


if __name__ == "__main__":
    main()
