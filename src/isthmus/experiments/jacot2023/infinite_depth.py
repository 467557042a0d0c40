r"""Infinite depth, Theorem 1: R/L tends to a number between the Jacobian rank and the bottleneck rank.

The upper half is a construction: from any $f = h \circ g$ through $R^k$ a network of depth L with
$\|w\|^2 = \|w_g\|^2 + k (L - L_g - L_h) + \|w_h\|^2$. It is built here with every layer written out, and evaluated.
The lower half is Proposition 3 as $L \to \infty$. Both halves together bracket R/L at every depth; the brackets are
those of `costs.representation_costs`, of functions whose ranks are proved.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from isthmus.costs import representation_costs
from isthmus.experiments.experiment import (
    Cell,
    Claim,
    Experiment,
    Numbers,
)
from isthmus.experiments.jacot2023.rank_axioms import axiom_cells, axiom_claims, axiom_work
from isthmus.experiments.jacot2023.three_parts import (
    TRIPOD,
    construction,
    construction_claims,
    steep_claim,
)
from isthmus.networks import CatalogueEntry, catalogue
from isthmus.networks.catalogue import tripod
from isthmus.training import TrainingConfig, fit, insert_identity_layers, warm_start_fit

_FAITHFUL = 1e-3  # of the variance: what a network that computes the tripod at the rows may miss
_CHEAPER = 1.9  # ‖w‖²/L below which such a network would speak against rank 2
_DIGITS = 6


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        depths: L of the construction.
        bracket_depths: L of the brackets; the limit is added.
        seeds: Draw the random halves and the rows.
        ranks: k of the random halves.
        rows: Where f and the construction are compared.
        functions: Of the catalogue: those that are bracketed.
        pairs: Of the catalogue, in the plane: those that are composed and added, each with each.
        tripod_depths: L of the networks that are trained on the tripod.
        tripod_rows: N there.
        tripod_ridge: λ there.
        slope: a of the activation that is steeper than 1.
    """

    depths: tuple[int, ...]
    bracket_depths: tuple[int, ...]
    seeds: tuple[int, ...]
    ranks: tuple[int, ...]
    functions: tuple[str, ...]
    pairs: tuple[str, ...]
    tripod_depths: tuple[int, ...]
    tripod_rows: int
    tripod_ridge: float = 1e-3
    rows: int = 200
    slope: float = 3.0


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
        return _brackets(settings, named(str(cell["function"])))
    if cell["part"] in ("construction", "steep"):
        slope = settings.slope if cell["part"] == "steep" else 0.0
        return construction(settings.depths, int(cell["rank"]), int(cell["seed"]), rows=settings.rows, slope=slope)
    return axiom_work(cell)


def named(name: str) -> CatalogueEntry:
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


def claims(settings: Settings, results: Sequence[Mapping[str, Any]]) -> list[Claim]:
    """The construction, the two halves of the theorem, its last sentence, and the conjecture."""
    parts = {name: [row for row in results if row["part"] == name] for name in ("construction", "steep", "bracket")}
    return [
        *construction_claims(parts["construction"]),
        _sandwiched(parts["bracket"]),
        steep_claim(parts["steep"]),
        *axiom_claims(results),
        _conjecture(parts["bracket"], [row for row in results if row["part"] == "trained tripod"]),
    ]


def _sandwiched(rows: Sequence[Mapping[str, Any]]) -> Claim:
    """Of functions with |σ′| ≤ 1: no bracket may contradict, and the limits' brackets must be the two ranks."""
    usual = [row for row in rows if abs(row["negative_slope"]) <= 1.0]
    empty = sum(each["lower"] > each["upper"] + 1e-9 for row in usual for each in [*row["path"], row["limit"]])
    contradicted = [row for row in usual if not _is_possible(row)]
    reached = [
        row
        for row in usual
        if (row["limit"]["lower"], row["limit"]["upper"]) == (row["jacobian_rank"], row["bottleneck_rank"])
    ]
    last = [row["path"][-1] | {"below": row["jacobian_rank"], "above": row["bottleneck_rank"]} for row in usual]
    low = max((abs(each["below"] - each["lower"]) for each in last), default=math.nan)
    high = max((abs(each["upper"] - each["above"]) for each in last), default=math.nan)
    agrees = None if not usual or len(reached) < len(usual) else True
    return Claim(
        "Rank_J ≤ R_∞ ≤ Rank_BN",
        "for every FPLF on a bounded domain",
        f"brackets of the limit are [Rank_J, Rank_BN] for {len(reached)} of {len(usual)} functions, {empty} empty; at "
        f"L = {last[0]['depth'] if last else 0} the lower end is within {low:.2g} of Rank_J, the upper end within "
        f"{high:.2g} of Rank_BN",
        False if contradicted or empty else agrees,
        "catalogue functions with proved ranks and |σ′| ≤ 1; the lower end by Proposition 3 in homogeneous "
        "coordinates, the upper end by a network that is compared with f on all of the domain. False if a bracket "
        "lies outside the two ranks or is empty, undecided where an end was not found at its rank",
    )


def _is_possible(row: Mapping[str, Any]) -> bool:
    return bool(
        row["limit"]["upper"] >= row["jacobian_rank"] - 1e-9 and row["limit"]["lower"] <= row["bottleneck_rank"] + 1e-9
    )


def _conjecture(brackets: Sequence[Mapping[str, Any]], trained: Sequence[Mapping[str, Any]]) -> Claim:
    known = [row for row in brackets if row["jacobian_rank"] == row["bottleneck_rank"]]
    limits = sorted({tuple(row["limit"].values()) for row in brackets if row["jacobian_rank"] < row["bottleneck_rank"]})
    slopes = [row["slope"] for row in trained]
    missed = [row["path"][-1]["missed"] for row in trained]
    costs = [row["path"][-1]["norm_per_depth"] for row in trained]
    cheaper = [cost for cost, share in zip(costs, missed, strict=True) if share < _FAITHFUL and cost < _CHEAPER]
    spread = (
        f"{min(slopes):.3f} to {max(slopes):.3f} a layer, to {min(costs):.2f} to {max(costs):.2f} times the depth, at "
        f"an error up to {max(missed):.1e} of the variance"
        if slopes
        else "none"
    )
    return Claim(
        "conjecture: R_∞ = Rank_BN",
        "open",
        f"tripod (Rank_J = 1 < Rank_BN = 2): R_∞ in {limits}; ‖w‖² of networks "
        f"trained on its samples grows by {spread}",
        False if cheaper else None,
        f"evidence, not proof: Theorem 1 decides the {len(known)} functions whose ranks agree; for the tripod no lower "
        f"bound above Rank_J is known. Networks that miss below {_FAITHFUL:g} of the variance at ‖w‖²/L < {_CHEAPER:g} "
        "would speak against it. A growth below 2 a layer does not: at these depths C still falls as L grows",
    )


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
    claims=claims,
)
