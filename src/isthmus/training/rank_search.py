r"""Which rank the global minimum has: the k whose best network has the lowest objective."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from isthmus.errors import OptionError
from isthmus.foundation.progress import Report, part, silent
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.networks import FullyConnected
from isthmus.spectra import chosen, truncation_curve
from isthmus.training.config import DEFAULT_CONFIG, DEFAULT_SCHEDULE, Schedule, TrainingConfig
from isthmus.training.identity_layers import insert_identity_layers
from isthmus.training.loop import Training
from isthmus.training.neuron_addition import add_neurons, layer_projections
from isthmus.training.objective import Objective
from isthmus.training.problem import Problem
from isthmus.training.rank_candidates import RankCandidate, RankSearch, winner
from isthmus.training.stages import Stages
from isthmus.training.warm_start import warm_start_fit

_SHALLOW = 12  # random starts of deeper networks tend to lose every direction: these start shallower and grow
_SPAN = Tolerance(1e-3)  # of the activations that the identity layers pass on
_NARROW = replace(DEFAULT_SCHEDULE, ridge_factor=1.0, relax_at=0.2, learning_rate=5e-3)
_GLIMPSE = replace(_NARROW, steps=100, rounds=0, prune_tolerance=None)


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
    if config.depth < 2:
        raise OptionError("depth", config.depth, "at least 2: a search over the rank needs a hidden layer")
    if most is not None and most < 1:
        raise OptionError("most", most, "at least 1")
    problem = Problem.of(x, y, config=config, task=task, sample_weight=sample_weight)
    search = _Search(problem, config, tolerance, seed, Stages(checkpoint, key=key, device=config.device))
    random = search.from_random_start(part(report, 0.0, 0.2))
    candidates = [first := search.at_full_depth(random, "random")]
    is_complete = False
    try:
        for network, start in search.rank_by_rank(random, most, part(report, 0.2, 0.9)):
            candidates.append(search.at_full_depth(network, start))
        candidates.append(search.with_fresh_neurons(winner(candidates), part(report, 0.9, 1.0)))
        is_complete = True
    except KeyboardInterrupt:
        pass  # what was found so far is the result
    ranks = sorted({each.rank for each in candidates})
    best = tuple(winner(each for each in candidates if each.rank == rank) for rank in ranks)
    return RankSearch(best, first.value, first.rank, problem.objective, is_complete)


@dataclass(frozen=True, eq=False)
class _Search:
    """What all stages of a search share.

    Attributes:
        problem: The rows, and the objective at full depth.
        config: The networks.
        tolerance: At which the rank of a network is read.
        seed: Of every start.
        kept: The stages that are done.
    """

    problem: Problem
    config: TrainingConfig
    tolerance: Tolerance
    seed: int
    kept: Stages

    @property
    def _depth(self) -> int:
        return min(self.config.depth, _SHALLOW)

    @property
    def _objective(self) -> Objective:
        """At the depth that the search begins at, with the same weight on each layer's norm.

        What the networks cost beyond this depth is the identity layers.
        """
        whole = self.problem.objective
        return whole.with_ridge(whole.ridge * self._depth / self.config.depth)

    def from_random_start(self, report: Report) -> FullyConnected:
        """The network of a random start, at the depth that the search begins at."""

        def trained() -> FullyConnected:
            training = Training(
                self.problem.starts(replace(self.config, depth=self._depth), self.seed),
                self._objective,
                self.config.schedule,
                seed=self.seed,
                only_best=True,
                save=lambda progress: None,
                report=report,
            )
            if not training.run():
                raise KeyboardInterrupt
            return training.networks[0]

        return self.kept.network("random", trained)

    def at_full_depth(self, network: FullyConnected, start: str) -> RankCandidate:
        """The network grown to full depth by identity layers and trained on, or as it is."""

        def grown() -> FullyConnected:
            if network.depth == self.config.depth:
                return network
            x = self.problem.objective.sample()[0]
            deeper = insert_identity_layers(network, x, self.config.depth, tolerance=_SPAN)
            return warm_start_fit(deeper, self.problem.objective, seed=self.seed)

        return self._candidate(self.kept.network(f"deep: {start}", grown), start)

    def rank_by_rank(
        self, random: FullyConnected, most: int | None, report: Report
    ) -> Iterator[tuple[FullyConnected, str]]:
        """Yield (network, where it came from) for the rank of the random start, each smaller k, each larger one."""
        width, rank = self.config.width, self._rank(random, self._objective)
        top = max(rank, most if most is not None else min(rank + 1, width))
        tries = [rank, *range(rank - 1, 0, -1), *range(rank + 1, top + 1)]
        networks: dict[int, FullyConnected] = {}
        for index, k in enumerate(tries):
            if k == rank:
                begin, start = partial(add_neurons, random, width, self.seed), "random, trained on"
            elif k < rank:
                begin, start = partial(self._narrowed, networks[k + 1], k), f"projected from {k + 1}"
            else:
                begin, start = partial(add_neurons, networks[k - 1], width, self.seed + k), f"widened from {k - 1}"
            stage = part(report, index / len(tries), (index + 1) / len(tries))
            networks[k] = self.kept.network(start, partial(self._trained_on, begin, stage))
            yield networks[k], start

    def with_fresh_neurons(self, best: RankCandidate, report: Report) -> RankCandidate:
        """The winner with fresh neurons at full depth, trained on: what was found at less depth is no minimum yet."""

        def again() -> FullyConnected:
            fresh = add_neurons(best.network, self.config.width, self.seed)
            return self._warm(fresh, self.problem.objective, _NARROW, report)

        return self._candidate(self.kept.network("winner", again), f"{best.start}, with fresh neurons")

    def _trained_on(self, begin: Callable[[], FullyConnected], report: Report) -> FullyConnected:
        return self._warm(begin(), self._objective, _NARROW, report)

    def _narrowed(self, network: FullyConnected, rank: int) -> FullyConnected:
        """Of the places at which the network can be narrowed to `rank`, the best one after a short descent."""
        tries = [
            self._warm(add_neurons(start, self.config.width, self.seed, narrow=layer), self._objective, _GLIMPSE)
            for layer, start in layer_projections(network, self._objective, rank)
        ]
        return min(tries, key=self._objective.value, default=network)

    def _warm(
        self, network: FullyConnected, objective: Objective, schedule: Schedule, report: Report = silent
    ) -> FullyConnected:
        return warm_start_fit(network, objective, schedule=schedule, seed=self.seed, report=report)

    def _candidate(self, network: FullyConnected, start: str) -> RankCandidate:
        objective = self.problem.objective
        return RankCandidate(self._rank(network, objective), network, objective.value(network), start)

    def _rank(self, network: FullyConnected, objective: Objective) -> int:
        curve = truncation_curve(network, objective.sample()[0], until=self.tolerance.relative)
        return max(1, chosen(curve, self.tolerance).rank)
