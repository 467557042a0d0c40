r"""Leaky ResNets over their effective depth L̃, trained on teachers of rank k.

A network of m equal layer steps is trained, its steps are adapted and it is trained on; this one is measured. At 0.9 L̃
and at L̃ it is trained on once more: the difference of the objectives is the derivative of the least one, which the
energies should give. With few layers, equal and adapted steps are compared by how far their objectives are from that
of the many.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from isthmus.data import load_dataset
from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.followups.leaky_resnets.claims import judge
from isthmus.experiments.followups.leaky_resnets.figures import drawings
from isthmus.experiments.followups.leaky_resnets.settings import Settings
from isthmus.experiments.jacot2023.layer_account import round_for_figures
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import LeakyResNet
from isthmus.spectra import LeakyLayer, bottleneck_rank, leaky_layers
from isthmus.training import LeakyObjective, adapt_steps, continue_leaky_resnet, equal_steps, fit_leaky_resnet

_SHORT = 3  # times shorter: the training on at two L̃
_SPAN = Tolerance(1e-2)  # of the activations: what decays as e^{-t} counts as gone from there on


def cells(settings: Settings) -> list[Cell]:
    """A teacher for each L̃, rank and seed."""
    return [
        {"effective_depth": depth, "rank": rank, "seed": seed}
        for seed in settings.seeds
        for depth in sorted(settings.effective_depths, reverse=True)
        for rank in settings.ranks
    ]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """Energies along the network of many layers, the derivative of its objective, and objectives of few layers."""
    depth, seed = float(cell["effective_depth"]), int(cell["seed"])
    x, y = _rows(settings, int(cell["rank"]), seed, device)
    task = _Task(settings, x, y, seed)
    network = task.adapted(task.trained(depth, settings.layers))
    shorter, same = (task.rescaled(network, factor) for factor in (settings.shorter, 1.0))
    layers = leaky_layers(same, x, tolerance=_SPAN)
    found: dict[str, Any] = {
        "objective": task.value(same),
        "cost": same.cost,
        "rank_found": bottleneck_rank(same.fully_connected(), x, scale_inputs="none", scale_outputs="none").upper,
        "slope": (task.value(same) - task.value(shorter)) / (settings.ridge * depth * (1.0 - settings.shorter)),
        "mean_energy": (_mean(layers) + _mean(leaky_layers(shorter, x, tolerance=_SPAN))) / 2.0,
        "time": round_for_figures([layer.time for layer in layers]),
        **{
            name: round_for_figures([getattr(layer, name) for layer in layers])
            for name in ("step", "cost_of_identity", "kinetic_energy", "energy", "identity_residual")
        },
    }
    coarse = task.trained(depth, settings.few)
    return found | {"equal": task.value(task.continued(coarse)), "adapted": task.value(task.adapted(coarse))}


class _Task:
    """Trainings on the rows of one teacher."""

    def __init__(self, settings: Settings, x: Tensor, y: Tensor, seed: int) -> None:
        self._settings, self._x, self._y, self._seed = settings, x, y, seed

    def trained(self, depth: float, layers: int) -> LeakyResNet:
        steps, given = equal_steps(depth, layers), self._settings
        return fit_leaky_resnet(
            self._x,
            self._y,
            steps=steps,
            width=given.width,
            ridge=given.ridge,
            seed=self._seed,
            descent=given.descent,
        )

    def continued(self, network: LeakyResNet, share: int = 1) -> LeakyResNet:
        given = self._settings
        return continue_leaky_resnet(network, self._x, self._y, ridge=given.ridge, descent=given.descent // share)

    def adapted(self, network: LeakyResNet) -> LeakyResNet:
        return self.continued(adapt_steps(network, self._x))

    def rescaled(self, network: LeakyResNet, factor: float) -> LeakyResNet:
        return self.continued(LeakyResNet(network.layers, tuple(factor * step for step in network.steps)), _SHORT)

    def value(self, network: LeakyResNet) -> float:
        return LeakyObjective(self._x, self._y, self._settings.ridge, network.steps).value(network)


def _rows(settings: Settings, rank: int, seed: int, device: str) -> tuple[Tensor, Tensor]:
    """x and y = f*(x) of variance 1 in all."""
    source = f"teacher:k={rank},n={settings.rows},d={settings.side},width=40"
    data = load_dataset(source, seed=seed)
    x, y = (torch.as_tensor(rows[data.split.train], device=device).double() for rows in (data.x, data.y))
    return x, y / settings.side**0.5


def _mean(layers: tuple[LeakyLayer, ...]) -> float:
    return sum(layer.step * layer.energy for layer in layers) / sum(layer.step for layer in layers)


EXPERIMENT = Experiment(
    name="leaky-resnets",
    title="Leaky ResNets over their effective depth",
    claim="Minimisers of a leaky ResNet conserve an energy along their depth; with the effective depth L̃ the potential "
    "dominates, the representation jumps to k directions, moves slowly there and jumps back.",
    source="follow-up: Jacot and Kaiser, arXiv 2405.17573 (abstract; equation not checked against the source)",
    published="A conserved Hamiltonian of kinetic energy and cost of identity; two time scales at large L̃; layer steps "
    "adapted to them.",
    smoke=Settings(
        effective_depths=(1.0, 4.0), ranks=(1,), seeds=(0,), layers=8, few=5, rows=40, side=4, width=6, descent=60
    ),
    full=Settings(effective_depths=(1.0, 2.0, 4.0, 8.0, 14.0), ranks=(1, 2, 3), seeds=(0,), layers=24, few=16),
    cells=cells,
    work=work,
    claims=judge,
    drawings=drawings,
)
