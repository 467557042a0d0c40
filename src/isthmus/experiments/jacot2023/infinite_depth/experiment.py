r"""Infinite depth, Theorem 1: R/L tends to a number between the Jacobian rank and the bottleneck rank.

The upper half is a construction: from any $f = h \circ g$ through $R^k$ a network of depth L with
$\|w\|^2 = \|w_g\|^2 + k (L - L_g - L_h) + \|w_h\|^2$. It is built here with every layer written out, and evaluated.
The lower half is Proposition 3 as $L \to \infty$. Both halves together bracket R/L at every depth; the brackets are
those of `costs.representation_costs`, of functions whose ranks are proved.
"""

from __future__ import annotations

import math

import torch

from isthmus.costs import representation_costs
from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.jacot2023.infinite_depth.claims import judge
from isthmus.experiments.jacot2023.infinite_depth.figures import drawings
from isthmus.experiments.jacot2023.infinite_depth.rank_axioms import axiom_cells, axiom_work
from isthmus.experiments.jacot2023.infinite_depth.settings import Settings
from isthmus.experiments.jacot2023.infinite_depth.three_parts import (
    TRIPOD,
    construction,
)
from isthmus.networks.catalogue import CatalogueEntry, catalogue, tripod
from isthmus.training import TrainingConfig, fit, insert_identity_layers, warm_start_fit

_DIGITS = 6


def cells(settings: Settings) -> list[Cell]:
    """The trained tripods, the brackets, the pairs, the constructions."""
    trained: list[Cell] = [{"part": "trained tripod", "seed": seed} for seed in settings.seeds]
    brackets: list[Cell] = [{"part": "bracket", "function": name} for name in settings.functions]
    built: list[Cell] = [
        {"part": part, "rank": rank, "seed": seed}
        for part in ("construction", "steep")
        for rank in settings.ranks
        for seed in settings.seeds
    ]
    built.append({"part": "construction", "rank": 2, "seed": TRIPOD})
    return [*trained, *brackets, *axiom_cells(settings.pairs, settings.seeds, settings.ranks), *built]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """What the part that the cell names measures."""
    if cell["part"] == "trained tripod":
        return _trained(settings, int(cell["seed"]), device)
    if cell["part"] == "bracket":
        return _brackets(settings, catalogue_entry(str(cell["function"])))
    if cell["part"] in ("construction", "steep"):
        slope = settings.slope if cell["part"] == "steep" else 0.0
        return construction(settings.depths, int(cell["rank"]), int(cell["seed"]), rows=settings.rows, slope=slope)
    return axiom_work(cell)


def catalogue_entry(name: str) -> CatalogueEntry:
    """The entry of the catalogue, whose random ones are of seed 0."""
    return next(entry for entry in catalogue(0) if entry.name == name)


def _brackets(settings: Settings, entry: CatalogueEntry) -> Numbers:
    found = representation_costs(entry.network, depths=[*settings.bracket_depths, math.inf], box=entry.box)
    *path, limit = [{"lower": round(i.lower, _DIGITS), "upper": round(i.upper, _DIGITS)} for i in found]
    return {
        "jacobian_rank": entry.jacobian_rank,
        "bottleneck_rank": entry.bottleneck_rank,
        "negative_slope": entry.network.activation.negative_slope,
        "path": [{"depth": depth, **ends} for depth, ends in zip(settings.bracket_depths, path, strict=True)],
        "limit": limit,
    }


def _trained(settings: Settings, seed: int, device: str) -> Numbers:
    """Networks trained on samples of the tripod, grown at each doubling: how ‖w‖² grows, and what they miss."""
    f, (first, *deeper) = tripod(), settings.tripod_depths
    generator = torch.Generator().manual_seed(seed)
    x = 2 * torch.rand(settings.tripod_rows, 2, generator=generator, dtype=torch.float64) - 1
    fitted = fit(
        x,
        f(x),
        config=TrainingConfig(
            depth=first, width=20, ridge=settings.tripod_ridge, standardize="none", n_init=4, device=device
        ),
        seed=seed,
    )
    networks, objective = [fitted.network], fitted.objective
    rows = objective.sample()[0]
    for depth in deeper:
        networks.append(warm_start_fit(insert_identity_layers(networks[-1], rows, depth), objective, seed=seed))
    variance = float(f(x).var(0, correction=0).sum())
    before, last = networks[-2:]
    return {
        "path": [
            {"depth": net.depth, "norm_per_depth": net.norm_per_depth, "missed": objective.error(net) / variance}
            for net in networks
        ],
        "slope": (last.squared_norm - before.squared_norm) / (last.depth - before.depth),
    }


EXPERIMENT = Experiment(
    name="infinite-depth",
    title="R/L tends to a rank",
    claim="R/L converges to a number between the Jacobian rank and the bottleneck rank, which satisfies rank axioms "
    "2 to 4.",
    source="slides, Infinite depth regime: Theorem 1 and its proof sketch",
    published="Rank_J ≤ R_∞ ≤ Rank_BN; the construction costs ‖w_g‖² + k(L − L_g − L_h) + ‖w_h‖².",
    smoke=Settings(
        depths=(10, 1000),
        bracket_depths=(100,),
        seeds=(100,),
        ranks=(1, 2),
        functions=("tripod", "rank 2 in a triangle of area 1/64"),
        pairs=("tripod",),
        tripod_depths=(3, 6),
        tripod_rows=30,
        rows=50,
    ),
    full=Settings(
        depths=(10, 30, 100, 300, 1000, 3000, 10000),
        bracket_depths=(100, 300, 1000, 3000, 10000),
        seeds=(0, 1, 2),
        ranks=(1, 2, 3),
        functions=(
            "affine of rank 2 at depth 3, relu",
            "between leaky bijections, d 3, rank 2",
            "between ReLU shears, rank 1",
            "maximum norm in the plane",
            "two folds of the square, absolute values",
            "saw-tooth of 3 folds",
            "orthants in dimension 3: ranks 0 to 3",
            "rank 2 in a triangle of area 1/64",
            "random R^2 → R^1 → R^2",
            "random R^3 → R^2 → R^3",
            "random R^3 → R^3 → R^4",
            "tripod",
            "tripod with three outputs",
            "tripod along a third input",
        ),
        pairs=(
            "affine of rank 1 at depth 3, relu",
            "between ReLU shears, rank 1",
            "rank 2 in a triangle of area 1/64",
            "random R^2 → R^1 → R^2",
            "tripod",
        ),
        tripod_depths=(4, 8, 16, 32),
        tripod_rows=400,
    ),
    cells=cells,
    work=work,
    claims=judge,
    drawings=drawings,
)
