"""All measurements of a trained network in one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from isthmus.foundation.show import show, show_html, show_page
from isthmus.foundation.tolerance import Tolerance
from isthmus.spectra.dataframe import data_frame
from isthmus.spectra.isometry import BottleneckCertificate
from isthmus.spectra.layer_spectrum import LayerSpectrum
from isthmus.spectra.point_spectra import JacobianSpectra
from isthmus.spectra.rank_estimate import RankEstimate
from isthmus.spectra.tolerance_curve import RankCurve

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

Method = Literal["chain", "local", "differences"]


@dataclass(frozen=True, eq=False)
class RankProfile:
    r"""What a network does between its inputs and its outputs, over some data.

    Attributes:
        model: What was measured: a class, or the name of a file.
        method: "chain" where the network is affine maps and one positively homogeneous activation, so that its norm
            and its linear regions mean something; "local" where only derivatives at points were taken, "differences"
            where even these are differences of values.
        rows: How many rows the layers were measured on.
        jacobian_rank: Bracket of Rank_J of the functions within the tolerance, within that of Rank_BN; the count
            of singular values at the points is in the evidence and in `jacobian`.
        bottleneck_rank: Bracket of Rank_BN at the tolerance.
        bottleneck_layer: ℓ, the layer whose activations carry the bottleneck (0: the inputs).
        bottleneck_place: Its name, where the model names its parts.
        bottleneck_error: Relative change of f when only `bottleneck_rank.upper` coordinates are kept there; None where
            no projection shows less than the narrowest width.
        changes: The same for every k that was tried, each at its best layer, ascending in k.
        norm_per_depth: ‖w‖²/L, above R(f; L)/L; None where the method is local.
        cost_lower: Proposition 3's bound, below R(f; L)/L: the largest $\sum_i s_i(Jf(x))^{2/L}$ over the points; None
            where the network is not a chain.
        cost_row: The row of the data at which that bound is reached.
        jacobian: Singular values of the Jacobian at the points.
        points: The rows of the data at which they were taken, `(n,)`.
        curve: Rank as a function of the tolerance.
        layers: Spectra and nonlinearity impact, in the order of the layers.
        tolerance: What counts as zero.
        certificate: Partial isometries of one rank that the layers are near to, and a bound on their distances; None
            where the method is local or the Jacobian vanishes.
        kernel_per_depth: Tr Θ(x, x)/L of the neural tangent kernel, the mean over at most 100 of the points; None where
            the method is local.
        notes: What a reader must know beside it, one sentence each: whether the model is that of its file, and so on.
        units: In what inputs and outputs are counted, in `jacobian`, in the ranks and in `changes`; norm, cost and
            layers are those of the model as it is.

    Example:
        >>> import torch
        >>> from isthmus import measure
        >>> f = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU(), torch.nn.Linear(2, 3))
        >>> profile = measure(f, torch.randn(100, 4))
        >>> profile.method, profile.bottleneck_rank.upper <= 2, len(profile.layers)
        ('chain', True, 2)
    """

    model: str
    method: Method
    rows: int
    jacobian_rank: RankEstimate
    bottleneck_rank: RankEstimate
    bottleneck_layer: int
    bottleneck_place: str
    bottleneck_error: float | None
    changes: Mapping[int, float]
    norm_per_depth: float | None
    cost_lower: float | None
    cost_row: int | None
    jacobian: JacobianSpectra
    points: Tensor
    curve: RankCurve
    layers: tuple[LayerSpectrum, ...]
    tolerance: Tolerance
    notes: tuple[str, ...] = ()
    certificate: BottleneckCertificate | None = None
    kernel_per_depth: float | None = None
    units: str = ""

    @property
    def certified_share(self) -> float | None:
        """The share of layers within the tolerance of the isometry exhibited; None without a certificate."""
        return None if self.certificate is None else self.certificate.certified_share(self.tolerance.relative)

    @property
    def energies(self) -> tuple[float, ...]:
        r"""$-2H/L = \text{cost of identity} - \text{kinetic energy}$ of each hidden layer that has both.

        Along an optimal path of infinite depth H is conserved; how far these numbers drift tells how far this network
        is from one.
        """
        return tuple(
            layer.cost_of_identity - layer.kinetic_energy
            for layer in self.layers
            if layer.cost_of_identity is not None and layer.kinetic_energy is not None
        )

    def record(self) -> dict[str, Any]:
        """The profile as plain JSON values, with the per-point spectra summarised by their quantiles."""
        relative = self.jacobian.relative()
        low, median, high = relative.quantile(torch.tensor([0.05, 0.5, 0.95], dtype=relative.dtype), dim=0)
        counts = self.jacobian.ranks(self.tolerance).bincount()
        return {
            "method": self.method,
            "rows": self.rows,
            "jacobian_rank": self.jacobian_rank.lower,
            "jacobian_rank_upper": self.jacobian_rank.upper,
            "jacobian_evidence": self.jacobian_rank.evidence[0],
            "bottleneck_rank": self.bottleneck_rank.upper,
            "bottleneck_rank_lower": self.bottleneck_rank.lower,
            "bottleneck_evidence": self.bottleneck_rank.evidence[1],
            "bottleneck_layer": self.bottleneck_layer,
            "bottleneck_place": self.bottleneck_place,
            "bottleneck_error": self.bottleneck_error,
            "bottleneck_changes": list(self.changes.values()),
            "bottleneck_change_ranks": list(self.changes),
            "norm_per_depth": self.norm_per_depth,
            "cost_lower": self.cost_lower,
            "cost_row": self.cost_row,
            "tolerance": self.tolerance.relative,
            "certificate": _plain_certificate(self.certificate, self.tolerance),
            "certified_share": self.certified_share,
            "kernel_per_depth": self.kernel_per_depth,
            "jacobian": {
                "points": len(relative),
                "low": low.tolist(),
                "median": median.tolist(),
                "high": high.tolist(),
                "rank_counts": {str(r): int(c) for r, c in enumerate(counts.tolist()) if c},
                "is_sketched": self.jacobian.upper is not None,
                "is_leading": self.jacobian.is_leading,
            },
            "curve": _plain_curve(self.curve),
            "layers": [_plain_layer(layer) for layer in self.layers],
            "notes": list(self.notes),
            "units": self.units,
        }

    def save(self, folder: str | Path) -> Path:
        """Write `profile.json` and `profile.safetensors` into `folder`, each atomically, and return the folder."""
        from isthmus.spectra.profile_storage import save_profile

        return save_profile(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> RankProfile:
        """The profile that `save` wrote.

        Raises:
            FileMissingError, FileFormatError: If it is not there, damaged, or not a profile.
        """
        from isthmus.spectra.profile_storage import load_profile

        return load_profile(Path(folder))

    def to_frame(self) -> pd.DataFrame:
        """One row a layer: number, name, largest singular values, ranks at the tolerance, nonlinearity impact.

        Raises:
            MissingExtraError: If pandas is not installed.
        """
        return data_frame([layer.summary(self.tolerance) for layer in self.layers], "layers", index="layer")

    def plot(self, what: str = "jacobian") -> go.Figure:
        """A plotly figure: "jacobian", "curve", "narrowing", "weights", "activations" or "nonlinearity".

        Raises:
            OptionError: If it is none of these.
        """
        return show(self, what)

    def report(self, path: str | Path) -> Path:
        """Write the page `isthmus measure --report` writes, one self-contained HTML file, and return its path."""
        return show_page(self, Path(path))

    def _repr_html_(self) -> str:
        return show_html(self)


def _plain_layer(layer: LayerSpectrum) -> dict[str, Any]:
    plain = asdict(layer)
    if not layer.name:
        del plain["name"]
    return plain


def _plain_certificate(certificate: BottleneckCertificate | None, tolerance: Tolerance) -> dict[str, Any] | None:
    """All but the distances, which stand beside the layers."""
    if certificate is None:
        return None
    plain = asdict(certificate)
    del plain["distances"]
    return {**plain, "guaranteed_share": certificate.guaranteed_share(tolerance.relative)}


def _plain_curve(curve: RankCurve) -> dict[str, Any]:
    return {**asdict(curve), "resampled": {str(k): share for k, share in curve.resampled.items()}}
