"""How often each k is the answer when the held-out rows are drawn again."""

from __future__ import annotations

import torch
from torch import Tensor

RESAMPLES = 4000  # the standard error of a probability is at most 0.8 %
_UNSEEN = 0.5  # of a row that k alone spoils, and of one that k alone mends
_CHUNK_NUMBERS = 4_000_000


def rank_probabilities(
    losses: Tensor,
    whole: Tensor,
    *,
    weights: Tensor | None = None,
    allowed: float,
    is_classification: bool,
    seed: int,
    resamples: int = RESAMPLES,
) -> tuple[float, ...]:
    r"""The share of bootstrap resamples of the rows in which each k is the answer.

    In a resample every row i counts $c_i$ times, the same for all candidates and for the whole network, so that what
    the rows have in common cancels as it does in the decision:

    $$\hat k = \min \Bigl\{k : \sum_i c_i (\ell_{k,i} - \ell_i)
        \le \max\bigl(0, \varepsilon^2 \sum_i c_i (\ell_{0,i} - \ell_i)\bigr)\Bigr\}$$

    and $\hat k = K$ where no k passes. The margin on the right is that of the resample.

    Where losses are 0 or 1, resampling alone would be certain that what it has not seen cannot happen: no row among 30
    that only k gets wrong is no proof. For every k ≥ 1 the sums therefore hold half a row that k spoils and half a row
    that k mends; their weights are random as those of the rows are (Gamma with shape 1/2).

    Args:
        losses: $\ell_{k,i}$ `(K + 1, n)`: losses of the candidates k = 0 … K; of 0, the best constant.
        whole: $\ell_i$ `(n,)`: losses of the whole network.
        weights: How much each row counts, `(n,)`, positive; its losses are multiplied by its weight over the mean one.
        allowed: ε², the share of what the network explains that may be lost.
        is_classification: Whether losses are 0 or 1.
        seed: Of the draws.
        resamples: How many.

    Returns:
        K + 1 probabilities that sum to 1.

    Source:
        Efron (1979), the bootstrap; Agresti and Min (2005), half a row in each cell of a table of pairs.
    """
    excess = (losses - whole).double().cpu()
    if weights is not None:
        excess = excess * (weights / weights.mean()).double().cpu()
    last, n = len(excess) - 1, excess.shape[1]
    generator = torch.Generator().manual_seed(seed)
    answers = torch.zeros(last + 1, dtype=torch.long)
    for part in torch.arange(resamples).split(max(1, _CHUNK_NUMBERS // n)):
        draws = torch.randint(n, (len(part), n), generator=generator)
        counts = torch.zeros(len(part), n, dtype=torch.float64)
        counts.scatter_add_(1, draws, torch.ones_like(counts))
        sums = counts @ excess.T
        if is_classification:
            normal = torch.randn(2, len(part), last, generator=generator, dtype=torch.float64)
            spoilt, mended = _UNSEEN * normal.square()  # the square of a normal variable is twice a Gamma of shape 1/2
            sums[:, 1:] += spoilt - mended
        passes = sums <= allowed * sums[:, :1].clamp_min(0.0)
        passes[:, last] = True
        answers += passes.int().argmax(1).bincount(minlength=last + 1)
    return tuple((answers.double() / resamples).tolist())
