"""Singular values of the Jacobian at data points, and the rank they show."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.errors import OptionError
from isthmus.foundation.memory import DEFAULT_MEMORY, rows_within
from isthmus.foundation.progress import Report, silent
from isthmus.foundation.threads import side_by_side
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.networks import FullyConnected
from isthmus.spectra.model import Model, as_network
from isthmus.spectra.product import ThinChain
from isthmus.spectra.rank_estimate import RankEstimate

_ROWS_IN_CACHE = 64  # larger stacks of small matrices leave the processor's cache and slow down


@dataclass(frozen=True, eq=False)
class JacobianSpectra:
    """Singular values of Jf at several points.

    Attributes:
        singular_values: `(n, r)` float64, descending in each row, r = the smallest width of the network. Lower ends
            where they were sketched.
        upper: `(n, r)`, upper ends where they were sketched; None where the values are exact.
    """

    singular_values: Tensor
    upper: Tensor | None = None

    def relative(self) -> Tensor:
        """σ_i / σ_1 at each point, `(n, r)`; zero where the Jacobian vanishes; lower bounds where sketched."""
        first = (self.singular_values if self.upper is None else self.upper)[:, :1]
        return torch.where(first > 0, self.singular_values / first.where(first > 0, 1.0), 0.0)

    def ranks(self, tolerance: Tolerance) -> Tensor:
        """At each point the number of σ_i above `tolerance` · σ_1, `(n,)`."""
        return (self.relative() > tolerance.relative).sum(1)

    def schatten(self, p: float) -> Tensor:
        r"""$\|Jf(x)\|_p^p = \sum_i s_i(Jf(x))^p$ over the nonzero singular values, `(n,)`.

        With p = 2/L it bounds R(f; L)/L from below at every point (Jacot 2023, Proposition 3). Singular values below
        float64 rounding of σ_1 are left out, which can only lower the bound.
        """
        floor = self.singular_values[:, :1] * self.singular_values.shape[1] * torch.finfo(torch.float64).eps
        kept = self.singular_values > floor
        return torch.where(kept, self.singular_values.where(kept, 1.0) ** p, 0.0).sum(1)


def cost_lower(spectra: JacobianSpectra, depth: int, negative_slope: float = 0.0) -> Tensor:
    r"""Proposition 3's lower bound of R(f; L)/L at each point, `(n,)`.

    $$\sum_i s_i(Jf(x))^{2/L} \le R(f; L)/L$$

    The proof bounds every σ′ by 1. For a slope a with |a| > 1 each of the L − 1 activations may stretch by |a|, so
    the singular values are divided by $|a|^{L-1}$ first.

    Args:
        spectra: Singular values at the points, or lower ends of them.
        depth: L.
        negative_slope: a.

    Source:
        Jacot (2023), Proposition 3.
    """
    stretch = max(1.0, abs(negative_slope)) ** (depth - 1)
    return JacobianSpectra(spectra.singular_values / stretch).schatten(2.0 / depth)


def jacobians(network: FullyConnected, x: Tensor) -> Tensor:
    r"""$Jf(x_i) = W_L D_{L-1} \cdots D_1 W_1$ with $D_\ell = \operatorname{diag} \sigma'(\tilde z_\ell(x_i))$, float64.

    Multiplied from the narrower end, so that the partial products stay small.

    Args:
        network: Any network.
        x: `(n, d_in)`.

    Returns:
        `(n, d_out, d_in)`. At a kink (a pre-activation of exactly 0) the left slope of σ is used.
    """
    slopes = [network.activation.derivative(z).double() for z in network.pre_activations(x)[:-1]]
    first, *later = (w.double() for w in network.weights)
    if network.d_out < network.d_in:
        *earlier, last = (first, *later)
        product = last.expand(len(x), -1, -1)
        for w, slope in zip(reversed(earlier), reversed(slopes), strict=True):
            product = (product * slope[:, None, :]) @ w
        return product
    product = first.expand(len(x), -1, -1)
    for w, slope in zip(later, slopes, strict=True):
        product = w @ (slope[:, :, None] * product)
    return product


def jacobian_spectra(
    network: FullyConnected,
    x: Tensor,
    *,
    memory: int = DEFAULT_MEMORY,
    dtype: torch.dtype = torch.float64,
    report: Report = silent,
) -> JacobianSpectra:
    r"""Singular values of Jf at the rows of `x` `(n, d_in)`.

    No Jacobian is formed: wide inputs and outputs are replaced by the triangular factors of the first and last weight
    (the singular values stay the same), only active neurons are multiplied, and the two partial products meet in the
    layer with the fewest of them, so that a core of that size is decomposed. See
    `docs/decisions/0010-jacobian-spectra.md`.

    Args:
        network: Any network.
        x: `(n, d_in)`.
        memory: Bytes that the intermediate results may take; the rows are worked through in chunks that fit.
        dtype: Precision of the products. float64 gives each value above 1e-9 of the largest to 1e-5 of itself;
            float32 is faster and right to about 1e-6 of the largest.
        report: Told the fraction done.

    Raises:
        MemoryBudgetError: If not even one row fits into `memory`.
    """
    chain = ThinChain(network, dtype)
    rows = rows_within(memory, chain.numbers_per_row * 8, "one partial Jacobian")
    chunks = x.split(min(max(1, rows // torch.get_num_threads()), _ROWS_IN_CACHE))
    narrowest = min(network.widths)
    values = torch.zeros(len(x), narrowest, dtype=torch.float64, device=x.device)
    done = 0
    for found in side_by_side(chain.spectra, chunks):
        values[done : done + len(found), : found.shape[1]] = found[:, :narrowest]
        done += len(found)
        report(done / len(x), f"Jacobian {done} of {len(x)}")
    return JacobianSpectra(values)


def jacobian_rank(
    model: Model,
    x: object,
    *,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    points: int = 500,
) -> RankEstimate:
    r"""Largest rank of the Jacobian of f over data points.

    $$\operatorname{Rank}_J(f; \Omega) = \max_{x \in \Omega} \operatorname{rank} Jf(x)$$

    The maximum runs over at most `points` rows of `x`, evenly spaced, so the result bounds Rank_J from below; the
    narrowest layer bounds it from above.

    Args:
        model: A network, a standardised network (differentiated in standard units) or a torch module that converts.
        x: `(n, d_in)` in the units the model takes.
        tolerance: Which singular values count as zero, relative to the largest at the same point.
        points: How many rows to differentiate at.

    Returns:
        `[lower, upper]`, the tolerance and the evidence (sampled).

    Raises:
        NonFiniteError: If `x` holds NaN or infinity.
        ShapeError: If `x` does not fit the model.
        UnsupportedModuleError: If a torch module cannot be converted exactly.

    Source:
        Jacot (2023), definition of the Jacobian rank.
    """
    network, inputs = as_network(model, x)
    chosen = spaced(inputs, points)
    ranks = jacobian_spectra(network, chosen).ranks(tolerance)
    return rank_over_points(ranks, min(network.widths), tolerance)


def rank_over_points(ranks: Tensor, narrowest: int, tolerance: Tolerance) -> RankEstimate:
    """The estimate that the per-point `ranks` `(n,)` give for a network whose narrowest layer is `narrowest`."""
    largest = int(ranks.max())
    share = float((ranks == largest).double().mean())
    lower = (
        f"the Jacobian has {largest} singular values above {tolerance.relative:g} of the largest at "
        f"{share:.0%} of {len(ranks)} points (sampled)"
    )
    return RankEstimate(largest, narrowest, tolerance.relative, (lower, f"the narrowest layer has width {narrowest}"))


def spaced(x: Tensor, count: int) -> Tensor:
    """At most `count` rows of `x`, evenly spaced, the first and the last among them."""
    if count < 1:
        raise OptionError("points", count, "at least 1")
    if count >= len(x):
        return x
    return x[torch.linspace(0, len(x) - 1, count).round().long().to(x.device)]
