"""What the layers of a trained network do, as the slides show it: spectra of W_ℓ and Z_ℓ, impact of the nonlinearity.

Z_ℓ is the matrix of activations as it is, not centred. Activations of ReLUs are nonnegative, so data that spread in k
directions lie on a sheet off the origin, and Z_ℓ has k + 1 directions: those k and the one to the sheet. The weights
that hand it on have as many. So the centred matrices are told as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from isthmus.experiments.experiment import Numbers
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE
from isthmus.networks import FullyConnected
from isthmus.spectra import measure

SHOWN = 10  # singular values of a layer, as in the slides
_DIGITS = 5


def account(network: FullyConnected, x: Tensor) -> Numbers:
    r"""Ranks at the default tolerance, ‖w‖²/L, and layer by layer what is drawn.

    Args:
        network: Of depth L.
        x: The rows `(n, d_in)` that it is measured on.

    Returns:
        `jacobian_rank`, `bottleneck_rank`, `norm_per_depth`; `weights` and `activations`, the first ten singular values
        of W_ℓ and of Z_ℓ `(n, n_ℓ)` for ℓ = 1, …, L (Z_L: the outputs); `centred`, of the centred Z_ℓ; `impact`,
        $\|\tilde Z_\ell - \sigma(\tilde Z_\ell)\|_F / \|\tilde Z_\ell\|_F$ for ℓ = 1, …, L − 1.
    """
    profile = measure(network, x, scale_inputs="none", scale_outputs="none")
    activations, pre_activations = network.trace(x)
    behind = [*activations[1:], pre_activations[-1]]
    return {
        "jacobian_rank": profile.jacobian_rank.lower,
        "bottleneck_rank": profile.bottleneck_rank.upper,
        "norm_per_depth": network.norm_per_depth,
        "weights": [round_for_figures(layer.weight_singular_values[:SHOWN]) for layer in profile.layers],
        "activations": [_spectrum(z) for z in behind],
        "centred": [_spectrum(z - z.mean(0)) for z in behind],
        "impact": round_for_figures([layer.nonlinearity_impact or 0.0 for layer in profile.layers[:-1]]),
    }


def middle(depth: int) -> range:
    """The layers ℓ between the first and the last third of L ≥ 3, counted from 1: 5 to 9 of 13."""
    first = max(2, -(-depth // 3))
    return range(first, depth + 2 - first)


def counts(spectra: Sequence[Sequence[float]]) -> list[int]:
    """For the middle layers how many singular values exceed the default tolerance times the first."""
    chosen = [spectra[layer - 1] for layer in middle(len(spectra))]
    return [sum(value > DEFAULT_TOLERANCE.relative * values[0] for value in values) for values in chosen]


def ratios(spectra: Sequence[Sequence[float]], index: int, to: int) -> list[float]:
    """For the middle layers σ_i/σ_j, i = `index` and j = `to`, counted from 1; 0 where there is no σ_i, or σ_j is 0."""
    chosen = [spectra[layer - 1] for layer in middle(len(spectra))]
    return [s[index - 1] / s[to - 1] if len(s) >= index and s[to - 1] > 0 else 0.0 for s in chosen]


def round_for_figures(values: Sequence[float]) -> list[float]:
    """To what can be seen in a figure."""
    return [float(f"{value:.{_DIGITS}g}") for value in values]


def _spectrum(z: Tensor) -> list[float]:
    return round_for_figures(torch.linalg.svdvals(z.double())[:SHOWN].tolist())
