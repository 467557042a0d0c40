"""Classifiers of four inverted S along their training: collapse of every layer, and the rank of the logits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from isthmus.data.synthetic import inverted_s
from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.followups.neural_collapse.claims import judge
from isthmus.experiments.followups.neural_collapse.descent import LinearEnd
from isthmus.experiments.followups.neural_collapse.figures import drawings
from isthmus.experiments.followups.neural_collapse.settings import Settings
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.likelihood import CATEGORICAL, GAUSSIAN, Likelihood
from isthmus.networks import RELU
from isthmus.spectra import neural_collapse
from isthmus.training import Adam, Parameters, lbfgs, random_network

_LOSSES: dict[str, Likelihood] = {"squared": GAUSSIAN, "cross-entropy": CATEGORICAL}
_MEMORY = 30  # pairs of L-BFGS


def cells(settings: Settings) -> list[Cell]:
    """A training for each depth, linear end, loss and seed."""
    return [
        {"depth": depth, "linear_layers": linear, "loss": loss, "seed": seed}
        for seed in settings.seeds
        for depth in sorted(settings.depths, reverse=True)
        for linear in settings.linear_layers
        for loss in settings.losses
        if linear < depth
    ]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """Moments of one training."""
    depth, seed = int(cell["depth"]), int(cell["seed"])
    data = inverted_s(seed=seed, n=settings.rows)
    x = torch.as_tensor(data.x, device=device).double()
    labels = torch.as_tensor(data.y, device=device).long()
    classes = int(labels.max()) + 1
    likelihood = _LOSSES[str(cell["loss"])]
    targets = CATEGORICAL.as_numbers(labels, classes) if likelihood.is_quadratic else labels
    objective = LinearEnd(x, targets, likelihood, settings.ridge, int(cell["linear_layers"]))
    widths = (x.shape[1], *[settings.width] * (depth - 1), classes)
    start = random_network(widths, RELU, torch.Generator().manual_seed(seed), dtype=torch.float64, device=device)
    at = Parameters.of(start)
    found = [
        {"step": step, **_account(objective, at, labels, value)} for step, value in _descended(objective, at, settings)
    ]
    return {"classes": classes, "moments": found}


def _descended(objective: LinearEnd, at: Parameters, settings: Settings) -> Iterator[tuple[int, float]]:
    """Train in place; yield step and objective at the moments that are kept."""
    slope = at.like(torch.zeros_like(at.vector))
    adam, last = Adam(at.vector, slope.vector), settings.moments - 1
    kept = {round(settings.steps ** (index / last)) if index else 0 for index in range(settings.moments)}
    with torch.no_grad(), flushed_denormals():
        for step in range(settings.steps + 1):
            value = objective.gradient(at, slope)
            if step in kept:
                yield step, float(value)
            adam.step(settings.rate * 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / settings.steps))))
        lbfgs(
            at.vector[0],
            slope.vector[0],
            lambda: objective.gradient(at, slope),
            evaluations=settings.evaluations,
            memory=_MEMORY,
        )
        yield settings.steps + settings.evaluations, float(objective.gradient(at, slope))


def _account(objective: LinearEnd, at: Parameters, labels: Tensor, value: float) -> dict[str, Any]:
    chain = objective.chain(at)
    collapse = neural_collapse(chain, objective.x, labels, ridge=objective.ridge, likelihood=objective.likelihood)
    before, after = collapse.logit_ranks()
    last = collapse.layers[-1]
    return {
        "objective": _short(value),
        "error": _short(float((chain(objective.x).argmax(1) != labels).double().mean())),
        "nc1": [_short(min(layer.nc1, 1e9)) for layer in collapse.layers],
        "logit_nc1": _short(min(collapse.logit_nc1, 1e9)),
        "nc2": _short(last.nc2),
        "nc3": _short(last.nc3 or 0.0),
        "distance_from_rank": [_short(layer.distance_from_rank, 3) for layer in collapse.layers],
        "bound": [_short(layer.bound or 0.0, 3) for layer in collapse.layers],
        "imbalance": _short(collapse.layers[-2].imbalance or 0.0),
        "logit_rank": before,
        "collapsed_rank": after,
        "logit_deviations": [_short(each) for each in collapse.logit_deviations],
        "collapsed_deviations": [_short(each) for each in collapse.collapsed_deviations],
    }


def _short(value: float, digits: int = 4) -> float:
    """As the claims tell it and figures show it: 48 trainings in a file of 0.3 MB."""
    return float(f"{value:.{digits}g}")


EXPERIMENT = Experiment(
    name="neural-collapse",
    title="Collapse along the training of classifiers",
    claim="With weight decay the features of classifiers collapse to their class means, and the logits with them.",
    source="follow-ups: arXiv 2410.04887 and 2402.03991 (abstracts; that the first trains with squared errors was read "
    "in a summary of it)",
    published="Low error and at least two balanced linear layers at the end imply collapse; the distance of each "
    "weight from rank K is bounded by the class variation of the features before it over λ.",
    smoke=Settings(
        depths=(3,),
        linear_layers=(1, 2),
        losses=("squared", "cross-entropy"),
        seeds=(0,),
        rows=20,
        width=8,
        steps=60,
        evaluations=20,
        moments=4,
    ),
    full=Settings(depths=(3, 6, 10), linear_layers=(1, 2, 4), losses=("squared", "cross-entropy"), seeds=(0, 1, 2)),
    cells=cells,
    work=work,
    claims=judge,
    drawings=drawings,
)
