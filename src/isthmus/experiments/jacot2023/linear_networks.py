r"""Linear networks: what training minimises is the Schatten quasi-norm with p = 2/L.

Inputs with $\frac1N \sum x x^\top = I$ and outputs $A^* x$ make the objective a function of A alone,

$$\min_A \|A - A^*\|_F^2 + \lambda \sum_i s_i(A)^{2/L},$$

whose minimum has the singular vectors of A* (von Neumann's trace inequality) and, one by one, the singular values that
minimise $(s - s_i^*)^2 + \lambda s^{2/L}$: a search in one variable, which shares nothing with training. Biases are
zero at the minimum, for the inputs have mean zero. Diagonal networks: the same for entries instead.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from isthmus.experiments.experiment import (
    Cell,
    Claim,
    Experiment,
    Numbers,
)
from isthmus.networks import IDENTITY, FullyConnected
from isthmus.training import (
    FittedNetwork,
    TrainingConfig,
    fit,
    insert_identity_layers,
    warm_start_fit,
)

_EXACT = 1e-3  # relative: what a minimum in single precision is told from the closed form by
_LIVE = 1e-3  # of the largest: a singular value below it does not count
_ROUNDING = 1e-6  # of the largest: what single precision makes of zero, which a small power would bring back
_GROWN = (
    "Deep networks are grown from depth 2 at each rank and trained on, and the lowest objective is kept: from random "
    "starts directions are lost on the way, and none comes back, for zero has no slope at L > 2"
)
_POSITIVE = "From a positive start with the first k entries, for each k, and the lowest objective is kept"


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        depths: L.
        seeds: Draw the singular vectors of A* and the start.
        spectrum: Singular values of A*, or the entries of v*.
        side: Inputs and outputs.
        rows: N.
        ridge: λ.
    """

    depths: tuple[int, ...]
    seeds: tuple[int, ...]
    spectrum: tuple[float, ...] = (3.0, 2.0, 1.0, 0.5, 0.2, 0.05)
    side: int = 8
    rows: int = 200
    ridge: float = 0.05


def cells(settings: Settings) -> list[Cell]:
    """A training for each kind, depth and seed."""
    return [
        {"kind": kind, "depth": depth, "seed": seed}
        for depth in sorted(settings.depths, reverse=True)
        for kind in ("fully connected", "diagonal")
        for seed in settings.seeds
    ]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """Magnitudes of the trained map and of the closed form, and what both cost."""
    depth, seed = int(cell["depth"]), int(cell["seed"])
    trained = _matrix if cell["kind"] == "fully connected" else _diagonal
    magnitudes, norm = trained(settings, depth, seed, device)
    truth = np.array(settings.spectrum)
    least = [minimum(value, settings.ridge, 2 / depth) for value in truth]
    error = float(np.square(magnitudes[: len(truth)] - truth).sum() + np.square(magnitudes[len(truth) :]).sum())
    return {
        "magnitudes": [float(f"{value:.6g}") for value in magnitudes],
        "closed_form": [float(f"{value:.6g}") for value, _ in least],
        "norm_per_depth": norm,
        "quasi_norm": float((magnitudes[magnitudes > _ROUNDING * magnitudes[0]] ** (2 / depth)).sum()),
        "objective": error + settings.ridge * norm,
        "least_objective": sum(value for _, value in least),
        "rank": int((magnitudes > _LIVE * magnitudes[0]).sum()),
    }


def _matrix(settings: Settings, depth: int, seed: int, device: str) -> tuple[np.ndarray[Any, Any], float]:
    """Singular values of the trained map, and ‖w‖²/L."""
    rng = np.random.default_rng(seed)
    d, n = settings.side, settings.rows
    x = rng.standard_normal((n, d))
    u, _, vt = np.linalg.svd(x - x.mean(0), full_matrices=False)
    x = np.sqrt(n) * u @ vt
    left, right = (np.linalg.qr(rng.standard_normal((d, d)))[0][:, : len(settings.spectrum)] for _ in range(2))
    y = x @ (left * np.array(settings.spectrum) @ right.T).T
    options: dict[str, Any] = {"ridge": settings.ridge, "standardize": "none", "activation": IDENTITY, "width": d}
    shallow = fit(x, y, config=TrainingConfig(depth=min(depth, 2), device=device), seed=seed, **options)
    network = shallow.network if depth <= 2 else _deepest(shallow, depth, len(settings.spectrum), seed)
    product = torch.eye(d, dtype=torch.float64)
    for weight in network.weights:
        product = weight.double().cpu() @ product
    values: np.ndarray[Any, Any] = torch.linalg.svdvals(product).numpy()
    return values, network.norm_per_depth


def _deepest(shallow: FittedNetwork, depth: int, most: int, seed: int) -> FullyConnected:
    """Of the best networks of depth L for each rank, grown from the shallow one, that of lowest objective.

    From a random start a deep network loses directions that it would pay to keep, and zero has no slope that would
    bring them back. At depth 2 there are no bad minima, so all that count are there; each number of them is tried.
    """
    objective = shallow.objective
    product = (shallow.network.weights[1] @ shallow.network.weights[0]).double()
    u, s, vt = torch.linalg.svd(product)
    found = []
    for k in range(1, most + 1):
        roots = s[:k].sqrt()
        halves = (roots[:, None] * vt[:k]), (u[:, :k] * roots)
        biases = torch.zeros(k), shallow.network.biases[1]
        narrow = FullyConnected(tuple(half.to(product.device).float() for half in halves), biases, IDENTITY)
        found.append(warm_start_fit(insert_identity_layers(narrow, objective.sample()[0], depth), objective, seed=seed))
    return min(found, key=objective.value)


def _diagonal(settings: Settings, depth: int, seed: int, device: str) -> tuple[np.ndarray[Any, Any], float]:
    """Entries of the trained product of L vectors, and the sum of their squares over L."""
    truth = torch.tensor(settings.spectrum, dtype=torch.float64, device=device)
    start = torch.rand(depth, len(truth), generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 0.5
    found = []
    for k in range(1, len(truth) + 1):
        live = (torch.arange(len(truth)) < k).to(start)
        found.append(_descended((start * live).to(device), truth, settings.ridge / depth))
    vectors, _ = min(found, key=lambda pair: pair[1])
    magnitudes: np.ndarray[Any, Any] = vectors.prod(0).abs().cpu().numpy()
    return magnitudes, float(vectors.square().sum()) / depth


def _descended(start: Tensor, truth: Tensor, weight: float) -> tuple[Tensor, float]:
    """(vectors, objective) at the end of L-BFGS; an entry whose vectors are all zero stays zero."""
    vectors = start.clone().requires_grad_()
    descent = torch.optim.LBFGS(
        [vectors], max_iter=2000, tolerance_grad=1e-10, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def objective() -> Tensor:
        descent.zero_grad()
        value = (vectors.prod(0) - truth).square().sum() + weight * vectors.square().sum()
        value.backward()
        return value

    descent.step(objective)
    return vectors.detach(), float(objective().detach())


def minimum(truth: float, ridge: float, p: float) -> tuple[float, float]:
    r"""(argmin, min) over s ≥ 0 of $(s - s^*)^2 + \lambda s^p$, by bisection of the derivative.

    Zero is a candidate for p < 2; another is the largest root of the derivative, right of its lowest point.
    """
    if p >= 2.0:
        s = truth / (1.0 + ridge)
        return s, (s - truth) ** 2 + ridge * s**p

    def slope(s: float) -> float:
        return 2 * (s - truth) + ridge * p * math.pow(s, p - 1)

    # For p < 1 the slope is least where 2 = λ p (1 − p) s^{p−2}; for p ≥ 1 it only rises.
    low = (ridge * p * (1 - p) / 2) ** (1 / (2 - p)) if p < 1.0 else 1e-12 * truth
    high, root = truth, 0.0
    if low < high and slope(low) < 0.0:
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if slope(middle) < 0.0 else (low, middle)
        root = low
    return min(((s, (s - truth) ** 2 + ridge * s**p) for s in (0.0, root)), key=lambda found: found[1])


def claims(settings: Settings, results: Sequence[Mapping[str, Any]]) -> list[Claim]:
    """Costs, minima, and what depth does to the rank."""
    found = []
    kinds = (("fully connected", "Σ sᵢ(A)^{2/L}", _GROWN), ("diagonal", "‖v‖_p^p, p = 2/L", _POSITIVE))
    for kind, formula, starts in kinds:
        rows = [row for row in results if row["kind"] == kind]
        if not rows:
            continue  # every training failed; the record says so
        gaps = [row["norm_per_depth"] / row["quasi_norm"] - 1 for row in rows]
        excess = [row["objective"] / row["least_objective"] - 1 for row in rows]
        reached = sum(value < _EXACT for value in excess)
        found += [
            Claim(
                f"{kind} linear networks: R(f)/L = {formula}",
                f"‖w‖²/L = {formula} at a minimum",
                f"relative difference {min(gaps):.1e} to {max(gaps):.1e}, {len(rows)} networks, "
                f"L = {min(settings.depths)} to {max(settings.depths)}",
                all(abs(gap) < _EXACT for gap in gaps),
                f"trained networks, to {_EXACT:g}",
            ),
            Claim(
                f"{kind}: min_w C + λ‖w‖² = min_f C(f) + λR(f)",
                "equal",
                f"{reached} of {len(rows)} trained networks reach the minimum over the maps; largest excess "
                f"{max(excess):.1e}",
                reached == len(rows),
                f"the right side by a search in one variable for each magnitude. {starts}",
            ),
        ]
        if kind == "fully connected":
            found.append(_ranks(settings, rows))
    return found


def _ranks(settings: Settings, rows: Sequence[Mapping[str, Any]]) -> Claim:
    depths = sorted({row["depth"] for row in rows})
    ranks = {depth: sorted(row["rank"] for row in rows if row["depth"] == depth) for depth in depths}
    middles = [sum(values) / len(values) for values in ranks.values()]
    return Claim(
        "the bias towards low rank becomes stronger with depth",
        "‖A‖_p^p → rank A as L → ∞",
        "; ".join(f"L = {depth}: {values}" for depth, values in ranks.items()),
        all(b <= a for a, b in pairwise(middles)) and middles[-1] < middles[0],
        f"rank of the trained maps at {_LIVE:g}, per seed, A* of rank {len(settings.spectrum)}",
    )


EXPERIMENT = Experiment(
    name="linear-networks",
    title="Linear networks cost a quasi-norm",
    claim="Training a linear network of depth L with ℓ2 minimises a Schatten (diagonal: ℓp) quasi-norm with p = 2/L.",
    source="slides, Representation cost: linear networks",
    published="R(f)/L = ‖v‖_p^p and ‖A‖_p^p with p = 2/L; the limits are ‖v‖₀ and rank A.",
    smoke=Settings(depths=(1, 3), seeds=(0,)),
    full=Settings(depths=(1, 2, 3, 5, 10, 20), seeds=(3, 4, 5)),
    cells=cells,
    work=work,
    claims=claims,
)
