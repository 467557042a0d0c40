"""What Theorem 2 says of more data, judged on paths through the outputs and on the ranks of trained networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from isthmus.costs import log_slope
from isthmus.experiments.experiment import Claim

_SHORT = 0.1  # what a slope may lack of 1 − 1/k
_LATE = 3  # largest sizes that a slope is fitted to: the law is one of large N
_DEPTH = 13  # where the bound of Theorem 2 is told
_AGREEMENT = 0.8  # share of trained networks whose rank must be the predicted one

Row = Mapping[str, Any]


def judge(rank: int, results: Sequence[Row]) -> list[Claim]:
    """Theorem 2, the growth of C_N, and what they mean for ranks."""
    parts = {name: [row for row in results if row["part"] == name] for name in ("paths", "search", "window", "random")}
    return [
        _path_slopes(parts["paths"]),
        _rank_one_cost(parts["paths"]),
        _constants(parts["paths"]),
        _more_data(rank, parts),
        _range_of_depths(rank, parts),
        _too_deep_or_shallow(rank, parts),
    ]


def late_slopes(rows: Sequence[Row], end: str) -> dict[int, tuple[float, float]]:
    """For each k the slope of log path length over log N at the largest sizes, and its standard error."""
    found = {}
    for k in sorted({row["rank"] for row in rows}):
        mine = [each for row in rows if row["rank"] == k for each in row["path"]]
        late = sorted({each["n"] for each in mine})[-_LATE:]
        kept = [each for each in mine if each["n"] in late]
        slope = log_slope([each["n"] for each in kept], [each[end] for each in kept])
        found[k] = slope.value, slope.error
    return found


def _path_slopes(rows: Sequence[Row]) -> Claim:
    ends = {end: late_slopes(rows, end) for end in ("lower", "upper")}
    lacks = [1 - 1 / k - slope for k, (slope, _) in ends["lower"].items()]
    told = "; ".join(
        f"k = {k}: {slope:.3f} ± {error:.3f} and {ends['upper'][k][0]:.3f} ± {ends['upper'][k][1]:.3f} beside "
        f"{1 - 1 / k:.3f}"
        for k, (slope, error) in ends["lower"].items()
    )
    return Claim(
        "the shortest path through y_1, …, y_N grows at least like N^{1 − 1/k}",
        "TSP(y_1, …, y_N) ≳ N^{1 − 1/k}",
        told,
        max(lacks) < _SHORT if lacks else None,
        f"slopes of the lower bound and of the path found over log N, the {_LATE} largest N, all seeds, ± standard "
        f"error; the first may lack {_SHORT:g} of 1 − 1/k. Nested rows of teachers with Gaussian inputs: "
        "their range grows slowly with N, and so does the path for k = 1; the theorem asks for a bounded support",
    )


def rank_one_bound(each: Row, depth: int) -> float:
    """Theorem 2 with its constant: R/L of every rank-1 fit is at least (Λ/D)^{2/L}."""
    return float((each["lower"] / each["diameter"]) ** (2 / depth))


def _rank_one_cost(rows: Sequence[Row]) -> Claim:
    every = [each for row in rows for each in row["path"]]
    built = [each for each in every if "constant" in each]
    below = sum(1 + each["constant"] / each["depth"] < rank_one_bound(each, each["depth"]) for each in built)
    told = []
    for k in sorted({row["rank"] for row in rows}):
        firsts, lasts = ([row["path"][at] for row in rows if row["rank"] == k] for at in (0, -1))
        ends = [np.mean([rank_one_bound(each, _DEPTH) for each in found]) for found in (firsts, lasts)]
        told.append(f"k = {k}: {ends[0]:.3f} to {ends[1]:.3f}")
    grows = [
        rank_one_bound(row["path"][-1], _DEPTH) > rank_one_bound(row["path"][0], _DEPTH)
        for row in rows
        if row["rank"] > 1
    ]
    sizes = sorted({each["n"] for each in every})
    return Claim(
        "every rank-1 fit costs R/L > c N^{(2/L)(1 − 1/k)}",
        "with some c > 0",
        f"at L = {_DEPTH}, N = {sizes[0]} to {sizes[-1]}: R/L of rank-1 fits at least {'; '.join(told)}"
        if told
        else "",
        False if below else all(grows) if grows else None,
        f"(Λ/D)^(2/L) with the lower bound of the path and the diameter D of the inputs, means over seeds; it must "
        f"grow for k > 1, and none of {len(built)} rank-1 networks that were built may cost less ({below} do)",
    )


def _constants(rows: Sequence[Row]) -> Claim:
    series = [[(each["n"], each["constant"]) for each in row["path"] if "constant" in each] for row in rows]
    series = [found for found in series if len(found) > 1]
    rises = [all(b > a for (_, a), (_, b) in pairwise(found)) for found in series]
    slopes = [float(np.polyfit(np.log([n for n, _ in f]), [c for _, c in f], 1)[0]) for f in series]
    firsts, lasts = ([found[at][1] for found in series] for at in (0, -1))
    return Claim(
        "C_N of R/L ≤ 1 + C_N/L grows without bound with N",
        "“C_N explodes with N”; at least 2 (1 − 1/k) log N by Theorem 2",
        f"from {_range(firsts)} to {_range(lasts)}, {_range(slopes)} for each unit of log N" if series else "",
        all(rises) if rises else None,
        "C_N of the rank-1 interpolant that is built, must rise with every N for every seed. It rises like log N, "
        "not like a power: the interpolant climbs in many layers, where a sum over N kinks enters by its logarithm",
    )


def _more_data(rank: int, parts: Mapping[str, Sequence[Row]]) -> Claim:
    """Fewer depths at which the best network has too small a rank, the more rows there are."""
    sizes = sorted({row["n"] for row in parts["search"]})
    counts = {n: _share_below(rank, [row for row in parts["search"] if row["n"] == n]) for n in sizes}
    random = {
        n: _share_below(rank, [e for row in parts["random"] if row["n"] == n for e in row["path"]]) for n in sizes
    }
    ends = {n: [deep_end(rank, row) for row in parts["window"] if row["n"] == n] for n in sizes}
    told = "; ".join(
        f"N = {n}: {counts[n]:.0%} ({random[n]:.0%}), to {', '.join('∞' if e is None else str(e) for e in ends[n])}"
        for n in sizes
    )
    return Claim(
        "a large amount of training data hinders rank underestimation",
        "the more data, the deeper a network must be to underestimate the rank",
        told,
        None if len(sizes) < 2 else counts[sizes[-1]] < counts[sizes[0]],
        f"share of depths at which the rank of lowest objective found (in brackets: from one random start) is below "
        f"{rank}, and the deepest depth predicted for rank {rank}, per seed. Rule: the first share falls from the "
        "smallest to the largest N. Random starts are no minima: they lose directions with depth whatever N is",
    )


def _share_below(rank: int, found: Sequence[Row]) -> float:
    return float(np.mean([each["found"] < rank for each in found])) if found else 0.0


def deep_end(rank: int, window: Row) -> int | None:
    """The last depth at which rank k wins; None without end, 0 where it wins nowhere."""
    mine = [deepest for r, _, deepest in window["ranges"] if r == rank]
    return None if -1 in mine else max(mine, default=0)


def predicted_rank(window: Row, depth: int) -> int | None:
    """The rank that wins at a depth; None at one below all that were looked at."""
    return next((r for r, low, high in window["ranges"] if low <= depth and (high == -1 or depth <= high)), None)


def _range_of_depths(rank: int, parts: Mapping[str, Sequence[Row]]) -> Claim:
    windows = {(row["n"], row["seed"]): row for row in parts["window"]}
    met = [
        (row["found"], predicted_rank(windows[key], row["depth"]))
        for row in parts["search"]
        if (key := (row["n"], row["seed"])) in windows
    ]
    random = [
        (each["found"], predicted_rank(windows[key], each["depth"]))
        for row in parts["random"]
        if (key := (row["n"], row["seed"])) in windows
        for each in row["path"]
    ]
    exact = sum(a == b for a, b in met)
    right = sum(row["found"] == rank for row in windows.values())
    return Claim(
        "a range of intermediate depths recovers the true rank",
        "where k + C/L is below 1 + C_N/L and full rank loses as well",
        f"the rank of lowest objective found is the predicted one at {exact} of {len(met)} points (N, L, seed), that "
        f"of one random start at {sum(a == b for a, b in random)} of {len(random)}; {right} of {len(windows)} windows "
        f"are of rank {rank}, which is not told",
        exact >= _AGREEMENT * len(met) if met else None,
        f"windows predicted from searches at depths up to 12; rule: {_AGREEMENT:.0%} of the first",
    )


def _too_deep_or_shallow(rank: int, parts: Mapping[str, Sequence[Row]]) -> Claim:
    depths = sorted({row["depth"] for row in parts["search"]})
    at = {depth: sorted(row["found"] for row in parts["search"] if row["depth"] == depth) for depth in depths}
    linear = [row["linear"] for row in parts["random"]]
    over = bool(depths) and max(at[depths[0]]) > rank
    under = bool(depths) and min(at[depths[-1]]) < rank
    return Claim(
        "too deep networks may underestimate the rank, too shallow models overestimate it",
        "a linear ridge regression has almost surely full rank",
        "; ".join(f"L = {depth}: {ranks}" for depth, ranks in at.items())
        + f"; linear ridge regression: rank {sorted({a for a, _ in linear})} at 1e-6, {sorted({b for _, b in linear})} "
        "at 0.1",
        over and under and all(a > rank for a, _ in linear) if depths and linear else None,
        f"ranks of lowest objective found, all N and seeds, of a teacher of rank {rank}: at the shallowest depth some "
        "above it, at the deepest some below it, and every linear fit above it at 1e-6",
    )


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.3g} to {max(values):.3g}" if values else "none"
