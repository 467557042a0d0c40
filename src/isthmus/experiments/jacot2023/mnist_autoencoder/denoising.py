"""How much nearer to the clean rows a function brings noisy ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor


def noise_like(rows: Tensor, seed: int) -> Tensor:
    """Standard normal noise of the shape of `rows`, the same on every device."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows.shape, generator=generator, dtype=torch.float64).to(rows)


def recovery(
    method: Callable[[Tensor], Tensor], clean: Tensor, noise: Tensor, levels: Sequence[float]
) -> Mapping[str, float | list[float]]:
    r"""Distances of f(x + σn) to x over the rows, at each noise level σ > 0.

    With e = f(x + σn) − x over all rows x, entries between 0 and 1:

    Args:
        method: f, from `(n, d)` to `(n, d)`.
        clean: x, `(n, d)`.
        noise: n, `(n, d)`, of unit variance. It is not clipped: neither is what f makes of it.
        levels: The σ.

    Returns:
        One number for each level, in
        "psnr": the peak signal-to-noise ratio $-10 \log_{10} \operatorname{mean} e^2$, in dB, peak 1;
        "relative_error": $\|e\| / \|x\|$;
        "nearer": the share of rows that f brings nearer to x than x + σn is;
        "passed": the share of the noise's energy that f lets through, $\|f(x + \sigma n) - f(x)\|^2 / \|\sigma n\|^2$,
        which is k/d on average for an orthogonal projection on k dimensions, whatever it does to x;
        and "clean_error": $\|f(x) - x\| / \|x\|$.
    """
    x, n = clean.double(), noise.double()
    without = method(clean).double()
    found: dict[str, list[float]] = {"psnr": [], "relative_error": [], "nearer": [], "passed": []}
    for level in levels:
        output = method(clean + level * noise).double()
        error = output - x
        found["psnr"].append(-10.0 * math.log10(float(error.square().mean())))
        found["relative_error"].append(float(error.norm() / x.norm()))
        found["nearer"].append(float((error.norm(dim=1) < level * n.norm(dim=1)).double().mean()))
        found["passed"].append(float((output - without).square().sum() / (level * n).square().sum()))
    rounded = {name: [_short(value) for value in values] for name, values in found.items()}
    return {**rounded, "clean_error": _short(float((without - x).norm() / x.norm()))}


def _short(value: float) -> float:
    return float(f"{value:.5g}")
