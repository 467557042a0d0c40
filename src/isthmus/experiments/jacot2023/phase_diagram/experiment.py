r"""Where classifiers of four inverted S have tripoints: depth × λ × training × seeds.

$\frac1N \sum \ell(f(x_i), y_i) + \frac\lambda L \|w\|^2$ with λ from 0 on, by plain gradient descent, by Adam, by the
engine from a random start and by the search for its lowest objective. Tripoints are counted exactly, from the linear
regions, in the bounding box of the data and in larger ones around its centre.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.data.synthetic import inverted_s
from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.jacot2023.phase_diagram.claims import judge
from isthmus.experiments.jacot2023.phase_diagram.descents import adam, gradient_descent
from isthmus.experiments.jacot2023.phase_diagram.figures import drawings
from isthmus.experiments.jacot2023.phase_diagram.settings import (
    ADAM,
    GRADIENT_DESCENT,
    LOWEST,
    TRAININGS,
    Settings,
)
from isthmus.foundation.likelihood import CATEGORICAL
from isthmus.networks import RELU, FullyConnected
from isthmus.regions import enumerate_regions
from isthmus.spectra import bottleneck_rank
from isthmus.training import Objective, TrainingConfig, fit, random_network, search_rank

Floats = NDArray[np.float64]


def cells(settings: Settings) -> list[Cell]:
    """Whole diagrams first: every training and depth of one seed, then of the next."""
    return [
        {"seed": seed, "training": training, "depth": depth}
        for seed in settings.seeds
        for training in TRAININGS
        for depth in settings.depths
    ]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """For each λ: tripoints in every box, bottleneck rank, objective and misclassified share."""
    data = inverted_s(seed=int(cell["seed"]), n=settings.rows)
    x, y = np.asarray(data.x, np.float64), np.asarray(data.y, np.int64)
    objective = Objective(torch.from_numpy(x).float().to(device), torch.from_numpy(y).to(device), CATEGORICAL, 0.0)
    found: dict[str, list[object]] = {name: [] for name in ("ridges", "tripoints", "rank", "objective", "error")}
    for ridge, network in _networks(settings, cell, x, y, objective, device):
        exact = network.to(dtype=torch.float64, device="cpu")
        rows, classes = torch.from_numpy(x), torch.from_numpy(y)
        found["ridges"].append(ridge)
        found["tripoints"].append(tripoints_in_boxes(exact, x, settings.boxes))
        found["rank"].append(bottleneck_rank(exact, rows, scale_inputs="none", scale_outputs="none").upper)
        found["objective"].append(float(f"{objective.with_ridge(ridge).value(network):.5g}"))
        found["error"].append(float((exact(rows).argmax(1) != classes).double().mean()))
    return found


def _networks(
    settings: Settings, cell: Cell, x: Floats, y: NDArray[np.int64], objective: Objective, device: str
) -> Iterator[tuple[float, FullyConnected]]:
    """(λ, network) for every λ of the training."""
    depth, seed, training = int(cell["depth"]), int(cell["seed"]), cell["training"]
    if training in (GRADIENT_DESCENT, ADAM):
        widths = (x.shape[1], *[settings.width] * (depth - 1), int(y.max()) + 1)
        start = random_network(widths, RELU, torch.Generator().manual_seed(seed), device=device)
        if training == ADAM:
            trained = adam(start, objective, settings.ridges, steps=settings.steps, rate=settings.rate)
        else:
            rate = 10.0 * settings.rate
            trained = gradient_descent(start, objective, settings.ridges, steps=settings.steps, rate=rate)
        yield from zip(settings.ridges, trained, strict=True)
        return
    for ridge in settings.ridges:
        if ridge > 0.0:
            best, value = _random_start(seed, settings.rows, depth, settings.width, ridge, device)
            if training == LOWEST:
                config = _config(depth, settings.width, ridge, device)
                searched = search_rank(x, y, config=config, task="classification", seed=seed).best
                best = searched.network if searched.value < value else best
            yield ridge, best


def _config(depth: int, width: int, ridge: float, device: str) -> TrainingConfig:
    return TrainingConfig(depth=depth, width=width, ridge=ridge, standardize="none", device=device)


@lru_cache(maxsize=64)  # more than one seed has: the lowest objectives of a seed begin with its random starts
def _random_start(
    seed: int, rows: int, depth: int, width: int, ridge: float, device: str
) -> tuple[FullyConnected, float]:
    """What the engine makes of the random start, and its objective."""
    data = inverted_s(seed=seed, n=rows)
    x, y = np.asarray(data.x, np.float64), np.asarray(data.y, np.int64)
    fitted = fit(x, y, config=_config(depth, width, ridge, device), task="classification", seed=seed).complete()
    return fitted.network, fitted.value


def tripoints_in_boxes(network: FullyConnected, x: Floats, boxes: tuple[float, ...]) -> list[int]:
    """Tripoints in so many times the bounding box of the rows, around its centre; each counted in all larger ones."""
    low, high = x.min(0), x.max(0)
    centre, half = (low + high) / 2.0, (high - low) / 2.0
    largest = boxes[-1] * half
    points = enumerate_regions(network, (centre - largest, centre + largest)).tripoints()
    return [int((np.abs(points - centre) <= size * half).all(1).sum()) for size in boxes]


EXPERIMENT = Experiment(
    name="phase-diagram",
    title="Where classifiers have tripoints",
    claim="Shallow classifiers of four inverted S have points where three classes meet, deep ones have none; explicit "
    "ℓ2 changes little: over depth, λ, training and box.",
    source="slides, Deep networks learn low-dimensional topology, Figure 2",
    published="Tripoints in the shallow networks (A, B), none in the deep ones (C, D), with and without ℓ2.",
    smoke=Settings(
        depths=(2, 4), ridges=(0.0, 0.01), seeds=(0,), width=8, rows=20, steps=200, separated=0.5, shallow=2, deep=4
    ),
    full=Settings(depths=(2, 3, 4, 6, 9, 13, 20, 30), ridges=(0.0, 1e-4, 1e-3, 1e-2, 1e-1), seeds=tuple(range(20))),
    cells=cells,
    work=work,
    claims=judge,
    drawings=drawings,
)
