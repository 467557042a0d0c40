"""Through how few coordinates of one layer a network can be passed without changing it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import FullyConnected
from isthmus.spectra.jacobian import spaced
from isthmus.spectra.rank_estimate import RankEstimate
from isthmus.spectra.truncation import BalancedTruncation, balanced_truncations, truncated
from isthmus.spectra.units import is_spread

_EVERY = 32  # up to this k every one is tried when only the smallest sufficient one is looked for
_ROWS = 2000  # every k is tried at every layer, so the rows are limited
_FEWEST_ROWS, _PRODUCTS = 300, 10**9  # of very wide networks to fewer, by multiplications of one evaluation there


@dataclass(frozen=True, eq=False)
class TruncationPoint:
    r"""The best projection of f on k coordinates of one layer.

    Attributes:
        rank: k.
        truncation: The layer and its coordinates.
        change: $\|f - f_k\| / \|f - \bar f\|$ over the rows, root mean squares; 0 where f is constant and kept.
    """

    rank: int
    truncation: BalancedTruncation
    change: float


class _Trial:
    """Tries a rank at every layer of a network, over some rows."""

    def __init__(self, network: FullyConnected, x: Tensor) -> None:
        self._network, self._x = network, x
        self._outputs = network(x).double()
        self._spread = float((self._outputs - self._outputs.mean(0)).square().sum())
        self._truncations = balanced_truncations(network, x)
        self.largest = max(t.rank for t in self._truncations)

    def __call__(self, rank: int) -> TruncationPoint:
        """The layer at which keeping so many coordinates changes f least."""
        best: TruncationPoint | None = None
        for truncation in self._truncations:
            narrowed = truncated(self._network, truncation, rank)(self._x).double()
            difference = float((narrowed - self._outputs).square().sum())
            change = (difference / self._spread) ** 0.5 if self._spread > 0 else 0.0
            if best is None or change < best.change:
                best = TruncationPoint(rank, truncation, change)
        assert best is not None  # a network has at least one layer
        return best


def tried_rows(network: FullyConnected) -> int:
    """On how many rows, evenly spaced, truncations of a network are compared for its bottleneck rank."""
    return min(_ROWS, max(_FEWEST_ROWS, _PRODUCTS // network.parameter_count))


def truncation_curve(
    network: FullyConnected, x: Tensor, *, until: float, extra: int = 0, most: int | None = None
) -> list[TruncationPoint]:
    """For k = 0, 1, 2, … the layer at which keeping k coordinates changes f least over the rows of `x`.

    Stops `extra` ranks after the change has fallen to `until`, at k = `most`, or when no layer has more coordinates.

    Args:
        network: Any network.
        x: `(n, d_in)`, in the network's units; at most 2,000 rows, evenly spaced, are used to compare.
        until: Relative change; negative never stops.
        extra: How many further k to report.
        most: Largest k to report.
    """
    return _ascending(_Trial(network, spaced(x, _ROWS)), until, extra, most)


def _ascending(trial: _Trial, until: float, extra: int, most: int | None) -> list[TruncationPoint]:
    found: list[TruncationPoint] = []
    for rank in range(min(trial.largest, trial.largest if most is None else most) + 1):
        found.append(trial(rank))
        if len(found) > extra and found[-1 - extra].change <= until:
            break
    return found


def located_truncation_curve(network: FullyConnected, x: Tensor, *, until: float, extra: int) -> list[TruncationPoint]:
    """As `truncation_curve`, but for wide networks of large rank only some k: every k costs a pass through every layer.

    k = 0, 1, … 32 are all tried; from there on k doubles until the change has fallen to `until`, and is bisected, which
    assumes that a larger k is no worse. `extra` further k follow.

    Args:
        network: Any network.
        x: `(n, d_in)`, in the network's units.
        until: Relative change of f.
        extra: How many k to report after the one that was found.
    """
    trial = _Trial(network, spaced(x, _ROWS))
    found = _ascending(trial, until, extra, _EVERY)
    if len(found) <= _EVERY or found[-1].change <= until or trial.largest <= _EVERY:
        return found
    by_rank = {each.rank: each for each in found}

    def is_enough(rank: int) -> bool:
        if rank not in by_rank:
            by_rank[rank] = trial(rank)
        return by_rank[rank].change <= until

    low, high = _EVERY, min(2 * _EVERY, trial.largest)
    while not is_enough(high) and high < trial.largest:
        low, high = high, min(2 * high, trial.largest)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    for rank in range(high, min(high + extra, trial.largest) + 1):
        is_enough(rank)
    return [by_rank[rank] for rank in sorted(by_rank)]


def bracket(jacobian: RankEstimate, best: TruncationPoint | None, narrowest: int, why_not: str) -> RankEstimate:
    """The bracket of Rank_BN that the Jacobian's rank and the best truncation give, or `why_not` there is none."""
    upper, said = narrowest, f"the narrowest layer has width {narrowest}; {why_not}"
    if best is not None:
        upper = best.rank
        said = (
            f"keeping {upper} coordinates at layer {best.truncation.layer} changes f by {best.change:.2%} of its "
            "spread over the data (exhibited)"
        )
    return RankEstimate(min(jacobian.lower, upper), upper, jacobian.tolerance, (jacobian.evidence[0], said))


def why_not_shown(
    rank: int | None, narrowest: int, jacobian: RankEstimate, outputs: Tensor, noise: Tensor | None = None
) -> str:
    """Why `outputs` `(n, d_out)` cannot show that f passes through `rank` numbers; empty where they can.

    n rows lie in n − 1 dimensions whatever f is, and beside outputs that do not vary no change of f is small.

    Args:
        rank: Of the smallest factorisation within the tolerance; None where there is none.
        narrowest: Through how many numbers f passes in any case.
        jacobian: Its Jacobian's rank.
        outputs: f at the rows.
        noise: Of each output `(d_out,)`, from which its spread must be told.
    """
    rows = f"{len(outputs)} row{'s' * (len(outputs) != 1)}"
    if jacobian.lower > 0 and not is_spread(outputs, noise):
        beyond = "" if noise is None else " by more than noise"
        return f"over {rows} the outputs do not vary{beyond}, so that no projection can show less"
    if rank is None or rank >= narrowest:
        return "no projection on these rows shows less"
    if rank >= len(outputs) - 1:
        return f"{rows} lie in {max(len(outputs) - 1, 0)} dimensions whatever f is, so that they cannot show less"
    return ""


def within(jacobian: RankEstimate, bottleneck: RankEstimate) -> RankEstimate:
    """The bracket of Rank_J of the functions within the tolerance of f, which Rank_J ≤ Rank_BN holds for as well.

    Where fewer numbers than the Jacobian has large singular values already keep f within the tolerance, a function that
    counts as f has a smaller Jacobian rank, and the lower end is that number.
    """
    if jacobian.lower <= bottleneck.upper:
        return jacobian
    said = (
        f"{jacobian.evidence[0]}; but a function within {jacobian.tolerance:g} of this one passes through "
        f"{bottleneck.upper} number{'s' * (bottleneck.upper != 1)}, so its Jacobian has rank {bottleneck.upper} at most"
    )
    return replace(jacobian, lower=bottleneck.upper, evidence=(said, *jacobian.evidence[1:]))


def chosen(found: list[TruncationPoint], tolerance: Tolerance) -> TruncationPoint:
    """The first truncation whose change is within `tolerance`, or the last one."""
    return next((n for n in found if n.change <= tolerance.relative), found[-1])
