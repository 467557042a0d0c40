"""The two ranks of a function alone: what `measure` says of them, without its layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from isthmus.foundation.rows import Rows
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.spectra.measure_options import EVALUATIONS, MeasureOptions
from isthmus.spectra.measurement import profile_of
from isthmus.spectra.model import Model
from isthmus.spectra.profile import RankProfile
from isthmus.spectra.rank_estimate import RankEstimate
from isthmus.spectra.units import Scaling


def jacobian_rank(
    model: Model | Callable[[Any], Any],
    x: object,
    *,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    points: int = 500,
    evaluations: int = EVALUATIONS,
    scale_inputs: Scaling = "data",
    scale_outputs: Scaling = "data",
) -> RankEstimate:
    r"""Largest rank of the Jacobian of f over data points, at a tolerance: `measure(...).jacobian_rank`.

    $$\operatorname{Rank}_J(f; \Omega) = \max_{x \in \Omega} \operatorname{rank} Jf(x)$$

    Below: the largest number over the points of singular values above the tolerance; as Rank_J ≤ Rank_BN, where fewer
    numbers already keep f within the tolerance it is these, and the evidence tells both. Above: the narrowest layer.

    Args:
        model: Whatever `measure` takes.
        x: `(n, …)`, in the units the model takes.
        tolerance: Which singular values count as zero, relative to the largest at the same point.
        points: At how many rows, evenly spaced, the Jacobian is taken.
        evaluations: At how many rows a callable may be evaluated.
        scale_inputs: In what units inputs are counted, as for `measure`.
        scale_outputs: The same of the outputs.

    Returns:
        `[lower, upper]`, the tolerance and the evidence: for each end, then the units and what else a reader must know.

    Raises:
        IsthmusError: As `measure`.

    Source:
        Jacot (2023), definition of the Jacobian rank.

    Example:
        >>> import numpy as np
        >>> from isthmus import jacobian_rank
        >>> def f(x):  # any function of arrays: three outputs of one number
        ...     return np.stack([x[:, 0], np.sin(x[:, 0]), x[:, 0] ** 2], axis=1)
        >>> jacobian_rank(f, np.linspace(-1, 1, 40).reshape(20, 2)).lower
        1
    """
    found = _profile(model, x, tolerance, points, evaluations, scale_inputs, scale_outputs)
    return _with_notes(found.jacobian_rank, found)


def bottleneck_rank(
    model: Model | Callable[[Any], Any],
    x: object,
    *,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    points: int = 500,
    evaluations: int = EVALUATIONS,
    scale_inputs: Scaling = "data",
    scale_outputs: Scaling = "data",
) -> RankEstimate:
    r"""Smallest k such that f is, up to `tolerance`, a composition $h \circ g$ through $\mathbb R^k$.

    $$\operatorname{Rank}_{BN}(f; \Omega) = \min \{k : f = h \circ g \text{ on } \Omega,\ g: \to \mathbb R^k\}$$

    It is `measure(...).bottleneck_rank`. Above: the smallest k for which a factorisation is exhibited that changes f
    by no more than `tolerance` relative to its spread over the data. Below: the Jacobian rank at the same tolerance,
    as Rank_J ≤ Rank_BN, cut at the upper end.

    Args:
        model: Whatever `measure` takes.
        x: `(n, …)`, in the units the model takes.
        tolerance: Relative change of f, and relative size of a singular value, that counts as none.
        points: At how many rows, evenly spaced, the Jacobian is taken.
        evaluations: At how many rows a callable may be evaluated.
        scale_inputs: In what units inputs are counted, as for `measure`.
        scale_outputs: The same of the outputs.

    Returns:
        `[lower, upper]`, the tolerance, and the evidence as of `jacobian_rank`.

    Raises:
        IsthmusError: As `measure`.

    Source:
        Jacot (2023), definition of the bottleneck rank.

    Example:
        >>> from isthmus import bottleneck_rank, jacobian_rank
        >>> from isthmus.networks.catalogue import catalogue
        >>> import torch
        >>> tripod = next(entry.network for entry in catalogue(0) if entry.name == "tripod")
        >>> x = torch.rand(200, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2 - 1
        >>> found = bottleneck_rank(tripod, x)
        >>> found.upper, jacobian_rank(tripod, x).lower  # one derivative at a time, and yet two numbers
        (2, 1)
    """
    found = _profile(model, x, tolerance, points, evaluations, scale_inputs, scale_outputs)
    return _with_notes(found.bottleneck_rank, found)


def _profile(
    model: Model | Callable[[Any], Any],
    x: object,
    tolerance: Tolerance,
    points: int,
    evaluations: int,
    scale_inputs: Scaling,
    scale_outputs: Scaling,
) -> RankProfile:
    options = MeasureOptions(
        tolerance=tolerance,
        points=points,
        evaluations=evaluations,
        scale_inputs=scale_inputs,
        scale_outputs=scale_outputs,
        are_layers_measured=False,
    )
    return profile_of(model, Rows(x), options)


def _with_notes(rank: RankEstimate, found: RankProfile) -> RankEstimate:
    return replace(rank, evidence=(*rank.evidence, found.units, *found.notes))
