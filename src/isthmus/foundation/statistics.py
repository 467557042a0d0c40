"""Means over rows that count differently."""

from __future__ import annotations

from torch import Tensor


def weighted_mean(values: Tensor, weights: Tensor | None) -> Tensor:
    r"""$\sum_i v_i x_i / \sum_i v_i$ over the rows; without weights the plain mean.

    Args:
        values: `(n,)` or `(n, d)`, floating point.
        weights: v, `(n,)`, of positive sum; None weighs the rows equally.

    Returns:
        `()` or `(d,)`.
    """
    if weights is None:
        return values.mean(0)
    shares = (weights / weights.sum()).to(values)
    return shares @ values


def standard_error(values: Tensor, weights: Tensor | None) -> float:
    r"""Standard error of the mean of independent `values` `(n,)`.

    With weights the number of rows is replaced by the effective one, $m = (\sum v_i)^2 / \sum v_i^2$, and the variance
    is $\frac{m}{m-1} \sum_i v_i (x_i - \bar x)^2 / \sum_i v_i$. Equal weights give what no weights give, and a row of
    weight 2 is one observation that counts double, not two. NaN where fewer than two rows count.

    Source:
        Kish (1965), the effective sample size.
    """
    if weights is None:
        return float(values.std() / len(values) ** 0.5) if len(values) > 1 else float("nan")
    shares = (weights / weights.sum()).to(values)
    effective = effective_rows(weights)
    variance = float(shares @ (values - shares @ values).square())
    return (variance / (effective - 1.0)) ** 0.5 if effective > 1.0 else float("nan")


def effective_rows(weights: Tensor) -> float:
    r"""$(\sum v_i)^2 / \sum v_i^2$: as many rows of equal weight know a mean as well.

    Source:
        Kish (1965), the effective sample size.
    """
    return float(weights.double().sum().square() / weights.double().square().sum())
