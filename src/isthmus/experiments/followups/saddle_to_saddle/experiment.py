"""Networks without biases that leave the saddle at zero: their escape directions, and the rank on the way."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.followups.saddle_to_saddle.claims import judge
from isthmus.experiments.followups.saddle_to_saddle.escape import escape_direction
from isthmus.experiments.followups.saddle_to_saddle.figures import drawings
from isthmus.experiments.followups.saddle_to_saddle.settings import Settings
from isthmus.experiments.jacot2023.layer_account import round_for_figures
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.likelihood import GAUSSIAN
from isthmus.networks import RELU, FullyConnected
from isthmus.spectra import bottleneck_rank
from isthmus.training import Objective, Parameters, random_network


def cells(settings: Settings) -> list[Cell]:
    """A teacher for each depth and seed."""
    return [{"depth": depth, "seed": seed} for depth in settings.depths for seed in settings.seeds]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """s₁/s₂ of every weight at the escape direction, and along the training losses, ranks and s₁/s₂."""
    depth, generator = int(cell["depth"]), torch.Generator().manual_seed(int(cell["seed"]))
    x, y = (rows.to(device) for rows in data(settings, generator))
    widths = (settings.side, *[settings.width] * (depth - 1), settings.side)

    def start() -> FullyConnected:
        return random_network(widths, RELU, generator, dtype=torch.float64, device=device)

    with torch.no_grad(), flushed_denormals():
        escape = escape_direction([start() for _ in range(settings.starts)], x, y, steps=settings.ascent)
        moments = trained(settings, start(), x, y)
    return {"escape": gaps(escape), "moments": moments}


def data(settings: Settings, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """x standard normal, and y of a teacher of the rank without biases, scaled to a total variance of 1."""
    wide, k = settings.width, settings.rank
    teacher = random_network((settings.side, wide, k, wide, settings.side), RELU, generator, dtype=torch.float64)
    first, second, third, fourth = teacher.weights
    # The layer of k numbers has no σ: with it a teacher of so few neurons is often of smaller rank.
    network = FullyConnected((first, third @ second, fourth), (teacher.biases[0], teacher.biases[2], teacher.biases[3]))
    x = torch.randn(settings.rows, settings.side, generator=generator, dtype=torch.float64)
    y = network(x)
    return x, y / y.square().sum(1).mean().sqrt()


def trained(settings: Settings, network: FullyConnected, x: Tensor, y: Tensor) -> list[dict[str, object]]:
    """Moments of gradient descent from small weights: step, loss, rank, s₁/s₂ of every weight.

    A step is no longer than a share of ‖w‖, or the plateau at zero would take powers of 1/scale steps; that changes the
    time along the path of gradient flow and not the path.
    """
    at, objective = Parameters.of(network), Objective(x, y, GAUSSIAN, 0.0)
    at.vector.mul_(settings.scale)
    slope = at.like(torch.zeros_like(at.vector))
    kept = {round(index * settings.steps / (settings.moments - 1)) for index in range(settings.moments)}
    found: list[dict[str, object]] = []
    for step in range(settings.steps + 1):
        loss = float(objective.gradient(at, slope))
        if step in kept:
            now = at.network()
            rank = bottleneck_rank(now, x, scale_inputs="none", scale_outputs="none").upper
            found.append({"step": step, "loss": loss, "rank": rank, "gaps": gaps(now)})
        for bias in slope.biases:
            bias.zero_()
        size, norm = float(slope.vector.norm()), float(at.vector.norm())
        # Around zero the curvature is that of a form of degree L: it falls as the (L − 2)th power of the weights.
        gain = torch.stack([torch.linalg.matrix_norm(w[0], 2) for w in at.weights]).log().mean().exp()
        flat = max(1.0, float(gain) ** (2 - at.depth))
        rate = min(settings.rate * flat, settings.step * norm / max(size, 1e-300))
        at.vector.sub_(slope.vector, alpha=rate)
    return found


def gaps(network: FullyConnected) -> list[float]:
    """s₁/s₂ of every weight, at most a million."""
    found = []
    for w in network.weights:
        s = torch.linalg.svdvals(w.double())
        found.append(min(1e6, float(s[0] / s[1].clamp_min(1e-300))))
    return round_for_figures(found)


EXPERIMENT = Experiment(
    name="saddle-to-saddle",
    title="From saddle to saddle",
    claim="From small weights a deep network leaves zero along a direction of rank 1, whose gap grows with the layer, "
    "and its bottleneck rank rises from saddle to saddle.",
    source="follow-up: arXiv 2505.21722",
    published="In the optimal escape direction s₁(W_ℓ) exceeds all other singular values by a factor of ℓ^{1/4} at "
    "least; the bottleneck rank rises (suggested).",
    smoke=Settings(depths=(3,), seeds=(0,), rows=40, side=3, width=8, starts=2, ascent=60, steps=200, moments=5),
    full=Settings(depths=(4, 6), seeds=(0, 1, 2)),
    cells=cells,
    work=work,
    claims=judge,
    drawings=drawings,
)
