"""Claim: L Σ sᵢ(A)^{2/L} is the least ‖w‖² that direct optimisation over the weights finds, for L = 1 … 10.

Ten random matrices of different shapes and conditions; an augmented Lagrangian over all weights that knows nothing of
singular values. What it ends at is corrected to compute A exactly, so it can only be too large.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from _environment import keep
from isthmus.costs.linear import matrix_cost

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from oracles.least_norm import least_norm_of_factors  # the tests run a small version of this claim

SHAPES = ((1, 1), (2, 2), (2, 3), (3, 2), (3, 3), (1, 4), (4, 2), (4, 4), (3, 5), (5, 5))


def main() -> None:
    torch.set_num_threads(1)
    figures = []
    for seed, (d_out, d_in) in enumerate(SHAPES):
        matrix = torch.randn(d_out, d_in, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        for depth in range(1, 11):
            closed_form = matrix_cost(matrix, depth).total
            found = min(least_norm_of_factors(matrix, depth, seed=start) for start in range(2))
            excess = found / closed_form - 1
            figures.append({"seed": seed, "shape": [d_out, d_in], "depth": depth, "R": closed_form, "excess": excess})
            print(f"{d_out} x {d_in}, L = {depth:2}: R = {closed_form:9.5f}, found {excess:+.1e}", flush=True)
    excesses = [row["excess"] for row in figures]
    print(f"relative excess of the minimum found: {min(excesses):.1e} to {max(excesses):.1e}")
    keep("costs_linear", "direct optimisation ends at the closed form, from above, within 1e-4", figures)


if __name__ == "__main__":
    main()
