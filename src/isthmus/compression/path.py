"""From a chain to smaller and smaller ones that compute nearly the same on the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log
from typing import Generic

import torch

from isthmus.compression.affine_runs import Precision, multiplied_out, with_short_runs
from isthmus.compression.layer_statistics import layer_statistics
from isthmus.compression.layered import F, Layered
from isthmus.compression.linearising import linearised
from isthmus.compression.narrowing import narrowed, neuron_orders
from isthmus.compression.refitting import Targets, refitted
from isthmus.compression.weighted_rank import allocated_ranks, weighted_svds, with_ranks
from isthmus.errors import OptionError
from isthmus.networks.chain import Chain

Proposals = Callable[[F, Targets, int, torch.Generator], Iterator[tuple[F, str]]]
"""Smaller functions, in their own way each, and how they were made; of about so many numbers."""
_EXACT = Precision(torch.finfo(torch.float64).eps, 1.0)
_RATIO = 0.8  # of the size from one step to the next
_STEPS = 120  # of training after each step
_FINAL = 1000  # of training of the chain that is kept


@dataclass(frozen=True, eq=False)
class Step(Generic[F]):
    """A chain, or a graph with stretches, on the way.

    Attributes:
        chain: In float64.
        method: How it came from the one before: "exact folds", "rank k", "low rank", "fewer neurons" or
            "fewer layers".
        error: On the rows to choose by, relative to the spread of f there.
    """

    chain: F
    method: str
    error: float


def smaller_and_smaller(
    start: Step[F],
    targets: Targets,
    dtype: torch.dtype,
    generator: torch.Generator,
    proposals: Proposals[F],
    *,
    rank: int | None = None,
) -> Iterator[Step[F]]:
    """Chains smaller than the one before, by a fifth for the most part, until nothing smaller is found.

    At each step what `proposals` make of it is tried, each refitted on the rows. The one that adds least to the squared
    error on the rows to choose by, for each factor e that it is smaller, is gone on from. With a `rank` only those that
    are that narrow somewhere are.
    """
    step = start
    while True:
        wanted = int(_RATIO * step.chain.parameter_count)
        trials = [
            Step(*_renamed(refitted(chain, targets, dtype, _STEPS), method))
            for chain, method in proposals(step.chain, targets, wanted, generator)
            if chain.parameter_count < step.chain.parameter_count and (rank is None or min(chain.widths) <= rank)
        ]
        if not trials:
            return
        step = min(trials, key=lambda trial: _price(step, trial))
        yield step


def _price(before: Step[F], after: Step[F]) -> float:
    """Squared error that is added for each factor e of the size; what lowers the error is the better the smaller."""
    gained = after.error**2 - before.error**2
    smaller = log(before.chain.parameter_count / after.chain.parameter_count)
    return gained / smaller if gained > 0 else gained * smaller


def within_tolerance(
    start: Step[F],
    targets: Targets,
    tolerance: float,
    dtype: torch.dtype,
    generator: torch.Generator,
    proposals: Proposals[F],
    *,
    rank: int | None = None,
) -> tuple[Step[F], list[Step[F]]]:
    """The smallest chain on the way whose error is within a tolerance on both held-out parts; and all that were seen.

    The way ends at the second step in a row beyond the tolerance; then the last chain within it is refitted for longer,
    and so is the first one beyond it, which may come within.
    """
    found, seen = start, [start]
    beyond: list[Step[F]] = []
    for step in smaller_and_smaller(start, targets, dtype, generator, proposals, rank=rank):
        seen.append(step)
        if _is_within(step.chain, step.error, targets, tolerance):
            found, beyond = step, []
        else:
            beyond.append(step)
        if len(beyond) == 2:
            break
    for candidate in [*reversed(beyond), found]:
        chain, error = refitted(candidate.chain, targets, dtype, _FINAL)
        if _is_within(chain, error, targets, tolerance):
            return Step(chain, candidate.method, error), seen
    return found, seen


def through_rank(
    chain: Chain, targets: Targets, rank: int, dtype: torch.dtype, generator: torch.Generator
) -> Step[Chain]:
    """The chain through `rank` coordinates of the layer where that changes f least on the rows, refitted on them.

    Raises:
        OptionError: If no layer carries so many.
    """
    whole = multiplied_out(chain)
    svds = weighted_svds(whole, layer_statistics(whole, targets.x, generator))
    most = max(int((svd.values > 0).sum()) for svd in svds)
    if rank > most:
        raise OptionError("rank", rank, f"at most {most}, the most coordinates any layer carries")
    trials = [
        with_ranks(svds, [rank if number == at else None for number in range(len(svds))])
        for at in range(len(svds))
        if len(svds[at].values) >= rank
    ]
    best = min(trials, key=targets.error)
    return Step(*_renamed(refitted(best, targets, dtype, _FINAL), f"rank {rank}"))


def smaller_chains(
    chain: Chain, targets: Targets, wanted: int, generator: torch.Generator
) -> Iterator[tuple[Chain, str]]:
    """Matrices of low rank (`weighted_rank`), one layer less (`linearising`), and fewer neurons (`narrowing`)."""
    whole = multiplied_out(chain)
    statistics = layer_statistics(whole, targets.x, generator)
    svds = weighted_svds(whole, statistics)
    yield with_ranks(svds, allocated_ranks(svds, wanted)), "low rank"
    if whole.depth != chain.depth:
        statistics = layer_statistics(chain, targets.x, generator)
    straight = linearised(chain, statistics, targets.x)
    if straight is not None:
        yield with_short_runs(straight, _EXACT)[0], "fewer layers"
    orders = neuron_orders(chain, statistics)
    if any(order is not None for order in orders):
        yield narrowed(chain, orders, wanted), "fewer neurons"


def _renamed(found: tuple[F, float], method: str) -> tuple[F, str, float]:
    chain, error = found
    return chain, method, error


def _is_within(chain: Layered, error: float, targets: Targets, tolerance: float) -> bool:
    return error <= tolerance and targets.judged(chain) <= tolerance
