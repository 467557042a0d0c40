r"""Sample size, Theorem 2: more data hinder rank underestimation.

Two things are measured. Paths: a rank-1 fit of N outputs of a rank-k function costs at least $(\Lambda / D)^{2/L}$ per
layer, with Λ the shortest path through the outputs, which grows like $N^{1 - 1/k}$ (`costs.rank_one_lower_bound`).
Ranks: of networks trained on N rows of a rank-k teacher at depth L, from one random start and of the lowest objective
that `search_rank` finds, beside the depths predicted for rank k from what networks of each rank cost at depths 3, 6 and
12 (`costs.depth_window`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from isthmus.costs import depth_window, rank_one_interpolant, short_path, shortest_path_lower
from isthmus.costs.rank_one import diameter_of
from isthmus.data import load_dataset
from isthmus.data.synthetic import random_teacher
from isthmus.errors import InexactNetworkError
from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.jacot2023.sample_size.claims import judge
from isthmus.experiments.jacot2023.sample_size.figures import drawings
from isthmus.experiments.jacot2023.sample_size.settings import Settings
from isthmus.spectra import measure
from isthmus.training import TrainingConfig, fit, search_rank

_RANKS_OF_LINEAR = (1e-6, 0.1)  # tolerances at which a linear fit's rank is read
_PATH_SIDE, _PATH_WIDTH = 50, 100  # the teachers of the paths: those of the rank recovery
_STEPS = 60  # of the ascent towards the shortest path


def cells(settings: Settings) -> list[Cell]:
    """Searches at the largest depths first, then windows, random starts and paths."""
    searched = [(n, seed) for n in settings.sizes for seed in settings.search_seeds]
    searches: list[Cell] = [
        {"part": "search", "n": n, "seed": seed, "depth": depth}
        for depth in sorted(settings.depths, reverse=True)
        for n, seed in searched
    ]
    windows: list[Cell] = [{"part": "window", "n": n, "seed": seed} for n, seed in searched]
    random: list[Cell] = [{"part": "random", "n": n, "seed": seed} for n in settings.sizes for seed in settings.seeds]
    paths: list[Cell] = [
        {"part": "paths", "rank": k, "seed": seed} for k in settings.path_ranks for seed in settings.path_seeds
    ]
    return [*searches, *windows, *random, *paths]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """What the part that the cell names measures."""
    seed = int(cell["seed"])
    if cell["part"] == "paths":
        return {"path": _paths(settings, int(cell["rank"]), seed)}
    x, y = _rows(settings, int(cell["n"]), seed)
    single = TrainingConfig(width=settings.width, ridge=settings.ridge, standardize="global", device=device)
    several = replace(single, n_init=settings.starts)
    if cell["part"] == "search":
        return _searched(x, y, replace(several, depth=int(cell["depth"])), seed)
    if cell["part"] == "window":
        return _window(x, y, several, seed)
    return {
        "path": [_random(x, y, replace(single, depth=depth), seed) for depth in settings.depths],
        "linear": linear_ranks(x, y, settings.ridge),
    }


def _rows(settings: Settings, n: int, seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    name = f"teacher:k={settings.rank},n={n},d={settings.side},width={settings.width}"
    data = load_dataset(name, seed=seed)
    return np.asarray(data.x[data.split.train]), np.asarray(data.y[data.split.train])


def _searched(x: object, y: object, config: TrainingConfig, seed: int) -> Numbers:
    search = search_rank(x, y, config=config, seed=seed)
    profile = measure(search.best.network, search.objective.x, scale_inputs="none", scale_outputs="none")
    return {
        "found": profile.bottleneck_rank.upper,
        "jacobian_rank": profile.jacobian_rank.lower,
        "objective": search.best.value,
        "error": search.objective.error(search.best.network),
        "objectives": [[each.rank, each.value] for each in search.candidates],
    }


def _window(x: object, y: object, config: TrainingConfig, seed: int) -> Numbers:
    window = depth_window(x, y, config=config, seed=seed)
    return {
        "found": window.rank,
        "ranges": [
            [each.rank, each.shallowest, -1 if each.deepest is None else each.deepest] for each in window.ranges
        ],
        "constants": [[r, window.line(r, 12).constant, window.line(r, 12).error] for r in window.ranks],
        "searched": list(window.searched),
    }


def _random(x: object, y: object, config: TrainingConfig, seed: int) -> dict[str, Any]:
    fitted = fit(x, y, config=config, seed=seed)
    profile = measure(fitted, x)
    return {
        "depth": config.depth,
        "found": profile.bottleneck_rank.upper,
        "jacobian_rank": profile.jacobian_rank.lower,
        "objective": fitted.value,
        "error": fitted.error,
    }


def linear_ranks(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], ridge: float) -> list[int]:
    """Ranks of the linear ridge regression, at both tolerances: the Jacobian of the shallowest model."""
    u, v = x - x.mean(0), y - y.mean(0)
    matrix = np.linalg.solve(u.T @ u / len(u) + ridge * np.eye(u.shape[1]), u.T @ v / len(u))
    s = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
    return [int((s > tolerance * s[0]).sum()) for tolerance in _RANKS_OF_LINEAR]


def _paths(settings: Settings, k: int, seed: int) -> list[dict[str, Any]]:
    """For nested rows of one teacher: the shortest path from both sides, and the constant of Proposition 2."""
    rng = np.random.default_rng(seed)
    most = max(settings.path_sizes)
    x = rng.standard_normal((most, _PATH_SIDE))
    y = random_teacher(x, k=k, d_out=_PATH_SIDE, width=_PATH_WIDTH, train=most, rng=rng)(x)
    found = []
    for n in settings.path_sizes:
        upper = short_path(y[:n]).length
        row: dict[str, Any] = {"n": n, "upper": upper, "diameter": diameter_of(torch.from_numpy(x[:n]))}
        row["lower"] = shortest_path_lower(y[:n], upper=upper, steps=_STEPS)
        try:
            built = rank_one_interpolant(x[:n], y[:n], rng=np.random.default_rng(seed))
            row |= {"constant": built.constant, "depth": built.depth}
        except InexactNetworkError:
            pass  # double precision does not hold the network: the row goes without
        found.append(row)
    return found


EXPERIMENT = Experiment(
    name="sample-size",
    title="More data hinder rank underestimation",
    claim="Fitting N outputs of a rank-k function at rank 1 gets dearer with N, so that rank k is recovered at an "
    "intermediate range of depths that grows with N.",
    source="slides, Rank recovery: Theorem 2 and Proposition 5",
    published="R/L > c N^{(2/L)(1 − 1/k)} for rank-1 fits; a range of depths recovers the rank; more data hinder "
    "underestimation.",
    smoke=Settings(
        sizes=(20,),
        depths=(2,),
        seeds=(100,),
        search_seeds=(100,),
        path_sizes=(9, 20, 40),
        path_ranks=(2,),
        path_seeds=(100,),
        side=3,
        width=6,
        starts=1,
    ),
    full=Settings(
        sizes=(25, 100, 400),
        depths=(3, 6, 12, 24, 48),
        seeds=(0, 1, 2),
        search_seeds=(0,),
        path_sizes=(50, 100, 200, 500, 1000, 2000),
        path_ranks=(1, 2, 3, 4),
        path_seeds=(0, 1, 2),
    ),
    cells=cells,
    work=work,
    claims=lambda settings, results: judge(settings.rank, results),
    drawings=drawings,
)
