r"""A teacher of rank k, and networks for it from several starts, which are compared by what they cost.

At large depth a random start loses directions that no descent finds again (zero is a saddle of high order). So a
network of moderate depth is trained as well, grown to the depth by identity layers and trained on; and where rank 1 is
in question, the interpolant of rank 1 is built, whose cost is known. Each objective is an upper bound of the minimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from isthmus.costs import rank_one_interpolant
from isthmus.data import load_dataset
from isthmus.foundation.likelihood import GAUSSIAN
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import FullyConnected
from isthmus.training import (
    WARM_SCHEDULE,
    Objective,
    Schedule,
    TrainingConfig,
    fit,
    insert_identity_layers,
    warm_start_fit,
)

RANDOM, GROWN, BUILT = "random", "grown", "built"
_SPAN = Tolerance(1e-3)  # of the activations that identity layers pass on, as in the search over the rank


@dataclass(frozen=True)
class Task:
    r"""What is learned.

    Attributes:
        rank: k of the teacher f*.
        rows: N.
        side: Inputs and outputs of f*.
        width: Of the hidden layers of f* and of the networks.
        ridge: λ of $\frac1N \sum_i \|f(x_i) - y_i\|^2 + \frac{\lambda}{L} \|w\|^2$.
        seed: Draws f*, the data and the start.
        steps: Of the descent; training on takes 3 of 5 times as many, as by default.
        rounds: Of L-BFGS, at most.
    """

    rank: int
    rows: int
    side: int
    width: int
    ridge: float
    seed: int
    steps: int
    rounds: int

    def objective(self, device: str) -> Objective:
        """Over the training rows as they are: x `(N, side)`, y = f*(x) `(N, side)`, float32."""
        source = f"teacher:k={self.rank},n={self.rows},d={self.side},width={self.width}"
        data = load_dataset(source, seed=self.seed)
        x, y = (torch.as_tensor(rows[data.split.train], device=device) for rows in (data.x, data.y))
        return Objective(x, y, GAUSSIAN, self.ridge)


@dataclass(frozen=True, eq=False)
class Candidate:
    """A network and what it costs.

    Attributes:
        start: Where it came from: `RANDOM`, `GROWN` or `BUILT`.
        network: Of the depth asked for.
        objective: What it costs, data term and norm.
    """

    start: str
    network: FullyConnected
    objective: float


def train_candidates(task: Task, depth: int, device: str, *, grown_from: int) -> list[Candidate]:
    """The network of a random start; beyond `grown_from` layers also one of so many, grown and trained on."""
    objective = task.objective(device)
    found = [(RANDOM, _random(task, objective, depth))]
    if depth > grown_from:
        found.append((GROWN, grow(task, objective, _random(task, objective, grown_from), depth)))
    return [Candidate(start, network, objective.value(network)) for start, network in found]


def grow(task: Task, objective: Objective, network: FullyConnected, depth: int) -> FullyConnected:
    """A trained network with identity layers up to `depth`, trained on."""
    deep = insert_identity_layers(network, objective.sample()[0], depth, tolerance=_SPAN)
    warm = replace(WARM_SCHEDULE, steps=3 * task.steps // 5, rounds=task.rounds)
    return warm_start_fit(deep, objective, schedule=warm, seed=task.seed)


def build_rank_one(task: Task, depth: int) -> Candidate:
    """The interpolant of rank 1 at this depth, in float64 (`costs.rank_one_interpolant`).

    Raises:
        InexactNetworkError: If double precision does not hold it at this depth.
    """
    objective = task.objective("cpu")
    made = rank_one_interpolant(objective.x, objective.y, rng=np.random.default_rng(task.seed))
    network = made.network(depth).dense()
    return Candidate(BUILT, network, objective.value(network))


def lowest(candidates: Sequence[Candidate]) -> Candidate:
    """The one of lowest objective."""
    return min(candidates, key=lambda candidate: candidate.objective)


def _random(task: Task, objective: Objective, depth: int) -> FullyConnected:
    return fit(
        objective.x,
        objective.y,
        config=TrainingConfig(
            depth=depth,
            width=task.width,
            ridge=task.ridge,
            standardize="none",
            schedule=Schedule(steps=task.steps, rounds=task.rounds),
            device=str(objective.x.device),
        ),
        seed=task.seed,
    ).network
