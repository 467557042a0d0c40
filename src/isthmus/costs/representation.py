r"""The representation cost of a function at a depth, as a bracket: the front door, where everything is checked."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch

from isthmus.costs.interval import CostBound, CostInterval
from isthmus.costs.lower import lower_bounds, visible_ranks
from isthmus.costs.patches import DEFAULT_TOLERANCE, Patches
from isthmus.costs.steepest import steepest_points
from isthmus.costs.upper import Candidates, narrowest_split, upper_bounds
from isthmus.errors import DomainError, OptionError
from isthmus.foundation.progress import Report, part, silent
from isthmus.networks import StandardizedNetwork
from isthmus.regions import piecewise_linear
from isthmus.regions.enumeration import MOST_DIMENSIONS, checked_box
from isthmus.spectra import Model, as_network

DEFAULT_POINTS = 100
_DEEP = 10_000  # where a search for the limit looks


def representation_cost(
    model: Model,
    x: object = None,
    *,
    depth: int,
    box: tuple[object, object] | None = None,
    points: int = DEFAULT_POINTS,
    search: int = 0,
    tolerance: float = DEFAULT_TOLERANCE,
    seed: int = 0,
    report: Report = silent,
) -> CostInterval:
    r"""A bracket of $R(f; \Omega, \sigma, L)/L$, with a proof of the lower end and a network at the upper end.

    $$R(f; \Omega, \sigma, L) = \min_{w:\, F_w|_\Omega = f|_\Omega} \|w\|^2$$

    over networks of depth L and any width, all weights and biases counted. Ω is a box, of which all linear regions are
    used, or the union of small neighbourhoods of the rows of `x`. The lower end holds for every larger domain too.

    Args:
        model: f: a network, a RUN's network, or a torch module that converts exactly. Its own activation is σ. A
            standardised network is measured in its standardised units, like `measure` does.
        x: Rows `(n, d_in)`, in the units of the data.
        depth: L ≥ 1.
        box: Instead of `x`, the lower and the upper bound of Ω, each a number or one a dimension, in at most six
            dimensions.
        points: At most so many rows of `x`, evenly spaced.
        search: Rounds of a search for points near the rows at which the lower bound is higher; their
            neighbourhoods are added to Ω.
        tolerance: ε: functions that differ from f by less than ε max |f| in value and ε max ‖Jf‖ in Jacobian count as
            f, at both ends. A network in single precision is not known better than to 1e-7; a larger ε asks
            for the cost of what f is about.
        seed: Of the search.
        report: Told the fraction done.

    Returns:
        The bracket; its upper end is infinite where no network of depth L is known, such as below the depth of f.

    Raises:
        OptionError: If `depth` is below 1, or `tolerance` not between 0 and 1.
        DomainError: If neither or both of `x` and `box` are given, or the domain cannot be used.
        UnsupportedModuleError: If the model is not a chain of affine maps and one homogeneous activation.
        ShapeError, DtypeError, NonFiniteError: If `x` does not fit.

    Source:
        Jacot (2023), definition of the representation cost, Proposition 3 and the proof of Theorem 1.

    Example:
        >>> import torch
        >>> from isthmus import representation_cost
        >>> from isthmus.networks import affine
        >>> f = affine(torch.tensor([[2.0, 0.0], [0.0, 0.0]]).double(), torch.zeros(2).double())
        >>> cost = representation_cost(f, torch.eye(2), depth=100)
        >>> cost.lower <= 2 ** (2 / 100) <= cost.upper * (1 + 1e-9)  # rank 1, singular value 2
        True
    """
    return representation_costs(
        model,
        x,
        depths=[depth],
        box=box,
        points=points,
        search=search,
        tolerance=tolerance,
        seed=seed,
        report=report,
    )[0]


def representation_costs(
    model: Model,
    x: object = None,
    *,
    depths: Iterable[float],
    box: tuple[object, object] | None = None,
    points: int = DEFAULT_POINTS,
    search: int = 0,
    tolerance: float = DEFAULT_TOLERANCE,
    seed: int = 0,
    report: Report = silent,
) -> list[CostInterval]:
    """`representation_cost` at several depths; what does not depend on the depth is done once.

    `math.inf` among the depths stands for the limit of R/L: `cost_limit`. Ctrl-C after the first depth returns the
    brackets that are finished.
    """
    wanted = list(depths)
    for depth in wanted:
        if depth != math.inf and (isinstance(depth, bool) or not isinstance(depth, int) or depth < 1):
            raise OptionError("depth", depth, "a whole number from 1")
    if not wanted:
        raise OptionError("depths", wanted, "at least one depth")
    if search < 0 or (search and box is not None):
        raise OptionError("search", search, "at least 0, and 0 for a box, of which every region is known")
    patches = _patches(model, x, box, points, tolerance, seed, part(report, 0.0, 0.1))
    if search:
        at = min(wanted) if math.isfinite(min(wanted)) else _DEEP
        patches = _searched(patches, int(at), search, seed, part(report, 0.1, 0.2))
    candidates = Candidates.of(patches)
    intervals: list[CostInterval] = []
    try:
        for index, depth in enumerate(wanted):
            report(0.2 + 0.8 * index / len(wanted), f"depth {depth}")
            intervals.append(_at(patches, candidates, depth))
    except KeyboardInterrupt:
        if not intervals:
            raise
    return intervals


def cost_limit(
    model: Model,
    x: object = None,
    *,
    box: tuple[object, object] | None = None,
    points: int = DEFAULT_POINTS,
    tolerance: float = DEFAULT_TOLERANCE,
    seed: int = 0,
    report: Report = silent,
) -> CostInterval:
    r"""A bracket of $R_\infty(f; \Omega, \sigma) = \lim_{L \to \infty} R(f; \Omega, \sigma, L)/L$.

    From below the largest rank of the Jacobian on Ω, counting only singular values that are certainly not zero; for a
    negative slope |a| > 1 divided by a², since activations then do part of the weights' work. From above the
    fewest coordinates through which f is found to pass, with the network whose `at(L)` costs $k + O(1/L)$.

    Args:
        model: As for `representation_cost`.
        x: As for `representation_cost`.
        box: As for `representation_cost`.
        points: As for `representation_cost`.
        tolerance: As for `representation_cost`.
        seed: As for `representation_cost`.
        report: As for `representation_cost`.

    Raises:
        As `representation_cost`.

    Source:
        Jacot (2023), Theorem 1: Rank_J ≤ R_∞ ≤ Rank_BN.
    """
    return representation_costs(
        model, x, depths=[math.inf], box=box, points=points, tolerance=tolerance, seed=seed, report=report
    )[0]


def _at(patches: Patches, candidates: Candidates, depth: float) -> CostInterval:
    if math.isinf(depth):
        upper = narrowest_split(patches, candidates)
        return CostInterval(depth, patches.name, (_rank_bound(patches),), tuple(upper))
    lower = lower_bounds(
        patches.network,
        patches.centres,
        int(depth),
        jacobian_error=patches.jacobian_error,
        value_error=patches.value_error,
    )
    return CostInterval(depth, patches.name, tuple(lower), tuple(upper_bounds(patches, candidates, int(depth))))


def _rank_bound(patches: Patches) -> CostBound:
    network = patches.network
    ranks = visible_ranks(network, patches.centres, jacobian_error=patches.jacobian_error)
    first = int(ranks.argmax())
    return CostBound(
        int(ranks[first]) / max(1.0, abs(network.activation.negative_slope)) ** 2,
        "Jacobian rank",
        "Theorem 1: the rank of the Jacobian at the point given.",
        patches.centres[first],
    )


def _patches(
    model: Model,
    x: object,
    box: tuple[object, object] | None,
    points: int,
    tolerance: float,
    seed: int,
    report: Report,
) -> Patches:
    if (x is None) == (box is None):
        which = "Neither rows nor a box were" if x is None else "Both rows and a box were"
        raise DomainError(f"{which} given. A cost is that of a function on a domain: pass x=… or box=….")
    if points < 1:
        raise OptionError("points", points, "at least 1")
    if not 0.0 <= tolerance < 1.0:
        raise OptionError("tolerance", tolerance, "at least 0 and below 1")
    if box is not None:
        return _of_box(model, box, tolerance, report)
    network, rows = as_network(model, x)
    exact = network.to(dtype=torch.float64, device="cpu")
    return Patches.around(exact, rows, points=points, tolerance=tolerance, seed=seed)


def _searched(patches: Patches, depth: int, rounds: int, seed: int, report: Report) -> Patches:
    """The patches and neighbourhoods of the steepest points found near their centres."""
    found = steepest_points(patches.network, patches.centres, depth, rounds=rounds, seed=seed, report=report)
    both = torch.cat([patches.centres, found])
    return Patches.around(patches.network, both, points=len(both), tolerance=patches.tolerance, seed=seed)


def _of_box(model: Model, box: tuple[object, object], tolerance: float, report: Report) -> Patches:
    inputs = piecewise_linear(model.network if isinstance(model, StandardizedNetwork) else model).d_in
    if inputs > MOST_DIMENSIONS:
        raise DomainError(
            f"The network takes {inputs} inputs; a box is used whole, in at most {MOST_DIMENSIONS}. Pass rows in its "
            "place: the domain is then a neighbourhood of them."
        )
    if not isinstance(model, StandardizedNetwork):
        return Patches.of_box(piecewise_linear(model), box, tolerance=tolerance, report=report)
    corners = map(torch.from_numpy, checked_box(box, inputs))  # before they are in units that nobody has seen
    low, high = (model.inputs.forward(corner).numpy() for corner in corners)
    return Patches.of_box(piecewise_linear(model.network), (low, high), tolerance=tolerance, report=report)
