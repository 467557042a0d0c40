"""What certificates, costs of identity and kernels say of the follow-ups' statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from isthmus.experiments.experiment import Claim
from isthmus.experiments.followups.layer_certificates.settings import EPSILON, Settings
from isthmus.experiments.jacot2023.layer_account import middle
from isthmus.experiments.jacot2023.rank_recovery.wording import share, spread
from isthmus.experiments.jacot2023.teacher_networks import BUILT

_NEAR = 0.05  # of k: where the plateau counts as k
_ROUNDING = 1e-9
Row = Mapping[str, Any]


def judge(settings: Settings, results: Sequence[Row]) -> list[Claim]:
    """The verdicts, from every network of every teacher."""
    networks = [{"rank": row["rank"], "seed": row["seed"], **network} for row in results for network in row["networks"]]
    trained = [network for network in networks if network["start"] != BUILT]
    return [
        _bound(networks),
        _certified(settings, trained),
        _sharpening(settings, trained),
        _plateau(trained),
        _energy(settings, trained),
        _kernel(settings, networks),
    ]


def in_the_middle(values: Sequence[float]) -> float:
    """Median over the middle third of L layers, of L or L − 1 values."""
    return median(values[layer - 1] for layer in middle(len(values)))


def _bound(networks: Sequence[Row]) -> Claim:
    right = [n["squares"] <= n["excess"] + _ROUNDING * (1 + abs(n["excess"])) for n in networks]
    return Claim(
        "Σ‖W_ℓ − V_ℓ V_ℓ₋₁ᵀ‖² ≤ Σ‖W_ℓ‖² − kL − 2 log|Jf|₊",
        "proved (docs/certificates.md)",
        f"holds for {share(right)} networks; left over right side: "
        f"{spread([n['squares'] / n['excess'] for n in networks], '.2f')}",
        all(right) if right else None,
        "each network, trained or built, at the row where the right side is smallest",
    )


def _certified(settings: Settings, trained: Sequence[Row]) -> Claim:
    at = {depth: [n for n in trained if n["depth"] == depth] for depth in settings.depths}
    deepest = [n["certified_share"] for n in at[max(at)]]
    return Claim(
        "almost all layers are near partial isometries",
        "all but o(L) layers as L → ∞",
        f"share within {EPSILON}: "
        + "; ".join(
            f"L = {depth}: " + ", ".join(f"k = {n['rank']}: {n['certified_share']:.0%}" for n in rows)
            for depth, rows in at.items()
        ),
        median(deepest) > 0.5 if deepest else None,
        f"more than half of the layers of the median network at L = {max(at)}. Layers share the gain of f, each its "
        "L-th root, so that singular values near 1 are a limit in L that few layers are far from",
    )


def _sharpening(settings: Settings, trained: Sequence[Row]) -> Claim:
    at = {d: [in_the_middle(n["distances"]) for n in trained if n["depth"] == d] for d in settings.depths}
    pairs = [(before, after) for before, after in zip(at[min(at)], at[max(at)], strict=False)]
    return Claim(
        "the middle layers come nearer to partial isometries with depth",
        "O(L^{-1/2})",
        "; ".join(f"L = {depth}: {spread(values, '.2f')}" for depth, values in at.items()),
        all(after < before for before, after in pairs) if len(at) > 1 and pairs else None,
        "medians of the middle third: smaller at the largest depth than at the smallest for every teacher",
    )


def _plateau(trained: Sequence[Row]) -> Claim:
    found = [(n["rank"], n["depth"], in_the_middle(n["cost_of_identity"])) for n in trained]
    right = [abs(cost - k) <= _NEAR * k for k, _, cost in found]
    one_more = [abs(cost - k - 1) <= _NEAR * (k + 1) for k, _, cost in found]
    return Claim(
        "the cost of identity has its plateau at the rank",
        "equal to the rank for nonnegative activations",
        ", ".join(f"k = {k}, L = {depth}: {cost:.2f}" for k, depth, cost in found),
        sum(right) > len(right) / 2 if right else None,
        f"within {_NEAR:.0%} of k for {share(right)} networks, of k + 1 for {share(one_more)}: the direction to the "
        "mean of nonnegative activations is handed on as well, and costs as much as any other",
    )


def _energy(settings: Settings, trained: Sequence[Row]) -> Claim:
    drifts = {depth: [_drift(n["energies"]) for n in trained if n["depth"] == depth] for depth in settings.depths}
    return Claim(
        "the energy H is conserved along the layers",
        "for minimisers of infinite depth",
        "(max − min) / median of −2H/L over the middle third: "
        + "; ".join(f"L = {depth}: {spread(values, '.2f')}" for depth, values in drifts.items()),
        None,
        "told, not judged: a fully-connected network of finite depth is no path of infinite depth",
    )


def _drift(energies: Sequence[float]) -> float:
    chosen = [energies[layer - 1] for layer in middle(len(energies))]
    return (max(chosen) - min(chosen)) / abs(median(chosen))


def _kernel(settings: Settings, networks: Sequence[Row]) -> Claim:
    found = {
        (n["rank"], n["seed"], n["depth"], n["start"] == BUILT): n["kernel_per_depth"]
        for n in networks
        if n["rank"] > 1
    }
    ratios = {
        depth: [
            value / found[k, seed, depth, False]
            for (k, seed, at, is_built), value in found.items()
            if is_built and at == depth and (k, seed, depth, False) in found
        ]
        for depth in settings.depths
    }
    every = [ratio for values in ratios.values() for ratio in values]
    return Claim(
        "fits that underestimate the rank have a larger tangent kernel",
        "their kernel is not of order L",
        "Tr Θ/L of the interpolant of rank 1 over that of the network trained: "
        + "; ".join(f"L = {depth}: {spread(values, '.2g')}" for depth, values in ratios.items()),
        all(ratio > 1 for ratio in every) if every else None,
        "the ratio exceeds 1 for every teacher of rank 2 and more, at every depth",
    )
