r"""A Gaussian process of few linear combinations of the inputs, whose combinations are learned."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.linalg import solve_triangular

from isthmus.foundation.statistics import weighted_mean
from isthmus.spectra import spaced
from isthmus.training.quasi_newton import lbfgs

INDUCING = 128
_JITTER = 1e-6  # of the kernel's diagonal: rows that fall together in few combinations would make it singular
_NOISES = torch.linspace(math.log(1e-6), math.log(30.0), 61, dtype=torch.float64)
"""Logs of variances of the noise, in amplitudes of the process, among which the likeliest is sought."""
_REFINED, _PIECES = 4, 13
_PAIRS = 10  # that L-BFGS keeps


class EmbeddedProcess:
    r"""$y_i = g(B x_i) + \text{noise}$ with g a Gaussian process on $\mathbb R^k$ of kernel $e^{-|z - z'|^2/2}$.

    g is a sum of kernels at m of the rows with normal coefficients, so that an evaluation costs $O(n m^2)$. Its
    amplitude and the noise are the likeliest for each B; outputs share both. B is `(k, d)`: its rows say which
    combinations of the inputs count and how fast g bends along them, and a row that is zero is a combination less.

    Args:
        x: Inputs `(n, d)` float64; only their differences matter.
        y: Outputs `(n, p)` float64; their means are taken off.
        weights: How much each row counts, `(n,)`, positive; None for all alike.
        inducing: m, at most.

    Source:
        Snelson and Ghahramani (2007), supervised dimensionality reduction in sparse Gaussian processes; Quiñonero-
        Candela and Rasmussen (2005) for the sum of kernels (deterministic training conditional).
    """

    def __init__(self, x: Tensor, y: Tensor, weights: Tensor | None = None, *, inducing: int = INDUCING) -> None:
        self._rows = spaced(torch.arange(len(x)), inducing)
        self._x, self._own = x, x[self._rows]
        self._mean = weighted_mean(y, weights)
        self._roots = x.new_ones(len(x)) if weights is None else (weights / weights.mean()).to(x).sqrt()
        self._y = self._roots[:, None] * (y - self._mean)
        self._square = float(self._y.square().sum())
        squares = self._y.T @ self._y if self._y.shape[1] < len(x) else self._y @ self._y.T
        # Outputs that say the same are not independent witnesses: (tr C)² / tr C² of them count.
        self._last: tuple[Tensor, _Point] | None = None
        self._outputs = self._square**2 / max(float(squares.square().sum()), torch.finfo(x.dtype).tiny)

    def surprise(self, b: Tensor) -> tuple[float, Tensor]:
        r"""−log of the evidence, up to a constant, and its gradient by B.

        Args:
            b: B `(k, d)`.
        """
        at = self._at(b)
        pull = self._outputs * len(self._x) / at.quadratic
        residual = (self._y - at.features.T @ at.coefficients) / at.noise
        # H, the derivative by the covariance, is wanted times the features and between them: with the eigenvectors of
        # noise + features featuresᵀ both take matrices of m rows, not of n.
        shrunk = at.vectors / (at.noise + at.values)
        inner = self._outputs * (shrunk * at.values) @ at.vectors.T - pull * at.coefficients @ at.coefficients.T
        outer = solve_triangular(at.root.T, self._outputs * (shrunk @ at.vectors.T), upper=True)
        by_kernel = (outer @ at.features).addmm_(at.kernel_weights(), residual.T, alpha=-pull)
        half = solve_triangular(at.root.T, inner, upper=True)
        by_own = -0.5 * solve_triangular(at.root.T, half.T, upper=True)
        across = by_kernel.mul_(self._roots).mul_(at.slopes)
        within = by_own * at.slopes[:, self._rows]
        within = within + within.T
        z, own = at.z, at.z[self._rows]
        by_z = 2.0 * (across.sum(0)[:, None] * z - across.T @ own)
        by_own_z = 2.0 * ((across.sum(1) + within.sum(1))[:, None] * own - across @ z - within @ own)
        return at.value, by_z.T @ self._x + by_own_z.T @ self._own

    def fit(self, b: Tensor, evaluations: int) -> tuple[Tensor, float]:
        """B of more evidence, by L-BFGS from `b` `(k, d)` with so many evaluations, and its surprise."""
        vector, slope = b.reshape(-1).clone(), torch.zeros(b.numel(), dtype=b.dtype)
        least, best = math.inf, self._last

        def evaluate() -> Tensor:
            nonlocal least, best
            value, gradient = self.surprise(vector.view_as(b))
            slope.copy_(gradient.reshape(-1))
            if value < least:
                least, best = value, self._last
            return torch.tensor(value, dtype=b.dtype)

        lbfgs(vector, slope, evaluate, evaluations=evaluations, memory=_PAIRS)
        self._last = best  # it is asked for more
        return vector.view_as(b).clone(), least

    @property
    def surprise_of_noise(self) -> float:
        """−log of the evidence of noise alone, up to the same constant."""
        least = torch.finfo(torch.float64).tiny
        return 0.5 * self._outputs * len(self._x) * math.log(max(self._square, least))

    def predict(self, b: Tensor, fresh: Tensor) -> Tensor:
        """Mean outputs `(q, p)` at fresh rows `(q, d)`."""
        weights = self._at(b).kernel_weights()
        return self._mean + _kernel(fresh @ b.T, self._own @ b.T)[0] @ weights

    def gradient_products(self, b: Tensor) -> Tensor:
        r"""$E[\nabla g \nabla g^\top]$ over the rows, summed over the outputs: `(k, k)`."""
        at = self._at(b)
        z, own, weights = at.z, at.z[self._rows], at.kernel_weights()
        total = b.new_zeros(len(b), len(b))
        for column in weights.T:
            pull = 2.0 * at.slopes * column[:, None]
            gradients = self._roots[:, None] * (pull.sum(0)[:, None] * z - pull.T @ own)
            total += gradients.T @ gradients / len(z)
        return total

    def covariance(self, b: Tensor) -> Tensor:
        """Of the combinations over the rows, `(k, k)`."""
        z = self._x @ b.T
        centred = self._roots[:, None] * (z - weighted_mean(z, self._roots.square()))
        return centred.T @ centred / len(z)

    def _at(self, b: Tensor) -> _Point:
        """What follows from B; kept, as of one B more than one thing is asked."""
        if self._last is None or not torch.equal(self._last[0], b):
            self._last = b.clone(), _Point(self, b)
        return self._last[1]


class _Point:
    """All that follows from one B: the kernel, the likeliest noise, and the coefficients of the sum of kernels."""

    def __init__(self, process: EmbeddedProcess, b: Tensor) -> None:
        y, n = process._y, len(process._x)
        self.z = process._x @ b.T
        kernel, self.slopes = _kernel(self.z[process._rows], self.z)
        within = kernel[:, process._rows]
        within.diagonal().add_(_JITTER)
        self.root = torch.linalg.cholesky(within)
        self.features = solve_triangular(self.root, kernel, upper=False).mul_(process._roots)
        values, self.vectors = torch.linalg.eigh(self.features @ self.features.T)
        self.values = values.clamp_min(0.0)
        turned = self.vectors.T @ (self.features @ y)
        self._turned_squares = turned.square().sum(1)
        self._square, self._outputs, self._others = process._square, process._outputs, n - len(values)
        self.noise, self.value = self._likeliest(n)
        self.quadratic = float(self._quadratics(torch.tensor([self.noise], dtype=torch.float64)))
        self.coefficients = self.vectors @ (turned / (self.noise + self.values)[:, None])

    def kernel_weights(self) -> Tensor:
        """Of the kernels at the m rows, `(m, p)`."""
        found: Tensor = solve_triangular(self.root.T, self.coefficients, upper=True)
        return found

    def _quadratics(self, noises: Tensor) -> Tensor:
        explained = (self._turned_squares / (noises[:, None] + self.values)).sum(1)
        left: Tensor = (self._square - explained) / noises
        return left.clamp_min(torch.finfo(torch.float64).tiny)

    def _likeliest(self, n: int) -> tuple[float, float]:
        """The noise of most evidence, and −log of that."""
        logs = _NOISES
        for _ in range(_REFINED):
            noises = logs.exp()
            determinant = (noises[:, None] + self.values).log().sum(1) + self._others * logs
            surprise = 0.5 * self._outputs * (n * self._quadratics(noises).log() + determinant)
            at = int(surprise.argmin())
            best = float(noises[at]), float(surprise[at])
            ends = float(logs[max(at - 1, 0)]), float(logs[min(at + 1, len(logs) - 1)])
            logs = torch.linspace(*ends, _PIECES, dtype=torch.float64)
        return best


def _kernel(z: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """The kernel between rows `(m, k)` and `(n, k)`, and its derivative by the squared distance, `(m, n)` each."""
    squares = (z.square().sum(1)[:, None] + others.square().sum(1)).addmm_(z, others.T, alpha=-2.0).clamp_min_(0.0)
    kernel = squares.mul_(-0.5).exp_()
    return kernel, -0.5 * kernel
