"""What a run found, as plain JSON values."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import torch

from isthmus.data import Dataset
from isthmus.foundation.likelihood import row_losses
from isthmus.runs.baseline import baselines
from isthmus.runs.decided import Decided
from isthmus.runs.folder import RECORD_FORMAT, RECORD_VERSION
from isthmus.runs.held_out import standardized_rows
from isthmus.runs.options import FitOptions
from isthmus.runs.pictures import (
    arrows,
    effects,
    latent,
    reconstructions,
)
from isthmus.selection import RankPath
from isthmus.spectra import RankProfile
from isthmus.training import FittedNetwork
from isthmus.training.history import Stopped

_CURVE_POINTS = 400  # entries of the history that are kept for plotting


@dataclass(frozen=True, eq=False)
class Findings:
    """What the main job has computed."""

    fitted: FittedNetwork
    decided: Decided
    profile: RankProfile
    path: RankPath | None
    stopped: Stopped
    interruptions: list[str]


def fit_record(dataset: Dataset, options: FitOptions, found: Findings) -> dict[str, Any]:
    """The record of a fit: answers, evidence, measurements, history and how to repeat it."""
    fitted, decided, profile = found.fitted, found.decided, found.profile
    x, y = standardized_rows(dataset, fitted, dataset.split.test)
    is_classification = fitted.classes is not None
    test = row_losses(fitted.network(x), y, is_classification=is_classification)
    narrow = decided.network
    at_rank = row_losses(narrow(x), y, is_classification=is_classification) if narrow is not None else None
    return {
        **_header(dataset.name, "fit", options.device),
        "task": dataset.task,
        "options": options.record(dataset),
        "data": _data(dataset),
        "rank": decided.rank,
        "rank_lower": decided.lower,
        "rank_upper": decided.upper,
        "rank_probabilities": {str(k): p for k, p in enumerate(decided.probabilities)},
        "rank_is_undecided": decided.is_undecided,
        "tolerance": decided.tolerance,
        "rank_evidence": [*decided.evidence, *_in_detail(profile)],
        "warnings": _warnings(found, is_classification),
        "bottleneck_layer": decided.layer,
        "depth": fitted.network.depth,
        "width": options.width,
        "ridge": fitted.ridge,
        "error_name": "misclassified fraction" if is_classification else "mean squared error (standardised units)",
        "objective": fitted.value,
        "train_error": fitted.error,
        "validation_error": _validation_error(dataset, fitted),
        "test_error": float(test.mean()),
        "norm_per_depth": fitted.network.norm_per_depth,
        "stationarity": fitted.stationarity,
        "cost_lower": profile.cost_lower,
        "seconds": fitted.seconds,
        "stopped": found.stopped,
        "jacobian_rank": {
            "lower": profile.jacobian_rank.lower,
            "upper": profile.jacobian_rank.upper,
            "evidence": profile.jacobian_rank.evidence[0],
        },
        "layers": profile.record()["layers"],
        "jacobian": profile.record()["jacobian"],
        "error_curve": decided.curve,
        "whole_error": decided.whole_error,
        "whole_standard_error": decided.whole_standard_error,
        "constant_error": decided.constant_error,
        "margin": decided.margin,
        "next_direction": _next_direction(decided, profile),
        "baselines": baselines(dataset, fitted, rank=decided.rank, most=len(decided.curve) - 1),
        "network_test_error_at_rank": None if at_rank is None else float(at_rank.mean()),
        "history": _thinned([asdict(moment) for moment in fitted.history]),
        "attribution": effects(dataset, decided.factorization),
        "latent": latent(dataset, decided.factorization),
        "reconstructions": reconstructions(dataset, fitted, decided.factorization),
        "arrows": arrows(dataset, fitted, options.seed),
        **decided.more,
        **({"rank_path": found.path.record()} if found.path else {}),
    }


def measure_record(name: str, profile: RankProfile, device: str) -> dict[str, Any]:
    """The record of a measurement."""
    return {**_header(name, "measure", device), **profile.record()}


def _header(name: str, kind: str, device: str) -> dict[str, Any]:
    return {
        "format": RECORD_FORMAT,
        "version": RECORD_VERSION,
        "kind": kind,
        "name": name,
        "created": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "versions": {
            "isthmus": version("isthmus"),
            "torch": torch.__version__,
            "numpy": version("numpy"),
            "python": platform.python_version(),
            "device": device,
        },
    }


def _data(dataset: Dataset) -> dict[str, Any]:
    return {
        "source": dataset.name,
        "sha256": dataset.sha256,
        "rows": len(dataset.x),
        "train": len(dataset.split.train),
        "validation": len(dataset.split.validation),
        "test": len(dataset.split.test),
        "inputs": dataset.x.shape[1],
        "outputs": dataset.n_outputs,
        "notes": list(dataset.notes),
        "image_shape": list(dataset.image_shape) if dataset.image_shape else None,
        "input_names": list(dataset.input_names),
        "output_names": list(dataset.output_names),
    }


def _validation_error(dataset: Dataset, fitted: FittedNetwork) -> float:
    x, y = standardized_rows(dataset, fitted, dataset.split.validation)
    return float(row_losses(fitted.network(x), y, is_classification=fitted.classes is not None).mean())


def _in_detail(profile: RankProfile) -> list[str]:
    said = [*profile.jacobian_rank.evidence[:1], *profile.bottleneck_rank.evidence[1:]]
    return [f"In detail, {sentence}." for sentence in said]


def _warnings(found: Findings, is_classification: bool) -> list[str]:
    decided, profile = found.decided, found.profile
    said = [*found.interruptions]
    if decided.whole_error >= decided.constant_error:
        said.append("On held-out rows the network predicts no better than a constant: the rank says nothing.")
    said += decided.doubts
    if profile.bottleneck_rank.upper != decided.rank:
        said.append(
            f"The network itself needs {profile.bottleneck_rank.upper} numbers to be kept within "
            f"{profile.tolerance.relative:.0%}; held-out data ask for {decided.rank}."
        )
    if is_classification:
        judge = "probabilities of the classes" if "cross_decision" in decided.more else "fraction of misclassified rows"
        said.append(f"The rank of a classification is judged by the {judge}.")
    return said


def _next_direction(decided: Decided, profile: RankProfile) -> dict[str, float] | None:
    """What direction k + 1 carries: in the Jacobian, in the activations, and in held-out error."""
    k, layer = decided.rank, decided.layer
    relative = profile.jacobian.relative().median(0).values
    if k == 0 or k >= len(relative) or decided.gain is None:
        return None
    found = {"jacobian": float(relative[k]), "error_gain": decided.gain}
    if layer > 0:
        deviations = profile.layers[layer - 1].activation_singular_values
        found["activation"] = deviations[k] / deviations[0] if k < len(deviations) and deviations[0] > 0 else 0.0
    return found


def _thinned(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    step = -(-len(history) // _CURVE_POINTS) or 1
    return history[::step] + (history[-1:] if (len(history) - 1) % step else [])
