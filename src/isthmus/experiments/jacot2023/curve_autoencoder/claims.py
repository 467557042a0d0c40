"""Deep autoencoders denoise, shallow ones do not: judged for single random starts and for the lowest objectives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from isthmus.experiments.experiment import Claim
from isthmus.experiments.jacot2023.curve_autoencoder.settings import LOWEST, RANDOM, Settings

_CLEAN = 0.1  # of the distance before: a network that leaves less than this on average denoises
_DIRTY = 0.5  # one that leaves more than this does not
_PROJECTION = 0.1  # relative: ‖J² − J‖ / ‖J‖ up to which J is called a projection


def judge(settings: Settings, results: Sequence[Mapping[str, Any]]) -> list[Claim]:
    """Deep denoises, shallow does not, and the ranks behind it; for random starts and for the lowest objectives."""
    shallow, deep = min(settings.depths), max(settings.depths)
    found = []
    for kind in (RANDOM, LOWEST):
        told = f"{kind}, λ = {settings.weight_decay:g} on ‖w‖²"
        found += [
            _denoises(results, kind, deep, told),
            _leaves(results, kind, shallow, told),
            _ranks(results, kind, shallow, deep, told),
        ]
    return [*found, _projects(results, deep)]


def _rows(results: Sequence[Mapping[str, Any]], depth: int) -> list[Mapping[str, Any]]:
    return [row for row in results if row["depth"] == depth]


def _shares(rows: Sequence[Mapping[str, Any]], kind: str) -> list[float]:
    return [row[kind]["after"] / row["before"] for row in rows]


def _moved(rows: Sequence[Mapping[str, Any]], kind: str, depth: int) -> str:
    pairs = ", ".join(f"{row['before']:.3f} → {row[kind]['after']:.3f}" for row in rows)
    norms = ", ".join(f"{row[kind]['norm_per_depth']:.2f}" for row in rows)
    return f"L = {depth}: mean distance to the curve {pairs or 'not measured'}; ‖w‖²/L {norms}"


def _all(flags: Sequence[bool]) -> bool | None:
    return all(flags) if flags else None


def _denoises(results: Sequence[Mapping[str, Any]], kind: str, depth: int, told: str) -> Claim:
    rows = _rows(results, depth)
    return Claim(
        f"deep autoencoders denoise ({told})",
        "random points are mapped onto the curve (plot B)",
        _moved(rows, kind, depth),
        _all([share < _CLEAN for share in _shares(rows, kind)]),
        f"every seed leaves less than {_CLEAN:.0%} of the distance. ‖w‖²/L near 1 is one direction through the middle "
        "layers; a random start that is trained on its own can keep two (near 2), which the data need not show",
    )


def _leaves(results: Sequence[Mapping[str, Any]], kind: str, depth: int, told: str) -> Claim:
    rows = _rows(results, depth)
    return Claim(
        f"shallow autoencoders do not ({told})",
        "random points stay about where they are (plot C)",
        _moved(rows, kind, depth),
        _all([share > _DIRTY for share in _shares(rows, kind)]),
        f"every seed leaves more than {_DIRTY:.0%} of the distance",
    )


def _ranks(results: Sequence[Mapping[str, Any]], kind: str, shallow: int, deep: int, told: str) -> Claim:
    ranks = {
        depth: [row[kind]["rank"] for row in _rows(results, depth)] for depth in sorted({r["depth"] for r in results})
    }
    is_decided = bool(ranks.get(shallow)) and bool(ranks.get(deep))
    is_so = is_decided and set(ranks[shallow]) == {2} and set(ranks[deep]) == {1}
    return Claim(
        f"the deep network has rank 1, the shallow one rank 2 ({told})",
        "Rank_BN = k = 1, the dimension of the data, at large depth",
        "; ".join(f"L = {depth}: {values}" for depth, values in ranks.items()),
        is_so if is_decided else None,
        f"bottleneck rank at its default tolerance, per seed; judged at L = {shallow} and {deep}. ‖w‖² is about kL + "
        "C_k, so that rank 1 is the cheaper one only beyond a depth",
    )


def _projects(results: Sequence[Mapping[str, Any]], depth: int) -> Claim:
    errors = [row[LOWEST]["projection_error"] for row in _rows(results, depth)]
    return Claim(
        f"a deep autoencoder is locally an affine projection ({LOWEST})",
        "f̂ is locally an affine projection to a k-dimensional affine subspace",
        f"L = {depth}: median ‖J² − J‖ / ‖J‖ over the data {', '.join(f'{e:.3f}' for e in errors) or 'not measured'}",
        _all([error < _PROJECTION for error in errors]),
        f"below {_PROJECTION:g} for every seed: the Jacobian at the training points is its own square",
    )
