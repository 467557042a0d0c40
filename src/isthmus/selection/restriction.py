r"""A network through fewer and fewer numbers: for each k narrowed from the one before and trained on."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from isthmus.factorization.constrained_fit import refit
from isthmus.foundation.progress import Report, silent
from isthmus.networks import FullyConnected
from isthmus.selection.isomap_start import MOST_UNFOLDED, isomap_start
from isthmus.spectra import BalancedTruncation, balanced_truncations, truncated
from isthmus.training import Objective, Proceed, constant_loss

EVALUATIONS = 20  # enough to heal what narrowing cuts; more fits the training rows through too few numbers
_UNTOUCHED = 5e-4  # relative rise of the objective up to which a narrowed network is as good as the one before
_SUFFICIENT = 0.02  # of what the network gains on a constant: numbers that lose less of it are about enough
_MOST = 6  # times as many evaluations, where they are worthwhile
_NEARLY, _WORTHWHILE = 0.3, 0.2  # of what the network gains, the gap that may be closed; of the gap, what must be
_POINTS = 100  # at which the network is differentiated to order the directions of a layer
_UNFOLDING = 150  # evaluations: it starts further away
_RIDGES = 1e-3, 1e-2  # least and most λ of its start


@dataclass(frozen=True, eq=False)
class RestrictedNetwork:
    r"""A network that factors through $\mathbb R^k$.

    Attributes:
        rank: k.
        layer: ℓ, where it is narrow: rank W_{ℓ+1} ≤ k.
        network: In the units of the objective's rows, of the depth of the network it came from.
        value: Its objective, in float64.
    """

    rank: int
    layer: int
    network: FullyConnected
    value: float


def restrict_to_ranks(
    network: FullyConnected,
    objective: Objective,
    *,
    most: int,
    least: int = 1,
    evaluations: int = EVALUATIONS,
    report: Report = silent,
) -> list[RestrictedNetwork]:
    r"""Networks through k = `most`, …, `least` numbers, ascending in k.

    For each k, from above, both the whole network and the one through k + 1 are narrowed at each layer (`truncated`);
    the result of lowest objective is trained on under the constraint (`refit`), unless narrowing has changed nothing;
    for longer where k + 1 numbers are enough and k are nearly, while that helps.
    Where k ≤ 3 numbers are not enough and k + 1 are, the sheet of the outputs is unfolded (`isomap_start`); the result
    is taken if k numbers are about enough then.

    Args:
        network: f, trained on `objective`.
        objective: What to minimise, with its rows in the network's units.
        most: Largest k; fewer where no layer carries as many coordinates.
        least: Smallest k.
        evaluations: Gradient evaluations of each refit; of the longer ones up to six times as many more.
        report: Told the fraction done.
    """
    x, targets = objective.sample()
    whole, constant = objective.value(network), constant_loss(targets, objective.weights)
    sufficient = whole + _SUFFICIENT * (constant - whole)
    starts = _cuts(network, x)
    most = min(most, max(t.rank for _, t in starts))
    found: list[RestrictedNetwork] = []
    for k in range(most, least - 1, -1):
        report((most - k) / most, f"through {k} numbers")
        before = _cuts(found[-1].network, x) if found else []
        cut = [(truncated(f, t, k), t.layer) for f, t in starts + before if t.rank >= k]
        value, narrow, layer = min(((objective.value(f), f, layer) for f, layer in cut), key=lambda each: each[0])
        is_doubtful = (found[-1].value if found else whole) <= sufficient  # one number more is enough: are these?
        if value > (1.0 + _UNTOUCHED) * whole:
            narrow = refit(narrow, layer, k, objective, evaluations=evaluations)
            value = objective.value(narrow)
        if is_doubtful and k <= MOST_UNFOLDED and value > sufficient:
            ridge = min(max(objective.ridge / constant, _RIDGES[0]), _RIDGES[1])
            unfolded = _unfolded(network, k, objective, ridge)
            # A sheet of more dimensions can be swept by fewer numbers, which fits its points and no others.
            if unfolded is not None and unfolded.value < sufficient:
                narrow, layer, value = unfolded.network, unfolded.layer, unfolded.value
        is_near = (1.0 + _UNTOUCHED) * whole < value < whole + _NEARLY * (constant - whole)
        if is_doubtful and is_near:
            patience = _patience(whole, value, evaluations)
            narrow = refit(narrow, layer, k, objective, evaluations=_MOST * evaluations, proceed=patience)
            value = objective.value(narrow)
        found.append(RestrictedNetwork(k, layer, narrow, value))
    return found[::-1]


def _cuts(network: FullyConnected, x: torch.Tensor) -> list[tuple[FullyConnected, BalancedTruncation]]:
    """The network with what orders the directions of each of its layers."""
    return [(network, t) for t in balanced_truncations(network, x, points=_POINTS, dtype=torch.float32)]


def _unfolded(network: FullyConnected, rank: int, objective: Objective, ridge: float) -> RestrictedNetwork | None:
    """The network through coordinates along the sheet of its outputs; None where there is none of k dimensions."""
    start = isomap_start(network, objective.sample()[0], rank, ridge=ridge)
    if start is None:
        return None
    found = refit(start.network, start.layer, rank, objective, evaluations=_UNFOLDING)
    return RestrictedNetwork(rank, start.layer, found, objective.value(found))


def _patience(whole: float, value: float, evaluations: int) -> Proceed:
    """Whether a narrowed network is worth more training: while every so many evaluations close a share of its gap.

    A sheet that is bent is unfolded so, which takes long. What too few numbers learn with time are the training rows.
    """
    due, before = evaluations, value

    def proceed(done: int, value: float) -> bool:
        nonlocal due, before
        if done < due:
            return True
        gap, fall = value - whole, before - value
        due, before = due + evaluations, value
        return gap > _UNTOUCHED * whole and fall > _WORTHWHILE * gap

    return proceed
