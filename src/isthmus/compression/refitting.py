"""Train a smaller chain on to give what the given one gives on the rows, as long as held-out rows gain by it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.errors import TooFewRowsError
from isthmus.foundation.denormals import flushed_denormals
from isthmus.networks.chain import Chain, Layer
from isthmus.training import lbfgs

_MEMORY = 20  # pairs that L-BFGS keeps
_ROUND = 40  # evaluations between looks at the held-out rows
_FIT_ROWS = 8192
_FEWEST = 5


@dataclass(frozen=True, eq=False)
class Targets:
    """Rows in three parts, with what the given function gives there.

    Attributes:
        x, y: To refit on, `(n, d_in)` and `(n, d_out)`.
        held_x, held_y: To choose by: when to stop, and which of several chains is kept.
        judge_x, judge_y: To judge by; nothing is fitted to them or chosen by them.
    """

    x: Tensor
    y: Tensor
    held_x: Tensor
    held_y: Tensor
    judge_x: Tensor
    judge_y: Tensor

    @staticmethod
    def of(chain: Chain, rows: Tensor, generator: torch.Generator) -> Targets:
        """Random fifths to choose and to judge by, the others to refit on, all in float64.

        Raises:
            TooFewRowsError: If there are fewer than five rows.
        """
        if len(rows) < _FEWEST:
            raise TooFewRowsError("x", len(rows), _FEWEST, "Of fewer nothing can be held out: leave the tolerance out")
        order = torch.randperm(len(rows), generator=generator)
        count = len(rows) // _FEWEST
        parts = [
            rows[index.sort().values] for index in (order[2 * count :][:_FIT_ROWS], *order[: 2 * count].split(count))
        ]
        (x, y), (held_x, held_y), (judge_x, judge_y) = ((part, chain(part)) for part in parts)
        return Targets(x, y, held_x, held_y, judge_x, judge_y)

    def error(self, chain: Chain) -> float:
        """Relative error of a chain on the rows to choose by."""
        return relative_error(chain(self.held_x).double(), self.held_y)

    def judged(self, chain: Chain) -> float:
        """Relative error of a chain on the rows to judge by."""
        return relative_error(chain(self.judge_x).double(), self.judge_y)


def relative_error(found: Tensor, wanted: Tensor) -> float:
    r"""$\|f - f_k\| / \|f - \bar f\|$ over rows; 0 where nothing changes, infinite where a constant does."""
    difference = float((found - wanted).norm())
    spread = float((wanted - wanted.mean(0)).norm())
    if difference == 0.0:
        return 0.0
    return difference / spread if spread > 0 else float("inf")


def refitted(chain: Chain, targets: Targets, dtype: torch.dtype, evaluations: int) -> tuple[Chain, float]:
    """The chain after L-BFGS on the mean squared difference of its outputs, and its held-out error.

    After every 40 evaluations the held-out rows are looked at; the chain that was best on them is returned, which may
    be the given one, and it ends when they have not gained by a hundredth.

    Args:
        chain: Where to start, in float64.
        targets: What to give.
        dtype: In which precision to train.
        evaluations: Of the gradient, at most.
    """
    best, lowest = chain, targets.error(chain)
    vector = _flat(chain).to(dtype)
    gradient = torch.zeros_like(vector)
    x, y = targets.x.to(dtype), targets.y.to(dtype)
    scale = float((y - y.mean(0)).square().sum())
    if not scale > 0.0:
        return best, lowest
    parameters = vector.clone().requires_grad_()

    def evaluate() -> Tensor:
        with torch.enable_grad():
            parameters.data.copy_(vector)
            value = (_like(chain, parameters)(x) - y).square().sum() / scale
            (slope,) = torch.autograd.grad(value, parameters)
        gradient.copy_(slope)
        return value.detach()

    with flushed_denormals(), torch.no_grad():
        for _ in range(-(-evaluations // _ROUND)):
            lbfgs(vector, gradient, evaluate, evaluations=_ROUND, memory=_MEMORY)
            trial = _like(chain, vector.double())
            error = targets.error(trial)
            is_gain = error < 0.99 * lowest
            if error < lowest:
                best, lowest = trial, error
            if not is_gain:
                break
    return best, lowest


def _flat(chain: Chain) -> Tensor:
    return torch.cat([t.reshape(-1) for layer in chain.layers for t in (layer.weight, layer.bias)])


def _like(chain: Chain, vector: Tensor) -> Chain:
    """The chain with the numbers of a vector."""
    layers: list[Layer] = []
    start = 0
    for layer in chain.layers:
        middle = start + layer.weight.numel()
        end = middle + layer.bias.numel()
        layers.append(replace(layer, weight=vector[start:middle].view_as(layer.weight), bias=vector[middle:end]))
        start = end
    return Chain(tuple(layers))
