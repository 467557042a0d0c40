"""What a run found, as plain JSON values."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import torch

from isthmus.datasets import Dataset
from isthmus.factoring import Candidate, Factorization, RankDecision, row_losses
from isthmus.ranks import RankProfile
from isthmus.runs.baseline import baselines
from isthmus.runs.folder import RECORD_FORMAT, RECORD_VERSION
from isthmus.runs.held_out import standardized_rows
from isthmus.runs.options import FitOptions
from isthmus.runs.pictures import arrows, effects, latent, reconstructions
from isthmus.training import FittedNetwork

_CURVE_POINTS = 400  # entries of the history that are kept for plotting


@dataclass(frozen=True, eq=False)
class Findings:
    """What the main job has computed."""

    fitted: FittedNetwork
    decision: RankDecision
    profile: RankProfile
    factorization: Factorization | None


def fit_record(dataset: Dataset, options: FitOptions, found: Findings) -> dict[str, Any]:
    """The record of a fit: answers, evidence, measurements, history and how to repeat it."""
    fitted, decision, profile = found.fitted, found.decision, found.profile
    x, y = standardized_rows(dataset, fitted, dataset.split.test)
    is_classification = fitted.classes is not None
    test = row_losses(fitted.network(x), y, is_classification=is_classification)
    narrow = decision.best.network
    at_rank = row_losses(narrow(x), y, is_classification=is_classification) if narrow is not None else None
    return {
        **_header(dataset.name, "fit", options.device),
        "task": dataset.task,
        "options": options.record(dataset),
        "data": _data(dataset),
        "rank": decision.rank,
        "rank_lower": decision.lower,
        "rank_upper": decision.upper,
        "rank_probabilities": {str(k): p for k, p in enumerate(decision.probabilities)},
        "rank_is_undecided": decision.is_undecided,
        "tolerance": decision.tolerance.relative,
        "rank_evidence": _evidence(decision, profile),
        "warnings": _warnings(found, is_classification),
        "bottleneck_layer": decision.best.layer,
        "depth": fitted.network.depth,
        "width": options.width,
        "ridge": fitted.ridge,
        "error_name": "misclassified fraction" if is_classification else "mean squared error (standardised units)",
        "objective": fitted.value,
        "train_error": fitted.error,
        "validation_error": decision.whole_error,
        "test_error": float(test.mean()),
        "norm_per_depth": fitted.network.norm_per_depth,
        "stationarity": fitted.stationarity,
        "cost_lower": profile.cost_lower,
        "seconds": fitted.seconds,
        "stopped": fitted.stopped,
        "jacobian_rank": {
            "lower": profile.jacobian_rank.lower,
            "upper": profile.jacobian_rank.upper,
            "evidence": profile.jacobian_rank.evidence[0],
        },
        "layers": profile.record()["layers"],
        "jacobian": profile.record()["jacobian"],
        "error_curve": [_candidate(c) for c in decision.candidates],
        "whole_error": decision.whole_error,
        "whole_standard_error": decision.whole_standard_error,
        "constant_error": decision.constant_error,
        "margin": decision.margin,
        "next_direction": _next_direction(decision, profile),
        "baselines": baselines(dataset, fitted, decision),
        "network_test_error_at_rank": None if at_rank is None else float(at_rank.mean()),
        "history": _thinned([asdict(moment) for moment in fitted.history]),
        "attribution": effects(dataset, found.factorization),
        "latent": latent(dataset, found.factorization),
        "reconstructions": reconstructions(dataset, fitted, found.factorization),
        "arrows": arrows(dataset, fitted, options.seed),
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


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "rank": candidate.rank,
        "layer": candidate.layer,
        "projected": candidate.projected,
        "refitted": candidate.refitted,
        "standard_error": candidate.excess_error,
    }


def _evidence(decision: RankDecision, profile: RankProfile) -> list[str]:
    best = decision.best
    said = [
        f"A function through {best.rank} numbers has held-out error {best.error:.4g}, the whole network "
        f"{decision.whole_error:.4g} ± {decision.whole_standard_error:.2g}: a loss of {best.excess:.2g} ± "
        f"{best.excess_error:.1g}, where {decision.margin:.2g} ({decision.tolerance.relative**2:.2%} of what the "
        "network explains) is allowed."
    ]
    if decision.rank > 0:
        worse = decision.candidates[decision.rank - 1]
        said.append(f"Through {worse.rank} numbers the best that was found loses {worse.excess:.2g}.")
    said += [f"In detail, {sentence}." for sentence in profile.jacobian_rank.evidence[:1]]
    said += [f"In detail, {sentence}." for sentence in profile.bottleneck_rank.evidence[1:]]
    return said


def _warnings(found: Findings, is_classification: bool) -> list[str]:
    fitted, decision, profile = found.fitted, found.decision, found.profile
    said = []
    if fitted.stopped == "interrupted":
        said.append("The training was interrupted: all figures are of the network as it was then.")
    if decision.whole_error >= decision.constant_error:
        said.append("On held-out rows the network predicts no better than a constant: the rank says nothing.")
    if decision.is_undecided:
        said.append(
            f"The held-out rows cannot tell the rank: anything from {decision.lower} to {decision.upper} agrees with "
            f"them, and the probability of {decision.rank} is {decision.probabilities[decision.rank]:.0%}. More rows "
            "narrow this down."
        )
    elif decision.lower != decision.upper:
        said.append(
            f"The held-out rows do not settle the rank: anything from {decision.lower} to {decision.upper} agrees "
            "with them. More rows narrow this down."
        )
    if profile.bottleneck_rank.upper != decision.rank:
        said.append(
            f"The network itself needs {profile.bottleneck_rank.upper} numbers to be kept within "
            f"{profile.tolerance.relative:.0%}; held-out data ask for {decision.rank}."
        )
    if is_classification:
        said.append("The rank of a classification is judged by the fraction of misclassified rows.")
    return said


def _next_direction(decision: RankDecision, profile: RankProfile) -> dict[str, float] | None:
    """What direction k + 1 carries: in the Jacobian, in the activations, and in held-out error."""
    k, layer = decision.rank, decision.best.layer
    relative = profile.jacobian.relative().median(0).values
    if k == 0 or k >= len(relative) or k + 1 >= len(decision.candidates):
        return None
    found = {
        "jacobian": float(relative[k]),
        "error_gain": decision.candidates[k].error - decision.candidates[k + 1].error,
    }
    if layer > 0:
        deviations = profile.layers[layer - 1].activation_singular_values
        found["activation"] = deviations[k] / deviations[0] if k < len(deviations) and deviations[0] > 0 else 0.0
    return found


def _thinned(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    step = -(-len(history) // _CURVE_POINTS) or 1
    return history[::step] + (history[-1:] if (len(history) - 1) % step else [])
