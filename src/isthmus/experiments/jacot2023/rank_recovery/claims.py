"""What the slides say of networks trained on functions of rank k, judged on the best network of each cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from isthmus.experiments.experiment import Claim
from isthmus.experiments.jacot2023.layer_account import counts, middle, ratios
from isthmus.experiments.jacot2023.rank_recovery.claims_over_depth import best_of, depth_claims
from isthmus.experiments.jacot2023.rank_recovery.settings import Settings
from isthmus.experiments.jacot2023.rank_recovery.wording import share, spread, whole

_MOST = 0.9  # of the seeds: what a claim about one setting asks for
_VANISHING = 0.01  # an impact of the nonlinearity below it counts as none
Row = Mapping[str, Any]


def judge(settings: Settings, results: Sequence[Row]) -> list[Claim]:
    """What the slides say of Figure 2, and of networks that are too shallow and too deep."""
    k, depth = settings.rank, settings.depth
    mine = [row for row in results if row["rank"] == k]
    shown = [row for row in mine if row["depth"] == depth]
    return [
        _few(k, depth, shown, "activations", f"representations are approx. rank {k} in the middle layers"),
        _few(k, depth, shown, "weights", f"the weights of the middle layers have about {k} large singular values"),
        _impact(depth, shown),
        _norm(shown),
        _recovery(settings, results),
        _linear(settings, [best_of(row) for row in mine if row["depth"] == 1]),
        *depth_claims(k, depth, mine),
    ]


def _few(k: int, depth: int, shown: Sequence[Row], name: str, claim: str) -> Claim:
    """Panels (a) and (b)."""
    numbers = [counts(row[name]) for row in shown]
    right = [all(count in (k, k + 1) for count in each) for each in numbers]
    beyond = [max(ratios(row[name], k + 2, 1)) for row in shown]
    told = (
        f"{whole([count for each in numbers for count in each])} singular values above 0.1 of the first in "
        f"{_layers(depth)}, k or k + 1 for {share(right)} seeds; the (k + 2)th over the first: {spread(beyond, '.1e')}"
    )
    if name == "activations":
        told += f"; centred, {whole([count for row in shown for count in counts(row['centred'])])}"
    return Claim(
        claim,
        f"approx. rank {k}" if name == "activations" else "a figure of the first ten singular values",
        told,
        _is_most(right),
        f"k or k + 1 above 0.1 of the first in all of {_layers(depth)} for at least {_MOST:.0%} of the seeds. k + 1, "
        "for data that spread in k directions lie off the origin where activations are nonnegative: the way to them is "
        "one more direction, of the matrix and of the weights that hand it on",
    )


def _impact(depth: int, shown: Sequence[Row]) -> Claim:
    """Panel (c)."""
    impacts = [max(row["impact"][layer - 1] for layer in middle(depth)) for row in shown]
    right = [impact < _VANISHING for impact in impacts]
    return Claim(
        "the impact of the nonlinearity vanishes in the middle layers",
        "a figure; it vanishes",
        f"largest of {_layers(depth)}: {spread(impacts, '.2%')}, below {_VANISHING:.0%} for {share(right)} seeds",
        _is_most(right),
        f"‖Z̃ − σ(Z̃)‖_F/‖Z̃‖_F below {_VANISHING:.0%} in all of {_layers(depth)} for at least {_MOST:.0%} of the seeds",
    )


def _norm(shown: Sequence[Row]) -> Claim:
    norms = [best_of(row)["norm_per_depth"] for row in shown]
    return Claim(
        "‖θ‖²/L at the end of training",
        "≈ 6",
        f"{spread(norms, '.2f')} over {len(norms)} seeds",
        None,
        "the slides' f* is not published. Ours is a random teacher of the same sizes, E‖y‖² = d_out; ‖w‖²/L depends "
        "on f* (k + C/L, C of f*) and counts the biases here",
    )


def _recovery(settings: Settings, results: Sequence[Row]) -> Claim:
    told, verdicts = [], []
    for k in sorted(settings.ranks):
        found = [best_of(row) for row in results if row["rank"] == k and row["depth"] == settings.depth]
        right = [each["bottleneck_rank"] == k for each in found]
        jacobian = [each["jacobian_rank"] == k for each in found]
        missed = [each["bottleneck_rank"] for each in found if each["bottleneck_rank"] != k]
        told.append(f"k = {k}: {share(right)}{f' (the others {missed})' if missed else ''}, Jacobian {share(jacobian)}")
        if right:
            verdicts.append(sum(right) > len(right) / 2)
    return Claim(
        "a network of intermediate depth recovers the rank of the true function",
        f"shown for one function of rank {settings.rank}",
        f"L = {settings.depth}, bottleneck rank at 0.1: " + "; ".join(told),
        all(verdicts) if verdicts else None,
        "for every k the bottleneck rank is k for more than half of the seeds; one random start each",
    )


def _linear(settings: Settings, found: Sequence[Row]) -> Claim:
    exact, at_tolerance = ([each[name] for each in found] for name in ("exact_rank", "jacobian_rank"))
    is_over = [a == settings.side and b > settings.rank for a, b in zip(exact, at_tolerance, strict=True)]
    return Claim(
        "a linear ridge regression overestimates the rank",
        "its Jacobian is almost surely of full rank",
        f"rank {whole(exact)} of {settings.side} up to rounding, {whole(at_tolerance)} at 0.1, {len(found)} seeds; k = "
        f"{settings.rank}",
        all(is_over) if is_over else None,
        "for every seed full up to rounding, and above k at the tolerance of the other ranks here; the same λ, L = 1",
    )


def _layers(depth: int) -> str:
    return f"layers {middle(depth)[0]} to {middle(depth)[-1]}"


def _is_most(right: Sequence[bool]) -> bool | None:
    return sum(right) >= _MOST * len(right) if right else None
