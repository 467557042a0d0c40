"""Rank recovery: networks of depth 13 trained on functions of rank k, beside shallower, deeper and linear ones."""

from __future__ import annotations

from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.jacot2023.layer_account import account
from isthmus.experiments.jacot2023.rank_recovery.claims import judge
from isthmus.experiments.jacot2023.rank_recovery.depth_one import linear_account
from isthmus.experiments.jacot2023.rank_recovery.figures import drawings
from isthmus.experiments.jacot2023.rank_recovery.settings import Settings
from isthmus.experiments.jacot2023.teacher_networks import Task, build_rank_one, lowest, train_candidates

_SPECTRA = ("weights", "activations", "centred", "impact")


def cells(settings: Settings) -> list[Cell]:
    """A task for each depth, rank and seed."""
    k, usual = settings.rank, settings.depth
    asked = {(usual, rank, seed) for rank in settings.ranks for seed in settings.seeds}
    for depth in settings.depths:
        seeds = settings.seeds if depth in (1, usual) else settings.few
        asked |= {(depth, k, seed) for seed in seeds}
    deepest_first = sorted(asked, key=lambda task: (-task[0], task[1], task[2]))
    return [{"depth": depth, "rank": rank, "seed": seed} for depth, rank, seed in deepest_first]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """The networks that were compared, with the ranks of each; for the slides' setting all layers of the best one."""
    k, depth, seed = int(cell["rank"]), int(cell["depth"]), int(cell["seed"])
    task = Task(k, settings.rows, settings.side, settings.width, settings.ridge, seed, settings.steps, settings.rounds)
    objective = task.objective(device)
    x, y = objective.sample()
    if depth == 1:
        return {"networks": [{"start": "closed form", **linear_account(x, y, settings.ridge)}], "best": 0}
    candidates = train_candidates(task, depth, device, grown_from=settings.depth)
    if depth >= settings.depth and k == settings.rank and seed in settings.few:
        candidates.append(build_rank_one(task, depth))
    accounts = [account(candidate.network, x) for candidate in candidates]
    best = candidates.index(lowest(candidates))
    compared = [
        {"start": candidate.start, "objective": candidate.objective, "error": objective.error(candidate.network)}
        | {name: value for name, value in found.items() if name not in _SPECTRA}
        for candidate, found in zip(candidates, accounts, strict=True)
    ]
    is_shown = k == settings.rank and depth == settings.depth
    return {"networks": compared, "best": best} | {name: accounts[best][name] for name in _SPECTRA if is_shown}


EXPERIMENT = Experiment(
    name="rank-recovery",
    title="Rank recovery",
    claim="A network of depth 13 trained on a function of rank 4 is one of rank 4; shallower ones overestimate the "
    "rank, much deeper ones underestimate it.",
    source="slides, Experiment: rank recovery (Figure 2) and Rank recovery",
    published="At L = 13, width 100, N = 500, λ = 0.05/L: ‖θ‖²/L ≈ 6, representations approximately of rank 4 in the "
    "middle layers, where the impact of the nonlinearity vanishes.",
    smoke=Settings(
        rank=2,
        depth=5,
        ranks=(1, 2),
        depths=(1, 2, 5, 8),
        seeds=(0,),
        few=(0,),
        rows=60,
        side=6,
        width=16,
        steps=60,
        rounds=1,
    ),
    full=Settings(
        rank=4,
        depth=13,
        ranks=(1, 2, 3, 4, 5, 6),
        depths=(1, 2, 3, 5, 13, 25, 50, 100),
        seeds=tuple(range(10)),
        few=(0, 1),
        rows=500,
        side=50,
        width=100,
    ),
    cells=cells,
    work=work,
    claims=judge,
    drawings=drawings,
)
