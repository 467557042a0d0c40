r"""Autoencoders of MNIST's zeros made of circular convolutions, grown in depth, over weight decay.

A network is trained from a random start at the first depth; identity convolutions where fewest pairs pass make it
deeper, and it is trained on: deep random starts lose directions.
Told are, layer by layer, how many pairs of a channel direction and a frequency the signal has at the tolerance, the
degrees of their waves, and $\|C_\ell\|_F^2$ of the layer's matrix (`spectra.convolutional_bottleneck`); at the
narrowest one the same pairs of its weight; and the left side of Proposition 3 at some rows, by automatic
differentiation.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from isthmus.data import load_dataset
from isthmus.experiments.experiment import Cell, Experiment, Numbers
from isthmus.experiments.followups.convolutional_bottleneck.claims import judge
from isthmus.experiments.followups.convolutional_bottleneck.figures import drawings
from isthmus.experiments.followups.convolutional_bottleneck.settings import Settings
from isthmus.experiments.jacot2023.layer_account import round_for_figures
from isthmus.foundation.tolerance import Tolerance
from isthmus.spectra import ConvolutionSpectrum, convolutional_bottleneck
from isthmus.training import convolutional_autoencoder, fit_module, insert_identity_convolutions

_HALVINGS, _POINTS = 2, 3  # rows at which the Jacobian is taken
_SPAN = Tolerance(0.01)  # of the signal that new layers pass: on seed 1 the least objective, of 0.1, 0.03, … 10⁻⁵


def cells(settings: Settings) -> list[Cell]:
    """A network that grows for each weight decay and seed."""
    return [{"weight_decay": decay, "seed": seed} for seed in settings.seeds for decay in settings.weight_decays]


def work(settings: Settings, cell: Cell, device: str) -> Numbers:
    """An account of the network at each depth."""
    x = zeros(settings.rows).to(device)
    decay, (first, *further) = float(cell["weight_decay"]), settings.depths
    start = convolutional_autoencoder(
        depth=first, channels=settings.channels, kernel=settings.kernel, halvings=_HALVINGS, seed=int(cell["seed"])
    ).to(device)
    module, value = fit_module(start, x, x, weight_decay=decay, steps=settings.steps, evaluations=settings.steps)
    found = [{"depth": first, "objective": value, **_account(module, x)}]
    for depth in further:
        grown = insert_identity_convolutions(module, x, depth, tolerance=_SPAN)
        module, value = fit_module(grown, x, x, weight_decay=decay, steps=0, evaluations=settings.grown)
        found.append({"depth": depth, "objective": value, **_account(module, x)})
    return {"networks": found}


def _account(module: nn.Module, x: Tensor) -> dict[str, Any]:
    """Error, ranks, degrees and norms of one autoencoder."""
    found = convolutional_bottleneck(module, x)
    weights = found.narrowest
    with torch.no_grad():
        error = float((module(x) - x).square().sum() / len(x))
    return {
        "error": error,
        "variance": float((x - x.mean(0)).square().sum() / len(x)),
        "rank": found.rank,
        "weights_rank": int(weights.weight_pairs().sum()),
        "narrowest": weights.layer,
        "by_degree": _as_list(found.by_degree),
        "weights_by_degree": _as_list(weights.weights_by_degree()),
        "weights_kept": round_for_figures(_edges(weights)),
        "ranks": [layer.rank() for layer in found.layers],
        "dimensions": [layer.signal_sizes.numel() for layer in found.layers],
        "norms": round_for_figures([layer.matrix_norm for layer in found.layers]),
        "grids": [list(layer.grid) for layer in found.layers],
        "norm_per_depth": found.norm_per_depth,
        "schatten": schatten(module, x[:: max(1, len(x) // _POINTS)][:_POINTS], len(found.layers)),
    }


def _as_list(by_degree: Mapping[int, int]) -> list[int]:
    return [by_degree.get(degree, 0) for degree in range(1 + max(by_degree, default=0))]


def _edges(layer: ConvolutionSpectrum) -> list[float]:
    """The smallest singular value of the weight that counts at the tolerance, and the largest that does not."""
    sizes = layer.weight_sizes.flatten().sort(descending=True)[0].tolist()
    count = int(layer.weight_pairs().sum())
    return [sizes[count - 1] if count else 0.0, sizes[count] if count < len(sizes) else 0.0]


def zeros(count: int) -> Tensor:
    """Images of the digit 0, `(count, 1, 12, 12)`, in [0, 1]."""
    data = load_dataset("mnist", seed=0, task="classification")
    chosen = torch.as_tensor(data.x[np.asarray(data.y) == 0][:count]).float().view(-1, 1, 28, 28)
    return nn.functional.avg_pool2d(chosen[:, :, 2:-2, 2:-2], 2)


def schatten(module: nn.Module, x: Tensor, depth: int) -> float:
    r"""The largest $\sum_i s_i(Jf(x))^{2/L}$ over the rows, in float64.

    Singular values at the rounding of L products are left out, which only lowers the sum: at L = 48 one of $10^{-16}$
    would count 0.2.
    """
    exact = copy.deepcopy(module).double()
    jacobian = torch.func.vmap(torch.func.jacrev(lambda row: exact(row[None]).flatten()))(x.double())
    s = torch.linalg.svdvals(jacobian.reshape(len(x), -1, x[0].numel()).detach())
    rounding = depth * x[0].numel() * torch.finfo(s.dtype).eps * s[:, :1]
    return float(torch.where(s > rounding, s ** (2.0 / depth), 0.0).sum(1).max())


EXPERIMENT = Experiment(
    name="convolutional-bottleneck",
    title="Which frequencies a CNN needs",
    claim="Deep CNNs with weight decay pass a signal of few channels and low frequencies through their middle, and "
    "their norm grows with depth times the number of these pairs.",
    source="follow-up: Wen and Jacot, arXiv 2402.08010 (abstract; the form of the rank is ours, not checked)",
    published="Norm about depth × CBN rank, with down-sampling too. An autoencoder of MNIST's zeros keeps 3 constant "
    "frequencies, 4 of degree 1 and 1 of degree 2 (read in a quotation; depth, λ and architecture are not known).",
    smoke=Settings(depths=(5, 6), weight_decays=(0.3,), seeds=(0,), rows=20, channels=3, steps=20, grown=10),
    full=Settings(depths=(12, 24, 48), weight_decays=(0.03, 0.05, 0.1), seeds=(0,)),
    cells=cells,
    work=work,
    claims=judge,
    drawings=drawings,
)
