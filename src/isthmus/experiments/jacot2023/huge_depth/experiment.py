r"""Huge depth, Propositions 2 and 4: global minima are nearly of rank 1.

A rank-1 network through all rows is built and costs $L + C_N$ (`costs.rank_one_interpolant`). It has no error, so a
network with an objective no larger than its $\lambda (1 + C_N / L)$ has $\|w\|^2 / L \le 1 + C_N / L$; global minima
are such networks. With Proposition 3 at every row,

$$s_2(Jf)^{2/L} \le \|w\|^2 / L - s_1(Jf)^{2/L}.$$

Minima are looked for from two starts: the best network that `search_rank` finds at the first depth, and the best one of
rank 1. Each is grown by identity layers and trained on at each doubling of the depth; growing with all directions and
with those above 1e-3 of the first are both tried, and the lower objective is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from isthmus.costs import activation_ratios, rank_one_interpolant
from isthmus.data.synthetic import random_teacher
from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.jacot2023.huge_depth.claims import judge
from isthmus.experiments.jacot2023.huge_depth.figures import drawings
from isthmus.experiments.jacot2023.huge_depth.settings import Settings
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import FullyConnected
from isthmus.spectra import jacobian_spectra
from isthmus.training import Objective, TrainingConfig, insert_identity_layers, search_rank, warm_start_fit

_NARROW = Tolerance(1e-3)
_ROUNDING = 1e-12  # of s₁: what double precision makes of a product of 100 matrices
_FLOOR = 1e-300  # bounds below it are written as it: (1/5)^(L/2) leaves the range of double precision


def cells(settings: Settings) -> list[Cell]:
    """Teachers of rank 1, and the curve as an autoencoder."""
    return [{"task": task, "seed": seed} for task in ("teacher", "curve") for seed in settings.seeds]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """The interpolant's constant, and the networks of both starts at every depth."""
    seed = int(cell["seed"])
    is_teacher = cell["task"] == "teacher"
    x, y = _teacher(settings, seed) if is_teacher else (curve(settings.curve_rows),) * 2
    search = search_rank(
        x,
        y if is_teacher else None,
        config=TrainingConfig(
            depth=settings.depths[0],
            width=settings.width,
            ridge=settings.teacher_ridge if is_teacher else settings.curve_ridge,
            n_init=settings.starts,
            standardize="none",
            device=device,
        ),
        task="regression" if is_teacher else "autoencoder",
        seed=seed,
    )
    starts = {"best": search.best.network}
    if search.rank != 1 and search.candidates[0].rank == 1:
        starts["rank 1"] = search.candidates[0].network
    built = rank_one_interpolant(x, y, rng=np.random.default_rng(seed))
    paths = {
        name: [
            _measured(net, search.objective, built.constant)
            for net in deepen(start, search.objective, settings.depths, seed)
        ]
        for name, start in starts.items()
    }
    return {
        "constant": built.constant,
        "interpolant_depth": built.depth,
        "ridge": search.objective.ridge,
        "rank": search.rank,
        "paths": paths,
    }


def _teacher(settings: Settings, seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((settings.rows, settings.side))
    f = random_teacher(x, k=1, d_out=settings.side, width=settings.width, train=settings.rows, rng=rng)
    return x, f(x)


def curve(rows: int) -> np.ndarray[Any, Any]:
    """(1.2 t, 0.6 sin πt) for t from −1 to 1, `(rows, 2)`."""
    t = np.linspace(-1.0, 1.0, rows)
    return np.stack([1.2 * t, 0.6 * np.sin(np.pi * t)], 1)


def deepen(start: FullyConnected, objective: Objective, depths: Sequence[int], seed: int) -> list[FullyConnected]:
    """The network at each depth, each from the one before."""
    found, rows = [start], objective.sample()[0]
    for depth in depths[1:]:
        deeper = [insert_identity_layers(found[-1], rows, depth, tolerance=span) for span in (None, _NARROW)]
        if deeper[0].squared_norm == deeper[1].squared_norm:
            deeper.pop()
        found.append(min((warm_start_fit(net, objective, seed=seed) for net in deeper), key=objective.value))
    return found


def _measured(network: FullyConnected, objective: Objective, constant: float) -> dict[str, Any]:
    """What the propositions speak of, at the rows."""
    rows = objective.sample()[0]
    depth, cost = network.depth, network.norm_per_depth
    spectra = jacobian_spectra(network, rows).singular_values.cpu().numpy()
    first = spectra[:, 0]
    second = spectra[:, 1] if spectra.shape[1] > 1 else np.zeros_like(first)  # one neuron passes one direction
    implied = implied_second(first, cost, depth)
    by_constant = implied_second(first, 1 + constant / depth, depth)
    ratios = activation_ratios(network, rows)
    return {
        "depth": depth,
        "norm_per_depth": cost,
        "objective": objective.value(network),
        "error": objective.error(network),
        "second": float(second.max()),
        "first": float(np.median(first)),
        "implied": max(float(np.median(implied)), _FLOOR),
        "implied_by_constant": max(float(np.median(by_constant)), _FLOOR),
        "violations": int((second > implied * (1 + 1e-9) + _ROUNDING * first).sum()),
        "ratio": min(ratios),
        "layer": 1 + ratios.index(min(ratios)),
    }


def implied_second(first: np.ndarray[Any, Any], cost: float, depth: int) -> np.ndarray[Any, Any]:
    r"""$(R/L - s_1^{2/L})_+^{L/2}$, above every s₂ by Proposition 3; R/L from above, s₁ at each row `(n,)`."""
    left: np.ndarray[Any, Any] = np.maximum(cost - first ** (2 / depth), 0.0) ** (depth / 2)
    return left


EXPERIMENT = Experiment(
    name="huge-depth",
    title="At huge depth minima are nearly of rank 1",
    claim="At large L global minima have R/L ≤ 1 + C_N/L: their Jacobians and some layer's activations are nearly of "
    "rank 1.",
    source="slides, Approximate rank-1 regime: Propositions 2 and 4",
    published="R/L ≤ 1 + C_N/L; s₂(Jf) exponentially small in L; s₂/s₁ of some layer is O(L^{−1/4}).",
    smoke=Settings(depths=(2, 4), seeds=(100,), rows=16, curve_rows=16, width=4, starts=1),
    full=Settings(depths=(6, 12, 24, 48, 96), seeds=(0, 1, 2)),
    cells=cells,
    work=work,
    claims=lambda settings, results: judge(results),
    drawings=drawings,
)
