"""Mean and covariance of rows that arrive in chunks."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.errors import ScaleError


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean `(d,)` and covariance `(d, d)` of some rows, in float64."""

    mean: Tensor
    covariance: Tensor

    def deviations(self) -> Tensor:
        """Standard deviations along the principal directions, `(d,)`, descending.

        Raises:
            ScaleError: If the rows left the finite numbers.
        """
        if not bool(torch.isfinite(self.covariance).all()):
            raise ScaleError("An activation", float("inf"), 1e154, precision="double")
        variances: Tensor = torch.linalg.eigvalsh(self.covariance)
        return variances.flip(0).clamp_min(0.0).sqrt()


class MomentSum:
    """Accumulates the moments of chunks `(n, d)`, holding `d²` numbers and never the rows."""

    def __init__(self, d: int, device: torch.device | None = None) -> None:
        self.count = 0
        self._mean = torch.zeros(d, dtype=torch.float64, device=device)
        self._scatter = torch.zeros(d, d, dtype=torch.float64, device=device)

    def add(self, rows: Tensor) -> None:
        """Take in some rows `(n, d)`."""
        n = len(rows)
        # Chan's pairwise update: subtracting large means at the end would cost half the digits.
        centred = rows.double()
        chunk_mean = centred.mean(0)
        centred = centred - chunk_mean
        shift = chunk_mean - self._mean
        self._scatter.addmm_(centred.T, centred)
        self._scatter.addr_(shift, shift, alpha=self.count * n / (self.count + n))
        self._mean += shift * (n / (self.count + n))
        self.count += n

    def result(self) -> Moments:
        """The moments of all rows so far."""
        return Moments(self._mean, self._scatter / self.count)
