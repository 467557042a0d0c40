r"""How regular the two halves are: Lipschitz constants, F₁ norms, and what their Jacobians cost beside that of f."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.foundation.arrays import as_matrix
from isthmus.networks import FullyConnected
from isthmus.spectra import jacobians
from isthmus.spectra.jacobian import spaced
from isthmus.spectra.kinks import off_kinks_of_chain


@dataclass(frozen=True)
class HalfRegularity:
    r"""One half, over some rows, in the units it takes and gives.

    Attributes:
        lipschitz_lower: The largest spectral norm of its Jacobian at the rows.
        lipschitz_upper: $\prod_\ell \|W_\ell\|_2$, times $|a|^{L-1}$ for a slope |a| > 1: it holds everywhere.
        f1_upper: An upper bound of the F₁ norm with the σ of the network, $\sum_i \|v_i\| \|(w_i, b_i)\|$ over the
            neurons ($v_i = e_i$ without a hidden layer); None for more than one hidden layer, where no shallow network
            of known norm is at hand.
        difficulty: $\sum_\ell \big(\prod_{j > \ell} \|W_j\|_2\big)\, \|(W_\ell, b_\ell)\|_{2,1}\, \rho_{\ell-1}$ with
            $\rho^2 = 1 + \max_i \|a_{\ell-1}(x_i)\|^2$; for one hidden layer `f1_upper` $\cdot \rho_0$. Up to one
            constant the error, times √N, of learning the half from N rows layer by layer.
    """

    lipschitz_lower: float
    lipschitz_upper: float
    f1_upper: float | None
    difficulty: float


@dataclass(frozen=True)
class Regularity:
    r"""Both halves of $f = h \circ g$.

    Attributes:
        encoder: g.
        decoder: h, at the images of the rows.
        nuclear_norm: Mean over the rows of $\|Jf\|_*$ of $f = h \circ g$.
        halves_norm: The least mean of $\frac12(\|J(Ag)\|_F^2 + \|J(hA^{-1})\|_F^2)$ over linear changes A of the latent
            coordinates, $\operatorname{Tr} (P^{1/2} Q P^{1/2})^{1/2}$ with $P = E\, Jg Jg^\top$, $Q = E\, Jh^\top Jh$.
    """

    encoder: HalfRegularity
    decoder: HalfRegularity
    nuclear_norm: float
    halves_norm: float

    @property
    def slack(self) -> float:
        """`halves_norm` over `nuclear_norm`, at least 1; 1 where the halves are the cheapest there are, or constant."""
        return self.halves_norm / self.nuclear_norm if self.nuclear_norm > 0.0 else 1.0

    @property
    def encoder_share(self) -> float:
        """The encoder's part of the error in f: its difficulty times the slope of h, over that and the decoder's.

        Above a half g is the harder half to learn, the one that needs the rows; an indicator, made of upper bounds.
        """
        encoder = self.decoder.lipschitz_upper * self.encoder.difficulty
        whole = encoder + self.decoder.difficulty
        return encoder / whole if whole > 0.0 else 0.5


def regularity(encoder: FullyConnected, decoder: FullyConnected, x: Tensor, points: int) -> Regularity:
    """The regularity of two networks that meet, at no more than `points` of the rows `x`, evenly spaced."""
    first, second = encoder.to(dtype=torch.float64), decoder.to(dtype=torch.float64)
    rows = off_kinks_of_chain(first, spaced(as_matrix(x).double(), points)).x
    z = off_kinks_of_chain(second, first(rows)).x
    jg, jh = jacobians(first, rows), jacobians(second, z)
    nuclear = torch.linalg.svdvals(jh @ jg).sum(1).mean()
    p, q = (jg @ jg.mT).mean(0), (jh.mT @ jh).mean(0)
    # The roots of the eigenvalues of P^{1/2} Q P^{1/2} are the singular values of Q^{1/2} P^{1/2}.
    halves = torch.linalg.svdvals(_root(q) @ _root(p)).sum()
    return Regularity(_half(first, rows, jg), _half(second, z, jh), float(nuclear), float(halves))


def _root(matrix: Tensor) -> Tensor:
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = (vectors * values.clamp_min(0.0).sqrt()) @ vectors.T
    return root


def _half(network: FullyConnected, x: Tensor, jacobian: Tensor) -> HalfRegularity:
    steep = max(1.0, abs(network.activation.negative_slope))
    norms = [float(torch.linalg.matrix_norm(w, 2)) for w in network.weights]
    incoming = [(w.square().sum(1) + b.square()).sqrt() for w, b in zip(network.weights, network.biases, strict=True)]
    radii = [float((1.0 + a.square().sum(1).max()).sqrt()) for a in network.trace(x)[0]]
    upper, difficulty = 1.0, 0.0
    for norm, neurons, radius in zip(reversed(norms), reversed(incoming), reversed(radii), strict=True):
        difficulty += upper * float(neurons.sum()) * radius
        upper *= norm * steep
    f1 = None
    if network.depth <= 2:
        outgoing = network.weights[1].norm(dim=0) if network.depth == 2 else torch.ones_like(incoming[0])
        f1 = float((outgoing * incoming[0]).sum())
        difficulty = f1 * radii[0]
    largest = float(torch.linalg.matrix_norm(jacobian, 2).max())
    return HalfRegularity(largest, upper / steep, f1, difficulty)
