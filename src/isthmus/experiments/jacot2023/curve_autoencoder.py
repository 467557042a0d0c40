r"""An autoencoder of a curve in the plane: deep ones project the plane onto the curve, shallow ones leave it alone.

The ridge of the slides, λ = 1e-4, is read as the factor of ‖w‖² at every depth (their weight decay), which is
λ = 1e-4 L in $\frac1N \sum \|f(x) - x\|^2 + \frac\lambda L \|w\|^2$. Two claims are kept apart: what one random start
ends at, and what the lowest objective found has (`search_rank`, or the random start where that is lower).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.data.synthetic import curve
from isthmus.experiments.experiment import (
    Cell,
    Claim,
    Experiment,
    Numbers,
)
from isthmus.networks import FullyConnected
from isthmus.spectra import bottleneck_rank, jacobians
from isthmus.training import fit, search_rank

Floats = NDArray[np.float64]

RANDOM, LOWEST = "random start", "lowest found"
_CLEAN = 0.1  # of the distance before: a network that leaves less than this on average denoises
_DIRTY = 0.5  # one that leaves more than this does not
_PROJECTION = 0.1  # relative: ‖J² − J‖ / ‖J‖ up to which J is called a projection
_DENSE = 4001  # vertices of the polyline that stands for the curve: it is off by less than 1e-6


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        depths: L, ascending; the first is the shallow network of the claims, the last the deep one.
        seeds: Draw the starts and the random points.
        rows: Training points, at equal steps of t.
        width: Of every hidden layer at the start.
        weight_decay: Factor of ‖w‖² = λ/L.
        points: Random points whose distance is measured.
        drawn: How many of them are kept to be drawn, for the first seed.
        margin: Of the box of the random points around the data, relative to its sides.
    """

    depths: tuple[int, ...]
    seeds: tuple[int, ...]
    rows: int = 200
    width: int = 60
    weight_decay: float = 1e-4
    points: int = 2000
    drawn: int = 100
    margin: float = 0.25


def cells(settings: Settings) -> list[Cell]:
    """A training for each depth and seed."""
    depths = sorted(settings.depths, reverse=True)
    return [{"depth": depth, "seed": seed} for depth in depths for seed in settings.seeds]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """What the random start and the lowest objective found make of random points."""
    depth, seed = int(cell["depth"]), int(cell["seed"])
    x = np.asarray(curve(seed=0, n=settings.rows).x, np.float64)
    options: dict[str, Any] = {"task": "autoencoder", "depth": depth, "width": settings.width, "device": device}
    options |= {"ridge": settings.weight_decay * depth, "seed": seed, "standardize": "none"}
    fitted = fit(x, **options)
    search = search_rank(x, **options)
    best = min(((fitted.value, fitted.network), (search.best.value, search.best.network)), key=lambda pair: pair[0])
    points = random_points(x, settings, seed)
    numbers: dict[str, Any] = {"before": float(distances(points).mean())}
    if seed == settings.seeds[0]:
        numbers |= {"data": _drawable(x[::2]), "from": _drawable(points[: settings.drawn])}
    for name, (value, network) in ((RANDOM, (fitted.value, fitted.network)), (LOWEST, best)):
        numbers[name] = _measured(network, x, points) | {"objective": value}
        if seed == settings.seeds[0]:
            images = network.to(dtype=torch.float64, device="cpu")(torch.from_numpy(points[: settings.drawn]))
            numbers[name]["to"] = _drawable(images.numpy())
    ranks = {str(c.rank): c.value for c in search.candidates}
    return numbers | {"objective_by_rank": ranks}


def _measured(network: FullyConnected, x: Floats, points: Floats) -> dict[str, float]:
    """Distances to the curve after the map, the rank, and how near Jf on the data is to a projection."""
    exact = network.to(dtype=torch.float64, device="cpu")
    rows = torch.from_numpy(x)
    j = jacobians(exact, rows)
    size = torch.linalg.matrix_norm(j).clamp(min=torch.finfo(j.dtype).tiny)
    return {
        "after": float(distances(exact(torch.from_numpy(points)).numpy()).mean()),
        "after_on_data": float(distances(exact(rows).numpy()).mean()),
        "rank": bottleneck_rank(exact, rows).upper,
        "projection_error": float((torch.linalg.matrix_norm(j @ j - j) / size).median()),
        "norm_per_depth": exact.norm_per_depth,
    }


def random_points(x: Floats, settings: Settings, seed: int) -> Floats:
    """Uniform in the box around the data with its margin, `(points, 2)`."""
    low, high = x.min(0), x.max(0)
    margin = settings.margin * (high - low)
    draws = np.random.default_rng(seed).uniform(size=(settings.points, 2))
    return np.asarray(low - margin + draws * (high - low + 2 * margin))


def distances(points: Floats) -> Floats:
    """Distance of each of the points `(n, 2)` to the curve (1.2 t, 0.6 sin πt), t in [−1, 1]: `(n,)`."""
    t = np.linspace(-1.0, 1.0, _DENSE)
    path = np.stack([1.2 * t, 0.6 * np.sin(np.pi * t)], 1)
    nearest = np.concatenate(
        [np.square(part[:, None] - path).sum(2).argmin(1) for part in np.array_split(points, -(-len(points) // 200))]
    )
    found = np.full(len(points), np.inf)
    for begin in (np.maximum(nearest - 1, 0), np.minimum(nearest, _DENSE - 2)):  # the edges at the nearest vertex
        a, edge = path[begin], path[begin + 1] - path[begin]
        along = np.clip(((points - a) * edge).sum(1) / np.square(edge).sum(1), 0.0, 1.0)
        found = np.minimum(found, np.linalg.norm(points - a - along[:, None] * edge, axis=1))
    return found


def _drawable(points: Floats) -> list[list[float]]:
    return [[round(float(v), 4) for v in point] for point in points]


def claims(settings: Settings, results: Sequence[Mapping[str, Any]]) -> list[Claim]:
    """Deep denoises, shallow does not, and the ranks behind it; for random starts and for the lowest objectives."""
    shallow, deep = min(settings.depths), max(settings.depths)
    found = []
    for kind in (RANDOM, LOWEST):
        told = f"{kind}, λ = {settings.weight_decay:g} on ‖w‖²"
        found += [
            _denoises(results, kind, deep, told),
            _leaves(results, kind, shallow, told),
            _ranks(results, kind, shallow, deep, told),
        ]
    return [*found, _projects(results, deep)]


def _rows(results: Sequence[Mapping[str, Any]], depth: int) -> list[Mapping[str, Any]]:
    return [row for row in results if row["depth"] == depth]


def _shares(rows: Sequence[Mapping[str, Any]], kind: str) -> list[float]:
    return [row[kind]["after"] / row["before"] for row in rows]


def _moved(rows: Sequence[Mapping[str, Any]], kind: str, depth: int) -> str:
    pairs = ", ".join(f"{row['before']:.3f} → {row[kind]['after']:.3f}" for row in rows)
    norms = ", ".join(f"{row[kind]['norm_per_depth']:.2f}" for row in rows)
    return f"L = {depth}: mean distance to the curve {pairs or 'not measured'}; ‖w‖²/L {norms}"


def _all(flags: Sequence[bool]) -> bool | None:
    return all(flags) if flags else None


def _denoises(results: Sequence[Mapping[str, Any]], kind: str, depth: int, told: str) -> Claim:
    rows = _rows(results, depth)
    return Claim(
        f"deep autoencoders denoise ({told})",
        "random points are mapped onto the curve (plot B)",
        _moved(rows, kind, depth),
        _all([share < _CLEAN for share in _shares(rows, kind)]),
        f"every seed leaves less than {_CLEAN:.0%} of the distance. ‖w‖²/L near 1 is one direction through the middle "
        "layers; a random start that is trained on its own can keep two (near 2), which the data need not show",
    )


def _leaves(results: Sequence[Mapping[str, Any]], kind: str, depth: int, told: str) -> Claim:
    rows = _rows(results, depth)
    return Claim(
        f"shallow autoencoders do not ({told})",
        "random points stay about where they are (plot C)",
        _moved(rows, kind, depth),
        _all([share > _DIRTY for share in _shares(rows, kind)]),
        f"every seed leaves more than {_DIRTY:.0%} of the distance",
    )


def _ranks(results: Sequence[Mapping[str, Any]], kind: str, shallow: int, deep: int, told: str) -> Claim:
    ranks = {
        depth: [row[kind]["rank"] for row in _rows(results, depth)] for depth in sorted({r["depth"] for r in results})
    }
    is_decided = bool(ranks.get(shallow)) and bool(ranks.get(deep))
    is_so = is_decided and set(ranks[shallow]) == {2} and set(ranks[deep]) == {1}
    return Claim(
        f"the deep network has rank 1, the shallow one rank 2 ({told})",
        "Rank_BN = k = 1, the dimension of the data, at large depth",
        "; ".join(f"L = {depth}: {values}" for depth, values in ranks.items()),
        is_so if is_decided else None,
        f"bottleneck rank at its default tolerance, per seed; judged at L = {shallow} and {deep}. ‖w‖² is about kL + "
        "C_k, so that rank 1 is the cheaper one only beyond a depth",
    )


def _projects(results: Sequence[Mapping[str, Any]], depth: int) -> Claim:
    errors = [row[LOWEST]["projection_error"] for row in _rows(results, depth)]
    return Claim(
        f"a deep autoencoder is locally an affine projection ({LOWEST})",
        "f̂ is locally an affine projection to a k-dimensional affine subspace",
        f"L = {depth}: median ‖J² − J‖ / ‖J‖ over the data {', '.join(f'{e:.3f}' for e in errors) or 'not measured'}",
        _all([error < _PROJECTION for error in errors]),
        f"below {_PROJECTION:g} for every seed: the Jacobian at the training points is its own square",
    )


EXPERIMENT = Experiment(
    name="curve-autoencoder",
    title="Deep autoencoders denoise",
    claim="A deep autoencoder of a curve in the plane projects random points onto the curve, a shallow one does not.",
    source="slides, Figure 3 B and C",
    published="Deep (B): random inputs land on the curve; shallow (C): they hardly move. λ = 1e-4.",
    smoke=Settings(depths=(2, 3), seeds=(0,), rows=40, width=8, points=100, drawn=20),
    full=Settings(depths=(2, 6, 12, 25, 50), seeds=(0, 1, 2)),
    cells=cells,
    work=work,
    claims=claims,
)
