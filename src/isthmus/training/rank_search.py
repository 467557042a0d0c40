r"""Which rank the global minimum has: the k whose best network has the lowest objective."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from isthmus.errors import OptionError
from isthmus.foundation.progress import Report, part, silent
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.networks import (
    FullyConnected,
)
from isthmus.spectra import chosen, truncation_curve
from isthmus.training.config import DEFAULT_CONFIG, DEFAULT_SCHEDULE, TrainingConfig
from isthmus.training.identity_layers import insert_identity_layers
from isthmus.training.loop import Training
from isthmus.training.neuron_addition import add_neurons, layer_projections
from isthmus.training.objective import Objective
from isthmus.training.problem import Problem
from isthmus.training.stages import Stages
from isthmus.training.warm_start import warm_start_fit

_SHALLOW = 12  # random starts of deeper networks tend to lose every direction: these start shallower and grow
_SPAN = Tolerance(1e-3)  # of the activations that the identity layers pass on
_NARROW = replace(DEFAULT_SCHEDULE, ridge_factor=1.0, relax_at=0.2, learning_rate=5e-3)
_GLIMPSE = replace(_NARROW, steps=100, rounds=0, prune_tolerance=None)


@dataclass(frozen=True, eq=False)
class RankCandidate:
    r"""The best network found of one rank.

    Attributes:
        rank: k, the network's bottleneck rank at the tolerance, measured after training.
        network: In the units of the standardised data.
        value: Its objective, an upper bound of the global minimum.
        start: Where it came from: "random", "random, trained on", "projected from k", "widened from k"; the winner of
            these also "…, with fresh neurons".
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
    config: TrainingConfig = DEFAULT_CONFIG,
    task: str = "regression",
    sample_weight: object | None = None,
    most: int | None = None,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    seed: int = 0,
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
        config: As for `fit`; of depth 2 at least.
        task: As for `fit`.
        sample_weight: As for `fit`.
        most: The largest k to try. Default: one more than the rank of the random start.
        tolerance: At which the rank of a network is read.
        seed: As for `fit`.
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
    depth, width = config.depth, config.width
    if depth < 2:
        raise OptionError("depth", depth, "at least 2: a search over the rank needs a hidden layer")
    if most is not None and most < 1:
        raise OptionError("most", most, "at least 1")
    problem = Problem.of(x, y, config=config, task=task, sample_weight=sample_weight)
    objective = problem.objective
    shallow = min(depth, _SHALLOW)
    # The same weight on each layer's norm: what the networks cost beyond this depth is the identity layers.
    near = objective.with_ridge(objective.ridge * shallow / depth)
    kept = Stages(checkpoint, key=key, device=config.device)

    def start() -> FullyConnected:
        training = Training(
            problem.starts(replace(config, depth=shallow), seed),
            near,
            config.schedule,
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
        candidates.append(_with_fresh_neurons(_winner(candidates), objective, width, seed, tolerance, kept, last))
        is_complete = True
    except KeyboardInterrupt:
        pass  # what was found so far is the result
    best = {k: min((c for c in candidates if c.rank == k), key=lambda c: c.value) for k in {c.rank for c in candidates}}
    return RankSearch(tuple(best[k] for k in sorted(best)), first.value, first.rank, objective, is_complete)


def _winner(candidates: Iterable[RankCandidate]) -> RankCandidate:
    return min(candidates, key=lambda c: (c.value, c.rank))


def _with_fresh_neurons(
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
        return warm_start_fit(
            add_neurons(winner.network, width, seed), objective, schedule=_NARROW, seed=seed, report=report
        )

    network = kept.network("winner", again)
    found = max(1, _rank(network, objective, tolerance))
    return RankCandidate(found, network, objective.value(network), f"{winner.start}, with fresh neurons")


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
            begin, start = partial(add_neurons, random, width, seed), "random, trained on"
        elif k < rank:
            begin = partial(_most_promising, networks[k + 1], objective, k, width, seed)
            start = f"projected from {k + 1}"
        else:
            begin, start = partial(add_neurons, networks[k - 1], width, seed + k), f"widened from {k - 1}"

        def explored(begin: Callable[[], FullyConnected] = begin, stage: Report = stage) -> FullyConnected:
            return warm_start_fit(begin(), objective, schedule=_NARROW, seed=seed, report=stage)

        networks[k] = kept.network(start, explored)
        yield networks[k], start


def _deepened(network: FullyConnected, objective: Objective, depth: int, seed: int) -> FullyConnected:
    """The network at the depth wanted: grown by identity layers and trained on, or as it is."""
    if network.depth == depth:
        return network
    return warm_start_fit(
        insert_identity_layers(network, objective.sample()[0], depth, tolerance=_SPAN), objective, seed=seed
    )


def _most_promising(network: FullyConnected, objective: Objective, rank: int, width: int, seed: int) -> FullyConnected:
    """Of the places at which the network can be narrowed to `rank`, the best one after a short descent."""
    tries = [
        warm_start_fit(add_neurons(start, width, seed, narrow=layer), objective, schedule=_GLIMPSE, seed=seed)
        for layer, start in layer_projections(network, objective, rank)
    ]
    return min(tries, key=objective.value, default=network)


def _rank(network: FullyConnected, objective: Objective, tolerance: Tolerance) -> int:
    return chosen(truncation_curve(network, objective.sample()[0], until=tolerance.relative), tolerance).rank
