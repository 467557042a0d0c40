"""The networks of each rank that a depth window is read from, and the ways to find better ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from isthmus.costs.window import DepthRange, RankLine, winning_ranges
from isthmus.errors import NotRepresentableError
from isthmus.foundation.parallel import in_parallel
from isthmus.foundation.progress import Report, part, silent
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import FullyConnected
from isthmus.spectra import chosen, truncation_curve
from isthmus.training import (
    WARM_SCHEDULE,
    Objective,
    Schedule,
    constant_loss,
    insert_identity_layers,
    warm_start_fit,
)
from isthmus.training.neuron_addition import add_neurons, layer_projections
from isthmus.training.rank_candidates import RankSearch

_SPAN = Tolerance(1e-3)  # of the activations that identity layers pass on
_LONG = replace(WARM_SCHEDULE, steps=500, learning_rate=5e-3, relax_at=0.2)
_GLIMPSE = replace(_LONG, steps=100, rounds=0, prune_tolerance=None)
_CONSTANT = 1e-3  # a network that explains less than this share of the loss of a constant is one


@dataclass(eq=False)
class RankNetworks:
    """What was found so far.

    Attributes:
        objective: Loss and λ, the same at every depth.
        width: Neurons that a hidden layer may have.
        seed: Of everything drawn.
        tolerance: At which ranks are read.
        n_jobs: Networks that are trained at the same time, as for `in_parallel`.
        lines: One for each network found, the best constant first.
        searched: The depths searched, ascending.
        best: The best network of each rank at the deepest of the main searches.
    """

    objective: Objective
    width: int
    seed: int
    tolerance: Tolerance
    n_jobs: int | None = None
    lines: list[RankLine] = field(default_factory=list)
    searched: list[int] = field(default_factory=list)
    best: dict[int, FullyConnected] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lines.append(constant_line(self.objective))

    def rank_of(self, network: FullyConnected) -> int:
        """The bottleneck rank at the tolerance, at least 1."""
        x = self.objective.sample()[0]
        return max(1, chosen(truncation_curve(network, x, until=self.tolerance.relative), self.tolerance).rank)

    def note(self, network: FullyConnected, rank: int) -> None:
        """Add a network; a constant one is rank 0, which is there already."""
        error = self.objective.error(network)
        if error < (1.0 - _CONSTANT) * self.lines[0].error:
            self.lines.append(RankLine(rank, network.depth, error, network.squared_norm))

    def ranges(self) -> tuple[DepthRange, ...]:
        """Which rank wins where, as far as is known."""
        return winning_ranges(tuple(self.lines), tuple(self.searched), self.objective.ridge)

    def winner(self, depth: int) -> int:
        """The rank of lowest objective at a depth, none below the shallowest searched."""
        return next(each.rank for each in reversed(self.ranges()) if each.shallowest <= depth)

    def add_search(self, search: RankSearch, depth: int, *, is_main: bool) -> None:
        """Take over what `search_rank` found at a depth, and at a main one deepen what was found before."""
        for candidate in search.candidates:
            self.note(candidate.network, candidate.rank)
        self.searched = sorted([*self.searched, depth])
        if not search.is_complete:
            raise KeyboardInterrupt
        if is_main:
            found = {candidate.rank: candidate.network for candidate in search.candidates}
            self._deepen(found, depth)
            self.best = found

    def follow(self, rank: int, depths: tuple[int, ...], report: Report) -> None:
        """Train the networks of rank ≤ k on for the λ/L of ever larger depths, until a smaller rank wins."""
        base = self.searched[-1]
        ranks = [r for r in sorted(self.best, reverse=True) if r <= rank]
        for index, depth in enumerate(depths):
            if any(self.winner(at) < rank for at in (depth // 2, depth)):
                break
            weaker = self.objective.with_ridge(self.objective.ridge * base / depth)
            for number, r in enumerate(ranks):
                begin, end = ((index + done / len(ranks)) / len(depths) for done in (number, number + 1))
                starts = [self._freed(self.best[r])]
                if number > 0:  # a smaller rank may fit better by another path: from the next larger one
                    starts += self._projected(self.best[ranks[number - 1]], weaker, r)
                self._train_on(r, starts, weaker, part(report, begin, end))

    def _train_on(self, rank: int, starts: list[FullyConnected], weaker: Objective, report: Report) -> None:
        found = self._trained(starts, weaker, _LONG, report)
        for network in found:
            self.note(network, self.rank_of(network))
        best = min([self.best[rank], *found], key=weaker.value)
        if self.rank_of(best) == rank:
            self.best[rank] = best

    def _deepen(self, found: dict[int, FullyConnected], depth: int) -> None:
        """Add networks of the shallower search, grown and trained on, where it had found cheaper ones of their rank.

        A deep random start may lose directions that no training brings back; a shallower one still has them. What is
        better than what this search found is narrowed as well, rank by rank, as the search narrows its own.
        """
        objective = self.objective
        for rank in sorted(self.best, reverse=True):
            network = self.best[rank]
            line = RankLine(rank, network.depth, objective.error(network), network.squared_norm)
            if rank in found and line.value(depth, objective.ridge) >= objective.value(found[rank]):
                continue
            try:
                start = insert_identity_layers(network, objective.sample()[0], depth, tolerance=_SPAN)
            except NotRepresentableError:  # an activation that lets nothing negative pass
                continue
            better = warm_start_fit(add_neurons(start, self.width, self.seed), objective, seed=self.seed)
            while self._is_kept(found, better) and (now := self.rank_of(better)) > 1:
                narrower = self._projected(better, objective, now - 1)
                if not narrower:
                    break
                better = warm_start_fit(narrower[0], objective, schedule=_LONG, seed=self.seed)

    def _is_kept(self, found: dict[int, FullyConnected], network: FullyConnected) -> bool:
        """Note a network; whether it is the cheapest of its rank."""
        rank, value = self.rank_of(network), self.objective.value
        self.note(network, rank)
        if rank in found and value(network) >= value(found[rank]):
            return False
        found[rank] = network
        return True

    def _freed(self, network: FullyConnected) -> FullyConnected:
        """With room to change, but for the narrowest hidden layer, so that the rank does not rise with the freedom."""
        narrow = 1 + min(range(network.depth - 1), key=lambda layer: network.widths[1 + layer])
        return add_neurons(network, self.width, self.seed, narrow=narrow)

    def _projected(self, network: FullyConnected, objective: Objective, rank: int) -> list[FullyConnected]:
        """Narrowed to a rank at the place that promises most after a short descent; nothing if it has no such place."""
        starts = [
            add_neurons(start, self.width, self.seed, narrow=layer)
            for layer, start in layer_projections(network, objective, rank)
        ]
        tries = self._trained(starts, objective, _GLIMPSE, silent)
        return [min(tries, key=objective.value)] if tries else []

    def _trained(
        self, starts: list[FullyConnected], objective: Objective, schedule: Schedule, report: Report
    ) -> list[FullyConnected]:
        """Each of several networks trained on, side by side."""
        seed = self.seed

        def train(start: FullyConnected, report: Report) -> FullyConnected:
            return warm_start_fit(start, objective, schedule=schedule, seed=seed, report=report)

        return list(in_parallel(train, starts, n_jobs=self.n_jobs, report=report))


def constant_line(objective: Objective) -> RankLine:
    """Rank 0: the best constant, which the last bias holds at any depth."""
    y = objective.sample()[1]
    if y.is_floating_point():
        best = y.double().mean(0)
    else:
        # The logits of the class frequencies, shifted to the least norm; every class occurs.
        best = (y.bincount().double() / len(y)).log()
        best = best - best.mean()
    return RankLine(0, 1, constant_loss(objective.y), float(best.square().sum()))
