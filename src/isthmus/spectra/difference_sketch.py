"""Intervals for singular values of Jacobians of many inputs, from differences along random lines."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from isthmus.foundation.memory import rows_within
from isthmus.foundation.progress import Report, silent
from isthmus.spectra.difference_lines import LineDifferences, differences_along, random_lines
from isthmus.spectra.difference_step import DifferenceStep
from isthmus.spectra.differences import Attempt, DifferenceSpectra, refined
from isthmus.spectra.evaluated import EvaluatedFunction
from isthmus.spectra.units import Units
from isthmus.spectra.value_bars import EntryNoise, value_bars

FEWEST_LINES, MOST_LINES = 32, 512
"""Lines of a row: of fewer the intervals are too wide to say anything, of more they narrow little."""
_FAILURE = 1e-4  # probability, over the lines, that an end of an interval does not hold
_SEEKING = 4  # one line in so many seeks the outputs that matter, where there are many


def evaluations_along(lines: int) -> int:
    """Evaluations that the intervals of one row take."""
    return 4 * lines + 1


def sketched_differences(
    function: EvaluatedFunction,
    x: Tensor,
    numbers: Tensor,
    how: DifferenceStep,
    units: Units,
    lines: int,
    *,
    memory: int,
    seed: int = 0,
    report: Report = silent,
) -> DifferenceSpectra:
    r"""Intervals for the singular values of the Jacobian J at the rows of `x`, from its product with random vectors.

    Differences along ℓ lines are $Y = JΩ$ with Ω standard normal, up to their own error bars. Let t be such that a
    standard normal concentration bound $e^{-t^2/2}$ is the chance of failure. Then (Davidson and Szarek; a normal
    matrix of i rows and ℓ columns, in which the first i left singular vectors of J show Ω)

    $$σ_i(J) \le σ_i(Y) / (\sqrt ℓ - \sqrt i - t),$$

    and for i = 1 the quantile of χ² with ℓ degrees of freedom is sharper. From below, where J has r rows,

    $$σ_i(J) \ge \frac{σ_i(Y)}{\sqrt ℓ + \sqrt{r - i + 1} + t}, \qquad
    σ_i(J) \ge \frac{σ_i(Y) - \sqrt{\sum_{j \ge i} σ_j(J)^2}}{\sqrt ℓ + t}$$

    (Chevet), the sum bounded by upper ends. Where there are many outputs, a fourth of the lines finds ℓ/4 directions Q
    in them (a range finder), and the first bound is that of $Q^\top J$, which has no larger singular values and only
    ℓ/4 rows, from the other lines. No product with $J^\top$ is needed, which values alone do not give. Each inequality
    fails with a probability of $10^{-4}$ at most.

    A J of rank k < ℓ shows k values and then noise: from above these tell, with that probability, that no other value
    rises above the tolerance; from below k values are seen.

    Args:
        function: f.
        x: `(n, d_in)`, float64.
        numbers: Of the rows in the data, `(n,)`.
        how: The step and the noise.
        units: What inputs and outputs are counted in.
        lines: ℓ, at least `FEWEST_LINES`.
        memory: Bytes that differences may take at a time.
        seed: Of the lines.
        report: Told the fraction done.

    Raises:
        EvaluationBudgetError: If the budget does not allow all rows.

    Source:
        Halko, Martinsson and Tropp (2011), section 4; Davidson and Szarek (2001), theorem II.13.
    """
    generator = torch.Generator().manual_seed(seed)
    counted = int((units.inputs > 0).sum()), int((units.outputs > 0).sum())

    def attempt(rows: Tensor, centre: Tensor, step: float) -> Attempt:
        gaussian = torch.randn(x.shape[1], lines, generator=generator, dtype=torch.float64)
        along = random_lines(how, units, rows, step, gaussian)
        found = differences_along(function, rows, centre, along, how, units)
        lower, upper = _intervals(found, min(counted))
        return (lower + upper) / 2.0, (upper - lower) / 2.0, found.is_bent, found.at_kink

    each = rows_within(memory, 8 * 6 * lines * len(how.noise), f"the differences of {function.name}")
    # Lines that differ from row to row fail independently.
    found = refined(function, x, numbers, attempt, how.step, min(each, 1), evaluations_along(lines), report)
    return replace(found, is_leading=min(counted) > lines)


def _intervals(found: LineDifferences, rank: int) -> tuple[Tensor, Tensor]:
    """Lower and upper ends, `(n, min(m, ℓ))` each, for a J of at most so many singular values."""
    values, bars = _values(found, found.matrices, found.truncation, found.noise)
    lines, count = found.matrices.shape[2], values.shape[1]
    below = _reach(lines, min(rank, found.matrices.shape[1]), count)
    lower = ((values - bars) / below).clamp_min(0.0)
    if found.matrices.shape[1] > lines // _SEEKING:
        seen = _within_found_outputs(found, lines // _SEEKING)
        lower[:, : seen.shape[1]] = torch.maximum(lower[:, : seen.shape[1]], seen)
    upper = ((values + bars) / _least(lines, count)).cummin(1).values * (torch.arange(count) < rank)
    beyond = max(rank - count, 0) * upper[:, -1:].square()
    rest = (upper.square().flip(1).cumsum(1).flip(1) + beyond).sqrt()
    lower = torch.maximum(lower, (values - bars - rest) / (math.sqrt(lines) + _deviation()))
    return torch.minimum(lower.flip(1).cummax(1).values.flip(1), upper), upper


def _within_found_outputs(found: LineDifferences, seeking: int) -> Tensor:
    """Lower ends by the range finder, `(n, seeking)`."""
    q = torch.linalg.svd(found.matrices[:, :, :seeking], full_matrices=False).U
    inside, error = q.mT @ found.matrices[:, :, seeking:], q.mT @ found.truncation[:, :, seeking:]
    # Combined by orthonormal rows, noise is at most as large as the largest.
    rows = torch.full((seeking,), float(found.noise.rows.max()), dtype=torch.float64)
    values, bars = _values(found, inside, error, EntryNoise(rows, found.noise.columns[seeking:]))
    return ((values - bars) / _reach(inside.shape[2], seeking, values.shape[1])).clamp_min(0.0)


def _values(found: LineDifferences, matrices: Tensor, truncation: Tensor, noise: EntryNoise) -> tuple[Tensor, Tensor]:
    values, bars = value_bars(matrices, truncation, noise)
    bars[found.is_bent] = found.bound()[found.is_bent, None]
    return values, bars


def _reach(lines: int, rows: int, count: int) -> Tensor:
    """How much larger than those of J the values of JΩ may be, `(count,)`, where J has so many rows."""
    i = torch.arange(1, count + 1, dtype=torch.float64)
    return math.sqrt(lines) + (rows - i + 1.0).clamp_min(0.0).sqrt() + _deviation()


def _least(lines: int, count: int) -> Tensor:
    """How much larger than those of J the values of JΩ are at least, `(count,)`; tiny where nothing is known."""
    i = torch.arange(1, count + 1, dtype=torch.float64)
    least = (math.sqrt(lines) - i.sqrt() - _deviation()).clamp_min(1e-300)
    least[0] = max(float(least[0]), _chi(lines))
    return least


def _deviation() -> float:
    return math.sqrt(2.0 * math.log(1.0 / _FAILURE))


def _chi(degrees: int) -> float:
    """The root of what χ² of so many degrees of freedom falls below with the probability of failure, by bisection."""
    low, high = 0.0, float(degrees)
    half = torch.tensor(degrees / 2.0, dtype=torch.float64)
    for _ in range(60):
        middle = (low + high) / 2.0
        below = float(torch.special.gammainc(half, torch.tensor(middle / 2.0, dtype=torch.float64)))
        low, high = (middle, high) if below < _FAILURE else (low, middle)
    return math.sqrt(low)
