"""When k numbers are enough."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.tolerance import Tolerance

_MOST = 3.0  # margins that a drop may stretch to
_SURE = 2.0  # standard errors above zero from which an excess is one


def margins(excess: Tensor, tolerance: Tolerance) -> Tensor:
    r"""How much may be lost through k = 0, 1, 2, … numbers, `(…, K + 1)`.

    With $e_k$ the excess and ε the tolerance: $m_k = \max(\varepsilon^2 e_0, \min(\varepsilon e_{k-1}, 3 \varepsilon^2
    e_0))$. The first part is what a direction of relative size ε carries. The second lets go what is left if it is
    below the share ε of what was left before: a network that is made to pass through k numbers keeps a little of the
    fold that its sheet of k dimensions had in k + 1, while a direction that is really missing costs about as much as
    the one before it.

    Args:
        excess: $e_k \ge 0$, mean loss of the best function through k numbers less the least of all, `(…, K + 1)`.
        tolerance: ε.
    """
    relative = tolerance.relative
    allowed = relative**2 * excess[..., :1]
    before = torch.nn.functional.pad(excess[..., :-1], (1, 0))
    return torch.maximum(allowed, torch.minimum(relative * before, _MOST * allowed))


def is_sufficient(excess: Tensor, errors: Tensor, sizes: Tensor, tolerance: Tolerance) -> Tensor:
    r"""For k = 0, 1, 2, … whether k numbers are enough, `(…, K + 1)`.

    They are if the excess is within its margin, $e_k \le m_k$, unless more numbers predict significantly better,
    $e_k > 2 s_k$, and the derivative has a further direction, $\rho_k > \varepsilon$. A direction that helps nowhere
    but on the rows that were trained on is noise, however large it is. K is enough where nothing is.

    Args:
        excess: As for `margins`.
        errors: $s_k$, standard errors of the excess, `(…, K + 1)`.
        sizes: $\rho_k$, relative size of the derivative in direction k + 1, `(…, K + 1)`.
        tolerance: ε.
    """
    is_missed = (excess > _SURE * errors) & (sizes > tolerance.relative)
    enough = (excess <= margins(excess, tolerance)) & ~is_missed
    enough[..., -1] = True
    return enough
