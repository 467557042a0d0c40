"""How often each k is the answer when the held-out rows are drawn again."""

from __future__ import annotations

import torch
from torch import Tensor

RESAMPLES = 4000  # the standard error of a probability is at most 0.8 %
_CHUNK_NUMBERS = 4_000_000


def rank_probabilities(
    losses: Tensor, whole: Tensor, *, allowed: float, seed: int, resamples: int = RESAMPLES
) -> tuple[float, ...]:
    r"""The share of bootstrap resamples of the rows in which each k is the answer.

    In a resample every row i counts $c_i$ times, the same for all candidates and for the whole network, so that what
    the rows have in common cancels as it does in the decision:

    $$\hat k = \min \Bigl\{k : \sum_i c_i (\ell_{k,i} - \ell_i)
        \le \max\bigl(0, \varepsilon^2 \sum_i c_i (\ell_{0,i} - \ell_i)\bigr)\Bigr\}$$

    and $\hat k = K$ where no k passes. The margin on the right is that of the resample.

    Args:
        losses: $\ell_{k,i}$ `(K + 1, n)`: losses of the candidates k = 0 … K; of 0, the best constant.
        whole: $\ell_i$ `(n,)`: losses of the whole network.
        allowed: ε², the share of what the network explains that may be lost.
        seed: Of the draws.
        resamples: How many.

    Returns:
        K + 1 probabilities that sum to 1.

    Source:
        Efron (1979), the bootstrap.
    """
    excess = (losses - whole).double().cpu()
    last, n = len(excess) - 1, excess.shape[1]
    generator = torch.Generator().manual_seed(seed)
    answers = torch.zeros(last + 1, dtype=torch.long)
    for part in torch.arange(resamples).split(max(1, _CHUNK_NUMBERS // n)):
        draws = torch.randint(n, (len(part), n), generator=generator)
        counts = torch.zeros(len(part), n, dtype=torch.float64)
        counts.scatter_add_(1, draws, torch.ones_like(counts))
        sums = counts @ excess.T
        passes = sums <= allowed * sums[:, :1].clamp_min(0.0)
        passes[:, last] = True
        answers += passes.int().argmax(1).bincount(minlength=last + 1)
    return tuple((answers.double() / resamples).tolist())
