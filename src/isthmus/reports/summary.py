"""What was found, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Record = Mapping[str, Any]


def headline(record: Record) -> str:
    """One sentence with the answer."""
    if record["kind"] == "measure":
        k = record["bottleneck_rank"]
        return f"This network passes through {_numbers(k)} at layer {record['bottleneck_layer']}."
    k, lower, upper = record["rank"], record["rank_lower"], record["rank_upper"]
    if k == 0:
        return "No dependence was found: a constant predicts held-out data as well as the network."
    doubt = "" if lower == upper else f" (the data allow {lower} to {upper})"
    if record["task"] == "autoencoder":
        return f"These data are described by {_numbers(k)}{doubt}."
    return f"This map passes through {_numbers(k)}{doubt}."


def summary(record: Record) -> str:
    """What was found and how far to trust it, warnings included."""
    return " ".join([paragraph(record), *warnings(record)])


def paragraph(record: Record) -> str:
    """What was found."""
    return " ".join(_measured(record) if record["kind"] == "measure" else _fitted(record))


def warnings(record: Record) -> list[str]:
    """Reasons to trust it less."""
    return list(record.get("warnings") or [])


def _fitted(record: Record) -> list[str]:
    k, whole, se = record["rank"], record["whole_error"], record["whole_standard_error"]
    curve = {row["rank"]: row for row in record["error_curve"]}
    share = 1.0 - record["test_error"] / record["constant_error"] if record["constant_error"] > 0 else 0.0
    said = [
        f"A network of depth {record['depth']} and width {record['width']} was trained on "
        f"{record['data']['train']} rows. On rows it has not seen it "
        + (
            f"misclassifies {record['test_error']:.1%}."
            if record["task"] == "classification"
            else f"explains {share:.1%} of the variation."
        )
    ]
    if k > 0:
        at = _best(curve[k])
        said.append(
            f"Narrowed to {_numbers(k)} at layer {record['bottleneck_layer']}, its held-out error is {at:.4g}, against "
            f"{whole:.4g} ± {se:.2g} for the whole network"
            + (f"; with {k - 1} it is {_best(curve[k - 1]):.4g}." if k - 1 in curve else ".")
        )
    if following := record.get("next_direction"):
        said.append(
            f"Direction {k + 1} carries {following['jacobian']:.1%} of the first in the Jacobian; letting it pass "
            f"changes the held-out error by {0.0 - following['error_gain']:+.2g}."
        )
    counts = record["jacobian"]["rank_counts"]
    said.append(
        f"At tolerance {record['tolerance']:g} the Jacobian has rank {_counts(counts)} of "
        f"{record['jacobian']['points']} points."
    )
    for baseline in record["baselines"]:
        mine = record["network_test_error_at_rank"]
        if mine is not None and k > 0:
            said.append(
                f"On the test rows {baseline['name']} with as many numbers has error "
                f"{baseline['test_error_at_rank']:.4g}, the narrowed network {mine:.4g}."
            )
    if record["stopped"] == "budget":
        said.append("Training ended with its budget while the objective was still falling slowly.")
    return said


def _measured(record: Record) -> list[str]:
    k = record["bottleneck_rank"]
    return [
        f"Keeping {_numbers(k)} at layer {record['bottleneck_layer']} changes the function by "
        f"{record['bottleneck_error']:.2%} of its spread over the data; fewer change it by more than "
        f"{record['tolerance']:.0%}.",
        f"At that tolerance the Jacobian has rank {_counts(record['jacobian']['rank_counts'])} of "
        f"{record['jacobian']['points']} points: {record['jacobian_rank']} at most.",
        f"‖w‖²/L is {record['norm_per_depth']:.4g}; no network of this depth computes the function with less than "
        f"{record['cost_lower']:.4g} (Proposition 3).",
    ]


def _numbers(k: int) -> str:
    return f"{k} number" if k == 1 else f"{k} numbers"


def _best(row: Mapping[str, Any]) -> float:
    errors = [row[name] for name in ("projected", "refitted") if row[name] is not None]
    return float(min(errors))


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{rank} at {count}" for rank, count in sorted(counts.items(), key=lambda item: -item[1]))
