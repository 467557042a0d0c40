"""Along how many directions networks of different rows agree that classes change."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from isthmus.foundation.threads import one_thread
from isthmus.spectra import jacobians, spaced
from isthmus.training import FittedNetwork

_POINTS, _ENTRIES = 120, 10**7  # rows, and entries of all derivatives: fewer rows where they would be more


@torch.no_grad()
def shared_slopes(pair: Sequence[FittedNetwork], x: Tensor) -> Tensor:
    r"""Cross-validated squares of the singular values of Jacobians, of two networks of classes: `(m,)` float64.

    Where a function passes through k numbers its Jacobian has rank k at every row; that of a trained network has full
    rank, as errors have. With $J = \sum_j s_j u_j v_j^\top$ the derivatives of one network's logits, less their mean,
    at a row and $K$ those of another one that has seen none of the rows of the first, $s_j u_j^\top K v_j$ is $s_j^2$
    where both agree and 0 in the mean where a direction is of the first alone. It is averaged over rows and over both
    ways, for j = 1 … m, the fewer of inputs and classes less one. A bend of the sheet of the logits is no further
    direction: only its tangents are asked.

    Args:
        pair: Two networks that were trained on different rows.
        x: Rows `(n, d_in)`; evenly spaced ones, at most 120, are used.

    Source:
        Stringer et al. (2019), cross-validated principal components, here of tangents.
    """
    with one_thread():
        size = pair[0].network.d_in * pair[0].network.d_out
        points = spaced(x, max(1, min(_POINTS, _ENTRIES // size)))
        ours, theirs = (_slopes(each, points) for each in pair)
        return (_confirmed(ours, theirs) + _confirmed(theirs, ours)) / 2.0


def relative_slopes(shared: Tensor) -> Tensor:
    """Each over the first, `(m,)`, in [0, ∞); 0 of networks that share none."""
    shared = shared.clamp_min(0.0)
    return shared / shared[:1] if (shared[:1] > 0).any() else torch.zeros_like(shared)


def _slopes(fitted: FittedNetwork, x: Tensor) -> Tensor:
    """Derivatives of the logits less their mean, `(n, c, d_in)`: a shift of them all changes no probability."""
    slopes = jacobians(fitted.network, fitted.inputs.forward(x.double()).to(fitted.network.weights[0]))
    return (slopes - slopes.mean(1, keepdim=True)).cpu()


def _confirmed(slopes: Tensor, others: Tensor) -> Tensor:
    """$s_j u_j^T K v_j$ of the one's directions, mean over rows: `(m,)`."""
    u, s, vt = torch.linalg.svd(slopes, full_matrices=False)
    found: Tensor = (s * torch.einsum("ncj,ncd,njd->nj", u, others, vt)).mean(0)
    return found[: min(slopes.shape[1] - 1, slopes.shape[2])]
