"""What an autoencoder loses when only k numbers may pass: by projection, trained on under the constraint, and PCA."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from isthmus.factorization.reduced_rank_regression import LinearBaseline
from isthmus.selection import RestrictedNetwork
from isthmus.spectra import truncated, truncation_curve
from isthmus.training import FittedNetwork


def error_over_k(
    deep: FittedNetwork, restricted: Sequence[RestrictedNetwork], pca: LinearBaseline, rows: Tensor
) -> list[dict[str, Any]]:
    r"""$\frac1{nd} \sum_i \|f_k(x_i) - x_i\|^2$ over rows that were not trained on, for k = 0, 1, 2, … numbers.

    Args:
        deep: The autoencoder, of rows as they are.
        restricted: It through some numbers, trained on under the constraint.
        pca: Of the rows that it was trained on.
        rows: x, `(n, d)`.

    Returns:
        For each k "k"; "projected", of the projection that changes the autoencoder least on its training rows;
        "refitted", of `restricted`, None for other k; "pca"; and "whole", of the autoencoder itself.
    """
    x = rows.double()

    def error(outputs: Tensor) -> float:
        return float((outputs.double() - x).square().mean())

    refitted = {each.rank: error(each.network(rows)) for each in restricted}
    found = truncation_curve(deep.network, deep.objective.sample()[0], until=-1.0, most=max(refitted))
    whole = error(deep(rows))
    return [
        {
            "k": point.rank,
            "projected": error(truncated(deep.network, point.truncation, point.rank)(rows)),
            "refitted": refitted.get(point.rank),
            "pca": error(pca(rows, point.rank)),
            "whole": whole,
        }
        for point in found
    ]
