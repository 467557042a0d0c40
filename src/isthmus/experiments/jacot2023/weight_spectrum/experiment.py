"""The spectrum of the weights throughout a network, and how the picture sharpens with depth (slides, Figure 1a)."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.jacot2023.layer_account import account, counts, middle, ratios
from isthmus.experiments.jacot2023.teacher_networks import Task, lowest, train_candidates
from isthmus.experiments.jacot2023.weight_spectrum.claims import judge
from isthmus.experiments.jacot2023.weight_spectrum.figures import drawings
from isthmus.experiments.jacot2023.weight_spectrum.settings import LINEAR, Settings


def cells(settings: Settings) -> list[Cell]:
    """A network for each depth and seed."""
    return [
        {"depth": depth, "seed": seed} for depth in sorted(settings.depths, reverse=True) for seed in settings.seeds
    ]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """Spectra and impacts of the trained network of lower objective, and what the middle of it is like."""
    k, depth = settings.rank, int(cell["depth"])
    task = Task(
        k,
        settings.rows,
        settings.side,
        settings.width,
        settings.ridge,
        int(cell["seed"]),
        settings.steps,
        settings.rounds,
    )
    candidates = train_candidates(task, depth, device, grown_from=settings.grown_from)
    chosen = lowest(candidates)
    found = account(chosen.network, task.objective(device).sample()[0])
    weights, impact = found["weights"], found["impact"]
    return {
        "objectives": {candidate.start: candidate.objective for candidate in candidates},
        "start": chosen.start,
        **{name: found[name] for name in ("jacobian_rank", "bottleneck_rank", "norm_per_depth", "weights", "impact")},
        "large": counts(weights),
        "after_k": median(ratios(weights, k + 1, k)),
        "after_k_plus_1": median(ratios(weights, k + 2, k + 1)),
        "distance": distance(weights, k),
        "linear_share": sum(value < LINEAR for value in impact) / len(impact),
    }


def distance(weights: Sequence[Sequence[float]], k: int) -> float:
    """Mean |σ_i − 1| over the first k singular values of the middle layers."""
    sizes = [abs(value - 1) for layer in middle(len(weights)) for value in weights[layer - 1][:k]]
    return sum(sizes) / len(sizes)


EXPERIMENT = Experiment(
    name="weight-spectrum",
    title="Spectrum of the weights throughout the network",
    claim="In the middle of a deep network W_ℓ has as many large singular values as the function has rank; the deeper "
    "the network, the clearer the picture.",
    source="slides, Introduction, Figure 1a",
    published="A figure: the spectrum of the weights W_ℓ throughout the network.",
    smoke=Settings(rank=1, depths=(3, 6, 8), grown_from=6, seeds=(0,), rows=60, side=6, width=16, steps=60, rounds=1),
    full=Settings(rank=4, depths=(5, 9, 13, 20, 30), grown_from=13, seeds=(0, 1, 2), rows=500, side=50, width=100),
    cells=cells,
    work=work,
    claims=judge,
    drawings=drawings,
)
