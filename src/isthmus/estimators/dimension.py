"""The dimension of what an autoencoder reconstructs, beside the numbers that it needs."""

from __future__ import annotations

import torch

from isthmus.data.dataset import Floats
from isthmus.dimension import DimensionEstimate, manifold_dimension
from isthmus.selection import RankSelection
from isthmus.spectra import spaced

_ROWS = 20_000  # reconstructed at once


def reconstructed_dimension(found: RankSelection, x: Floats) -> DimensionEstimate:
    """In how many directions h(g(x)) varies near the rows of `x` `(n, d)`, in the units of the fit.

    What k numbers do not carry, noise above all, is not in it. Of very many rows, evenly spaced ones are taken.
    """
    rebuilt = found.decode(found.encode(spaced(torch.from_numpy(x), _ROWS)))
    halves = found.factorization
    standard = rebuilt if halves is None else halves.encoder.inputs.forward(rebuilt)
    return manifold_dimension(standard, highest=found.rank)


def both_numbers(rank: int, dimension: int, share: float) -> str:
    """Sentences that say the rank k and the dimension, why they may differ, and what is not known.

    Args:
        rank: k.
        dimension: Of what is reconstructed.
        share: Of the variance of the rows that is reconstructed.
    """
    if rank == 0:
        return "Nothing but the mean of the rows is reconstructed: 0 numbers, 0 directions."
    near = (
        f"The rows, as far as they are reconstructed ({share:.1%} of their variance), vary in {dimension} "
        f"direction{'s' * (dimension != 1)} near each point"
    )
    numbers = f"{rank} number{'s' * (rank != 1)}"
    if rank == dimension:
        return f"{near}, and {numbers} reconstruct{'s' * (rank == 1)} all of them: as many as there are directions."
    return (
        f"{near}, but {numbers} were needed to reconstruct all of them. Either {dimension} cannot be enough: no "
        "continuous map takes a closed curve, a sphere or a torus one to one into as many numbers as it has "
        "dimensions. Or fewer would be, and the fit did not find them: where rows lie folded, knotted or close to "
        "each other, networks often do not. The two numbers alone do not tell which."
    )
