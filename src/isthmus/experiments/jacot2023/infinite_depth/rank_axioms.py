r"""The last sentence of Theorem 1: R_∞ satisfies axioms 2 to 4 of a rank, as far as its brackets tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from isthmus.costs import cost_limit
from isthmus.experiments.experiment import Cell, Claim, Numbers
from isthmus.networks import FullyConnected, add, affine, compose
from isthmus.networks.catalogue import CatalogueEntry, catalogue

_SIDES = (4, 3)  # outputs and inputs of the affine maps of axiom 4


def axiom_cells(pairs: Sequence[str], seeds: Sequence[int], ranks: Sequence[int]) -> list[Cell]:
    """Every ordered pair of functions for axiom 2, every unordered one for 3, affine maps for 4."""
    composed: list[Cell] = [{"part": "composition", "f": f, "g": g} for f in pairs for g in pairs]
    added: list[Cell] = [{"part": "sum", "f": f, "g": g} for at, f in enumerate(pairs) for g in pairs[at:]]
    maps: list[Cell] = [{"part": "affine", "rank": rank, "seed": seed} for rank in (0, *ranks) for seed in seeds]
    return [*composed, *added, *maps]


def axiom_work(cell: Cell) -> Numbers:
    """The bracket of R_∞ of what is built, and of what it is built from."""
    if cell["part"] == "affine":
        return {"whole": _limit(_affine(int(cell["rank"]), int(cell["seed"])), (-1.0, 1.0))}
    entries = {entry.name: entry for entry in catalogue(0)}
    f, g = entries[str(cell["f"])], entries[str(cell["g"])]
    if cell["part"] == "sum":
        return {
            "whole": _limit(add(f.network, g.network), f.box),
            "parts": [_limit(f.network, f.box), _limit(g.network, f.box)],
        }
    # Theorem 1's ranks are those on a domain: f counts on a neighbourhood of the values of g.
    size = _largest(g) + 1.0
    return {
        "whole": _limit(compose(f.network, g.network), g.box),
        "parts": [_limit(f.network, (-size, size)), _limit(g.network, g.box)],
    }


def _limit(network: FullyConnected, box: tuple[Any, Any]) -> list[float]:
    found = cost_limit(network, box=box)
    return [found.lower, found.upper]


def _largest(entry: CatalogueEntry) -> float:
    """A bound of |g| on its box, by the norms of the rows: |Wa + b|_∞ ≤ ‖W‖_∞ |a|_∞ + |b|_∞."""
    size = max(float(corner.abs().max()) for corner in entry.box)
    for w, b in zip(entry.network.weights, entry.network.biases, strict=True):
        size = float((w.abs().sum(1) * size + b.abs()).max()) * max(1.0, abs(entry.network.activation.negative_slope))
    return size


def _affine(rank: int, seed: int) -> FullyConnected:
    generator = torch.Generator().manual_seed(seed)
    rows, columns = _SIDES
    left = torch.randn(rows, rank, generator=generator, dtype=torch.float64)
    right = torch.randn(rank, columns, generator=generator, dtype=torch.float64)
    return affine(left @ right, torch.randn(rows, generator=generator, dtype=torch.float64))


def axiom_claims(results: Sequence[Mapping[str, Any]]) -> list[Claim]:
    """Axioms 2, 3 and 4."""
    least = [
        (row["whole"], [min(ends) for ends in zip(*row["parts"], strict=True)])
        for row in rows_of_part(results, "composition")
    ]
    total = [
        (row["whole"], [sum(ends) for ends in zip(*row["parts"], strict=True)]) for row in rows_of_part(results, "sum")
    ]
    maps = [(row["rank"], row["whole"]) for row in rows_of_part(results, "affine")]
    exact = sum(ends == [rank, rank] for rank, ends in maps)
    return [
        _inequality("axiom 2: R_∞(f ∘ g) ≤ min(R_∞(f), R_∞(g))", least),
        _inequality("axiom 3: R_∞(f + g) ≤ R_∞(f) + R_∞(g)", total),
        Claim(
            "axiom 4: R_∞(Ax + b) = rank A",
            "equal",
            f"both ends of the bracket are rank A for {exact} of {len(maps)} random affine maps",
            None if not maps else exact == len(maps),
            "ranks 0 to 3, R^3 → R^4",
        ),
    ]


def rows_of_part(results: Sequence[Mapping[str, Any]], part: str) -> list[Mapping[str, Any]]:
    """The results of one part."""
    return [row for row in results if row["part"] == part]


def _inequality(claim: str, found: Sequence[tuple[Sequence[float], Sequence[float]]]) -> Claim:
    """Of brackets `(lower, upper)` of the left and the right side."""
    verified = sum(left[1] <= right[0] for left, right in found)
    contradicted = sum(left[0] > right[1] for left, right in found)
    undecided = len(found) - verified - contradicted
    return Claim(
        claim,
        "for all f and g",
        f"{verified} of {len(found)} pairs verified, {undecided} not decided by their brackets, {contradicted} "
        "contradicted",
        False if contradicted else True if verified and not undecided else None,
        "verified where the upper end of the left side is at most the lower end of the right side; a pair with the "
        "tripod can stay open, as its own R_∞ is only known to be in [1, 2]",
    )
