r"""Four inverted S in the plane: where three classes meet, for shallow and deep networks, with and without ℓ2.

Without ℓ2: gradient descent on the cross-entropy alone from He's initial weights, with steps of the size η / E until E
is far below the first separation (`margin_descent`). With ℓ2: $\frac1N \sum \ell + \frac\lambda L \|w\|^2$, and two
claims are kept apart: what one random start ends at (`fit`), and what the lowest objective found has. The latter is the
lowest of the random start, of the networks of each rank that `search_rank` finds at the smallest λ, followed upwards
over λ, and of the best of these followed downwards again.

Tripoints are counted exactly, from the linear regions, in a square that holds the data with a margin.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.data.synthetic import inverted_s
from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.jacot2023.inverted_s_classification.claims import judge
from isthmus.experiments.jacot2023.inverted_s_classification.figures import drawings
from isthmus.experiments.jacot2023.inverted_s_classification.margin_descent import descend
from isthmus.experiments.jacot2023.inverted_s_classification.settings import LOWEST, RANDOM, Settings
from isthmus.experiments.jacot2023.inverted_s_classification.territories import panel, reading
from isthmus.networks import RELU, FullyConnected
from isthmus.training import Objective, TrainingConfig, fit, random_network, search_rank, warm_start_fit

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Found = tuple[float, str, float, FullyConnected]
"""λ, how it was found, objective, network."""


def cells(settings: Settings) -> list[Cell]:
    """Searches first, the deepest first; then single starts with and without ℓ2."""
    searched = settings.seeds[: settings.map_seeds]
    found: list[tuple[str, int, int]] = []
    deepest_first = sorted({*settings.map_depths, *settings.depths}, reverse=True)
    found += [("ℓ2, searched", d, seed) for d in deepest_first if d in settings.map_depths for seed in searched]
    found += [("no ℓ2", depth, seed) for depth in deepest_first for seed in _seeds(settings, depth)]
    found += [
        ("ℓ2", depth, seed)
        for depth in settings.depths[::-1]
        for seed in settings.seeds
        if not (depth in settings.map_depths and seed in searched)
    ]
    return [{"kind": kind, "depth": depth, "seed": seed} for kind, depth, seed in found]


def _seeds(settings: Settings, depth: int) -> tuple[int, ...]:
    return settings.seeds if depth in settings.depths else settings.seeds[: settings.map_seeds]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """The networks of a cell: for each `ridge` (0 without ℓ2), `start`, objective, and what `reading` says."""
    depth, seed = int(cell["depth"]), int(cell["seed"])
    data = inverted_s(seed=seed, n=settings.rows)
    x, y = np.asarray(data.x, np.float64), np.asarray(data.y, np.int64)
    is_drawn = seed == settings.seeds[0] and depth in settings.depths
    if cell["kind"] == "no ℓ2":
        network, moments = _without(settings, x, y, depth, seed, device)
        row = _row(settings, network, x, y, 0.0, RANDOM, moments[-1].loss, is_drawn=is_drawn)
        numbers = {"networks": [row], "path": [asdict(moment) for moment in moments]}
        return numbers | ({"x": x.round(4).tolist(), "y": y.tolist()} if is_drawn else {})
    searched = _searched if cell["kind"] == "ℓ2, searched" else _started
    rows = [
        _row(settings, network, x, y, ridge, start, value, is_drawn=is_drawn and ridge == settings.ridges[0])
        for ridge, start, value, network in searched(settings, x, y, depth, seed, device)
    ]
    return {"networks": rows}


def _without(settings: Settings, x: Floats, y: Integers, depth: int, seed: int, device: str) -> Any:
    widths = (x.shape[1], *[settings.width] * (depth - 1), int(y.max()) + 1)
    start = random_network(widths, RELU, torch.Generator().manual_seed(seed), device=device)
    rows, classes = torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)
    return descend(start, rows, classes, enough=settings.enough, steps=settings.steps, kept=settings.kept)


def _config(settings: Settings, ridge: float, depth: int, device: str) -> TrainingConfig:
    return TrainingConfig(depth=depth, width=settings.width, ridge=ridge, standardize="none", device=device)


def _started(settings: Settings, x: Floats, y: Integers, depth: int, seed: int, device: str) -> Iterator[Found]:
    """One random start, at the panels' λ."""
    ridge = settings.ridges[0]
    fitted = fit(x, y, config=_config(settings, ridge, depth, device), task="classification", seed=seed)
    yield ridge, RANDOM, fitted.value, fitted.network


def _searched(settings: Settings, x: Floats, y: Integers, depth: int, seed: int, device: str) -> Iterator[Found]:
    """At each λ a random start, and the lowest of all that was found."""
    configs = [_config(settings, ridge, depth, device) for ridge in settings.ridges]
    starts = [fit(x, y, config=config, task="classification", seed=seed) for config in configs]
    search = search_rank(x, y, config=configs[0], task="classification", seed=seed)
    objectives = [search.objective.with_ridge(ridge) for ridge in settings.ridges]
    pools = [[fitted.network] for fitted in starts]
    followed = [candidate.network for candidate in search.candidates]
    pools[0] += followed
    for pool, objective in zip(pools[1:], objectives[1:], strict=True):
        followed = [warm_start_fit(network, objective, seed=seed) for network in followed]
        pool += followed
    lowest = _lowest(pools, objectives, seed)
    for ridge, fitted, objective, network in zip(settings.ridges, starts, objectives, lowest, strict=True):
        yield ridge, RANDOM, fitted.value, fitted.network
        yield ridge, LOWEST, objective.value(network), network


def _lowest(pools: Sequence[list[FullyConnected]], objectives: Sequence[Objective], seed: int) -> list[FullyConnected]:
    """The lowest at each λ, of its pool and of the lowest at the next larger λ, trained on."""
    found: list[FullyConnected] = []
    for pool, objective in zip(reversed(pools), reversed(objectives), strict=True):
        more = [warm_start_fit(found[-1], objective, seed=seed)] if found else []
        found.append(min([*pool, *more], key=objective.value))
    return found[::-1]


def _row(
    settings: Settings,
    network: FullyConnected,
    x: Floats,
    y: Integers,
    ridge: float,
    start: str,
    objective: float,
    *,
    is_drawn: bool,
) -> dict[str, Any]:
    numbers, boundary = reading(network, x, y, box=settings.box, far=settings.far)
    drawn = {"panel": panel(boundary)} if is_drawn else {}
    return {"ridge": ridge, "start": start, "objective": objective} | numbers | drawn


EXPERIMENT = Experiment(
    name="inverted-s-classification",
    title="Deep classifiers have no tripoints",
    claim="Shallow classifiers of four inverted S have points where three classes meet, deep ones have none; "
    "explicit ℓ2 changes little.",
    source="slides, Deep networks learn low-dimensional topology, Figure 2",
    published="Tripoints in the shallow networks (A, B), none in the deep ones (C, D), with and without ℓ2.",
    smoke=Settings(
        depths=(2, 3), map_depths=(2,), ridges=(0.01, 0.03), seeds=(0, 1), map_seeds=1, width=8, rows=20, steps=300
    ),
    full=Settings(
        depths=(3, 16),
        map_depths=(3, 6, 16),
        ridges=(0.003, 0.01, 0.03),
        seeds=tuple(range(20)),
        map_seeds=3,
    ),
    cells=cells,
    work=work,
    claims=judge,
    drawings=drawings,
)
