r"""Linear networks: what training minimises is the Schatten quasi-norm with p = 2/L.

Inputs with $\frac1N \sum x x^\top = I$ and outputs $A^* x$ make the objective a function of A alone,

$$\min_A \|A - A^*\|_F^2 + \lambda \sum_i s_i(A)^{2/L},$$

whose minimum has the singular vectors of A* (von Neumann's trace inequality) and, one by one, the singular values that
minimise $(s - s_i^*)^2 + \lambda s^{2/L}$: a search in one variable, which shares nothing with training. Biases are
zero at the minimum, for the inputs have mean zero. Diagonal networks: the same for entries instead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.jacot2023.linear_networks.claims import judge
from isthmus.experiments.jacot2023.linear_networks.closed_form import minimum
from isthmus.experiments.jacot2023.linear_networks.figures import drawings
from isthmus.experiments.jacot2023.linear_networks.settings import LIVE, Settings
from isthmus.networks import IDENTITY, FullyConnected
from isthmus.training import FittedNetwork, TrainingConfig, fit, insert_identity_layers, warm_start_fit

_ROUNDING = 1e-6  # of the largest: what single precision makes of zero, which a small power would bring back


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
        "rank": int((magnitudes > LIVE * magnitudes[0]).sum()),
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
    config = TrainingConfig(
        depth=min(depth, 2), width=d, ridge=settings.ridge, standardize="none", activation=IDENTITY, device=device
    )
    shallow = fit(x, y, config=config, seed=seed)
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
    claims=judge,
    drawings=drawings,
)
