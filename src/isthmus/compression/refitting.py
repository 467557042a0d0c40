"""Train a smaller chain on to give what the given one gives on the rows, as long as held-out rows gain by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.compression.layered import F, Layered
from isthmus.errors import TooFewRowsError
from isthmus.foundation.denormals import flushed_denormals
from isthmus.networks.chain import Layer

_BATCH, _POOL = 512, 4096
_RATE, _WARM = 1e-3, 20  # of Adam, reached after so many steps and then lowered to zero
_COARSE = 0.1  # from this error on steps are of full length: what is nearly right moves less
_FIT_ROWS = 8192
_FEWEST = 5


@dataclass(frozen=True, eq=False)
class Targets:
    """Rows in three parts, with what the given function gives there.

    Attributes:
        x: Rows to refit on, `(n, d_in)`.
        near_x, near_y: These rows, repeated, and as many points beside them, in random order, and what f gives there.
        held_x, held_y: To choose by: when to stop, and which of several chains is kept.
        judge_x, judge_y: To judge by; nothing is fitted to them or chosen by them.
    """

    x: Tensor
    near_x: Tensor
    near_y: Tensor
    held_x: Tensor
    held_y: Tensor
    judge_x: Tensor
    judge_y: Tensor

    @staticmethod
    def of(f: Callable[[Tensor], Tensor], rows: Tensor, generator: torch.Generator) -> Targets:
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
        near = _beside(parts[0], generator)
        (near, near_y), (held_x, held_y), (judge_x, judge_y) = ((part, f(part)) for part in (near, *parts[1:]))
        return Targets(parts[0], near, near_y, held_x, held_y, judge_x, judge_y)

    def error(self, chain: Layered) -> float:
        """Relative error of a chain on the rows to choose by."""
        return relative_error(chain(self.held_x).double(), self.held_y)

    def judged(self, chain: Layered) -> float:
        """Relative error of a chain on the rows to judge by."""
        return relative_error(chain(self.judge_x).double(), self.judge_y)


def relative_error(found: Tensor, wanted: Tensor) -> float:
    r"""$\|f - f_k\| / \|f - \bar f\|$ over rows; 0 where nothing changes, infinite where a constant does."""
    difference = float((found - wanted).norm())
    spread = float((wanted - wanted.mean(0)).norm())
    if difference == 0.0:
        return 0.0
    return difference / spread if spread > 0 else float("inf")


def refitted(chain: F, targets: Targets, dtype: torch.dtype, steps: int) -> tuple[F, float]:
    """The chain after Adam on the mean squared difference of its outputs from f's, and its error on rows to choose by.

    Of the chain as given and at eight times on the way the best one on the rows to choose by is returned.

    Args:
        chain: Where to start, in float64.
        targets: What to give.
        dtype: In which precision to train.
        steps: Steps, each on 512 of the points in turn.
    """
    best, lowest = chain, targets.error(chain)
    x, y = targets.near_x.to(dtype), targets.near_y.to(dtype)
    scale = float((y - y.mean(0)).square().sum(1).mean())
    if not scale > 0.0 or lowest == 0.0:
        return best, lowest
    # Adam written out: the first of torch's own optimisers imports its compiler, as long as a refit takes.
    vector = _flat(chain).to(dtype).requires_grad_()
    first, second = torch.zeros_like(vector), torch.zeros_like(vector)
    rate = _RATE * min(1.0, (lowest / _COARSE) ** 0.5)
    with flushed_denormals():
        for step in range(1, steps + 1):
            begin = (step * _BATCH) % len(x)
            batch = slice(begin, begin + _BATCH)
            with torch.enable_grad():
                loss = (_like(chain, vector)(x[batch]) - y[batch]).square().sum() / (_BATCH * scale)
                (gradient,) = torch.autograd.grad(loss, vector)
            first.mul_(0.9).add_(gradient, alpha=0.1)
            second.mul_(0.99).addcmul_(gradient, gradient, value=0.01)
            change = first / (1 - 0.9**step) / ((second / (1 - 0.99**step)).sqrt() + torch.finfo(dtype).tiny ** 0.5)
            vector.data.add_(change, alpha=-rate * min(1.0, step / _WARM) * (1.0 - step / (steps + 1)))
            if step % max(1, steps // 8) == 0:
                trial = _like(chain, vector.detach().double())
                error = targets.error(trial)
                if error < lowest:
                    best, lowest = trial, error
    return best, lowest


def _beside(rows: Tensor, generator: torch.Generator) -> Tensor:
    r"""4,096 or more points, half of them rows and half $x_i + (x_j - x_k)/2$ of three rows, in random order.

    f is known everywhere, so there may be as many as are wanted and the rows are not learned by heart. The second half
    has the mean of the rows and half more of their covariance.
    """
    count = _BATCH * max(_POOL // _BATCH, -(-2 * len(rows) // _BATCH))
    repeated = rows[torch.randperm(count // 2, generator=generator) % len(rows)]
    i, j, k = torch.randint(0, len(rows), (3, count // 2), generator=generator)
    points = torch.cat([repeated, rows[i] + 0.5 * (rows[j] - rows[k])])
    return points[torch.randperm(count, generator=generator)]


def _flat(chain: Layered) -> Tensor:
    return torch.cat([t.reshape(-1) for layer in chain.layers for t in (layer.weight, layer.bias)])


def _like(chain: F, vector: Tensor) -> F:
    """The chain with the numbers of a vector."""
    layers: list[Layer] = []
    start = 0
    for layer in chain.layers:
        middle = start + layer.weight.numel()
        end = middle + layer.bias.numel()
        layers.append(replace(layer, weight=vector[start:middle].view_as(layer.weight), bias=vector[middle:end]))
        start = end
    return chain.with_layers(tuple(layers))
