r"""The index rank of data: the smallest number of linear combinations of the inputs that f is a function of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.data import Sample
from isthmus.foundation.threads import one_thread
from isthmus.networks import Scaling, standardization
from isthmus.selection.embedding_path import EmbeddingPath, directions_of_all, in_units, varying_axes
from isthmus.selection.folds import Folds
from isthmus.selection.index_evidence import IndexEvidence, weigh_index_evidence
from isthmus.selection.interval import expected_rank, jackknife_error, rank_interval

_TIED = 2e-3  # of the projection on what does not vary: less of a column there is the rounding of copies
_SURE = 0.8  # probability from which on an answer is called likely
_NOISY = 0.15  # of the variance: with less noise every combination of the benchmark was found, with 20 % two thirds
_FEW = 3  # folds of which one can be left out


@dataclass(frozen=True, eq=False)
class IndexRank:
    r"""The smallest k such that $f(x) = h(Ax)$ with A `(k, d_in)`, with the evidence, and A.

    It is the rank of $E[\nabla f \nabla f^\top]$, over all functions that agree on the rows: of combinations of the
    inputs that do not vary, or always vary together, none can be told from another. The bottleneck rank is never
    larger, as f passes through the k combinations.

    Attributes:
        rank: k.
        lower, upper: Ends of the interval, as of `RankSelection`; `upper` is `dimensions` where more combinations than
            were looked at may be needed.
        evidence: What is known about each k.
        dimensions: In how many directions the inputs vary; no index rank is larger.
        ties: Groups of columns among which weight can be moved with hardly a change at any row: copies, columns that
            add up to a constant, and alone a column that is constant. Of wide rows they are not listed.
        directions: A, `(k, d_in)` float64, in the units of the inputs: combinations of variance 1 without correlation,
            the largest effect on f first, the heaviest column positive. Among ties the weight is spread evenly.
        replicates: A without the rows of each fold in turn, `(folds, k, d_in)`.

    Source:
        Parkinson, Ongie and Willett (arXiv 2305.15598) for the index rank.
    """

    rank: int
    lower: int
    upper: int
    evidence: IndexEvidence
    dimensions: int
    ties: tuple[tuple[int, ...], ...]
    directions: Tensor
    replicates: Tensor

    @property
    def interval(self) -> tuple[int, int]:
        """(lower, upper)."""
        return self.lower, self.upper

    @staticmethod
    def without_variation(inputs: int) -> IndexRank:
        """Of rows whose inputs or outputs are all the same."""
        evidence = IndexEvidence((1.0,), (0.0,), (), (), ())
        return IndexRank(0, 0, 0, evidence, 0, (), torch.zeros(0, inputs), torch.zeros(0, 0, inputs))

    @property
    def sentence(self) -> str:
        """What was found and how sure it is, in one line."""
        at, inputs = self.probabilities[self.rank], self.directions.shape[1]
        allowed = str(self.rank) if self.lower == self.upper else f"{self.lower} to {self.upper}"
        what = "linear combination of" if self.rank == 1 else "linear combinations of"
        if at <= _SURE:
            return (
                f"How many linear combinations of the {_inputs(inputs)} the outputs depend on is not settled: "
                f"{self.rank} has probability {at:.0%}, {allowed} agree."
            )
        doubt = "" if self.lower == self.upper else f"; another draw of rows may say {allowed}"
        if self.rank == 0:
            return f"No linear combination of the {_inputs(inputs)} was found to matter (probability {at:.0%}{doubt})."
        left = self.evidence.errors[self.rank] / self.evidence.errors[0]
        may_hide = left > _NOISY and self.rank < self.dimensions
        combinations, sure = f"{self.rank} {what} the {_inputs(inputs)}", f"(probability {at:.0%}{doubt})."
        if not may_hide:
            return f"The outputs depend on {combinations} {sure}"
        return (
            f"The outputs depend on at least {combinations}; more cannot be seen in these rows {sure} "
            f"What is left is {left:.0%} of the variance: weaker ones may hide in it."
        )

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Of k = 0 … K, summing to 1; K stands for more where more directions vary."""
        return self.evidence.weighed

    @property
    def standard_errors(self) -> Tensor | None:
        """Of `directions`, by the jackknife over the folds; None of one or two, whose difference is chance."""
        count = len(self.replicates)
        if count < _FEW:
            return None
        deviations = self.replicates - self.replicates.mean(0)
        return ((count - 1) / count * deviations.square().sum(0)).sqrt()


def select_index_rank(
    paths: Sequence[EmbeddingPath], sample: Sample, folds: Folds, scaling: Scaling, of_rank: Tensor | None = None
) -> IndexRank | None:
    """Weigh what the folds say of the index rank, and learn the combinations from all rows; None of classes and copies.

    Args:
        paths: Of the first of the folds, at least one.
        sample: All rows.
        folds: All folds.
        scaling: Of the columns.
        of_rank: Probabilities of the bottleneck rank, which is never larger; None where they are not known.
    """
    if sample.task != "regression":
        return None
    x, weights = torch.from_numpy(sample.x).double(), torch.from_numpy(sample.weights)
    y = torch.from_numpy(sample.y).double()
    inputs, outputs = (standardization(each, scaling, weights) for each in (x, y))
    held = [torch.from_numpy(rows) for _, rows in folds[: len(paths)]]

    def weighed(kept: Sequence[int]) -> tuple[Tensor, IndexEvidence]:
        rows = torch.cat([held[at] for at in kept])
        return weigh_index_evidence([paths[at] for at in kept], rows, x, weights, dimensions, of_rank)

    with one_thread():
        axes = varying_axes(inputs.forward(x), weights)
        dimensions, every = axes.shape[1], range(len(paths))
        chances, evidence = weighed(every)
        rank = int(chances.argmax())
        left_out = every if len(paths) >= _FEW else ()
        without = [expected_rank(weighed([at for at in every if at != left])[0]) for left in left_out]
        lower, upper = rank_interval(chances, rank, jackknife_error(without))
        of_folds = [path.directions[rank - 1, :rank] for path in paths] if rank else []
        directions = x.new_zeros(0, x.shape[1])
        if rank:
            start = [each * inputs.scale for each in of_folds]
            found = directions_of_all(inputs.forward(x), outputs.forward(y), weights, start)
            directions = in_units(found, inputs.scale)
    is_open = upper == len(chances) - 1 < dimensions
    return IndexRank(
        rank,
        lower,
        dimensions if is_open else upper,
        evidence,
        dimensions,
        _ties(axes),
        directions,
        torch.stack([_matched(each, directions, x) for each in of_folds])
        if rank
        else x.new_zeros(len(paths), 0, x.shape[1]),
    )


def _inputs(count: int) -> str:
    return "1 input" if count == 1 else f"{count} inputs"


def _ties(axes: Tensor) -> tuple[tuple[int, ...], ...]:
    """Columns of which the span with orthonormal axes `(d, r)` knows combinations only, by what ties them together."""
    outside = torch.eye(len(axes), dtype=axes.dtype) - axes @ axes.T
    is_tied = outside.abs() > _TIED
    groups, left = [], set(is_tied.diagonal().nonzero()[:, 0].tolist())
    while left:
        group, new = set[int](), {min(left)}
        while new:
            group |= new
            new = {int(j) for i in new for j in is_tied[i].nonzero()[:, 0]} & left - group
        groups.append(tuple(sorted(group)))
        left -= group
    return tuple(groups)


def _matched(replicate: Tensor, directions: Tensor, x: Tensor) -> Tensor:
    """The rows of a replicate in the order and with the signs of the combinations that they correlate with."""
    ours, theirs = (x - x.mean(0)) @ directions.T, (x - x.mean(0)) @ replicate.T
    alike, order = ours.T @ theirs, torch.zeros(len(directions), dtype=torch.long)
    sizes = alike.abs()
    for _ in range(len(directions)):
        one, other = divmod(int(sizes.argmax()), len(directions))
        order[one] = other
        sizes[one], sizes[:, other] = -1.0, -1.0
    signs = torch.where(alike[torch.arange(len(directions)), order] < 0.0, -1.0, 1.0).to(x)
    return signs[:, None] * replicate[order]
