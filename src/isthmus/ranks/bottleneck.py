"""Through how few numbers can f be passed without changing it: the bottleneck rank at a tolerance."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from isthmus.functions import FullyConnected
from isthmus.ranks.estimate import RankEstimate
from isthmus.ranks.jacobian import jacobian_rank, spaced
from isthmus.ranks.model import Model, as_network
from isthmus.ranks.truncation import BalancedTruncation, balanced_truncations, truncated
from isthmus.tolerance import DEFAULT_TOLERANCE, Tolerance

_ROWS = 2000  # every k is tried at every layer, so the rows are limited


@dataclass(frozen=True, eq=False)
class Narrowing:
    r"""The best projection of f on k coordinates of one layer.

    Attributes:
        rank: k.
        truncation: The layer and its coordinates.
        change: $\|f - f_k\| / \|f - \bar f\|$ over the rows, root mean squares; 0 where f is constant and kept.
    """

    rank: int
    truncation: BalancedTruncation
    change: float


def narrowings(
    network: FullyConnected, x: Tensor, *, until: float, extra: int = 0, most: int | None = None
) -> list[Narrowing]:
    """For k = 0, 1, 2, … the layer at which keeping k coordinates changes f least over the rows of `x`.

    Stops `extra` ranks after the change has fallen to `until`, at k = `most`, or when no layer has more coordinates.

    Args:
        network: Any network.
        x: `(n, d_in)`, in the network's units; at most 2,000 rows, evenly spaced, are used to compare.
        until: Relative change; negative never stops.
        extra: How many further k to report.
        most: Largest k to report.
    """
    x = spaced(x, _ROWS)
    outputs = network(x).double()
    spread = float((outputs - outputs.mean(0)).square().sum())
    truncations = balanced_truncations(network, x)
    found: list[Narrowing] = []
    largest = max(t.rank for t in truncations)
    for rank in range(min(largest, largest if most is None else most) + 1):
        best: Narrowing | None = None
        for truncation in truncations:
            difference = float((truncated(network, truncation, rank)(x).double() - outputs).square().sum())
            change = (difference / spread) ** 0.5 if spread > 0 else 0.0
            if best is None or change < best.change:
                best = Narrowing(rank, truncation, change)
        assert best is not None  # a network has at least one layer
        found.append(best)
        if len(found) > extra and found[-1 - extra].change <= until:
            break
    return found


def bottleneck_rank(model: Model, x: object, *, tolerance: Tolerance = DEFAULT_TOLERANCE) -> RankEstimate:
    r"""Smallest k such that f is, up to `tolerance`, a composition $h \circ g$ through $\mathbb R^k$.

    $$\operatorname{Rank}_{BN}(f; \Omega) = \min \{k : f = h \circ g \text{ on } \Omega,\ g: \to \mathbb R^k\}$$

    Above: the smallest k for which a factorisation is exhibited, by keeping k coordinates of the best layer, that
    changes f by no more than `tolerance` relative to its spread over the data. Below: the Jacobian rank at the same
    tolerance, as Rank_J ≤ Rank_BN; where the two tolerances disagree (they weigh different things) the lower end is
    cut at the upper.

    Args:
        model: A network, a standardised network (measured in standard units) or a torch module that converts.
        x: `(n, d_in)` in the units the model takes.
        tolerance: Relative change of f, and relative size of a singular value, that counts as none.

    Returns:
        `[lower, upper]`, the tolerance, and the evidence for both ends.

    Raises:
        NonFiniteError, ShapeError, DtypeError: If `x` is not a finite matrix that fits the model.
        UnsupportedModuleError: If a torch module cannot be converted exactly.

    Source:
        Jacot (2023), definition of the bottleneck rank.
    """
    network, inputs = as_network(model, x)
    found = narrowings(network, inputs, until=tolerance.relative)
    return bracket(jacobian_rank(network, inputs, tolerance=tolerance), found, tolerance)


def bracket(jacobian: RankEstimate, found: list[Narrowing], tolerance: Tolerance) -> RankEstimate:
    """The bracket of Rank_BN that the Jacobian's rank and the `found` narrowings give."""
    upper = chosen(found, tolerance)
    exhibited = (
        f"keeping {upper.rank} coordinates at layer {upper.truncation.layer} changes f by {upper.change:.2%} of its "
        "spread over the data (exhibited)"
    )
    lower = min(jacobian.lower, upper.rank)
    return RankEstimate(lower, upper.rank, tolerance.relative, (jacobian.evidence[0], exhibited))


def chosen(found: list[Narrowing], tolerance: Tolerance) -> Narrowing:
    """The first narrowing whose change is within `tolerance`, or the last one."""
    return next((n for n in found if n.change <= tolerance.relative), found[-1])
