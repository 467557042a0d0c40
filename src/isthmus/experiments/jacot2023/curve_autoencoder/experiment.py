r"""An autoencoder of a curve in the plane: deep ones project the plane onto the curve, shallow ones leave it alone.

The ridge of the slides, λ = 1e-4, is read as the factor of ‖w‖² at every depth (their weight decay), which is
λ = 1e-4 L in $\frac1N \sum \|f(x) - x\|^2 + \frac\lambda L \|w\|^2$. Two claims are kept apart: what one random start
ends at, and what the lowest objective found has (`search_rank`, or the random start where that is lower).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.data.synthetic import curve
from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.jacot2023.curve_autoencoder.claims import judge
from isthmus.experiments.jacot2023.curve_autoencoder.curve_distance import distances
from isthmus.experiments.jacot2023.curve_autoencoder.figures import drawings
from isthmus.experiments.jacot2023.curve_autoencoder.settings import LOWEST, RANDOM, Settings
from isthmus.networks import FullyConnected
from isthmus.spectra import bottleneck_rank, jacobians
from isthmus.training import TrainingConfig, fit, search_rank

Floats = NDArray[np.float64]


def cells(settings: Settings) -> list[Cell]:
    """A training for each depth and seed."""
    depths = sorted(settings.depths, reverse=True)
    return [{"depth": depth, "seed": seed} for depth in depths for seed in settings.seeds]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """What the random start and the lowest objective found make of random points."""
    depth, seed = int(cell["depth"]), int(cell["seed"])
    x = np.asarray(curve(seed=0, n=settings.rows).x, np.float64)
    ridge = settings.weight_decay * depth
    config = TrainingConfig(depth=depth, width=settings.width, ridge=ridge, standardize="none", device=device)
    fitted = fit(x, config=config, task="autoencoder", seed=seed)
    search = search_rank(x, config=config, task="autoencoder", seed=seed)
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
        "rank": bottleneck_rank(exact, rows, scale_inputs="none", scale_outputs="none").upper,
        "projection_error": float((torch.linalg.matrix_norm(j @ j - j) / size).median()),
        "norm_per_depth": exact.norm_per_depth,
    }


def random_points(x: Floats, settings: Settings, seed: int) -> Floats:
    """Uniform in the box around the data with its margin, `(points, 2)`."""
    low, high = x.min(0), x.max(0)
    margin = settings.margin * (high - low)
    draws = np.random.default_rng(seed).uniform(size=(settings.points, 2))
    return np.asarray(low - margin + draws * (high - low + 2 * margin))


def _drawable(points: Floats) -> list[list[float]]:
    return [[round(float(v), 4) for v in point] for point in points]


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
    claims=judge,
    drawings=drawings,
)
