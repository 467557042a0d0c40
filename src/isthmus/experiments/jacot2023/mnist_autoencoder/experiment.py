r"""Autoencoders of digits, deep and shallow: what they make of noisy digits.

The slides give a ridge of 1e-4 and neither the depth, the width, the number of digits, nor what the ridge is weighed
against. Here pixels are between 0 and 1, and 1e-4 is the factor of ‖w‖² at every depth, as in the caption of the
slides' Figure 2 ("λ = 0.05/L"), in two readings: beside the squared error *averaged* over the d pixels, as a
framework's mean squared error is, or *summed* over them, as the slides' formula is written,

$$\frac{1}{Nd} \sum_i \|f(x_i) - x_i\|^2 + \lambda \|w\|^2 \quad\text{or}\quad
  \frac1N \sum_i \|f(x_i) - x_i\|^2 + \lambda \|w\|^2 .$$

The engine's objective, $\frac1N \sum \|\cdot\|^2 + \frac{\lambda'}{L} \|w\|^2$, is the first (times d) at λ' = λ L d
and the second at λ' = λ L. Of the deep networks from two starts, a random one and a shallow one grown, the one of lower
objective is taken, and k is its bottleneck rank on the training digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from isthmus.data import load_dataset
from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.jacot2023.mnist_autoencoder.claims import judge
from isthmus.experiments.jacot2023.mnist_autoencoder.denoising import noise_like, recovery
from isthmus.experiments.jacot2023.mnist_autoencoder.error_curve import error_over_k
from isthmus.experiments.jacot2023.mnist_autoencoder.figures import drawings
from isthmus.experiments.jacot2023.mnist_autoencoder.hard_bottleneck import (
    BottleneckAutoencoder,
    bottleneck_autoencoder,
)
from isthmus.experiments.jacot2023.mnist_autoencoder.ridge_autoencoders import autoencoder, deep_autoencoder
from isthmus.experiments.jacot2023.mnist_autoencoder.settings import AVERAGED, Settings
from isthmus.factorization import linear_baseline
from isthmus.selection import restrict_to_ranks
from isthmus.spectra import measure
from isthmus.training import FittedNetwork, Schedule

Method = Callable[[Tensor], Tensor]
_POINTS = 100  # digits at which Jacobians are taken
_AROUND = 4  # numbers below and above the bottleneck rank that are tried under the constraint; each takes seconds


@dataclass(frozen=True, eq=False)
class _Digits:
    """Rows of pixels in [0, 1]: to train on, to stop the hard bottleneck by, and to test on."""

    train: Tensor
    validation: Tensor
    held_out: Tensor
    shape: tuple[int, int]

    @staticmethod
    def of(settings: Settings, seed: int, device: str) -> _Digits:
        data = load_dataset(settings.data, task="autoencoder", seed=seed)
        x, split = torch.from_numpy(data.x).float().to(device), data.split
        train, test = split.train[: settings.rows], split.test[: settings.held_out]
        validation = split.train[settings.rows : 2 * settings.rows]
        return _Digits(x[train], x[validation], x[test], cast(tuple[int, int], data.image_shape))


def cells(settings: Settings) -> list[Cell]:
    """All methods for each reading and seed."""
    return [{"reading": reading, "seed": seed} for reading in settings.readings for seed in settings.seeds]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """Ranks, sizes, the error over k, and distances to clean digits for every method."""
    seed = int(cell["seed"])
    digits = _Digits.of(settings, seed, device)
    d = digits.train.shape[1]
    size = _parameters(d, settings.depth, settings.width)
    wide = shallow_width(d, size)
    weight = settings.ridge * (d if cell["reading"] == AVERAGED else 1)
    # With the larger ridge that the engine begins with by default deep autoencoders of digits lose most directions.
    schedule = Schedule(steps=settings.steps, rounds=settings.rounds, ridge_factor=1.0)
    options: dict[str, Any] = {"weight": weight, "schedule": schedule, "seed": seed}
    deep, starts = deep_autoencoder(digits.train, depth=settings.depth, width=settings.width, **options)
    shallow = autoencoder(digits.train, depth=2, width=wide, **options)
    networks = {name: _described(f, digits.train) for name, f in (("deep", deep), ("shallow", shallow))}
    k = max(1, networks["deep"]["bottleneck_rank"])
    ends = {"least": max(1, k - _AROUND), "most": k + _AROUND}
    restricted = restrict_to_ranks(deep.network, deep.objective, **ends)
    narrow = next(each for each in restricted if each.rank == k).network
    pca = linear_baseline(digits.train, digits.train)
    bottleneck = _bottleneck(settings, digits, k, seed)
    methods: dict[str, Method] = {
        "noisy": lambda x: x,
        "deep": deep,
        "shallow": shallow,
        "pca": lambda x: pca(x, k),
        "bottleneck": bottleneck,
        "narrow": narrow,
    }
    is_drawn = cell["reading"] == AVERAGED and seed == settings.seeds[0]  # pictures are most of a record's size
    return {
        **{"k": k, "pixels": d, "starts": starts},
        "curve": error_over_k(deep, restricted, pca, digits.held_out),
        "networks": networks,
        "parameters": {"pca": d * (k + 1), "bottleneck": bottleneck.parameter_count, "narrow": narrow.parameter_count},
        "parameters_at_start": {"deep": size, "shallow": _parameters(d, 2, wide)},
        "held_out": _distances(settings, methods, digits.held_out, seed),
        "training": _distances(settings, methods, digits.train[: len(digits.held_out)], seed),
        "pictures": _pictures(settings, methods, digits, seed) if is_drawn else {},
    }


def shallow_width(d: int, parameters: int) -> int:
    """The width at which a network d–w–d has nearest to so many weights and biases: 2dw + w + d of them."""
    return max(1, round((parameters - d) / (2 * d + 1)))


def _parameters(d: int, depth: int, width: int) -> int:
    """Weights and biases of an autoencoder of d inputs, of depth ≥ 2, before neurons are taken out."""
    return 2 * d * width + (depth - 2) * width**2 + (depth - 1) * width + d


def _bottleneck(settings: Settings, digits: _Digits, k: int, seed: int) -> BottleneckAutoencoder:
    return bottleneck_autoencoder(
        digits.train,
        digits.validation,
        depth=settings.depth,
        width=settings.width,
        rank=k,
        epochs=settings.epochs,
        seed=seed,
    )


def _described(fitted: FittedNetwork, x: Tensor) -> dict[str, Any]:
    """What training reached, in sums over the pixels; ranks over the training digits at the default tolerance."""
    profile = measure(fitted, x, points=_POINTS)
    return {
        "objective": fitted.value,
        "error": fitted.error,
        "norm_per_depth": fitted.network.norm_per_depth,
        "widths": fitted.network.widths,
        "parameters": fitted.network.parameter_count,
        "jacobian_rank": profile.jacobian_rank.lower,
        "bottleneck_rank": profile.bottleneck_rank.upper,
    }


def _distances(settings: Settings, methods: Mapping[str, Method], clean: Tensor, seed: int) -> dict[str, Any]:
    noise = noise_like(clean, seed)
    return {name: recovery(method, clean, noise, settings.noise) for name, method in methods.items()}


def _pictures(settings: Settings, methods: Mapping[str, Method], digits: _Digits, seed: int) -> dict[str, Any]:
    """The first held-out digits and what each method makes of them, in percent of white, cut off as a screen does."""
    clean = digits.held_out[: settings.digits]
    noisy = clean + settings.shown * noise_like(digits.held_out, seed)[: settings.digits]
    lines = {name: method(noisy) for name, method in methods.items() if name != "narrow"} | {"clean": clean}
    return {
        "shape": digits.shape,
        **{name: (100 * line).clamp(0, 100).round().int().tolist() for name, line in lines.items()},
    }


EXPERIMENT = Experiment(
    name="mnist-autoencoder",
    title="Deep autoencoders of digits denoise",
    claim="A deep autoencoder of MNIST digits, trained with a ridge and without noise, cleans noisy digits; a shallow "
    "one does not.",
    source="slides, Autoencoders, Figure 3 A",
    published="Noisy digits in the first line, outputs below: for large depths the autoencoder is naturally denoising.",
    smoke=Settings(
        seeds=(0,),
        data="digits",
        rows=300,
        held_out=50,
        depth=4,
        width=24,
        noise=(0.1, 0.3),
        digits=2,
        steps=60,
        rounds=1,
        epochs=10,
    ),
    full=Settings(seeds=(0, 1)),
    cells=cells,
    work=work,
    claims=judge,
    drawings=drawings,
)
