r"""Linear layers in front of neurons, on noisy data of one combination of two inputs.

For each number m of linear maps a network is trained with weight decay. Told are ‖w‖² beside the least that its neurons
cost behind m maps and the quasi-norm below it (`costs.linear_front_cost`), and the spectrum of $E[\nabla f \nabla
f^\top]$ over the square, exactly (`regions.gradient_outer_product`).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from isthmus.costs import linear_front_cost
from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.followups.linear_layers.claims import judge
from isthmus.experiments.followups.linear_layers.descent import shallow, train
from isthmus.experiments.followups.linear_layers.figures import drawings
from isthmus.experiments.followups.linear_layers.settings import Settings
from isthmus.experiments.jacot2023.layer_account import round_for_figures
from isthmus.regions import enumerate_regions, gradient_outer_product

_GRID = 41  # points a side, of the square, at which the error against f* is taken


def cells(settings: Settings) -> list[Cell]:
    """A training for each m and seed."""
    return [{"layers": m, "seed": seed} for seed in settings.seeds for m in sorted(settings.layers, reverse=True)]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """Norms, bounds and the gradients' spectrum of one network."""
    m, seed = int(cell["layers"]), int(cell["seed"])
    generator = torch.Generator().manual_seed(seed)
    x = 2.0 * torch.rand(settings.rows, 2, generator=generator, dtype=torch.float64) - 1.0
    noise = settings.noise * torch.randn(settings.rows, 1, generator=generator, dtype=torch.float64)
    y = truth(settings, x) + noise
    at = train(x, y, m, settings.width, settings.weight_decay, descent=settings.descent, seed=seed)
    network = shallow(at)
    cost = linear_front_cost(network, m)
    product = gradient_outer_product(enumerate_regions(network, (-1.0, 1.0)))
    side = torch.linspace(-1.0, 1.0, _GRID, dtype=torch.float64)
    grid = torch.cartesian_prod(side, side)
    u = torch.tensor([math.cos(settings.angle), math.sin(settings.angle)], dtype=torch.float64)
    found: dict[str, Any] = {
        "squared_norm": sum(float(w.square().sum()) for w in at.weights),
        "upper": cost.upper,
        "lower": cost.lower,
        "sizes": product.sizes.tolist(),
        "index_rank": product.index_rank(),
        "alignment": abs(float(torch.from_numpy(product.directions[0]) @ u)),
        "fit_error": float((network(x) - y).square().mean()),
        "true_error": float((network(grid) - truth(settings, grid)).square().mean()),
    }
    if seed == settings.seeds[0] and m == min(settings.layers):
        curve = [linear_front_cost(network, each) for each in settings.shown]
        found["curve"] = {
            "upper": round_for_figures([each.upper / each.depth for each in curve]),
            "lower": round_for_figures([each.lower / each.depth for each in curve]),
            "index_rank": curve[0].index_rank,
        }
    return found


def truth(settings: Settings, x: Tensor) -> Tensor:
    """f*(x) = |u·x|, `(n, 1)`."""
    return (math.cos(settings.angle) * x[:, :1] + math.sin(settings.angle) * x[:, 1:]).abs()


EXPERIMENT = Experiment(
    name="linear-layers",
    title="Linear layers in front of neurons",
    claim="Linear layers in front of a layer of neurons make the cost a quasi-norm of one virtual matrix: functions of "
    "few combinations of the inputs become the cheaper ones, and E[∇f ∇fᵀ] shows it.",
    source="follow-up: Parkinson, Ongie and Willett, arXiv 2305.15598 (abstract)",
    published="The norm is minimal where a Schatten quasi-norm is; networks are well aligned with the true subspace, "
    "and linear layers can improve generalisation.",
    smoke=Settings(layers=(1, 3), seeds=(0,), rows=30, width=6, descent=80, shown=(1, 10)),
    full=Settings(layers=(1, 2, 3, 5, 9), seeds=(0, 1, 2, 3, 4)),
    cells=cells,
    work=work,
    claims=judge,
    drawings=drawings,
)
