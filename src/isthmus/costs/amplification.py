r"""How much to amplify before the kinks: a convex problem in two logarithms.

A curve $h(t) = h_0 + \sum_j m_j \sigma(t - t_j)$, t ≥ 0, is read from a narrow place in three steps: a chain of layers
multiplies t by $1/w_z$, a second chain of k layers brings a constant up to $1/w_c$ beside it, and neuron j weighs the
two by $(w_z, -w_c t_j)$. After rescaling every neuron, with n + 1 layers on the first chain, encoder included,

$$\|w\|^2 = (n + 1)\,(E / w_z^2)^{1/(n+1)} + k\, w_c^{-2/k} + 2 \sum_j \|m_j\| \sqrt{w_z^2 + w_c^2 t_j^2}
  + 2 w_c \|h_0\|,$$

where E is ‖·‖² of an encoder that gives t itself. Without the amplification ($w_z = w_c = 1$, k = 0) the kinks cost
$2 \sum \|m_j\| \sqrt{1 + t_j^2}$; with it, that sum enters through its logarithm: about
$2 \log \sum \|m_j\| + 2 e \log \sum \|m_j\| t_j$, as $k w_c^{-2/k}$ is least at $k = -2 \log w_c$, where it is
$-2 e \log w_c$.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Amplification:
    """A choice of the two chains.

    Attributes:
        first: w_z.
        second: w_c; 1 if `layers` is 0.
        layers: k, the layers that carry the constant.
        excess: ‖w‖² − L.
    """

    first: float
    second: float
    layers: int
    excess: float


@dataclass(frozen=True, eq=False)
class CurveSizes:
    """What the cost of a curve depends on.

    Attributes:
        encoder: E > 0.
        changes: ‖m_j‖, `(m,)`.
        places: t_j ≥ 0, `(m,)`.
        start: ‖h_0‖.
    """

    encoder: float
    changes: Floats
    places: Floats
    start: float


def best_amplification(sizes: CurveSizes, depth: int | None) -> Amplification:
    """The least ‖w‖² − L at one depth, or in the limit of large depth.

    Args:
        sizes: The curve.
        depth: L ≥ 3, or None for the limit.
    """
    most = 200 if depth is None else depth - 3
    best, worse = _at(sizes, depth, 0), 0
    for layers in range(1, most + 1):
        found = _at(sizes, depth, layers)
        worse = 0 if found.excess < best.excess else worse + 1
        if found.excess < best.excess:
            best = found
        if worse == 4:  # unimodal but for small k
            break
    return best


def _at(sizes: CurveSizes, depth: int | None, layers: int) -> Amplification:
    """Newton's method on the two logarithms; the problem is convex in them."""
    point = np.array([-np.log1p(sizes.changes.sum()), -np.log1p(sizes.changes @ sizes.places + sizes.start)])
    if layers == 0:
        point[1] = 0.0
    value, gradient, hessian = _excess(sizes, depth, layers, point)
    for _ in range(100):
        step = -np.linalg.solve(hessian, gradient)
        decrement = -float(gradient @ step)
        if decrement <= 1e-13 * max(1.0, abs(value)):
            break
        size = min(1.0, 3.0 / float(np.abs(step).max()))
        while size > 1e-9:
            trial = _excess(sizes, depth, layers, point + size * step)
            if trial[0] <= value - 1e-4 * size * decrement:
                break
            size /= 2
        else:
            break
        point, (value, gradient, hessian) = point + size * step, trial
    return Amplification(float(np.exp(point[0])), float(np.exp(point[1])), layers, float(value))


def _excess(sizes: CurveSizes, depth: int | None, layers: int, point: Floats) -> tuple[float, Floats, Floats]:
    """‖w‖² − L with gradient and Hessian by (log w_z, log w_c); with k = 0 the second does not move."""
    a, b = np.exp(2 * point[0]), np.exp(2 * point[1]) * sizes.places**2
    r = np.sqrt(a + b)
    r = np.where(r > 0, r, 1.0)
    m, constant = 2 * sizes.changes, 2 * np.exp(point[1]) * sizes.start
    value = float(m @ r) + constant
    gradient = np.array([float(m @ (a / r)), float(m @ (b / r)) + constant])
    across = float(m @ (-a * b / r**3))
    hessian = np.array(
        [
            [float(m @ (2 * a / r - a * a / r**3)), across],
            [across, float(m @ (2 * b / r - b * b / r**3)) + constant],
        ]
    )
    if depth is None:
        # (n + 1) q^{1/(n+1)} − (n + 1) → log q, and two layers are not on the chain.
        value += float(np.log(sizes.encoder)) - 2 * point[0] - 2
        gradient[0] -= 2
    else:
        length = depth - 2
        part = length * np.exp((np.log(sizes.encoder) - 2 * point[0]) / length)
        value += part - depth
        gradient[0] -= 2 * part / length
        hessian[0, 0] += 4 * part / length**2
    if layers == 0:
        return value, gradient * [1, 0], np.array([[hessian[0, 0], 0.0], [0.0, 1.0]])
    carried = layers * np.exp(-2 * point[1] / layers)
    value += carried
    gradient[1] -= 2 * carried / layers
    hessian[1, 1] += 4 * carried / layers**2
    return value, gradient, hessian
