r"""The domain Ω of a cost: finitely many convex polytopes on each of which f is affine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from isthmus.errors import DomainError
from isthmus.foundation.progress import Report, silent
from isthmus.networks import FullyConnected
from isthmus.regions import enumerate_regions
from isthmus.spectra import jacobians, spaced

_THIN = 1e-9  # a region thinner than this share of the domain has its shape from rounding: it decides nothing
_NUDGES = 8  # points tried around a row: trained networks have kinks in the rows themselves
_NUDGE = 1e-3  # how far they lie from it, in units of the spread of each column
_REACH = 1e-2  # largest size of a neighbourhood in the same units
_NARROWEST = 1e-7  # a neighbourhood smaller than this has its shape from rounding
_MOST_NUMBERS = 20_000_000  # of the corners of all neighbourhoods together: 160 MB
_SLACK = 1e-9  # signs within this of the largest are rounding
_FLOOR = 1e-12  # of errors of functions that are zero

DEFAULT_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Patches:
    r"""Ω as a union of convex polytopes, the *patches*, on each of which f is affine.

    What holds for affine functions at the corners of a patch holds on all of it. So a network computes f on Ω if it
    has f's values at all corners and none of its neurons changes its sign inside a patch; and the Jacobian of f takes
    finitely many values on Ω, one a patch.

    A network that was trained in single precision is a function to about 1e-7 only, so costs are those of f *to a
    tolerance* ε: of the cheapest function that differs from f by at most ε max |f| in value and ε max ‖Jf‖ in Jacobian.

    Attributes:
        network: f, float64 on the CPU.
        corners: Corners of all patches, `(V, d)` float64, each once.
        members: Rows of `corners`, patch after patch, `(Σ,)`.
        offsets: Patch i has the members `offsets[i]` to `offsets[i + 1]`, `(P + 1,)`.
        centres: An interior point of each patch that is not thinner than rounding, `(C, d)`.
        name: Ω in words.
        is_box: Whether Ω is a whole box, and connected.
        tolerance: ε.
    """

    network: FullyConnected
    corners: Tensor
    members: Tensor
    offsets: Tensor
    centres: Tensor
    name: str
    is_box: bool
    tolerance: float = DEFAULT_TOLERANCE

    @staticmethod
    def of_box(
        network: FullyConnected,
        box: tuple[object, object],
        *,
        tolerance: float = DEFAULT_TOLERANCE,
        report: Report = silent,
    ) -> Patches:
        """All linear regions of f on a box.

        Raises:
            As `enumerate_regions`.
        """
        regions = enumerate_regions(network, box, report=report)
        is_solid = regions.inner_radii > _THIN * regions.extent
        name = f"the box, all {len(regions)} linear regions"
        return Patches(
            network,
            torch.from_numpy(np.ascontiguousarray(regions.vertices)),
            torch.from_numpy(regions.corners.astype(np.int64)),
            torch.from_numpy(regions.offsets.astype(np.int64)),
            torch.from_numpy(regions.interior_points[is_solid]),
            name,
            True,
            tolerance,
        )

    @staticmethod
    def around(
        network: FullyConnected,
        x: Tensor,
        *,
        points: int = 500,
        seed: int = 0,
        tolerance: float = DEFAULT_TOLERANCE,
    ) -> Patches:
        r"""A small simplex inside the linear region of each row of `x` (of at most `points` of them, evenly spaced).

        A row at a kink of f has no region to itself: it is nudged by up to 1e-3 of the spread of each column, to where
        the neurons are furthest from their kinks. Ω is the union of these neighbourhoods, nothing between the rows.

        Args:
            network: f, float64 on the CPU.
            x: `(n, d_in)`.
            points: At most so many rows.
            seed: Draws the nudges.
            tolerance: ε.

        Raises:
            DomainError: If no row has a neighbourhood that double precision can tell from a point.
        """
        d = network.d_in
        rows = spaced(x.double().cpu(), max(1, min(points, _MOST_NUMBERS // (d * (d + 1)))))
        spread = rows.std(0, correction=0)
        spread = torch.where(spread > 0, spread, rows.abs().amax(0).clamp_min(1.0))
        centres, radii = _clearest(network, rows, spread, torch.Generator().manual_seed(seed))
        is_wide = radii > _NARROWEST
        if not bool(is_wide.any()):
            raise DomainError(
                "Every row lies on a kink of the function, as far as double precision can tell, so none has a "
                "neighbourhood on which it is affine. Pass other rows, or a box."
            )
        centres, radii = centres[is_wide], radii[is_wide]
        steps = torch.cat([torch.zeros(1, d).double(), torch.diag(spread)]) - spread / (d + 1)
        corners = (centres[:, None] + radii[:, None, None] * steps).reshape(-1, d)
        count = len(centres)
        return Patches(
            network,
            corners,
            torch.arange(len(corners)),
            torch.arange(0, len(corners) + 1, d + 1),
            centres,
            f"neighbourhoods of {count} row{'s' * (count != 1)}",
            False,
            tolerance,
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def values(self) -> Tensor:
        """f at the corners, `(V, d_out)`."""
        return self.network(self.corners)

    @cached_property
    def jacobians(self) -> Tensor:
        """Jf at the centres, `(C, d_out, d_in)`."""
        return jacobians(self.network, self.centres)

    @cached_property
    def value_error(self) -> float:
        """ε max |f|, or what rounding makes of it."""
        return max(self.tolerance * float(self.values.norm(dim=1).max()), _FLOOR)

    @cached_property
    def jacobian_error(self) -> float:
        """ε max ‖Jf‖ in the spectral norm, or what rounding makes of it."""
        return max(self.tolerance * float(torch.linalg.matrix_norm(self.jacobians, 2).max()), _FLOOR)

    @property
    def is_constant(self) -> bool:
        """Whether f is constant on Ω, to the tolerance."""
        centred = self.values - self.values.mean(0)
        is_level = float(torch.linalg.matrix_norm(self.jacobians, 2).max()) <= self.jacobian_error
        return is_level and float(centred.norm(dim=1).max()) <= self.value_error

    def is_computed_by(self, other: FullyConnected) -> bool:
        """Whether `other` is f on Ω to the tolerance: at the corners, affine on every patch, and in its Jacobians."""
        values = torch.cat([other(self.corners) - self.values, other(self.centres) - self.network(self.centres)])
        if float(values.norm(dim=1).max()) > self.value_error:
            return False
        if not all(self._is_constant_in_sign(z) for z in self._pre_activations(other)):
            return False
        difference = jacobians(other, self.centres) - self.jacobians
        return float(torch.linalg.matrix_norm(difference).max()) <= self.jacobian_error

    def _pre_activations(self, network: FullyConnected) -> Iterator[Tensor]:
        return iter([] if network.activation.is_linear else network.pre_activations(self.corners)[:-1])

    def _is_constant_in_sign(self, z: Tensor) -> bool:
        slack = max(self.tolerance, _SLACK) * float(z.abs().max())
        numbers, begins = z[self.members].numpy(), self.offsets[:-1].numpy()
        is_above = np.minimum.reduceat(numbers, begins) >= -slack
        is_below = np.maximum.reduceat(numbers, begins) <= slack
        return bool((is_above | is_below).all())


def _clearest(
    network: FullyConnected, rows: Tensor, spread: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """For each row the point among it and its nudges that is furthest from all kinks, and how far in `spread`."""
    best, radii = rows, _clearances(network, rows, spread)
    for _ in range(_NUDGES):
        nudge = torch.rand(rows.shape, generator=generator, dtype=torch.float64) * 2.0 - 1.0
        tried = rows + _NUDGE * spread * nudge
        found = _clearances(network, tried, spread)
        # A row that has room is kept: nudges are for those at a kink.
        is_better = (found > radii) & (radii < 0.1 * _NUDGE)
        best = torch.where(is_better[:, None], tried, best)
        radii = torch.where(is_better, found, radii)
    return best, (0.5 * radii).clamp_max(_REACH)


def _clearances(network: FullyConnected, x: Tensor, spread: Tensor) -> Tensor:
    r"""How far each row may move, $\|\delta / \text{spread}\|_2$, before a pre-activation changes its sign, `(n,)`."""
    distances = torch.full((len(x),), torch.inf, dtype=torch.float64)
    if network.activation.is_linear:
        return distances
    for begin in range(0, len(x), 64):
        rows = x[begin : begin + 64]
        jacobian = torch.diag(spread).expand(len(rows), -1, -1)
        for layer, z in enumerate(network.pre_activations(rows)[:-1]):
            jacobian = network.weights[layer] @ jacobian
            gradient = jacobian.norm(dim=2)
            nearest = torch.where(gradient > 0, z.abs() / gradient.clamp_min(1e-300), torch.inf).amin(1)
            distances[begin : begin + 64] = torch.minimum(distances[begin : begin + 64], nearest)
            jacobian = network.activation.derivative(z)[:, :, None] * jacobian
    return distances
