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
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from isthmus.costs import StretchedNetwork, representation_costs, three_part
from isthmus.costs.construction import shifted_inputs, shifted_outputs
from isthmus.experiments.experiment import Cell, Claim, Experiment, Numbers
from isthmus.experiments.jacot2023.rank_axioms import axiom_cells, axiom_claims, axiom_work
from isthmus.functions import RELU, Activation, CatalogueEntry, FullyConnected, affine, catalogue, compose
from isthmus.functions.catalogue import tripod
from isthmus.ranks import jacobian_spectra
from isthmus.tolerance import Tolerance
from isthmus.training import fit, grown, improved

_ROUNDING = 1e-9  # relative to the largest |f|: double precision through 10,000 layers
_EXACT = 1e-12  # relative: two sums of the same 20,000 squares in another order
_CONSTANT = 1e-6  # relative: a difference of two numbers near 30,000
_FAITHFUL = 1e-3  # of the variance: what a network that computes the tripod at the rows may miss
_CHEAPER = 1.9  # growth of ‖w‖² a layer below which such a network would speak against rank 2
_DIGITS = 6
_INPUTS, _HIDDEN = 3, 8  # of the random halves


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
    return [
        *({"part": "trained tripod", "seed": seed} for seed in settings.seeds),
        *({"part": "bracket", "function": name} for name in settings.functions),
        *axiom_cells(settings.pairs, settings.seeds, settings.ranks),
        *(
            {"part": part, "rank": rank, "seed": seed}
            for part in ("construction", "steep")
            for rank in settings.ranks
            for seed in settings.seeds
        ),
        {"part": "construction", "rank": 2, "seed": -1},
    ]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """What the part that the cell names measures."""
    if cell["part"] == "trained tripod":
        return _trained(settings, int(cell["seed"]), device)
    if cell["part"] == "bracket":
        return _brackets(settings, named(str(cell["function"])))
    if cell["part"] in ("construction", "steep"):
        return _construction(settings, int(cell["rank"]), int(cell["seed"]), is_steep=cell["part"] == "steep")
    return axiom_work(cell)


def named(name: str) -> CatalogueEntry:
    """The entry of the catalogue, whose random ones are of seed 0."""
    return next(entry for entry in catalogue(0) if entry.name == name)


def _construction(settings: Settings, rank: int, seed: int, *, is_steep: bool) -> Numbers:
    """Theorem 1's network at each depth, written out: its norm, and how far it is from h ∘ g at the rows."""
    activation = Activation(settings.slope) if is_steep else RELU
    g, h = _halves(rank, seed, activation)
    generator = torch.Generator().manual_seed(seed + 1000)
    x = 2 * torch.rand(settings.rows, g.d_in, generator=generator, dtype=torch.float64) - 1
    f = compose(h, g)
    expected = f(x)
    low, high = reach(g)
    path = []
    for depth in settings.depths:
        built = _through_negative(g, h, depth, high) if is_steep else three_part(g, h, depth, outputs_above=low)
        dense = built.dense()
        ends = built.encoder.squared_norm + built.decoder.squared_norm
        path.append(
            {
                "depth": depth,
                "norm_per_depth": dense.norm_per_depth,
                "formula": ends + rank * (depth - g.depth - h.depth) * _price(activation),
                "norm": dense.squared_norm,
                "gap": float((dense(x) - expected).abs().max() / expected.abs().max()),
            }
        )
    ranks = jacobian_spectra(f, x).ranks(Tolerance(_ROUNDING))
    return {"path": path, "jacobian_rank": int(ranks.max())}


def _price(activation: Activation) -> float:
    """What a layer costs that passes one number on the cheaper side of σ."""
    return 1.0 / max(1.0, abs(activation.negative_slope)) ** 2


def _halves(rank: int, seed: int, activation: Activation) -> tuple[FullyConnected, FullyConnected]:
    """g: R^3 → R^k and h: R^k → R^3 of depth 2 with Gaussian weights; for seed −1 the identity and the tripod."""
    if seed < 0:
        return affine(torch.eye(2, dtype=torch.float64)), tripod()
    generator = torch.Generator().manual_seed(seed)

    def drawn(*widths: int) -> FullyConnected:
        weights = [
            torch.randn(out, fan_in, generator=generator, dtype=torch.float64) / math.sqrt(fan_in)
            for fan_in, out in pairwise(widths)
        ]
        biases = [0.3 * torch.randn(out, generator=generator, dtype=torch.float64) for out in widths[1:]]
        return FullyConnected(tuple(weights), tuple(biases), activation)

    return drawn(_INPUTS, _HIDDEN, rank), drawn(rank, _HIDDEN, _INPUTS)


def reach(network: FullyConnected) -> tuple[Tensor, Tensor]:
    """Bounds of the outputs on [−1, 1]^d, `(d_out,)` each, by interval arithmetic."""
    low, high = -torch.ones(network.d_in, dtype=torch.float64), torch.ones(network.d_in, dtype=torch.float64)
    for layer, (w, b) in enumerate(zip(network.weights, network.biases, strict=True), start=1):
        up, down = w.clamp_min(0), w.clamp_max(0)
        low, high = up @ low + down @ high + b, up @ high + down @ low + b
        if layer < network.depth:  # every activation here increases
            low, high = network.activation(low), network.activation(high)
    return low, high


def _through_negative(g: FullyConnected, h: FullyConnected, depth: int, high: Tensor) -> StretchedNetwork:
    r"""Theorem 1's network where σ has slope a > 1 below zero: k numbers shifted below zero pass weights of 1/a.

    $\sigma(z / a) = z$ for z ≤ 0, so such a layer costs k/a². The last σ leaves a z, which h divides by a.
    """
    a = g.activation.negative_slope
    shift = -high.clamp_min(0.0)
    decoder = shifted_inputs(h, shift)
    decoder = FullyConnected((decoder.weights[0] / a, *decoder.weights[1:]), decoder.biases, h.activation)
    scale = torch.full_like(high, 1.0 / a)
    return StretchedNetwork(shifted_outputs(g, shift), scale, depth - g.depth - h.depth, decoder)


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
        depth=first,
        width=20,
        ridge=settings.tripod_ridge,
        standardize="none",
        starts=4,
        seed=seed,
        device=device,
    )
    networks, objective = [fitted.network], fitted.objective
    for depth in deeper:
        networks.append(improved(grown(networks[-1], objective.x, depth), objective, seed=seed))
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
        *_of_construction(parts["construction"]),
        _sandwiched(parts["bracket"]),
        _steep(parts["steep"]),
        *axiom_claims(results),
        _conjecture(parts["bracket"], [row for row in results if row["part"] == "trained tripod"]),
    ]


def _of_construction(rows: Sequence[Mapping[str, Any]]) -> list[Claim]:
    path = [(row["rank"], each) for row in rows for each in row["path"]]
    gap = max((each["gap"] for _, each in path), default=math.inf)
    apart = max((abs(each["norm"] / each["formula"] - 1) for _, each in path), default=math.inf)
    deepest = max((each["depth"] for _, each in path), default=0)
    excess = [each["norm_per_depth"] - k for k, each in path if each["depth"] == deepest]
    constants = [
        abs(each["depth"] * (each["norm_per_depth"] - row["rank"]) - last) / max(1.0, abs(last))
        for row in rows
        for last in [row["path"][-1]["depth"] * (row["path"][-1]["norm_per_depth"] - row["rank"])]
        for each in row["path"]
    ]
    return [
        Claim(
            "an FPLF f = h ∘ g is a network of three parts: g, identity layers on R^k, h",
            "‖w‖² = ‖w_g‖² + k(L − L_g − L_h) + ‖w_h‖²",
            f"f to {gap:.1e}, ‖w‖² to {apart:.1e}, both relative; {len(rows)} functions, L up to {deepest}",
            gap < _ROUNDING and apart < _EXACT,
            "random h ∘ g with k = 1, 2, 3 and the tripod; every layer written out and evaluated at the rows; g is "
            f"shifted once to nonnegative values and h takes the shift back. Rules: {_ROUNDING:g} and {_EXACT:g}",
        ),
        Claim(
            "the middle part dominates as L → ∞: ‖w‖²/L → k",
            "R/L → k at most",
            f"‖w‖²/L − k = {min(excess, default=math.nan):.2g} to {max(excess, default=math.nan):.2g} at L = {deepest}",
            None if not constants else max(constants) < _CONSTANT,
            f"L (‖w‖²/L − k) is the same at every depth, to {_CONSTANT:g} of itself",
        ),
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


def _steep(rows: Sequence[Mapping[str, Any]]) -> Claim:
    ends = [(row["jacobian_rank"], row["path"][-1]) for row in rows]
    below = [rank for rank, each in ends if each["gap"] < _ROUNDING and each["norm_per_depth"] < rank]
    told = sorted({(rank, round(each["norm_per_depth"], 2)) for rank, each in ends})
    return Claim(
        "Rank_J ≤ R_∞ also where σ is steeper than 1",
        "the slides ask for a homogeneous σ and no more; the proof of Proposition 3 uses |σ′| ≤ 1",
        "; ".join(f"Rank_J {rank}: ‖w‖²/L = {value}" for rank, value in told),
        None if not ends else not below,
        "leaky ReLU whose slope below zero is a = 3: a layer passes a negative value on for a weight of 1/a, so "
        f"networks of R/L → k/a² compute f (here at L = {ends[0][1]['depth'] if ends else 0}, to {_ROUNDING:g}). The "
        "theorem holds with Rank_J/a² below; for |a| ≤ 1 as stated",
    )


def _conjecture(brackets: Sequence[Mapping[str, Any]], trained: Sequence[Mapping[str, Any]]) -> Claim:
    known = [row for row in brackets if row["jacobian_rank"] == row["bottleneck_rank"]]
    open_ = [row["limit"] for row in brackets if row["jacobian_rank"] < row["bottleneck_rank"]]
    slopes = [row["slope"] for row in trained]
    missed = [row["path"][-1]["missed"] for row in trained]
    cheaper = [s for s, share in zip(slopes, missed, strict=True) if share < _FAITHFUL and s < _CHEAPER]
    spread = (
        f"{min(slopes):.3f} to {max(slopes):.3f} a layer (they miss up to {max(missed):.1e} of the variance)"
        if slopes
        else "none"
    )
    return Claim(
        "conjecture: R_∞ = Rank_BN",
        "open",
        f"tripod (Rank_J = 1 < Rank_BN = 2): R_∞ in {sorted({(o['lower'], o['upper']) for o in open_})}; ‖w‖² of networks "
        f"trained on its samples grows by {spread}",
        False if cheaper else None,
        f"evidence, not proof: Theorem 1 decides the {len(known)} functions whose ranks agree; for the tripod no lower "
        f"bound above Rank_J is known. Networks that miss below {_FAITHFUL:g} of the variance and grow by less than "
        f"{_CHEAPER:g} between the last two depths would speak against it",
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
        bracket_depths=(100, 1000),
        seeds=(100,),
        ranks=(1, 2),
        functions=("tripod", "rank 2 in a triangle of area 1/64"),
        pairs=("tripod",),
        tripod_depths=(3, 6, 12),
        tripod_rows=60,
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
