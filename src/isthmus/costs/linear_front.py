r"""Linear layers in front of one hidden layer: the cost of its neurons is a quasi-norm of one virtual matrix.

A network $x \mapsto V \sigma(W_m \cdots W_1 x + b) + c$ of m linear maps and one layer of neurons has L = m + 1 weight
matrices. Neurons with outgoing weights $v_j$ and incoming weights $w_j$ (rows of $W = W_m \cdots W_1$) may be rescaled
by $d_j > 0$; biases are not counted. By the closed form of linear networks the least ‖w‖² of the same neurons is

$$R = \min_{d > 0} \sum_j \frac{\|v_j\|^2}{d_j^2} + m \sum_i s_i(D W)^{2/m}.$$

With the virtual matrix $M = \operatorname{diag}(\|v_j\|)\, W = (\operatorname{diag}(\|v_j\|) D^{-1})(D W)$, a product
of m + 1 factors, $R \ge L \sum_i s_i(M)^{2/L}$, so $R/L \to \operatorname{rank} M$: the index rank of the neurons.

*The minimum.* With $t_j = d_j^2$ the second term is $m \operatorname{Tr} (W^\top T W)^{1/m}$, concave in t, with the
derivative $c_j = w_j^\top (W^\top T W)^{1/m - 1} w_j$. Replacing it by its tangent and minimising,
$t_j = \|v_j\| / \sqrt{c_j}$, never raises the sum. Every t gives an upper bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.errors import OptionError, ShapeError
from isthmus.networks import FullyConnected

_STEPS = 2000
_SAME = 1e-12  # relative fall of the sum below which it counts as converged


@dataclass(frozen=True)
class LinearFrontCost:
    r"""What the neurons of a shallow network cost behind m linear maps; biases are not counted.

    Attributes:
        linear_layers: m.
        upper: ‖w‖² of weights that are exhibited by their scales d: the least found.
        lower: $L \sum_i s_i(M)^{2/L}$, L = m + 1, below every choice of d.
        index_rank: rank M, the limit of R/L as m grows.
    """

    linear_layers: int
    upper: float
    lower: float
    index_rank: int

    @property
    def depth(self) -> int:
        """L = m + 1."""
        return self.linear_layers + 1


def linear_front_cost(network: FullyConnected, linear_layers: int) -> LinearFrontCost:
    r"""The least ‖w‖² of the neurons of a shallow network with so many linear maps up to them.

    For m = 1 it is $2 \sum_j \|v_j\| \|w_j\|$, for rank 1 $L (\sum_j \|v_j\| \|w_j\|)^{2/L}$. The ends meet where M has
    orthogonal rows. It is a cost of these neurons: others may compute the same function more cheaply.

    Args:
        network: Of depth 2: W, b, V, c.
        linear_layers: m ≥ 1; the network itself has m = 1.

    Raises:
        ShapeError: If the network has not one hidden layer.
        OptionError: If m < 1.

    Source:
        Parkinson, Ongie and Willett (2025), arXiv 2305.15598; the form with several outputs and the proof are ours.
    """
    if network.depth != 2:
        raise ShapeError(
            f"The network has depth {network.depth}; linear layers are put in front of one hidden layer, depth 2."
        )
    if linear_layers < 1:
        raise OptionError("linear_layers", linear_layers, "at least 1")
    w, sizes = network.weights[0].double(), network.weights[1].double().norm(dim=0)
    lives = (sizes > 0) & (w.norm(dim=1) > 0)
    w, sizes = w[lives], sizes[lives]
    if not len(w):
        return LinearFrontCost(linear_layers, 0.0, 0.0, 0)
    m, depth = linear_layers, linear_layers + 1
    s = torch.linalg.svdvals(sizes[:, None] * w)
    s = s[s > s[0] * max(w.shape) * torch.finfo(torch.float64).eps]
    return LinearFrontCost(m, _least(w, sizes, m), depth * float((s ** (2.0 / depth)).sum()), len(s))


def _least(w: Tensor, sizes: Tensor, m: int) -> float:
    """The minimum over the scales, from those of m = 1, which are the closed form there."""
    t = sizes / w.norm(dim=1)
    best, power = float("inf"), 1.0 / m - 1.0
    for _ in range(_STEPS):
        values, vectors = torch.linalg.eigh(w.T @ (t[:, None] * w))
        kept = values > values[-1] * len(values) * torch.finfo(torch.float64).eps
        values, vectors = values[kept], vectors[:, kept]
        total = float((sizes.square() / t).sum() + m * (values ** (1.0 / m)).sum())
        if not total < best * (1.0 - _SAME):
            return min(best, total)
        best = total
        slopes = ((w @ vectors).square() * values**power).sum(1)
        t = sizes / slopes.sqrt()
    return best
