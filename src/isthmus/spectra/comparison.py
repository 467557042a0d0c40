"""Two profiles side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from isthmus.errors import ShapeError
from isthmus.spectra.dataframe import data_frame
from isthmus.spectra.profile import RankProfile

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ProfileComparison:
    r"""What differs between two profiles, b relative to a.

    Attributes:
        jacobian_rank: Lower ends of Rank_J, (a, b).
        bottleneck_rank: Upper ends of Rank_BN, (a, b).
        spectrum_distance: Largest difference of the median relative Jacobian spectra $\sigma_i / \sigma_1$ over i,
            missing values counted as zero.
        cost_lower: Proposition 3's bounds, (a, b), None where a network is no chain.
        layers: One entry for each pair of layers: number, largest relative difference of their weight and of their
            activation spectra (over the first value of a), nonlinearity impacts. Empty where the numbers of layers
            differ.
    """

    jacobian_rank: tuple[int, int]
    bottleneck_rank: tuple[int, int]
    spectrum_distance: float
    cost_lower: tuple[float | None, float | None]
    layers: tuple[dict[str, Any], ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a pair of layers.

        Raises:
            MissingExtraError: If pandas is not installed.
        """
        return data_frame(self.layers, "layers")


def compare(a: RankProfile, b: RankProfile) -> ProfileComparison:
    """What differs between two profiles, for example before and after compression, or of two checkpoints.

    Args:
        a: The profile that differences are relative to.
        b: Measured at the same tolerance.

    Raises:
        ShapeError: If the tolerances differ: the ranks would not be comparable.
    """
    if a.tolerance != b.tolerance:
        raise ShapeError(
            f"The profiles are at tolerances {a.tolerance.relative:g} and {b.tolerance.relative:g}; their ranks cannot "
            "be compared. Measure both at one tolerance."
        )
    medians = [profile.jacobian.relative().median(0).values.tolist() for profile in (a, b)]
    layers = zip(a.layers, b.layers, strict=True) if len(a.layers) == len(b.layers) else ()
    return ProfileComparison(
        jacobian_rank=(a.jacobian_rank.lower, b.jacobian_rank.lower),
        bottleneck_rank=(a.bottleneck_rank.upper, b.bottleneck_rank.upper),
        spectrum_distance=_distance(*medians, scale=1.0),
        cost_lower=(a.cost_lower, b.cost_lower),
        layers=tuple(
            {
                "layer": one.layer,
                "weight_difference": _relative(one.weight_singular_values, other.weight_singular_values),
                "activation_difference": _relative(one.activation_singular_values, other.activation_singular_values),
                "nonlinearity_impact_a": one.nonlinearity_impact,
                "nonlinearity_impact_b": other.nonlinearity_impact,
            }
            for one, other in layers
        ),
    )


def _relative(a: tuple[float, ...], b: tuple[float, ...]) -> float | None:
    """Largest difference over the first value of `a`; None where there is nothing to relate it to."""
    return _distance(list(a), list(b), scale=a[0]) if a and a[0] > 0 else None


def _distance(a: list[float], b: list[float], *, scale: float) -> float:
    longer = max(len(a), len(b))
    first, second = (torch.tensor(v + [0.0] * (longer - len(v)), dtype=torch.float64) for v in (a, b))
    return float((first - second).abs().max() / scale)
