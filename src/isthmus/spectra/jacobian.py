"""Singular values of the Jacobian at data points."""

from __future__ import annotations

import torch
from torch import Tensor

from isthmus.errors import OptionError
from isthmus.foundation.memory import DEFAULT_MEMORY, rows_within
from isthmus.foundation.progress import Report, silent
from isthmus.foundation.threads import side_by_side
from isthmus.networks import FullyConnected
from isthmus.spectra.point_spectra import JacobianSpectra
from isthmus.spectra.product import ThinChain
from isthmus.spectra.units import Units

_ROWS_IN_CACHE = 64  # larger stacks of small matrices leave the processor's cache and slow down


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
    units: Units | None = None,
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
        units: What inputs and outputs are counted in; as they are if None.
        report: Told the fraction done.

    Raises:
        MemoryBudgetError: If not even one row fits into `memory`.
    """
    chain = ThinChain(network, dtype, units)
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


def spaced(x: Tensor, count: int) -> Tensor:
    """At most `count` rows of `x`, evenly spaced, the first and the last among them."""
    if count < 1:
        raise OptionError("points", count, "at least 1")
    if count >= len(x):
        return x
    return x[torch.linspace(0, len(x) - 1, count).round().long().to(x.device)]
