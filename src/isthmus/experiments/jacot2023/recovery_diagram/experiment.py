"""Networks trained on teachers of rank k over depth × N × λ × seeds: random starts, and the lowest objectives found."""

from __future__ import annotations

from contextlib import suppress

from isthmus.errors import InexactNetworkError
from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.jacot2023.recovery_diagram.claims import LOWEST, RANDOM, judge
from isthmus.experiments.jacot2023.recovery_diagram.figures import drawings
from isthmus.experiments.jacot2023.recovery_diagram.settings import Settings
from isthmus.experiments.jacot2023.teacher_networks import Candidate, Task, build_rank_one, lowest, train_candidates
from isthmus.spectra import measure


def cells(settings: Settings) -> list[Cell]:
    """Whole diagrams first, the shallow networks of each before the deep ones."""
    return [
        {"seed": seed, "depth": depth, "n": n, "ridge": ridge}
        for seed in settings.seeds
        for depth in settings.depths
        for n in settings.sizes
        for ridge in settings.ridges
    ]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """Ranks and objectives of the random start and of the lowest of it, a grown network and the built one of rank 1."""
    depth, n, seed = int(cell["depth"]), int(cell["n"]), int(cell["seed"])
    task = Task(
        settings.rank, n, settings.side, settings.width, float(cell["ridge"]), seed, settings.steps, settings.rounds
    )
    candidates = train_candidates(task, depth, device, grown_from=settings.grown_from)
    x = task.objective(device).sample()[0]
    random = candidates[0]
    if depth >= settings.grown_from:
        with suppress(InexactNetworkError):  # those that were trained are compared then
            candidates.append(build_rank_one(task, depth))
    return {RANDOM: _account(random, x), LOWEST: _account(lowest(candidates), x)}


def _account(candidate: Candidate, x: object) -> Numbers:
    profile = measure(candidate.network.to(device="cpu"), x, scale_inputs="none", scale_outputs="none")
    return {
        "start": candidate.start,
        "objective": float(f"{candidate.objective:.5g}"),
        "jacobian_rank": profile.jacobian_rank.lower,
        "bottleneck_rank": profile.bottleneck_rank.upper,
    }


EXPERIMENT = Experiment(
    name="recovery-diagram",
    title="Where the rank is recovered",
    claim="A range of depths recovers the rank of the true function; too deep networks underestimate it, more data "
    "hinder that, and too shallow ones overestimate it: over depth, N and λ.",
    source="slides, Rank recovery, and Theorem 2 with its consequences",
    published="k + C/L is below 1 + C_N/L in a range of depths that grows with N.",
    smoke=Settings(
        rank=2,
        depths=(2, 4),
        sizes=(30,),
        ridges=(0.02,),
        seeds=(0,),
        side=5,
        width=8,
        grown_from=3,
        steps=30,
        rounds=1,
    ),
    full=Settings(
        rank=3, depths=(2, 3, 6, 12, 24), sizes=(50, 150, 500), ridges=(0.005, 0.02, 0.08), seeds=tuple(range(20))
    ),
    cells=cells,
    work=work,
    claims=judge,
    drawings=drawings,
)
