"""Intervals for the leading singular values of Jacobians too large to be formed."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from isthmus.errors import NotDifferentiableError
from isthmus.foundation.memory import rows_within
from isthmus.foundation.progress import Report, silent
from isthmus.networks.evaluation import evaluating
from isthmus.networks.rowwise import RowFunction
from isthmus.spectra.local import pushed_forward, saved_bytes
from isthmus.spectra.point_spectra import JacobianSpectra
from isthmus.spectra.units import Units

_OVERSAMPLING = 8  # directions beyond those asked for; the intervals tighten with them
_PROBES = 10  # random vectors that bound what the sketch has not seen
_FAILURE = 1e-6  # probability, over the random vectors, that any upper bound of a call does not hold


def sketched_spectra(
    function: RowFunction,
    x: Tensor,
    leading: int,
    *,
    memory: int,
    units: Units | None = None,
    seed: int = 0,
    iterations: int = 3,
    report: Report = silent,
) -> JacobianSpectra:
    r"""Intervals for the `leading` largest singular values of the Jacobian at the rows of `x`.

    With Q orthonormal from a randomised subspace iteration, the singular values $\theta_i$ of $JQ$ bound those of J
    from below (Cauchy's interlacing). With $\eta \ge \|J (I - QQ^\top)\|$ and
    $b = \|(I - QQ^\top) J^\top J Q\|$ they are bounded from above by

    $$\sigma_i^2 \le \max(\theta_i^2, \eta^2) + \frac{2 b^2}{\delta_i + \sqrt{\delta_i^2 + 4 b^2}}, \qquad
    \delta_i = \max(\theta_i^2 - \eta^2, 0).$$

    η comes from ten random vectors and holds for all rows together with probability $1 - 10^{-6}$; the rest is
    certain up to the rounding of the module's own arithmetic, for which 1e-5 of the largest value is added in single
    precision.

    Args:
        function: Any differentiable function of rows whose kernels have forward derivatives.
        x: `(n, *input_shape)`.
        leading: How many singular values.
        memory: Bytes that the sketches of a chunk of rows may take.
        units: What inputs and outputs are counted in; as they are if None.
        seed: Of the random vectors.
        iterations: Subspace iterations: more of them narrow the intervals.
        report: Told the fraction done.

    Returns:
        Lower ends in `singular_values`, upper ends in `upper`, `(n, leading)` each.

    Raises:
        MemoryBudgetError: If the sketch of one row does not fit.
        NotDifferentiableError: If a kernel has no forward derivative.

    Source:
        Halko, Martinsson and Tropp (2011), algorithm 4.4 and lemma 4.1; Li and Li (2005), theorem 2.
    """
    leading = min(leading, function.d_in, function.d_out)
    width = min(leading + _OVERSAMPLING, function.d_in)
    size = 8 * 3 * (width + _PROBES) * (function.d_in + function.d_out)
    generator = torch.Generator().manual_seed(seed)
    lower, upper = [], []
    with evaluating(function.module):
        per_row = size + 4 * saved_bytes(function, x[:1])
        rows = rows_within(memory, per_row, f"the sketch of one row of {function.name}")
        for begin in range(0, len(x), rows):
            chunk = x[begin : begin + rows].to(dtype=function.dtype, device=function.device)
            low, high = _intervals(_Map(function, chunk, units), width, iterations, generator, len(x))
            lower.append(low[:, :leading])
            upper.append(high[:, :leading])
            report((begin + len(chunk)) / len(x), f"Jacobian {begin + len(chunk)} of {len(x)}")
    return JacobianSpectra(torch.cat(lower), torch.cat(upper), leading < min(function.d_in, function.d_out))


class _Map:
    """The Jacobians at some rows, in some units, as linear maps: J V and Jᵀ U for blocks of vectors."""

    def __init__(self, function: RowFunction, x: Tensor, units: Units | None) -> None:
        self.function, self.rows = function, x.detach()
        inputs = units.inputs if units is not None else torch.ones(function.d_in, dtype=torch.float64)
        outputs = units.outputs if units is not None else torch.ones(function.d_out, dtype=torch.float64)
        self._inputs, self._outputs = inputs.to(x.device)[:, None], outputs.to(x.device)[:, None]
        self.d_in = function.d_in
        with torch.enable_grad():
            self._x = x.detach().clone().requires_grad_()
            self._y = function(self._x)

    def forward(self, v: Tensor) -> Tensor:
        """J V, `(n, d_in, q)` to `(n, d_out, q)`, float64."""
        v = self._inputs * v
        try:
            with torch.no_grad():
                columns = [
                    pushed_forward(self.function, self.rows, v[:, :, i].to(self.rows).reshape(self.rows.shape)).double()
                    for i in range(v.shape[2])
                ]
        except NotImplementedError as missing:
            raise NotDifferentiableError(self.function.name, "a kernel has no derivative in forward mode") from missing
        return self._outputs * torch.stack(columns, 2)

    def adjoint(self, u: Tensor) -> Tensor:
        """Jᵀ U, `(n, d_out, q)` to `(n, d_in, q)`, float64."""
        u = self._outputs * u
        if not self._y.requires_grad:
            return torch.zeros(len(u), self.d_in, u.shape[2], dtype=torch.float64, device=u.device)
        columns = [
            torch.autograd.grad(self._y, self._x, u[:, :, i].to(self._y), retain_graph=True, materialize_grads=True)[0]
            for i in range(u.shape[2])
        ]
        return self._inputs * torch.stack([c.flatten(1).double() for c in columns], 2)


def _intervals(
    jacobian: _Map, width: int, iterations: int, generator: torch.Generator, points: int
) -> tuple[Tensor, Tensor]:
    n, device = len(jacobian.rows), jacobian.rows.device
    q = torch.linalg.qr(_gaussian((n, jacobian.d_in, width), generator, device)).Q
    for _ in range(iterations):
        q = torch.linalg.qr(jacobian.adjoint(torch.linalg.qr(jacobian.forward(q)).Q)).Q
    image = jacobian.forward(q)
    # The module's own rounding makes J Q and Jᵀ U slightly inconsistent: the slack covers it.
    squares: Tensor = torch.linalg.eigvalsh(image.mT @ image).flip(1).clamp_min(0.0)
    back = jacobian.adjoint(image)
    outside = back - q @ (q.mT @ back)
    b = torch.linalg.eigvalsh(outside.mT @ outside)[:, -1:].clamp_min(0.0).sqrt()
    probes = _gaussian((n, jacobian.d_in, _PROBES), generator, device)
    probes = probes - q @ (q.mT @ probes)
    unseen = jacobian.forward(probes).square().sum(1).amax(1, keepdim=True)
    # P(‖E‖ > α √(2/π) max ‖E g‖) ≤ α^-r for r vectors; shared among all points of the call.
    alpha = (points / _FAILURE) ** (1.0 / _PROBES)
    eta = unseen * (alpha**2 * 2.0 / math.pi) if width < jacobian.d_in else torch.zeros_like(unseen)
    gap = (squares - eta).clamp_min(0.0)
    excess = 2.0 * b.square() / (gap + (gap.square() + 4.0 * b.square()).sqrt()).clamp_min(1e-300)
    # Rounding of the Gram matrix moves its eigenvalues by this much, which matters for the smallest.
    rounding = width * 8 * torch.finfo(torch.float64).eps * squares[:, :1]
    lower = (squares - rounding).clamp_min(0.0).sqrt()
    upper = (torch.maximum(squares, eta) + excess + rounding).sqrt()
    slack = (1e-5 if jacobian.rows.dtype == torch.float32 else 1e-12) * lower[:, :1]
    return (lower - slack).clamp_min(0.0), upper + slack


def _gaussian(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(device)
