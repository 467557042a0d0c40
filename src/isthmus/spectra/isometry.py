r"""The bottleneck certificate: how near each layer is to a partial isometry, and why most must be.

Let $J = Jf(x) = W_L D_{L-1} W_{L-1} \cdots D_1 W_1$ with $D_\ell = \operatorname{diag} \sigma'$, and let $V_L$ hold its
first k left singular vectors. Going backwards, with $E_\ell$ the projection on the neurons whose slope is not 0,

$$E_{\ell-1} W_\ell^\top V_\ell = V'_{\ell-1} S_\ell, \qquad D_{\ell-1} V'_{\ell-1} = V_{\ell-1} Q_{\ell-1}$$

are polar decompositions ($V$ semi-orthogonal, S and Q positive definite). Then $\prod \det S_\ell \prod \det Q_\ell$ is
the product of the first k singular values of J, $\det Q_\ell \le \max(1, |a|)^k$, and as $s \ge 1 + \log s$

$$\sum_\ell \|W_\ell - V_\ell V'^\top_{\ell-1}\|_F^2
  = \sum_\ell \|W_\ell\|_F^2 + kL - 2 \sum_\ell \operatorname{Tr} S_\ell$$

is at most $\sum_\ell \|W_\ell\|_F^2 - kL - 2 \sum_{i \le k} \log s_i(J) + 2k(L-1) \log \max(1, |a|)$.

For ReLU $D = E$ is a projection, so $Q = I$ and $V' = V$. The proof step by step: `docs/certificates.md`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.errors import OptionError
from isthmus.networks import FullyConnected
from isthmus.spectra.jacobian import jacobian_spectra, spaced
from isthmus.spectra.kinks import off_kinks_of_chain
from isthmus.spectra.model import Model, as_network
from isthmus.spectra.point_spectra import JacobianSpectra
from isthmus.spectra.product import ThinChain


@dataclass(frozen=True)
class BottleneckCertificate:
    r"""Layer by layer the distance to a partial isometry of rank k that is exhibited, and a bound on all of them.

    Attributes:
        row: The row x of the data at whose Jacobian they were found.
        rank: k.
        log_pseudo_determinant: $\sum_{i \le k} \log s_i(Jf(x))$.
        excess: The right side of the bound: $\sum_\ell \|W_\ell\|_F^2 - kL - 2 \log |Jf(x)|_+$, for a slope |a| > 1
            $2k(L-1) \log |a|$ more. Biases are left out, which can only lower it.
        distances: $\|W_\ell - V_\ell V'^\top_{\ell-1}\|_F / \sqrt k$, ℓ = 1, …, L: in units of the isometry's norm.

    Source:
        Statement: Jacot (2023), arXiv 2305.19008, on almost all weight matrices; this form and its proof are ours.
    """

    row: int
    rank: int
    log_pseudo_determinant: float
    excess: float
    distances: tuple[float, ...]

    def certified_share(self, epsilon: float) -> float:
        """The share of the layers that lie within ε of the isometry exhibited."""
        return sum(each <= epsilon for each in self.distances) / len(self.distances)

    def guaranteed_share(self, epsilon: float) -> float:
        r"""The share that the bound alone proves: $1 - \text{excess} / (\varepsilon^2 k L)$, never below 0.

        More layers than $\text{excess} / (\varepsilon^2 k)$ beyond ε would make the sum larger than it is.
        """
        return max(0.0, 1.0 - self.excess / (epsilon**2 * self.rank * len(self.distances)))


def bottleneck_certificate(
    model: Model, x: object, *, rank: int | None = None, points: int = 500
) -> BottleneckCertificate | None:
    """The certificate of a network at the row of the data where its bound is smallest.

    Args:
        model: A chain of affine maps and one positively homogeneous activation; a standardised one in standard units.
        x: `(n, d_in)` in the units the model takes.
        rank: k. None: the one of smallest bound, which counts the singular values of Jf above $e^{-L/2}$.
        points: At how many rows, evenly spaced, the Jacobian is taken.

    Returns:
        None where the Jacobian vanishes at every row, or has rank k at none: there is no isometry to compare with.

    Raises:
        UnsupportedModuleError: If the model is no such chain; the theory does not cover it.
        OptionError: If `rank` is not at least 1.
        ShapeError, DtypeError, NonFiniteError: If `x` does not hold finite rows that fit the model.
    """
    if rank is not None and rank < 1:
        raise OptionError("rank", rank, "at least 1")
    network, inputs = as_network(model, x)
    kinks = off_kinks_of_chain(network, spaced(inputs, points))
    index = spaced(torch.arange(len(inputs)), points)
    return certificate_at(network, kinks.x, index, jacobian_spectra(network, kinks.x), rank)


def certificate_at(
    network: FullyConnected, x: Tensor, index: Tensor, spectra: JacobianSpectra, rank: int | None = None
) -> BottleneckCertificate | None:
    """The same from the spectra at the points `x` `(n, d_in)`, which are the rows `index` `(n,)` of the data."""
    logs = _visible_logs(spectra)
    bounds = _excesses(network, logs)
    if rank is not None:
        bounds[:, torch.arange(bounds.shape[1]) != rank - 1] = math.inf
    if not bool(torch.isfinite(bounds).any()):
        return None
    point, k = divmod(int(bounds.argmin()), bounds.shape[1])
    return BottleneckCertificate(
        row=int(index[point]),
        rank=k + 1,
        log_pseudo_determinant=float(logs[point, : k + 1].sum()),
        excess=float(bounds[point, k]),
        distances=tuple(_distances(network, x[point : point + 1], k + 1)),
    )


def _visible_logs(spectra: JacobianSpectra) -> Tensor:
    """log σ_i at each point, −∞ for what float64 cannot tell from zero."""
    s = spectra.singular_values.cpu()
    floor = s[:, :1] * s.shape[1] * torch.finfo(torch.float64).eps
    return torch.where(s > floor, s.clamp_min(torch.finfo(torch.float64).tiny).log(), -math.inf)


def _excesses(network: FullyConnected, logs: Tensor) -> Tensor:
    """The bound at each point for k = 1, 2, …, `(n, r)`; infinite where the Jacobian has not that rank."""
    depth = network.depth
    norm = sum(float(w.double().square().sum()) for w in network.weights)
    k = torch.arange(1, logs.shape[1] + 1, dtype=torch.float64)
    stretch = math.log(max(1.0, abs(network.activation.negative_slope)))
    return norm - k * depth - 2.0 * logs.cumsum(1) + 2.0 * k * (depth - 1) * stretch


def _distances(network: FullyConnected, x: Tensor, k: int) -> list[float]:
    """The relative distances of all layers at one point `x` `(1, d_in)`."""
    # Orthogonal factors of the outer weights move neither singular values nor distances.
    weights = ThinChain(network, torch.float64).weights
    slopes = [network.activation.derivative(z).double()[0] for z in network.pre_activations(x)[:-1]]
    product = weights[0]
    for slope, w in zip(slopes, weights[1:], strict=True):
        product = w @ (slope[:, None] * product)
    frame = torch.linalg.svd(product, full_matrices=False).U[:, :k]
    found = []
    for layer in range(len(weights) - 1, -1, -1):
        arriving = weights[layer].T @ frame
        before = _polar(arriving if layer == 0 else (slopes[layer - 1] != 0).to(arriving)[:, None] * arriving)
        found.append(float((weights[layer] - frame @ before.T).norm()) / k**0.5)
        if layer:
            frame = _polar(slopes[layer - 1][:, None] * before)
    return found[::-1]


def _polar(tall: Tensor) -> Tensor:
    """The semi-orthogonal factor of `(n, k)`, n ≥ k."""
    u, _, vt = torch.linalg.svd(tall, full_matrices=False)
    factor: Tensor = u @ vt
    return factor
