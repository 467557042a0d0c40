"""Classifiers of four inverted S along their training: collapse of every layer, and the rank of the logits."""

from __future__ import annotations

import math
from typing import Any

import torch

from isthmus.data.synthetic import inverted_s
from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.followups.neural_collapse.claims import judge
from isthmus.experiments.followups.neural_collapse.figures import drawings
from isthmus.experiments.followups.neural_collapse.settings import Settings
from isthmus.experiments.jacot2023.layer_account import round_for_figures
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.likelihood import CATEGORICAL
from isthmus.networks import RELU, FullyConnected
from isthmus.spectra import neural_collapse
from isthmus.training import Adam, Objective, Parameters, random_network


def cells(settings: Settings) -> list[Cell]:
    """A training for each depth and seed."""
    return [
        {"depth": depth, "seed": seed} for seed in settings.seeds for depth in sorted(settings.depths, reverse=True)
    ]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """Moments of one training."""
    depth, seed = int(cell["depth"]), int(cell["seed"])
    data = inverted_s(seed=seed, n=settings.rows)
    x = torch.as_tensor(data.x, device=device).double()
    y = torch.as_tensor(data.y, device=device).long()
    objective = Objective(x, y, CATEGORICAL, settings.ridge)
    widths = (x.shape[1], *[settings.width] * (depth - 1), int(y.max()) + 1)
    start = random_network(widths, RELU, torch.Generator().manual_seed(seed), dtype=torch.float64, device=device)
    at = Parameters.of(start)
    slope = at.like(torch.zeros_like(at.vector))
    adam, found = Adam(at.vector, slope.vector), []
    last = settings.moments - 1
    kept = {round(settings.steps ** (index / last)) if index else 0 for index in range(settings.moments)}
    with torch.no_grad(), flushed_denormals():
        for step in range(settings.steps + 1):
            objective.gradient(at, slope)
            if step in kept:
                found.append({"step": step, **_account(at.network(), objective)})
            adam.step(settings.rate * 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / settings.steps))))
    return {"classes": widths[-1], "moments": found}


def _account(network: FullyConnected, objective: Objective) -> dict[str, Any]:
    x, y = objective.sample()
    collapse = neural_collapse(network, x, y, ridge=objective.ridge)
    before, after = collapse.logit_ranks()
    last = collapse.layers[-1]
    return {
        "objective": float(f"{objective.value(network):.5g}"),
        "error": float((network(x).argmax(1) != y).double().mean()),
        "nc1": round_for_figures([min(layer.nc1, 1e9) for layer in collapse.layers]),
        "nc2": last.nc2,
        "nc3": last.nc3,
        "distance_from_rank": [layer.distance_from_rank for layer in collapse.layers],
        "bound": [layer.bound for layer in collapse.layers],
        "imbalance": collapse.layers[-2].imbalance,
        "logit_rank": before,
        "collapsed_rank": after,
        "logit_deviations": round_for_figures(collapse.logit_deviations),
        "collapsed_deviations": round_for_figures(collapse.collapsed_deviations),
    }


EXPERIMENT = Experiment(
    name="neural-collapse",
    title="Collapse along the training of classifiers",
    claim="With weight decay the features of classifiers collapse to their class means, and the logits with them.",
    source="follow-ups: arXiv 2410.04887 and 2402.03991 (abstracts)",
    published="Low error and balanced layers imply collapse; the distance of each weight from rank K is bounded by the "
    "class variation of the features before it over λ.",
    smoke=Settings(depths=(3,), seeds=(0,), rows=20, width=8, steps=60, moments=4),
    full=Settings(depths=(3, 6, 10), seeds=(0, 1, 2)),
    cells=cells,
    work=work,
    claims=judge,
    drawings=drawings,
)
