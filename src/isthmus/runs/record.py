"""What a run or a measurement found, as a typed value that is written to `run.json` and read back as the same type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from isthmus.errors import FileFormatError
from isthmus.foundation.files import write_json
from isthmus.foundation.task import Task

RECORD_FORMAT = "isthmus-run"
RECORD_VERSION = 2
_REMEDY = "Fit or measure again to write a complete record."


class Part(BaseModel):
    """A part of a record: frozen, and with the entries that it names and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class LayerRow(Part):
    """What a layer does to the data (`spectra.LayerSpectrum`)."""

    layer: int
    name: str = ""
    weight_singular_values: list[float]
    activation_singular_values: list[float]
    nonlinearity_impact: float | None


class JacobianRow(Part):
    """Singular values relative to the first: quantiles over the points, and how often each rank occurs."""

    points: int
    low: list[float]
    median: list[float]
    high: list[float]
    rank_counts: dict[str, int]
    is_sketched: bool


class ToleranceCurve(Part):
    """Rank at every tolerance (`spectra.RankCurve`)."""

    tolerances: list[float]
    largest: list[int]
    median: list[int]
    plateau_rank: int
    plateau: tuple[float, float]
    gap: float | None
    next_direction: float | None
    resampled: dict[str, float]


class NetworkRecord(Part):
    """What the record of a fit and that of a measurement share.

    Attributes:
        bottleneck_layer: ℓ, where the network is narrow; 0 for the inputs.
    """

    format: Literal["isthmus-run"] = "isthmus-run"
    version: Literal[2] = 2
    name: str
    created: str
    versions: dict[str, str]
    tolerance: float
    bottleneck_layer: int
    bottleneck_place: str = ""
    norm_per_depth: float | None
    cost_lower: float | None
    jacobian: JacobianRow
    layers: list[LayerRow]

    @property
    def network_depth(self) -> int:
        """L, the number of weight matrices."""
        return len(self.layers)


class MeasureRecord(NetworkRecord):
    """The rank profile of a trained network."""

    kind: Literal["measure"] = "measure"
    method: str
    rows: int
    jacobian_rank: int
    jacobian_rank_upper: int
    jacobian_evidence: str
    bottleneck_rank: int
    bottleneck_rank_lower: int
    bottleneck_evidence: str
    bottleneck_error: float
    bottleneck_changes: list[float]
    bottleneck_change_ranks: list[int]
    cost_row: int | None
    curve: ToleranceCurve

    @property
    def answer(self) -> int:
        """The k of the headline."""
        return self.bottleneck_rank

    @property
    def is_local(self) -> bool:
        """Whether only derivatives at points were taken, because the model is no chain that the theory covers."""
        return self.method == "local"


class DataRow(Part):
    """The data of a fit; `train` rows select the rank, `test` rows were set aside."""

    source: str
    sha256: str
    rows: int
    train: int
    test: int
    inputs: int
    outputs: int
    is_weighted: bool
    notes: list[str]
    image_shape: list[int] | None
    input_names: list[str]
    output_names: list[str]


class EvidenceRow(Part):
    """What is known about k = 0 … K (`selection.RankEvidence`), lists of K + 1 numbers."""

    weighed: list[float]
    errors: list[float]
    standard_errors: list[float]
    objectives: list[float]
    sensitivities: list[float]
    redundancies: list[float]
    correlations: list[float]
    linear: list[float]
    linear_share: float
    network_errors: list[float]
    linear_errors: list[float]
    whole_error: float
    whole_standard_error: float
    folds: int
    rows: int
    error_name: str


class ComparisonRow(Part):
    """A simpler method beside the network, on the same rows (`selection.verdict.Comparison`)."""

    name: str
    error: float
    difference: float
    standard_error: float


class VerdictRow(Part):
    """Whether the rank can be relied on (`selection.verdict.Verdict`)."""

    level: Literal["rely", "caution", "do not rely"]
    sentence: str
    accuracy: str
    error_name: str
    error: float
    comparisons: list[ComparisonRow]


class TrialRow(Part):
    """A depth and λ that were tried."""

    depth: int
    ridge: float
    error: float


class HyperparametersRow(Part):
    """Depth and λ, and why these (`selection.Hyperparameters`)."""

    depth: int
    ridge: float
    ridge_share: float
    reason: str
    trials: list[TrialRow]


class RanksRow(Part):
    """A rank over points of the data."""

    lower: int
    upper: int
    evidence: str


class TestRow(Part):
    """Errors on the rows that were set aside."""

    error_name: str
    rows: int
    whole: float
    at_rank: float
    comparisons: list[ComparisonRow]


class NextDirection(Part):
    """What direction k + 1 carries, relative to the first, and what keeping it lowers the held-out error by."""

    jacobian: float
    activation: float | None
    error_gain: float


class HistoryRow(Part):
    """A moment of the training."""

    step: int
    seconds: float
    objective: float
    error: float
    norm_per_depth: float


class AttributionRow(Part):
    """How strongly each latent coordinate depends on each input."""

    inputs: list[str]
    effects: list[list[float]]


class LatentRow(Part):
    """Latent coordinates of some rows, with what colours them."""

    coordinates: list[list[float]]
    color: list[str] | list[float]
    color_name: str


class ReconstructionsRow(Part):
    """Images before and after, and what PCA makes of them."""

    shape: list[int]
    originals: list[list[float]]
    outputs: list[list[float]]
    baseline: list[list[float]]
    baseline_name: str


class ArrowsRow(Part):
    """Points of the plane and where an autoencoder of the plane sends them."""

    starts: list[list[float]]
    ends: list[list[float]]
    data: list[list[float]]


class RidgePointRow(Part):
    """The network at one λ (`selection.RidgePoint`)."""

    ridge: float
    value: float
    error: float
    sizes: list[float]
    rank: int


class RankPathRow(Part):
    """Ranks over λ (`selection.RankPath`)."""

    points: list[RidgePointRow]
    plateau: int


class FitRecord(NetworkRecord):
    """Everything that `isthmus fit` found, and how to repeat it.

    Attributes:
        key: Names data and options: equal keys, equal results.
        command: What was typed; empty where the fit was not started from the command line.
        options: All that decides the outcome, as plain values.
        rank_probabilities: k -> probability; None where depth or λ are none that the evidence was weighed at.
        not_done: What Ctrl-C left undone; empty for a run that ended.
        constant: The best constant in the units of the data, which rank 0 predicts.
        seconds: Of the whole command; `training_seconds` are those of the network of all rows.
    """

    kind: Literal["fit"] = "fit"
    key: str
    command: list[str]
    task: Task
    options: dict[str, Any]
    data: DataRow
    rank: int
    rank_lower: int
    rank_upper: int
    rank_probabilities: dict[str, float] | None
    rank_is_undecided: bool
    verdict: VerdictRow
    evidence: EvidenceRow
    hyperparameters: HyperparametersRow
    rank_evidence: list[str]
    warnings: list[str]
    not_done: list[str]
    depth: int
    width: int
    ridge: float
    objective: float
    train_error: float
    test: TestRow | None
    constant: list[float]
    stationarity: float
    seconds: float
    training_seconds: float
    stopped: Literal["converged", "budget", "interrupted"]
    jacobian_rank: RanksRow
    next_direction: NextDirection | None
    history: list[HistoryRow]
    attribution: AttributionRow | None
    latent: LatentRow | None
    reconstructions: ReconstructionsRow | None
    arrows: ArrowsRow | None
    rank_path: RankPathRow | None

    @property
    def answer(self) -> int:
        """The k of the headline."""
        return self.rank

    @property
    def is_local(self) -> bool:
        """Whether the model is no chain; a network that was fitted here always is one."""
        return False


R = TypeVar("R", FitRecord, MeasureRecord)


def write_record(record: FitRecord | MeasureRecord, path: Path) -> None:
    """Write a record as JSON, atomically."""
    write_json(path, record.model_dump(mode="json"))


def read_record(path: Path, kind: type[R]) -> R:
    """Read a record of this kind.

    Raises:
        FileMissingError, FileFormatError: If there is none, or it is damaged, of another kind or edition; the message
            says what is wrong with it and what to do.
    """
    from isthmus.foundation.files import read_json

    value = read_json(path, "Pass a folder made by `isthmus fit`.")
    if not isinstance(value, dict) or value.get("format") != RECORD_FORMAT:
        raise FileFormatError(path, "it is not a record of isthmus", "Pass a folder made by `isthmus fit`.")
    if value.get("version") != RECORD_VERSION:
        edition = "by the first edition of isthmus" if value.get("version") == 1 else "by another edition of isthmus"
        raise FileFormatError(path, f"it was written {edition}", "Fit again into another folder, or with --overwrite.")
    try:
        return kind.model_validate(value)
    except ValidationError as wrong:
        raise FileFormatError(path, _described(wrong), _REMEDY) from wrong


def _described(wrong: ValidationError) -> str:
    found = [f"{'.'.join(map(str, each['loc']))}: {each['msg'].lower()}" for each in wrong.errors()]
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f"the record does not fit together ({'; '.join(found[:3])}{more})"


def as_json(record: FitRecord | MeasureRecord, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """A record as plain JSON values, without some of its entries."""
    plain: dict[str, Any] = json.loads(
        json.dumps(record.model_dump(mode="json", exclude=set(without)), allow_nan=False)
    )
    return plain
