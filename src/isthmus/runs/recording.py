"""From what was computed to the record of it."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import torch

from isthmus.data import Dataset, Sample
from isthmus.foundation.files import shareable
from isthmus.foundation.likelihood import likelihood_of
from isthmus.networks import standardization
from isthmus.runs.options import RunOptions
from isthmus.runs.pictures import arrows, latent, reconstructions, strongest_inputs, traversals
from isthmus.runs.record import FitRecord, MeasureRecord
from isthmus.runs.record_parts import (
    ColumnRow,
    ComparisonRow,
    DataRow,
    EvidenceRow,
    HistoryRow,
    HyperparametersRow,
    IndexRow,
    NextDirection,
    RankPathRow,
    RanksRow,
    VerdictRow,
)
from isthmus.runs.set_aside import errors_set_aside
from isthmus.runs.wording import evidence_in_words, warnings_in_words
from isthmus.selection import RankPath, RankSelection
from isthmus.spectra import RankProfile
from isthmus.training import FittedNetwork

_CURVE_POINTS = 400  # entries of the history that are kept for plotting


@dataclass(frozen=True, eq=False)
class Findings:
    """What the main job has computed.

    Attributes:
        sample: The rows that selected the rank, each of them once.
        selection: The rank and its evidence.
        fitted: The network of all training rows.
        profile: Its measurement.
        path: Its ranks over λ, if they were asked for and reached.
        seconds: That the whole took.
    """

    sample: Sample
    selection: RankSelection
    fitted: FittedNetwork
    profile: RankProfile
    path: RankPath | None
    seconds: float


def fit_record(dataset: Dataset, options: RunOptions, found: Findings) -> FitRecord:
    """Write down a fit: answer, evidence, measurements, history and how to repeat it."""
    selection, fitted, profile, measured = found.selection, found.fitted, found.profile, found.profile.record()
    halves, chosen = selection.factorization, selection.hyperparameters
    assert chosen is not None  # None only where nothing varies, which is refused
    not_done = list(selection.not_done)
    if options.path and (found.path is None or not found.path.is_complete):
        not_done.append("the ranks over all λ")
    p = selection.probabilities
    return FitRecord(
        **_header(dataset.name, options.config.device),
        key=options.key(dataset),
        command=[shareable(word) for word in options.command],
        task=dataset.task,
        options=options.record(dataset),
        data=_data(dataset),
        rank=selection.rank,
        rank_lower=selection.lower,
        rank_upper=selection.upper,
        rank_probabilities=None if p is None else {str(k): each for k, each in enumerate(p)},
        rank_is_undecided=selection.is_undecided,
        tolerance=selection.tolerance.relative,
        index=_index(selection, found.sample, dataset.input_names),
        verdict=_verdict(selection),
        evidence=EvidenceRow(**_lists(asdict(selection.evidence)), error_name=likelihood_of(selection.task).loss_name),
        hyperparameters=HyperparametersRow(**_lists(asdict(chosen))),
        rank_evidence=[*evidence_in_words(selection), *_in_detail(profile)],
        warnings=warnings_in_words(selection, profile),
        not_done=not_done,
        bottleneck_layer=0 if halves is None else halves.layer,
        depth=fitted.network.depth,
        width=options.config.width,
        ridge=fitted.ridge,
        objective=fitted.value,
        train_error=fitted.error,
        test=errors_set_aside(dataset, fitted, selection),
        constant=selection.constant.tolist(),
        norm_per_depth=fitted.network.norm_per_depth,
        stationarity=fitted.stationarity,
        cost_lower=profile.cost_lower,
        seconds=found.seconds,
        training_seconds=fitted.seconds,
        stopped="interrupted" if not_done else fitted.stopped,
        jacobian_rank=RanksRow(
            lower=profile.jacobian_rank.lower,
            upper=profile.jacobian_rank.upper,
            evidence=profile.jacobian_rank.evidence[0],
        ),
        layers=measured["layers"],
        jacobian=measured["jacobian"],
        next_direction=_next_direction(selection, profile),
        history=_thinned([HistoryRow(**asdict(moment)) for moment in fitted.history]),
        attribution=strongest_inputs(found.sample, dataset.input_names, halves),
        latent=latent(dataset, halves),
        reconstructions=reconstructions(dataset, fitted, halves),
        traversals=traversals(dataset, halves),
        arrows=arrows(found.sample, fitted, options.seed),
        rank_path=None if found.path is None else RankPathRow(**found.path.record()),
        detection_limit=selection.detection_limit,
    )


def measure_record(name: str, profile: RankProfile, device: str) -> MeasureRecord:
    """Write down a measurement."""
    return MeasureRecord(**_header(name, device), **profile.record())


def _header(name: str, device: str) -> dict[str, Any]:
    return {
        "name": shareable(name),
        "created": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "versions": {
            "isthmus": version("isthmus"),
            "torch": torch.__version__,
            "numpy": version("numpy"),
            "python": platform.python_version(),
            "device": device,
        },
    }


def _data(dataset: Dataset) -> DataRow:
    return DataRow(
        source=shareable(dataset.name),
        sha256=dataset.sha256,
        rows=len(dataset.x),
        train=len(dataset.split.train),
        test=len(dataset.split.test),
        inputs=dataset.x.shape[1],
        outputs=dataset.n_outputs,
        is_weighted=dataset.weights is not None,
        notes=list(dataset.notes),
        image_shape=list(dataset.image_shape) if dataset.image_shape else None,
        input_names=list(dataset.input_names),
        output_names=list(dataset.output_names),
        warnings=list(dataset.warnings),
        columns=[ColumnRow(**asdict(each)) for each in dataset.columns],
        fills=dict(dataset.fills),
    )


def _verdict(selection: RankSelection) -> VerdictRow:
    plain = asdict(selection.verdict)
    return VerdictRow(**{**plain, "comparisons": [ComparisonRow(**each) for each in plain["comparisons"]]})


def _index(selection: RankSelection, sample: Sample, names: Sequence[str]) -> IndexRow | None:
    found = selection.index
    if found is None:
        return None
    errors = found.standard_errors
    return IndexRow(
        rank=found.rank,
        lower=found.lower,
        upper=found.upper,
        probabilities={str(k): p for k, p in enumerate(found.probabilities)},
        sentence=found.sentence,
        errors=list(found.evidence.errors),
        dimensions=found.dimensions,
        ties=[[names[column] for column in group] for group in found.ties],
        inputs=list(names),
        deviations=standardization(
            torch.from_numpy(sample.x), "columns", torch.from_numpy(sample.weights)
        ).scale.tolist(),
        directions=found.directions.tolist(),
        standard_errors=None if errors is None else errors.tolist(),
    )


def _lists(plain: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}


def _in_detail(profile: RankProfile) -> list[str]:
    said = [*profile.jacobian_rank.evidence[:1], *profile.bottleneck_rank.evidence[1:]]
    return [f"In detail, {sentence}." for sentence in said]


def _next_direction(selection: RankSelection, profile: RankProfile) -> NextDirection | None:
    """What direction k + 1 carries: in the Jacobian, in the activations, and in held-out error."""
    k, errors = selection.rank, selection.evidence.errors
    relative = profile.jacobian.relative().median(0).values
    if k == 0 or k >= len(relative) or k + 1 >= len(errors):
        return None
    layer, activation = 0 if selection.factorization is None else selection.factorization.layer, None
    if layer > 0:
        deviations = profile.layers[layer - 1].activation_singular_values
        activation = deviations[k] / deviations[0] if k < len(deviations) and deviations[0] > 0 else 0.0
    return NextDirection(jacobian=float(relative[k]), activation=activation, error_gain=errors[k] - errors[k + 1])


def _thinned(history: Sequence[HistoryRow]) -> list[HistoryRow]:
    step = -(-len(history) // _CURVE_POINTS) or 1
    return [*history[::step], *(history[-1:] if (len(history) - 1) % step else [])]
