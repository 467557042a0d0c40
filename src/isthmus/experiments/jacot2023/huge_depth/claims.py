"""What Propositions 2 and 4 say of global minima, judged on the best networks found at each depth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from isthmus.experiments.experiment import Claim

_ZERO = 1e-6  # of s₁: a ratio of activations below it is single precision's zero
_STATED = -0.25
_LEAST = 3  # depths that a slope is fitted to
_FASTER = 1.5  # by how much the logarithm of the bound on s₂ must grow at the last doubling of the depth

Row = Mapping[str, Any]


def judge(results: Sequence[Row]) -> list[Claim]:
    """Proposition 2, what it implies with Proposition 3, and Proposition 4."""
    return [_cost(results), _second(results), _ratio(results)]


def lowest(row: Row) -> list[dict[str, Any]]:
    """At each depth the network of lowest objective, and `start`: where it comes from."""
    paths = [[{**each, "start": name} for each in path] for name, path in row["paths"].items()]
    return [min(found, key=lambda each: each["objective"]) for found in zip(*paths, strict=True)]


def _cost(results: Sequence[Row]) -> Claim:
    found = [(row, each) for row in results for each in lowest(row)]
    reached = [(row, each) for row, each in found if each["objective"] <= row["ridge"] * _bound(row, each)]
    kept = [each["norm_per_depth"] <= _bound(row, each) for row, each in reached]
    shares = [(each["norm_per_depth"] - 1) * each["depth"] / row["constant"] for row, each in found]
    growths = [_growth(lowest(row)) for row in results]
    dearer = sum(
        each["norm_per_depth"] > _bound(row, each) for row in results for path in row["paths"].values() for each in path
    )
    return Claim(
        "R/L ≤ 1 + C_N/L at global minima, C_N from the data alone",
        "for any large L",
        f"‖w‖² − L is {_range(shares)} of C_N ({_range([row['constant'] for row in results])}) over all L; ‖w‖² grows "
        f"by {_range(growths)} a layer at the last doubling; {dearer} networks of other starts or depths lie above",
        False if not all(kept) else True if found and len(reached) == len(found) else None,
        f"{len(reached)} of {len(found)} networks of lowest objective are at or below λ(1 + C_N/L), what the rank-1 "
        "interpolant costs, as global minima are; of these the norm is compared. Undecided where training stays "
        "above the interpolant. C_N of the interpolant that is built, not the least",
    )


def _second(results: Sequence[Row]) -> Claim:
    every = [each for row in results for path in row["paths"].values() for each in path]
    violations = sum(each["violations"] for each in every)
    best = [lowest(row) for row in results]
    last = [path[-1] for path in best]
    ratios = [each["second"] / each["first"] for each in last if each["first"] > 0]
    implied, by_constant = ([each[name] for each in last] for name in ("implied", "implied_by_constant"))
    return Claim(
        "the second singular value of the Jacobian is exponentially small in L",
        "s₂^{2/L} ≤ R/L − s₁^{2/L} ≤ 1 + C_N/L − s₁^{2/L}",
        f"at L = {last[0]['depth'] if last else 0} s₂ is at most {_range(implied)} by ‖w‖²/L at the median row, and "
        f"{_range(by_constant)} by C_N; measured, largest s₂ over median s₁ {_range(ratios)}; {violations} rows of "
        f"{len(every)} networks lie above the bound",
        False if violations else None if not last or max(implied) >= 1.0 else all(_falls(path) for path in best),
        "networks of lowest objective; the bound from ‖w‖²/L at every row, in double precision (1e-12 of s₁ is "
        f"rounding). Exponentially small: its logarithm grows at least {_FASTER}-fold at the last doubling of L; "
        "undecided where the bound is not below 1 at the deepest network",
    )


def _falls(path: Sequence[Row]) -> bool:
    before, last = (math.log(each["implied"]) for each in path[-2:])
    return last < 0 and last <= _FASTER * before


def _ratio(results: Sequence[Row]) -> Claim:
    told, judged = [], []
    for row in results:
        path = lowest(row)
        holds = all(each["norm_per_depth"] <= _bound(row, each) for each in path)
        slope = ratio_slope(path)
        zero = next((each["depth"] for each in path if each["ratio"] < _ZERO), None)
        tail = (
            f"0 from L = {zero} on" if zero is not None else f"slope {slope:.2f}" if slope is not None else "no slope"
        )
        told.append(f"{row['task']} {row['seed']}: {tail}")
        if holds and path[-1]["depth"] > row["constant"]:
            allowed = path[0]["ratio"] * (path[-1]["depth"] / path[0]["depth"]) ** _STATED
            judged.append(path[-1]["ratio"] <= max(allowed, _ZERO))
    others = [slope for row in results for path in row["paths"].values() if (slope := ratio_slope(path)) is not None]
    return Claim(
        "there is a layer with s₂/s₁ of the activations = O(L^{−1/4})",
        "slope at most −1/4 over log L",
        "; ".join(told) + (f"; slopes of all paths without a zero {_range(others)}" if others else ""),
        all(judged) if judged else None,
        f"least ratio over the layers, at the rows, not centred, of the networks of lowest objective ({len(judged)} of "
        f"{len(results)} meet R/L ≤ 1 + C_N/L at every depth and get deeper than C_N, where "
        f"it excludes rank 2): from the first to the last depth it must fall by "
        f"L^(−1/4), or to zero (below {_ZERO:g}). Where the premise is met training drops the second direction at "
        "some depth, so that no slope is left to set beside −1/4; a rate is not confirmed by this",
    )


def ratio_slope(path: Sequence[Row]) -> float | None:
    """Of log(s₂/s₁) over log L; None where a ratio is zero or there are too few depths."""
    if len(path) < _LEAST or min(each["ratio"] for each in path) < _ZERO:
        return None
    logs = np.log([[each["depth"], each["ratio"]] for each in path])
    return float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])


def _bound(row: Row, each: Row) -> float:
    return float(1 + row["constant"] / each["depth"])


def _growth(path: Sequence[Row]) -> float:
    before, last = path[-2:]
    cost = [each["norm_per_depth"] * each["depth"] for each in (before, last)]
    return float((cost[1] - cost[0]) / (last["depth"] - before["depth"]))


def _range(values: Sequence[float]) -> str:
    return f"{min(values):.3g} to {max(values):.3g}" if values else "none"
