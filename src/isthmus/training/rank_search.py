r"""Which rank the global minimum has: the k whose best network has the lowest objective."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from isthmus.errors import OptionError
from isthmus.foundation.progress import Report, part, silent
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.networks import (
    RELU,
    Activation,
    FullyConnected,
    Scaling,
)
from isthmus.spectra import chosen, narrowings
from isthmus.training.config import DEFAULT_PLAN, Plan
from isthmus.training.fitting import check_options
from isthmus.training.identity_layers import grown
from isthmus.training.loop import Training
from isthmus.training.neuron_addition import narrowed, released
from isthmus.training.objective import Objective
from isthmus.training.problem import Problem
from isthmus.training.stages import Stages
from isthmus.training.warm_start import improved

_SHALLOW = 12  # random starts of deeper networks tend to lose every direction: these start shallower and grow
_SPAN = Tolerance(1e-3)  # of the activations that the identity layers pass on
_NARROW = replace(DEFAULT_PLAN, ridge_factor=1.0, relax_at=0.2, learning_rate=5e-3)
_GLIMPSE = replace(_NARROW, steps=100, rounds=0, condense=None)


@dataclass(frozen=True, eq=False)
class RankCandidate:
    r"""The best network found of one rank.

    Attributes:
        rank: k, the network's bottleneck rank at the tolerance, measured after training.
        network: In the units of the standardised data.
        value: Its objective, an upper bound of the global minimum.
        start: Where it came from: "random", "random, trained on", "projected from k", "widened from k"; the winner of
            these also "…, released again".
    """

    rank: int
    network: FullyConnected
    value: float
    start: str


@dataclass(frozen=True, eq=False)
class RankSearch:
    r"""The objective as a function of the rank.

    Attributes:
        candidates: The best for each rank that was found, ascending.
        random_value: The objective that the random start reached.
        random_rank: The rank of that network.
        objective: What was minimised.
        is_complete: False where Ctrl-C ended the search before every k was tried.
    """

    candidates: tuple[RankCandidate, ...]
    random_value: float
    random_rank: int
    objective: Objective
    is_complete: bool

    @property
    def best(self) -> RankCandidate:
        """The candidate of lowest objective; of equal ones the one of lowest rank."""
        return _winner(self.candidates)

    @property
    def rank(self) -> int:
        """k of the best candidate."""
        return self.best.rank

    @property
    def warning(self) -> str | None:
        """What would have gone wrong with the random start alone, or None."""
        if self.best.rank == self.random_rank:
            return None
        gain = 1.0 - self.best.value / self.random_value
        return (
            f"The random start alone ends at rank {self.random_rank} with objective {self.random_value:.4g}; "
            f"rank {self.best.rank} is {100.0 * gain:.2g} % lower ({self.best.start})."
        )


def search_rank(
    x: object,
    y: object | None = None,
    *,
    sample_weight: object | None = None,
    task: str = "regression",
    depth: int = 13,
    width: int = 100,
    ridge: float | None = None,
    seed: int = 0,
    starts: int = 1,
    most: int | None = None,
    standardize: Scaling = "columns",
    activation: Activation = RELU,
    plan: Plan = DEFAULT_PLAN,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    device: torch.device | str = "cpu",
    checkpoint: Path | None = None,
    key: str = "",
    report: Report = silent,
) -> RankSearch:
    r"""Search for the rank of the global minimum: train for each k, starting from the best network so far.

    1. A random start. For L > 12 this and what follows is done at depth 12, with the same λ/L, and each network is
       then grown to depth L by identity layers in its bottleneck and trained on: deep random starts lose directions.
    2. For each smaller k the network of rank k + 1, projected: one hidden layer is replaced by the k coordinates of it
       that f needs most, shifted into the positive orthant; early, in the middle and late are tried for some steps.
    3. For each larger k up to one more than the random start's rank, the network of rank k − 1.
    4. The winner once more, at depth L.

    Each gets fresh neurons that do nothing yet, and is trained on; objectives at the same λ and L are compared. A
    network through k neurons is a network of the full width with zero neurons, so every objective is an upper bound of
    the global minimum.

    Args:
        x: As for `fit`.
        y: As for `fit`.
        sample_weight: As for `fit`.
        task: As for `fit`.
        depth: As for `fit`.
        width: As for `fit`.
        ridge: As for `fit`.
        seed: As for `fit`.
        starts: As for `fit`.
        standardize: As for `fit`.
        activation: As for `fit`.
        plan: As for `fit`.
        device: As for `fit`.
        most: The largest k to try. Default: one more than the rank of the random start.
        tolerance: At which the rank of a network is read.
        checkpoint: File to resume from and to save to after each stage (the random start, each k, each growth to depth
            L); a stage that was not done is done again.
        key: As for `fit`.
        report: Told the fraction done.

    Returns:
        The best network of each rank found. Ctrl-C after the random start returns what was found so far.

    Raises:
        OptionError: If `most` is below 1, or as `fit`.
        FileFormatError: If the checkpoint is damaged.
        As `fit` otherwise.

    Source:
        Jacot (2023), the bottleneck rank of global minima; see `docs/theory.md`.
    """
    check_options(task, depth, width, ridge)
    if depth < 2:
        raise OptionError("depth", depth, "at least 2: a search over the rank needs a hidden layer")
    if most is not None and most < 1:
        raise OptionError("most", most, "at least 1")
    problem = Problem.of(
        x, y, task=task, ridge=ridge, standardize=standardize, device=device, sample_weight=sample_weight
    )
    objective = problem.objective
    shallow = min(depth, _SHALLOW)
    # The same weight on each layer's norm: what the networks cost beyond this depth is the identity layers.
    near = objective.with_ridge(objective.ridge * shallow / depth)
    kept = Stages(checkpoint, key=key, device=device)

    def start() -> FullyConnected:
        training = Training(
            problem.starts(shallow, width, activation, range(seed, seed + starts)),
            near,
            plan,
            seed=seed,
            only_best=True,
            save=lambda progress: None,
            report=part(report, 0.0, 0.2),
        )
        if not training.run():
            raise KeyboardInterrupt
        return training.networks[0]

    random = kept.network("random", start)
    rank = max(1, _rank(random, near, tolerance))
    top = max(rank, most if most is not None else min(rank + 1, width))
    candidates: list[RankCandidate] = []

    def note(network: FullyConnected, start: str) -> RankCandidate:
        deep = kept.network(f"deep: {start}", lambda: _deepened(network, objective, depth, seed))
        found = max(1, _rank(deep, objective, tolerance))
        candidates.append(RankCandidate(found, deep, objective.value(deep), start))
        return candidates[-1]

    first = note(random, "random")
    is_complete = False
    try:
        for network, how in _explored(random, near, rank, top, width, seed, kept, part(report, 0.2, 0.9)):
            note(network, how)
        last = part(report, 0.9, 1.0)
        candidates.append(_released_again(_winner(candidates), objective, width, seed, tolerance, kept, last))
        is_complete = True
    except KeyboardInterrupt:
        pass  # what was found so far is the result
    best = {k: min((c for c in candidates if c.rank == k), key=lambda c: c.value) for k in {c.rank for c in candidates}}
    return RankSearch(tuple(best[k] for k in sorted(best)), first.value, first.rank, objective, is_complete)


def _winner(candidates: Iterable[RankCandidate]) -> RankCandidate:
    return min(candidates, key=lambda c: (c.value, c.rank))


def _released_again(
    winner: RankCandidate,
    objective: Objective,
    width: int,
    seed: int,
    tolerance: Tolerance,
    kept: Stages,
    report: Report,
) -> RankCandidate:
    """The winner with fresh neurons at its full depth, trained on: what was found at less depth is no minimum yet."""

    def again() -> FullyConnected:
        return improved(released(winner.network, width, seed), objective, plan=_NARROW, seed=seed, report=report)

    network = kept.network("winner", again)
    found = max(1, _rank(network, objective, tolerance))
    return RankCandidate(found, network, objective.value(network), f"{winner.start}, released again")


def _explored(
    random: FullyConnected,
    objective: Objective,
    rank: int,
    top: int,
    width: int,
    seed: int,
    kept: Stages,
    report: Report,
) -> Iterator[tuple[FullyConnected, str]]:
    """(the network, where it came from) for k = `rank`, then each smaller k, then each larger one up to `top`."""
    tries = [rank, *range(rank - 1, 0, -1), *range(rank + 1, top + 1)]
    networks: dict[int, FullyConnected] = {}
    for index, k in enumerate(tries):
        stage = part(report, index / len(tries), (index + 1) / len(tries))
        if k == rank:
            begin, start = partial(released, random, width, seed), "random, trained on"
        elif k < rank:
            begin = partial(_most_promising, networks[k + 1], objective, k, width, seed)
            start = f"projected from {k + 1}"
        else:
            begin, start = partial(released, networks[k - 1], width, seed + k), f"widened from {k - 1}"

        def explored(begin: Callable[[], FullyConnected] = begin, stage: Report = stage) -> FullyConnected:
            return improved(begin(), objective, plan=_NARROW, seed=seed, report=stage)

        networks[k] = kept.network(start, explored)
        yield networks[k], start


def _deepened(network: FullyConnected, objective: Objective, depth: int, seed: int) -> FullyConnected:
    """The network at the depth wanted: grown by identity layers and trained on, or as it is."""
    if network.depth == depth:
        return network
    return improved(grown(network, objective.sample()[0], depth, tolerance=_SPAN), objective, seed=seed)


def _most_promising(network: FullyConnected, objective: Objective, rank: int, width: int, seed: int) -> FullyConnected:
    """Of the places at which the network can be narrowed to `rank`, the best one after a short descent."""
    tries = [
        improved(released(start, width, seed, narrow=layer), objective, plan=_GLIMPSE, seed=seed)
        for layer, start in narrowed(network, objective, rank)
    ]
    return min(tries, key=objective.value, default=network)


def _rank(network: FullyConnected, objective: Objective, tolerance: Tolerance) -> int:
    return chosen(narrowings(network, objective.sample()[0], until=tolerance.relative), tolerance).rank
