"""Claim: singular values by differences lie within their stated bars, and ranks are found without derivatives.

Twenty random networks in double and in single precision, called through functions that hide their derivative; the
truth is float64 autograd. Then fifty functions of planted Jacobian rank through such a callable.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.func import jacrev, vmap

from _environment import keep
from isthmus import Tolerance, jacobian_rank
from isthmus.foundation.rows import Rows
from isthmus.spectra.black_box import black_box
from isthmus.spectra.measure_options import MeasureOptions

SHAPES = [(3, 3, 16, 2), (6, 4, 32, 3), (10, 10, 40, 2), (20, 5, 64, 3)]
ACTIVATIONS = [nn.Tanh, nn.ReLU, nn.GELU, nn.SiLU, nn.Softplus]
ROWS = 40
RAW = MeasureOptions(points=ROWS, memory=1 << 28, scale_inputs="none", scale_outputs="none")


def network(seed: int) -> tuple[nn.Sequential, torch.Tensor]:
    """A random network and rows whose columns differ a hundredfold in scale."""
    torch.manual_seed(seed)
    d, m, width, depth = SHAPES[seed % len(SHAPES)]
    layers: list[nn.Module] = []
    for inputs in (d, *[width] * (depth - 1)):
        layers += [nn.Linear(inputs, width), ACTIVATIONS[seed % len(ACTIVATIONS)]()]
    x = torch.randn(ROWS, d, dtype=torch.float64) * torch.logspace(-1, 1, d, dtype=torch.float64)
    return nn.Sequential(*layers, nn.Linear(width, m)).double(), x


def hidden(net: nn.Module, dtype: torch.dtype) -> Any:
    return lambda x: net(torch.from_numpy(x).to(dtype)).detach().numpy()


def bars(dtype: torch.dtype) -> dict[str, Any]:
    inside, sizes, ratios, evaluations = [], [], [], 0
    for seed in range(20):
        net, x = network(seed)
        net = net.to(dtype)
        found = black_box(hidden(net, dtype), Rows(x.numpy()), RAW)
        exact = copy.deepcopy(net).double()
        right = torch.linalg.svdvals(vmap(jacrev(exact))(x)).detach()
        error = (found.spectra.values - right).abs()
        inside.append(error <= found.spectra.bars)
        sizes.append(found.spectra.bars / right[:, :1])
        ratios.append(found.spectra.bars / error.clamp_min(1e-300))
        evaluations += found.function.evaluations
    within = torch.cat([each.flatten() for each in inside]).double().mean()
    return {
        "networks": 20,
        "singular values within their bar": float(within),
        "median bar, relative to the largest": float(torch.cat([each.flatten() for each in sizes]).median()),
        "median bar over the true error": float(torch.cat([each.flatten() for each in ratios]).median()),
        "evaluations": evaluations,
    }


def planted(seed: int) -> tuple[Any, np.ndarray, int]:
    """h(g(x)) with g to R^k: a map whose Jacobian has rank k everywhere, k singular values of one size."""
    rng = np.random.default_rng(seed)
    k, d, m = 1 + seed % 5, 6 + seed % 3, 5 + seed % 4
    down, up = np.linalg.qr(rng.standard_normal((d, k)))[0], np.linalg.qr(rng.standard_normal((m, k)))[0]

    def call(x: np.ndarray) -> np.ndarray:
        z = x @ down
        return (z + 0.5 * np.sin(z)) @ up.T

    return call, rng.standard_normal((60, d)), k


def main() -> None:
    figures: dict[str, Any] = {str(kind)[6:]: bars(kind) for kind in (torch.float64, torch.float32)}
    tasks = [planted(seed) for seed in range(50)]
    right = sum(jacobian_rank(call, x, tolerance=Tolerance(1e-4)).lower == k for call, x, k in tasks)
    figures["planted ranks"] = {"functions": len(tasks), "right": right}
    print(figures)
    keep("differences", str(__doc__).partition("\n")[0].removeprefix("Claim: "), figures)


if __name__ == "__main__":
    main()
