"""Rank of the Jacobian in exact arithmetic: floating-point weights are rational numbers, so it is a fact."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import MissingExtraError
from isthmus.networks import FullyConnected


def rational_jacobian_rank(network: FullyConnected, pattern: Sequence[NDArray[np.bool_]]) -> int:
    r"""Rank of $W_L D_{L-1} \cdots D_1 W_1$ over the rational numbers, without any tolerance.

    Every weight is taken as the rational number that it is in binary. Products are formed in exact integers, so this
    is for small networks: the entries have about 53 L bits.

    Args:
        network: Its weights and slope.
        pattern: For each hidden layer which neurons are positive, `(n_ℓ,)`, as in `Region.pattern`.

    Raises:
        MissingExtraError: If python-flint is not installed.
    """
    if find_spec("flint") is None:
        raise MissingExtraError("An exact rational rank", "python-flint", "regions")
    slope = network.activation.negative_slope
    active, inactive = _integers(np.array([[1.0, slope]]))[0]
    product = _matrix(network.weights[0].double().numpy())
    if network.activation.is_linear:
        pattern = [np.ones(n, bool) for n in network.widths[1:-1]]
    for w, positive in zip(network.weights[1:], pattern, strict=True):
        for i, is_positive in enumerate(positive):
            factor = active if is_positive else inactive
            for j in range(product.ncols()):
                product[i, j] *= factor
        product = _matrix(w.double().numpy()) * product
    return int(product.rank())


def _matrix(values: NDArray[np.float64]) -> Any:
    from flint import fmpz_mat

    return fmpz_mat(_integers(values))


def _integers(values: NDArray[np.float64]) -> list[list[int]]:
    """`values` times the smallest power of two that makes them integers: the rank does not see the factor."""
    ratios = [[float(v).as_integer_ratio() for v in row] for row in values]
    common = max(denominator for row in ratios for _, denominator in row)
    return [[numerator * (common // denominator) for numerator, denominator in row] for row in ratios]
