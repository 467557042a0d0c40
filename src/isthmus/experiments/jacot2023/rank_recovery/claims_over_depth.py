"""How the rank that is found depends on the depth: too shallow, in between, too deep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from isthmus.experiments.experiment import Claim
from isthmus.experiments.jacot2023.rank_recovery.wording import spread
from isthmus.experiments.jacot2023.teacher_networks import BUILT, RANDOM

Row = Mapping[str, Any]


def best_of(row: Row) -> Row:
    """The network of lowest objective among those that a cell compared."""
    found: Row = row["networks"][row["best"]]
    return found


def depth_claims(k: int, depth: int, rows: Sequence[Row]) -> list[Claim]:
    """What the slides say of depths around L = `depth`, from the results `rows` for functions of rank k."""
    by_depth: dict[int, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row["depth"]):
        by_depth.setdefault(row["depth"], []).append(row)
    shallow = {at: by_depth[at] for at in by_depth if 1 < at < depth}
    deep = {at: by_depth[at] for at in by_depth if at > depth}
    return [_shallow(k, shallow), _deep(k, deep), _between(k, depth, by_depth)]


def _shallow(k: int, by_depth: Mapping[int, Sequence[Row]]) -> Claim:
    told = []
    for depth, rows in by_depth.items():
        found = [best_of(row) for row in rows]
        jacobian, bottleneck = ([each[name] for each in found] for name in ("jacobian_rank", "bottleneck_rank"))
        told.append(f"L = {depth}: Jacobian ranks {jacobian}, bottleneck ranks {bottleneck}")
    return Claim(
        "too shallow networks often overestimate the rank",
        "as a linear model does, whose Jacobian is almost surely of full rank",
        "; ".join(told),
        _most(best_of(row)["jacobian_rank"] > k for row in by_depth[min(by_depth)]) if by_depth else None,
        f"Jacobian rank at 0.1 above k = {k} for more than half of the seeds at the smallest depth above 1. The "
        "bottleneck rank at 0.1 asks less: directions that change f by 10 % or less together are not missed",
    )


def _deep(k: int, by_depth: Mapping[int, Sequence[Row]]) -> Claim:
    told = []
    for depth, rows in by_depth.items():
        trained = [[each for each in row["networks"] if each["start"] != BUILT] for row in rows]
        lower = [min(networks, key=lambda each: each["objective"]) for networks in trained]
        random = [each["bottleneck_rank"] for networks in trained for each in networks if each["start"] == RANDOM]
        times = [each["objective"] / best_of(row)["objective"] for row, each in zip(rows, lower, strict=True)]
        told.append(
            f"L = {depth}: rank {[best_of(row)['bottleneck_rank'] for row in rows]} costs least "
            f"({', '.join(sorted({best_of(row)['start'] for row in rows}))}); random starts {random}; the lower of "
            f"random and grown {[each['bottleneck_rank'] for each in lower]}, {spread(times, '.2f')} times as dear"
        )
    return Claim(
        "too deep networks might underestimate the rank",
        "1 + C_N/L is below k + C/L at large L",
        "; ".join(told),
        _most(best_of(row)["bottleneck_rank"] < k for row in by_depth[max(by_depth)]) if by_depth else None,
        f"at the largest depth the network of lowest objective has a rank below k = {k} for more than half of the "
        "seeds. Compared are a random start; a network of the slides' depth, grown and trained on; and the interpolant "
        "of rank 1, which is built and not trained, so that rank 1 may cost still less",
    )


def _between(k: int, depth: int, by_depth: Mapping[int, Sequence[Row]]) -> Claim:
    right = {
        at: [best_of(row)["jacobian_rank"] == best_of(row)["bottleneck_rank"] == k for row in rows]
        for at, rows in by_depth.items()
    }
    recovered = [at for at, found in right.items() if _most(found)]
    is_between = bool(recovered) and min(right) < min(recovered) and max(recovered) < max(right)
    return Claim(
        "there is an intermediate range of depths that recovers the rank",
        "there the bound k + C/L is below the bound 1 + C_N/L",
        "; ".join(f"L = {at}: {sum(found)} of {len(found)}" for at, found in right.items()),
        is_between and depth in recovered if right else None,
        "seeds whose network of lowest objective has Jacobian and bottleneck rank k at 0.1: more than half at "
        f"L = {depth}, not at the smallest nor at the largest depth",
    )


def _most(found: Iterable[bool]) -> bool:
    right = list(found)
    return sum(right) > len(right) / 2
