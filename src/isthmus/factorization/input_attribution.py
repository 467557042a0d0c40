"""Which inputs the latent coordinates depend on, and how strongly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from isthmus.errors import ShapeError
from isthmus.factorization.halves import Factorization
from isthmus.foundation.arrays import as_matrix, check_columns
from isthmus.foundation.memory import DEFAULT_MEMORY, rows_within
from isthmus.foundation.show import show, show_html
from isthmus.spectra import jacobians, spaced
from isthmus.spectra.dataframe import data_frame

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_COPIES = 4  # of a partial Jacobian that live at once: before and after a factor, masked, and squared


@dataclass(frozen=True, eq=False)
class Attribution:
    r"""How strongly each latent coordinate depends on each input column.

    $$a_{ij} = \operatorname{sd}(x_j) \Bigl(\frac1N \sum_n
        \Bigl(\frac{\partial z_i}{\partial x_j}(x_n)\Bigr)^2\Bigr)^{1/2}$$

    By how much of its own standard deviation (which is 1) $z_i$ moves when $x_j$ alone moves by one of its own,
    typically. It has no unit: the columns of one data set can be compared. If g is linear and the columns are
    uncorrelated, $a_{ij}^2$ is the share of the variance of $z_i$ that $x_j$ explains and $\sum_j a_{ij}^2 = 1$.
    Correlated columns can stand in for each other; which of them g reads is then a choice of the training.

    Attributes:
        effects: a, `(k, d_in)` float64, nonnegative.
        input_names: One a column of the inputs.
    """

    effects: Tensor
    input_names: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row an input, by its name, and one column z1, z2, … a latent coordinate.

        Raises:
            MissingExtraError: If pandas is not installed.
        """
        columns = zip(self.input_names, self.effects.T.tolist(), strict=True)
        rows = [{"input": name, **{f"z{i}": a for i, a in enumerate(each, start=1)}} for name, each in columns]
        return data_frame(rows, "attributions", index="input")

    def plot(self) -> go.Figure:
        """A plotly figure of the 30 strongest inputs: bars for up to three coordinates, a heat map for more."""
        return show(self)

    def _repr_html_(self) -> str:
        return show_html(self)


def attribution(
    factorization: Factorization,
    x: object,
    *,
    names: Sequence[str] | None = None,
    points: int = 2000,
    memory: int = DEFAULT_MEMORY,
) -> Attribution:
    """Root mean square derivatives of the encoder, in standard deviations of both sides.

    Args:
        factorization: Of a function, its latent coordinates of unit variance.
        x: `(n, d_in)`, in the units of the data. The standard deviations are over all rows.
        names: Of the columns; x0, x1, … if None.
        points: The derivatives, which are exact, are taken at so many rows at most, evenly spaced.
        memory: Bytes that Jacobians may take; the rows are worked through in chunks that fit.

    Raises:
        ShapeError: If `x` or `names` does not fit the encoder.
        NonFiniteError, DtypeError: If `x` is not a finite real matrix.
        MemoryBudgetError: If not even one row fits into `memory`.

    Example:
        >>> import torch
        >>> from isthmus import attribution, factor
        >>> from isthmus.networks import RELU, FullyConnected
        >>> one = torch.eye(3, dtype=torch.float64)[:1]
        >>> reads_x0 = FullyConnected((one, one.T), (torch.zeros(1).double(), torch.zeros(3).double()), RELU)
        >>> x = torch.randn(50, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        >>> found = attribution(factor(reads_x0, x), x, names=["a", "b", "c"])
        >>> [name for name, effect in zip(found.input_names, found.effects[0]) if effect > 1e-6]
        ['a']
    """
    rows = as_matrix(x)
    network, inputs = factorization.encoder.network, factorization.encoder.inputs
    check_columns(rows, network.d_in)
    named = tuple(names) if names is not None else tuple(f"x{j}" for j in range(network.d_in))
    if len(named) != network.d_in:
        raise ShapeError(f"{len(named)} names were given for {network.d_in} columns. Name each column once.")
    chosen = inputs.forward(spaced(rows, points).double()).to(network.weights[0])
    partial = min(network.d_in, network.d_out) * max(network.widths) + network.d_in * network.d_out
    chunk = rows_within(memory, _COPIES * 8 * partial, "the Jacobian of one row")
    total = torch.stack([jacobians(network, part).square().sum(0) for part in chosen.split(chunk)]).sum(0)
    # The derivatives are by standardised inputs: one unit of them is `scale` units of the data.
    deviations = (rows.double().std(0, correction=0) / inputs.scale.to(rows.device)).to(network.device)
    latent = factorization.encoder.outputs.scale.to(network.device)
    return Attribution(latent[:, None] * (total / len(chosen)).sqrt() * deviations, named)
