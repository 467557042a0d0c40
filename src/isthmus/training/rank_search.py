r"""Which rank the global minimum has: the k whose best network has the lowest objective."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.errors import OptionError
from isthmus.functions import RELU, Activation, FullyConnected, Scaling
from isthmus.progress import Report, part, silent
from isthmus.ranks import BalancedTruncation, balanced_truncations, chosen, narrowings
from isthmus.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.training.fit import Problem, check_options
from isthmus.training.growing import grown
from isthmus.training.improving import WARM_PLAN, improved
from isthmus.training.loop import Training
from isthmus.training.objective import Objective
from isthmus.training.plan import DEFAULT_PLAN, Plan
from isthmus.training.rebalancing import rebalance

_SHALLOW = 12  # random starts of deeper networks tend to lose every direction: these start shallower and grow
_SEED_SIZE = 0.1  # weights of a neuron that is added, relative to those of its layer
_SPAN = Tolerance(1e-3)  # of the activations that the identity layers pass on
_NARROW = replace(DEFAULT_PLAN, ridge_factor=1.0, relax_at=0.2, learning_rate=5e-3)


@dataclass(frozen=True, eq=False)
class RankCandidate:
    r"""The best network found of one rank.

    Attributes:
        rank: k, the network's bottleneck rank at the tolerance, measured after training.
        network: In the units of the standardised data.
        value: Its objective, an upper bound of the global minimum.
        start: Where it came from: "random", "random, trained on", "projected from k", "widened from k".
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
    """

    candidates: tuple[RankCandidate, ...]
    random_value: float
    random_rank: int
    objective: Objective

    @property
    def best(self) -> RankCandidate:
        """The candidate of lowest objective; of equal ones the one of lowest rank."""
        return min(self.candidates, key=lambda c: (c.value, c.rank))

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
    report: Report = silent,
) -> RankSearch:
    r"""Search for the rank of the global minimum: train for each k, starting from the best network so far.

    1. A random start. For L > 12 this and what follows is done at depth 12, with the same λ/L, and each network is
       then grown to depth L by identity layers in its bottleneck and trained on: deep random starts lose directions.
    2. For each smaller k the best network of a larger rank, projected: where that costs the objective least, one
       hidden layer is replaced by the k coordinates of it that f needs most, shifted into the positive orthant.
    3. For each larger k up to one more than the random start's rank, the best network so far with a neuron added to
       each hidden layer.

    Each is trained on; objectives at the same λ and L are compared. A network through k neurons is a network of the
    full width with zero neurons, so every objective is an upper bound of the global minimum.

    Args:
        x, y, task, depth, width, ridge, seed, starts, standardize, activation, plan, device: As for `fit`.
        most: The largest k to try. Default: one more than the rank of the random start.
        tolerance: At which the rank of a network is read.
        report: Told the fraction done.

    Raises:
        OptionError: If `most` is below 1, or as `fit`.
        As `fit` otherwise.

    Source:
        Jacot (2023), the bottleneck rank of global minima; see `docs/theory.md`.
    """
    check_options(task, depth, width, ridge)
    if depth < 2:
        raise OptionError("depth", depth, "at least 2: a search over the rank needs a hidden layer")
    if most is not None and most < 1:
        raise OptionError("most", most, "at least 1")
    objective = Problem.of(x, y, task=task, ridge=ridge, standardize=standardize, device=device).objective
    problem = Problem.of(x, y, task=task, ridge=objective.ridge, standardize=standardize, device=device)
    shallow = min(depth, _SHALLOW)
    # The same weight on each layer's norm: what the networks cost beyond this depth is the identity layers.
    near = objective.with_ridge(objective.ridge * shallow / depth)
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
    random = training.networks[0]
    rank = max(1, _rank(random, near, tolerance))
    top = max(rank, most if most is not None else min(rank + 1, width))
    tries = [rank, *range(rank - 1, 0, -1), *range(rank + 1, top + 1)]
    networks: dict[int, FullyConnected] = {}
    candidates: list[RankCandidate] = []

    def note(network: FullyConnected, start: str) -> RankCandidate:
        value = objective.value(network)
        candidates.append(RankCandidate(max(1, _rank(network, objective, tolerance)), network, value, start))
        return candidates[-1]

    first = note(_deepened(random, objective, depth, seed), "random")
    for index, k in enumerate(tries):
        stage = part(report, 0.2 + 0.8 * index / len(tries), 0.2 + 0.8 * (index + 1) / len(tries))
        if k == rank:
            begin, start = random, "random, trained on"
        elif k < rank:
            begin, start = narrowed(networks[k + 1], near, k), f"projected from {k + 1}"
        else:
            begin, start = _widened_by_one(networks[k - 1], seed + k), f"widened from {k - 1}"
        networks[k] = improved(begin, near, plan=_NARROW, seed=seed, report=stage)
        note(_deepened(networks[k], objective, depth, seed), start)
    kept = {k: min((c for c in candidates if c.rank == k), key=lambda c: c.value) for c in candidates for k in [c.rank]}
    return RankSearch(tuple(kept[k] for k in sorted(kept)), first.value, first.rank, objective)


def _deepened(network: FullyConnected, objective: Objective, depth: int, seed: int) -> FullyConnected:
    """The network at the depth wanted: grown by identity layers and trained on, or as it is."""
    if network.depth == depth:
        return network
    return improved(grown(network, objective.x, depth, tolerance=_SPAN), objective, seed=seed)


def _rank(network: FullyConnected, objective: Objective, tolerance: Tolerance) -> int:
    return chosen(narrowings(network, objective.x, until=tolerance.relative), tolerance).rank


def narrowed(network: FullyConnected, objective: Objective, rank: int) -> FullyConnected:
    """The network with one hidden layer of `rank` neurons, each active on all rows, where that costs least.

    Layer ℓ's k coordinates $E (a_\\ell - \\bar a)$ are computed as if σ let its pre-activations pass, which the middle
    layers of a trained network do, and shifted by the least bias that makes them nonnegative on the data.
    """
    candidates = [
        _through(network, truncation, objective.x, rank)
        for truncation in balanced_truncations(network, objective.x)
        if truncation.layer >= 1 and truncation.rank >= rank
    ]
    return min(candidates, key=objective.value, default=network)


def _through(network: FullyConnected, truncation: BalancedTruncation, x: Tensor, rank: int) -> FullyConnected:
    layer = truncation.layer
    weights, biases = [w.double() for w in network.weights], [b.double() for b in network.biases]
    encode, decode = truncation.encode[:rank], truncation.decode[:, :rank]
    a = network.trace(x)[0][layer - 1].double()
    mean = truncation.mean
    # The layer as an affine map: what it would compute if every neuron that fires anywhere fired everywhere.
    z = torch.addmm(biases[layer - 1], a, weights[layer - 1].T)
    fires = (network.activation(z) != 0).any(0).double()
    w, b = fires[:, None] * weights[layer - 1], fires * biases[layer - 1]
    latent = (torch.addmm(b, a, w.T) - mean) @ encode.T
    shift = -latent.min(0).values
    after = weights[layer] @ decode
    biases[layer] = biases[layer] + weights[layer] @ mean - after @ shift
    weights[layer - 1], biases[layer - 1], weights[layer] = encode @ w, encode @ (b - mean) + shift, after
    kind = network.dtype
    return rebalance(
        FullyConnected(tuple(w.to(kind) for w in weights), tuple(b.to(kind) for b in biases), network.activation)
    )


def _widened_by_one(network: FullyConnected, seed: int) -> FullyConnected:
    """The network with one more neuron in each hidden layer, of small random weights."""
    generator = torch.Generator().manual_seed(seed)
    weights, biases = list(network.weights), list(network.biases)
    for layer in range(network.depth):
        w = weights[layer]
        size = _SEED_SIZE * float(w.square().mean().sqrt())
        if layer > 0:
            w = torch.cat([w, size * _normal((w.shape[0], 1), generator, w)], 1)
        if layer < network.depth - 1:
            w = torch.cat([w, size * _normal((1, w.shape[1]), generator, w).abs()])
            biases[layer] = torch.cat([biases[layer], biases[layer].new_zeros(1)])
        weights[layer] = w
    return FullyConnected(tuple(weights), tuple(biases), network.activation)


def _normal(shape: tuple[int, int], generator: torch.Generator, like: Tensor) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(like)
