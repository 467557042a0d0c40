"""Autoencoders of the curve over depth × weight decay × seeds: each as in `curve_autoencoder`, at a smaller size."""

from __future__ import annotations

from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.jacot2023.curve_autoencoder import EXPERIMENT as SINGLE
from isthmus.experiments.jacot2023.curve_autoencoder.settings import LOWEST, RANDOM
from isthmus.experiments.jacot2023.curve_autoencoder.settings import Settings as Single
from isthmus.experiments.jacot2023.curve_diagram.claims import judge
from isthmus.experiments.jacot2023.curve_diagram.figures import drawings
from isthmus.experiments.jacot2023.curve_diagram.settings import Settings

_KEPT = ("after", "rank", "objective", "norm_per_depth")


def cells(settings: Settings) -> list[Cell]:
    """Whole diagrams first, the shallow networks of each before the deep ones."""
    return [
        {"seed": seed, "depth": depth, "weight_decay": decay}
        for seed in settings.seeds
        for depth in settings.depths
        for decay in settings.weight_decays
    ]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """Distance before and after, rank, objective and norm, of the random start and of the lowest objective found."""
    depth, seed = int(cell["depth"]), int(cell["seed"])
    single = Single(
        depths=(depth,),
        seeds=(-1,),  # of no cell: nothing is kept to be drawn
        rows=settings.rows,
        width=settings.width,
        weight_decay=float(cell["weight_decay"]),
        points=settings.points,
    )
    found = SINGLE.work(single, {"depth": depth, "seed": seed}, device)
    return {"before": found["before"]} | {
        kind: {name: found[kind][name] for name in _KEPT} for kind in (RANDOM, LOWEST)
    }


EXPERIMENT = Experiment(
    name="curve-diagram",
    title="Where autoencoders denoise",
    claim="Deep autoencoders of a curve in the plane project random points onto it, shallow ones leave them: over "
    "depth and weight decay.",
    source="slides, Figure 3 B and C",
    published="Deep (B): random inputs land on the curve; shallow (C): they hardly move. λ = 1e-4.",
    smoke=Settings(depths=(2, 3), weight_decays=(1e-3,), seeds=(0,), rows=40, width=8, points=50, shallow=2, deep=3),
    full=Settings(depths=(2, 3, 6, 12, 25), weight_decays=(1e-5, 1e-4, 1e-3, 1e-2), seeds=tuple(range(20))),
    cells=cells,
    work=work,
    claims=judge,
    drawings=drawings,
)
