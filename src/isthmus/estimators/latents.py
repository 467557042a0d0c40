"""What is kept of the rows of a fit, which an estimator does not keep: where they lie, and which columns g reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from isthmus.data.dataset import Floats
from isthmus.factorization import Attribution, attribution
from isthmus.selection import RankSelection


@dataclass(frozen=True, eq=False)
class Latents:
    """The latent coordinates of the different rows of a fit, held-out ones included, in short.

    Attributes:
        lower: The least value of each coordinate, `(k,)`.
        upper: The largest, `(k,)`.
        attribution: Which columns the coordinates depend on; every different row counts once.
    """

    lower: Tensor
    upper: Tensor
    attribution: Attribution


def latents(found: RankSelection, x: Floats, names: Sequence[str]) -> Latents | None:
    """Of the rows of `x` `(n, d_in)` with columns called `names`; None at rank 0, where there are no coordinates."""
    if found.factorization is None:
        return None
    z = found.encode(torch.from_numpy(x))
    return Latents(z.amin(0), z.amax(0), attribution(found.factorization, x, names=names))


def input_names(estimator: Any) -> list[str]:
    """The names of the fitted columns; x0, x1, … where they have none, as scikit-learn calls them."""
    names = getattr(estimator, "feature_names_in_", None)
    return [f"x{j}" for j in range(estimator.n_features_in_)] if names is None else [str(name) for name in names]
