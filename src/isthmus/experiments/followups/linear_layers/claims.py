"""What networks behind linear layers say of the quasi-norm, the index rank and the direction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from isthmus.experiments.experiment import Claim
from isthmus.experiments.followups.linear_layers.settings import Settings
from isthmus.experiments.jacot2023.rank_recovery.wording import share, spread

_ROUNDING = 1e-9
_CLOSE = 0.05  # of the index rank: where R/L counts as arrived
_LEAST = 0.01  # relative: so near to the least norm of its neurons a trained network counts as of least norm
Row = Mapping[str, Any]


def judge(settings: Settings, results: Sequence[Row]) -> list[Claim]:
    """Both sides of the cost, the norm reached, the index rank, the direction and the error."""
    at = {m: [row for row in results if row["layers"] == m] for m in settings.layers}
    return [_bounds(results), _least(at), _limit(settings, results), _spectrum(at), _direction(at), _error(at)]


def _told(at: Mapping[int, Sequence[Row]], value: Callable[[Row], float], form: str) -> str:
    return "; ".join(f"m = {m}: {spread([value(row) for row in rows], form)}" for m, rows in at.items() if rows)


def _bounds(results: Sequence[Row]) -> Claim:
    right = [
        row["lower"] <= row["upper"] * (1 + _ROUNDING) and row["upper"] <= row["squared_norm"] * (1 + _ROUNDING)
        for row in results
    ]
    return Claim(
        "L Σ sᵢ(M)^{2/L} ≤ R ≤ ‖w‖², M the virtual matrix",
        "a Schatten quasi-norm of one virtual matrix",
        f"holds for {share(right)} networks; the quasi-norm over R: "
        f"{spread([row['lower'] / row['upper'] for row in results], '.3f')}",
        all(right) if right else None,
        "proved (isthmus.costs.linear_front); R of the neurons that were trained, biases not counted",
    )


def _least(at: Mapping[int, Sequence[Row]]) -> Claim:
    right = [row["squared_norm"] <= (1 + _LEAST) * row["upper"] for rows in at.values() for row in rows]
    return Claim(
        "training with weight decay reaches the least norm of its neurons",
        "minimising ‖w‖² is minimising the quasi-norm",
        f"‖w‖² over R: {_told(at, lambda row: row['squared_norm'] / row['upper'], '.4f')}",
        all(right) if right else None,
        f"within {_LEAST:.0%} for {share(right)} networks, rule: all",
    )


def _limit(settings: Settings, results: Sequence[Row]) -> Claim:
    curves = [row["curve"] for row in results if "curve" in row]
    told = "; ".join(
        ", ".join(
            f"m = {m}: {low:.3f} to {up:.3f}" for m, low, up in zip(settings.shown, c["lower"], c["upper"], strict=True)
        )
        + f"; index rank of the neurons {c['index_rank']}"
        for c in curves
    )
    ends = [abs(c["upper"][-1] - c["index_rank"]) <= _CLOSE for c in curves]
    return Claim(
        "R/L of given neurons tends to their index rank",
        "low index rank is favoured",
        f"quasi-norm/L to R/L of one network: {told or 'not measured'}",
        all(ends) if ends else None,
        f"within {_CLOSE} of it at the largest m",
    )


def _spectrum(at: Mapping[int, Sequence[Row]]) -> Claim:
    def ratio(row: Row) -> float:
        return float(row["sizes"][1] / row["sizes"][0])

    medians = {m: median([ratio(row) for row in rows]) for m, rows in at.items() if rows}
    ranks = "; ".join(f"m = {m}: {[row['index_rank'] for row in rows]}" for m, rows in at.items() if rows)
    return Claim(
        "linear layers favour functions of few combinations of the inputs",
        "limited variation in directions orthogonal to a low-dimensional subspace",
        f"root of the second over the first eigenvalue of E[∇f ∇fᵀ]: {_told(at, ratio, '.3f')}; its rank at "
        f"0.1: {ranks}",
        medians[max(medians)] < 0.5 * medians[min(medians)] if len(medians) > 1 else None,
        "exact over the square. The median at the most layers is below half of that without layers in front",
    )


def _direction(at: Mapping[int, Sequence[Row]]) -> Claim:
    sines = {m: median([(1 - row["alignment"] ** 2) for row in rows]) for m, rows in at.items() if rows}
    return Claim(
        "the network is aligned with the true subspace",
        "well aligned",
        f"|cos| of the first eigenvector and u: {_told(at, lambda row: row['alignment'], '.4f')}",
        sines[max(sines)] < sines[min(sines)] if len(sines) > 1 else None,
        "the median angle at the most layers is below that without layers in front, which may be small already",
    )


def _error(at: Mapping[int, Sequence[Row]]) -> Claim:
    medians = {m: median([row["true_error"] for row in rows]) for m, rows in at.items() if rows}
    return Claim(
        "linear layers can improve generalisation",
        "on data of few combinations",
        f"mean squared error against f* over the square: {_told(at, lambda row: row['true_error'], '.2g')}",
        min(medians[m] for m in medians if m > min(medians)) < medians[min(medians)] if len(medians) > 1 else None,
        "the median at some m is below that without layers in front, at one weight decay for all",
    )
