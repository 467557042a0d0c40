"""Minimum average variance estimation by its authors' package, asked in R.

R 4.5 of Debian 13 (`r-base-core`, `r-base-dev`, `r-cran-rcpp`, `r-cran-rcpparmadillo`, `r-cran-mda`) and MAVE 1.3.11 of
CRAN (`R CMD INSTALL`). The directions are those of "meanMAVE", a fit for each number; the number is that of the least
cross-validated error of local constants (`mave.dim`). As it comes but for the largest number, 10.

Source:
    Xia, Tong, Li and Zhu (2002); Wang and Xia (2008).
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOST = 10
PROGRAM = f"""
suppressMessages(library(MAVE))
rows <- as.matrix(read.table(file("stdin")))
fit <- mave.compute(rows[, -1], rows[, 1], method = "meanMAVE", max.dim = min({MOST}, ncol(rows) - 1))
cat("found", mave.dim(fit)$dim.min, "\\n")
for (k in seq_along(fit$dir)) cat("direction", as.vector(fit$dir[[k]]), "\\n")
"""


def minimum_average_variance(rscript: Sequence[str], x: Floats, y: Floats) -> tuple[int, Callable[[int], Floats]]:
    """The number, and the directions of a fit with so many, as columns.

    Args:
        rscript: How Rscript is called.
        x: `(n, d)`.
        y: `(n,)`.
    """
    table = "\n".join(" ".join(f"{value:.17g}" for value in row) for row in np.column_stack([y, x]))
    said = subprocess.run([*rscript, "-e", PROGRAM], input=table, capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in said.splitlines()]
    (number,) = (int(line[1]) for line in lines if line[:1] == ["found"])
    fits = [np.array(line[1:], dtype=float) for line in lines if line[:1] == ["direction"]]
    return number, lambda k: fits[k - 1].reshape(k, x.shape[1]).T
