"""The verdicts on the inverted S: tripoints in shallow networks and none in deep ones, with and without ℓ2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import mean, median
from typing import Any

from isthmus.experiments.experiment import Claim
from isthmus.experiments.jacot2023.inverted_s_classification.settings import LOWEST, RANDOM, Settings

Row = Mapping[str, Any]

_MOST = 0.9  # of the seeds: a claim on "shallow" or "deep" networks has to hold for so many
_LITTLE = 0.2  # shares of networks without tripoints that differ by less differ "little"


def rows_of(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every network of every cell, with the cell's depth and seed."""
    return [{"depth": r["depth"], "seed": r["seed"], **row} for r in results for row in r["networks"]]


def is_free(row: Row) -> bool:
    """Whether the network tells four classes apart and no three of them meet in a point; a constant does not count."""
    return bool(row["tripoints"] == 0 and row["present"] == 4)


def judge(settings: Settings, results: Sequence[Mapping[str, Any]]) -> list[Claim]:
    """With and without ℓ2, random starts and lowest objectives, each by itself."""
    rows = rows_of(results)
    shallow, deep = settings.depths
    found = []
    for ridge, start in ((0.0, RANDOM), (settings.ridges[0], RANDOM), (settings.ridges[0], LOWEST)):
        some = [row for row in rows if row["ridge"] == ridge and row["start"] == start]
        told = f"λ = {ridge:g}, {start}" if ridge else "no ℓ2, gradient descent"
        found += [_has(settings, some, shallow, told), _has_none(settings, some, deep, told)]
    return [
        *found,
        _changes_little(settings, rows),
        _is_implicit(settings, results),
        _rank_one(rows),
        _over_depth(settings, rows),
        _regime(settings, rows),
    ]


def _counts(settings: Settings, rows: Sequence[Row], depth: int) -> tuple[list[Row], str]:
    some = [row for row in rows if row["depth"] == depth]
    if not some:
        return [], f"L = {depth}: not measured"
    free, free_far = sum(is_free(row) for row in some), sum(row["tripoints_far"] == 0 for row in some)
    numbers, near = [row["tripoints"] for row in some], sum(row["tripoints_near"] for row in some)
    return some, (
        f"L = {depth}: {free} of {len(some)} networks without; per seed {numbers}, {near} of "
        f"{sum(numbers)} within the bounding box of the data; in [−{settings.far:g}, {settings.far:g}]² {free_far} "
        f"without; ranks {sorted({row['rank'] for row in some})}"
    )


def _judged(flags: Sequence[bool]) -> bool | None:
    return mean(flags) >= _MOST if flags else None


def _has(settings: Settings, rows: Sequence[Row], depth: int, told: str) -> Claim:
    some, text = _counts(settings, rows, depth)
    return Claim(
        f"class boundaries of shallow networks feature tripoints ({told})",
        "tripoints in A and B",
        text,
        _judged([row["tripoints"] > 0 for row in some]),
        f"at least {_MOST:.0%} of the seeds have one in [−{settings.box:g}, {settings.box:g}]²; counted exactly, "
        "from the linear regions. The three boundaries between letters need not meet among the data, and where they do "
        "is a matter of how f goes on beyond them",
    )


def _has_none(settings: Settings, rows: Sequence[Row], depth: int, told: str) -> Claim:
    some, text = _counts(settings, rows, depth)
    return Claim(
        f"those of deep networks do not ({told})",
        "no tripoints in C and D",
        text,
        _judged([is_free(row) for row in some]),
        f"at least {_MOST:.0%} of the seeds have all four classes and no tripoint in the box. Rank 1 forbids tripoints "
        "but is the cheapest only beyond a depth, and a random start trained to a minimum mostly stays at rank 2",
    )


def _changes_little(settings: Settings, rows: Sequence[Row]) -> Claim:
    shares = {
        (depth, ridge): [
            is_free(row) for row in rows if row["depth"] == depth and row["ridge"] == ridge and row["start"] == RANDOM
        ]
        for depth in settings.depths
        for ridge in (0.0, settings.ridges[0])
    }
    is_known = all(shares.values())
    changes = [
        mean(shares[depth, settings.ridges[0]]) - mean(shares[depth, 0.0]) for depth in settings.depths if is_known
    ]
    told = [f"L = {d}: {c:+.0%}" for d, c in zip(settings.depths, changes, strict=False)]
    return Claim(
        "explicit ℓ2 changes little",
        "A, B and C, D look alike",
        f"share of networks without tripoints with ℓ2 (λ = {settings.ridges[0]:g}, random start) minus without: "
        f"{'; '.join(told) or 'not measured'}",
        all(abs(change) < _LITTLE for change in changes) if is_known else None,
        f"both below {_LITTLE:.0%}. The two are trained by different methods (`fit`, which projects and rebalances, "
        "and plain gradient descent), so that a difference is not one of ℓ2 alone",
    )


def _is_implicit(settings: Settings, results: Sequence[Mapping[str, Any]]) -> Claim:
    """Whether ‖w‖²/L at unit margin falls along every descent, and how far it stays above that of minima with ℓ2."""
    told, falls = [], []
    for depth in settings.depths:
        paths = [r["path"] for r in results if r["depth"] == depth and "path" in r]
        units = [[m["unit_norm"] for m in path if m["unit_norm"] is not None] for path in paths]
        separated = [unit for unit in units if len(unit) > 1]
        falls += [len(unit) > 1 and all(b < a for a, b in pairwise(unit)) for unit in units]
        lowest = _lowest_units(results, depth, settings.ridges[0])
        if separated:
            growth = median(path[-1]["norm_per_depth"] / path[0]["norm_per_depth"] - 1 for path in paths)
            beside = f"; {median(lowest):.3g} of the lowest found with λ = {settings.ridges[0]:g}" if lowest else ""
            told.append(
                f"L = {depth}: ‖w‖²/L at margin 1 from {median(u[0] for u in separated):.3g} to "
                f"{median(u[-1] for u in separated):.3g} while ‖w‖² grew by {growth:.1%}{beside}"
            )
    return Claim(
        "cross-entropy regularises implicitly",
        "an implicit ℓ2 regularisation [Chizat and Bach, Gunasekar et al., Soudry et al.]",
        f"medians over the seeds: {'; '.join(told) or 'not measured'}",
        all(falls) if falls else None,
        "‖w‖²/L of the classifier scaled to margin 1 (without biases a power of the normalised margin) falls from each "
        f"recorded cross-entropy to the next, in every seed, down to {settings.enough:g}. What is left to fall, to the "
        "networks found with ℓ2, is how far the implicit bias is from its end",
    )


def _lowest_units(results: Sequence[Mapping[str, Any]], depth: int, ridge: float) -> list[float]:
    return [
        row["unit_norm"]
        for row in rows_of(results)
        if row["depth"] == depth and row["ridge"] == ridge and row["start"] == LOWEST and row["unit_norm"] is not None
    ]


def _rank_one(rows: Sequence[Row]) -> Claim:
    ones = [row for row in rows if row["rank"] == 1]
    met = sum(row["tripoints"] > 0 for row in ones)
    free = sum(is_free(row) for row in rows if row["rank"] > 1)
    return Claim(
        "a classifier of rank 1 has no tripoints",
        "for k = 1 there would be no tripoints",
        f"{met} of {len(ones)} networks of rank 1 have one; {free} of {len(rows) - len(ones)} of larger rank have none",
        met == 0 if ones else None,
        "all networks; the bottleneck rank is read at its default tolerance on the data, tripoints in all of the box. "
        "The converse is not claimed and does not hold",
    )


def _over_depth(settings: Settings, rows: Sequence[Row]) -> Claim:
    depths = sorted(settings.map_depths)
    shares = {
        ridge: [
            [is_free(r) for r in rows if (r["depth"], r["ridge"], r["start"]) == (depth, ridge, LOWEST)]
            for depth in depths
        ]
        for ridge in settings.ridges
    }
    told = [
        f"λ = {ridge:g}: {', '.join(f'L = {d} {sum(s)} of {len(s)}' for d, s in zip(depths, row, strict=True))}"
        for ridge, row in shares.items()
    ]
    is_known = all(all(row) for row in shares.values())
    rises = [all(b >= a for a, b in pairwise(means)) and means[-1] > means[0] for means in _means(shares) if is_known]
    return Claim(
        "the deeper the fewer: low-rank topology is learned as the depth grows (lowest found)",
        "deeper networks learn low-dimensional topology",
        f"networks without tripoints: {'; '.join(told)}",
        all(rises) if is_known else None,
        "at every λ the share of seeds without tripoints never falls from one depth to the next, and ends above "
        "where it began. Very shallow minima need not have tripoints either: three lines that do not cross part the "
        "classes",
    )


def _regime(settings: Settings, rows: Sequence[Row]) -> Claim:
    shallow, deep = settings.depths
    at_panels = [row for row in rows if row["ridge"] == settings.ridges[0]]
    has = {
        (start, depth): [
            row["tripoints_far"] > 0 for row in at_panels if (row["start"], row["depth"]) == (start, depth)
        ]
        for start in (LOWEST, RANDOM)
        for depth in settings.depths
    }
    told = [
        f"{start}: {', '.join(f'L = {d} {sum(has[start, d])} of {len(has[start, d])}' for d in settings.depths)}"
        for start in (LOWEST, RANDOM)
    ]
    lowest = has[LOWEST, shallow], has[LOWEST, deep]
    return Claim(
        "the regime in which it holds: lowest objectives with ℓ2, in a box far larger than the data",
        "tripoints in shallow networks, none in deep ones",
        f"networks with tripoints in [−{settings.far:g}, {settings.far:g}]², λ = {settings.ridges[0]:g}: "
        f"{'; '.join(told)}",
        all(lowest[0]) and not any(lowest[1]) if all(lowest) else None,
        "every shallow one has some and no deep one any. The larger box was recorded from the start, but singled out "
        "after the counts in the smaller one were seen: the boundaries of shallow minima do meet, outside the data",
    )


def _means(shares: Mapping[float, Sequence[Sequence[bool]]]) -> list[list[float]]:
    return [[sum(flags) / max(1, len(flags)) for flags in row] for row in shares.values()]
