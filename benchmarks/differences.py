"""Claim: singular values by differences lie within their stated bars, and ranks are found without derivatives.

Twenty random networks in double and in single precision, called through functions that hide their derivative; the
truth is float64 autograd. Then fifty functions of planted Jacobian rank through such a callable. The same of functions
of 1,000 to 5,000 inputs along random lines, a twentieth of the evaluations that every input would take and fewer.
"""

from __future__ import annotations

import copy
from dataclasses import replace
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


def lines() -> dict[str, Any]:
    """Twenty networks of 1,000 inputs, and fifty planted ranks of 5,000, by differences along random lines."""
    inside, widths, evaluations = [], [], 0
    for seed in range(20):
        torch.manual_seed(seed)
        act, m = ACTIVATIONS[seed % len(ACTIVATIONS)], (5, 60)[seed % 2]
        net = nn.Sequential(nn.Linear(1000, 40), act(), nn.Linear(40, 40), act(), nn.Linear(40, m)).double()
        x = torch.randn(10, 1000, dtype=torch.float64)
        options = replace(RAW, points=10, evaluations=8_000, seed=seed)
        found = black_box(hidden(net, torch.float64), Rows(x.numpy()), options)
        right = torch.linalg.svdvals(vmap(jacrev(net))(x[found.points])).detach()
        ends = found.spectra.intervals()
        assert ends.upper is not None
        low, high = ends.singular_values, ends.upper
        expected = right[:, : low.shape[1]]
        inside.append(((low <= expected) & (expected <= high)).flatten())
        widths.append(high[:, 0] / low[:, 0])
        evaluations += found.function.evaluations
    right_ranks, asked = 0, 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        k, d, m = 1 + seed % 8, 5000, (10, 400)[seed % 2]
        down, up = np.linalg.qr(rng.standard_normal((d, k)))[0], np.linalg.qr(rng.standard_normal((m, k)))[0]
        sizes, x = np.logspace(0, -rng.uniform(0, 1), k), rng.standard_normal((10, d))

        def call(rows: np.ndarray, down: np.ndarray = down, up: np.ndarray = up, sizes: np.ndarray = sizes) -> Any:
            z = rows @ down
            return (z + 0.5 * np.sin(z)) * sizes @ up.T

        found = black_box(call, Rows(x), replace(RAW, points=3, evaluations=3_000, seed=seed))
        right_ranks += int(found.spectra.intervals().ranks(Tolerance(1e-3)).max()) == k
        asked += found.function.evaluations
    return {
        "networks": 20,
        "singular values within their interval": float(torch.cat(inside).double().mean()),
        "median of upper over lower end of the largest": float(torch.cat(widths).median()),
        "evaluations": evaluations,
        "planted ranks": {"functions": 50, "inputs": 5000, "right": right_ranks, "evaluations of each": asked // 50},
    }


def main() -> None:
    figures: dict[str, Any] = {str(kind)[6:]: bars(kind) for kind in (torch.float64, torch.float32)}
    tasks = [planted(seed) for seed in range(50)]
    right = sum(jacobian_rank(call, x, tolerance=Tolerance(1e-4)).lower == k for call, x, k in tasks)
    figures["planted ranks"] = {"functions": len(tasks), "right": right}
    figures["along random lines"] = lines()
    print(figures)
    keep("differences", str(__doc__).partition("\n")[0].removeprefix("Claim: "), figures)


if __name__ == "__main__":
    main()
