"""All measurements of a trained network in one value."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch

from isthmus.denormals import flushed_denormals
from isthmus.ranks.bottleneck import bracket, chosen, narrowings
from isthmus.ranks.estimate import RankEstimate
from isthmus.ranks.jacobian import JacobianSpectra, jacobian_spectra, rank_over_points, spaced
from isthmus.ranks.model import Model, as_network
from isthmus.ranks.spectrum import LayerSpectrum, layer_spectra
from isthmus.tolerance import DEFAULT_TOLERANCE, Tolerance


@dataclass(frozen=True, eq=False)
class RankProfile:
    r"""What a network does between its inputs and its outputs, over some data.

    Attributes:
        jacobian_rank: Bracket of Rank_J at the tolerance.
        bottleneck_rank: Bracket of Rank_BN at the tolerance.
        bottleneck_layer: ℓ, the layer whose activations carry the bottleneck (0: the inputs).
        bottleneck_error: Relative change of f when only `bottleneck_rank.upper` coordinates are kept there.
        changes: The same for every k = 0, 1, 2, … that was tried, each at its best layer.
        norm_per_depth: ‖w‖²/L, above R(f; L)/L.
        cost_lower: Proposition 3's bound, below R(f; L)/L: the largest $\sum_i s_i(Jf(x))^{2/L}$ over the points.
        jacobian: Singular values of the Jacobian at the points.
        layers: Spectra and nonlinearity impact, ℓ = 1 … L.
        tolerance: What counts as zero.
    """

    jacobian_rank: RankEstimate
    bottleneck_rank: RankEstimate
    bottleneck_layer: int
    bottleneck_error: float
    changes: tuple[float, ...]
    norm_per_depth: float
    cost_lower: float
    jacobian: JacobianSpectra
    layers: tuple[LayerSpectrum, ...]
    tolerance: Tolerance

    def record(self) -> dict[str, Any]:
        """The profile as plain JSON values, with the per-point spectra summarised by their quantiles."""
        relative = self.jacobian.relative()
        low, median, high = relative.quantile(torch.tensor([0.05, 0.5, 0.95], dtype=relative.dtype), dim=0)
        counts = self.jacobian.ranks(self.tolerance).bincount()
        return {
            "jacobian_rank": self.jacobian_rank.lower,
            "jacobian_rank_upper": self.jacobian_rank.upper,
            "jacobian_evidence": self.jacobian_rank.evidence[0],
            "bottleneck_rank": self.bottleneck_rank.upper,
            "bottleneck_rank_lower": self.bottleneck_rank.lower,
            "bottleneck_evidence": self.bottleneck_rank.evidence[1],
            "bottleneck_layer": self.bottleneck_layer,
            "bottleneck_error": self.bottleneck_error,
            "bottleneck_changes": list(self.changes),
            "norm_per_depth": self.norm_per_depth,
            "cost_lower": self.cost_lower,
            "tolerance": self.tolerance.relative,
            "jacobian": {
                "points": len(relative),
                "low": low.tolist(),
                "median": median.tolist(),
                "high": high.tolist(),
                "rank_counts": {str(r): int(c) for r, c in enumerate(counts.tolist()) if c},
            },
            "layers": [asdict(layer) for layer in self.layers],
        }


def measure(model: Model, x: object, *, tolerance: Tolerance = DEFAULT_TOLERANCE, points: int = 500) -> RankProfile:
    """Every measurement of `model` over the rows of `x`.

    Args:
        model: A network, a standardised network (measured in standard units) or a torch module that converts. It is
            not modified.
        x: `(n, d_in)` in the units the model takes.
        tolerance: Which relative sizes count as zero.
        points: At how many rows, evenly spaced, the Jacobian is taken.

    Raises:
        NonFiniteError, ShapeError, DtypeError: If `x` is not a finite matrix that fits the model.
        UnsupportedModuleError: If a torch module cannot be converted exactly.

    Source:
        Jacot (2023), definitions of the ranks, Proposition 3, experiment on rank recovery.
    """
    network, inputs = as_network(model, x)
    with flushed_denormals(), torch.no_grad():
        spectra = jacobian_spectra(network, spaced(inputs, points))
        found = narrowings(network, inputs, until=tolerance.relative, extra=2)
        best = chosen(found, tolerance)
        jacobian = rank_over_points(spectra.ranks(tolerance), min(network.widths), tolerance)
        return RankProfile(
            jacobian_rank=jacobian,
            bottleneck_rank=bracket(jacobian, found, tolerance),
            bottleneck_layer=best.truncation.layer,
            bottleneck_error=best.change,
            changes=tuple(n.change for n in found),
            norm_per_depth=network.norm_per_depth,
            cost_lower=float(spectra.schatten(2.0 / network.depth).max()),
            jacobian=spectra,
            layers=tuple(layer_spectra(network, inputs)),
            tolerance=tolerance,
        )
