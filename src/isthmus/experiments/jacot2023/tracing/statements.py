"""The statements of the slides that differ in our records, each with the diagram that says where it holds."""

from __future__ import annotations

from isthmus.experiments.jacot2023.curve_autoencoder.settings import LOWEST as LOWEST_CURVE
from isthmus.experiments.jacot2023.curve_autoencoder.settings import RANDOM
from isthmus.experiments.jacot2023.phase_diagram.settings import ADAM, ENGINE, GRADIENT_DESCENT, LOWEST
from isthmus.experiments.jacot2023.tracing.denoising import deep_beside_shallow, denoising_places, noise_that_passes
from isthmus.experiments.jacot2023.tracing.over_depth import steep_costs, vanishing
from isthmus.experiments.jacot2023.tracing.recovery import more_data, recovered, wrong_at_the_ends
from isthmus.experiments.jacot2023.tracing.trace import Trace
from isthmus.experiments.jacot2023.tracing.tripoints import (
    fewer_with_depth,
    implicit_ranks,
    ridge_changes,
    tripoint_places,
)

_S, _PHASE = "inverted-s-classification", "phase-diagram"
_SHALLOW, _DEEP = "class boundaries of shallow networks feature tripoints", "those of deep networks do not"
_WITH, _WITHOUT = "share with tripoints; holds above 50%", "share without tripoints; holds above 50%"
_NOT_COVERED = "no diagram covers it; read off its own record"

TRACES: tuple[Trace, ...] = (
    Trace(
        "weight-spectrum",
        "of the middle layers all singular values but the first k vanish",
        "weight-spectrum",
        f"σ_{{k+1}}/σ_k in the middle third; holds below 0.1; {_NOT_COVERED}",
        vanishing,
    ),
    Trace(
        _S,
        f"{_DEEP} (no ℓ2, gradient descent)",
        _PHASE,
        _WITHOUT,
        tripoint_places((GRADIENT_DESCENT, ADAM), lambda ridge: ridge == 0.0, are_wanted=False),
    ),
    Trace(
        _S,
        f"{_SHALLOW} (λ = 0.003, random start)",
        _PHASE,
        _WITH,
        tripoint_places((ENGINE,), lambda ridge: ridge > 0.0, are_wanted=True),
    ),
    Trace(
        _S,
        f"{_DEEP} (λ = 0.003, random start)",
        _PHASE,
        _WITHOUT,
        tripoint_places((ENGINE,), lambda ridge: ridge > 0.0, are_wanted=False),
    ),
    Trace(
        _S,
        f"{_SHALLOW} (λ = 0.003, lowest found)",
        _PHASE,
        _WITH,
        tripoint_places((LOWEST,), lambda ridge: ridge > 0.0, are_wanted=True),
    ),
    Trace(
        _S,
        "explicit ℓ2 changes little",
        _PHASE,
        "largest change of the share without tripoints from λ = 0 to any λ; holds below 25%",
        ridge_changes,
    ),
    Trace(
        _S,
        "cross-entropy regularises implicitly",
        _PHASE,
        "mean rank without ℓ2 beside that of the lowest objectives at the smallest λ; holds where it is no larger",
        implicit_ranks,
    ),
    Trace(
        _S,
        "the deeper the fewer: low-rank topology is learned as the depth grows (lowest found)",
        _PHASE,
        "share without tripoints at the depth before → at this one; holds where it does not fall",
        fewer_with_depth,
    ),
    Trace(
        "mnist-autoencoder",
        "a shallow autoencoder does not denoise, or less than the deep one",
        "mnist-autoencoder",
        f"mean PSNR of the deep beside the shallow one; holds where it is larger; {_NOT_COVERED}, over noise and λ",
        deep_beside_shallow,
    ),
    Trace(
        "mnist-autoencoder",
        "the deep autoencoder is locally an affine projection on k dimensions",
        "mnist-autoencoder",
        f"share of the noise that passes over k/d; holds within a factor of 2 of 1; {_NOT_COVERED}, over noise and λ",
        noise_that_passes,
    ),
    *(
        Trace(
            "curve-autoencoder",
            f"deep autoencoders denoise ({kind}, λ = 0.0001 on ‖w‖²)",
            "curve-diagram",
            "median share of the distance that is left; holds below 10%",
            denoising_places(kind),
        )
        for kind in (RANDOM, LOWEST_CURVE)
    ),
    Trace(
        "sample-size",
        "a large amount of training data hinders rank underestimation",
        "recovery-diagram",
        "share of ranks below k at the smallest N → at the largest, lowest objectives; holds where it falls, empty "
        "where both are 0",
        more_data,
    ),
    Trace(
        "sample-size",
        "a range of intermediate depths recovers the true rank",
        "recovery-diagram",
        "share of lowest objectives of rank k; holds above 50%",
        recovered,
    ),
    Trace(
        "sample-size",
        "too deep networks may underestimate the rank, too shallow models overestimate it",
        "recovery-diagram",
        "share of lowest objectives above k at the smallest depth (Jacobian rank), below k at the largest; holds above "
        "50%",
        wrong_at_the_ends,
    ),
    Trace(
        "infinite-depth",
        "Rank_J ≤ R_∞ also where σ is steeper than 1",
        "infinite-depth",
        f"least ‖w‖²/L of networks written out, σ of slope 3 below zero; holds where not below Rank_J; {_NOT_COVERED}",
        steep_costs,
    ),
)
