"""What a run or a measurement found, as a typed value that is written to `run.json` and read back as the same type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from isthmus.errors import FileFormatError
from isthmus.foundation.files import write_json
from isthmus.foundation.task import Task
from isthmus.runs.record_parts import (
    ArrowsRow,
    AttributionRow,
    CertificateRow,
    DataRow,
    EvidenceRow,
    HistoryRow,
    HyperparametersRow,
    IndexRow,
    JacobianRow,
    LatentRow,
    LayerRow,
    NextDirection,
    Part,
    RankPathRow,
    RanksRow,
    ReconstructionsRow,
    TestRow,
    ToleranceCurve,
    TraversalsRow,
    VerdictRow,
)

RECORD_FORMAT = "isthmus-run"
RECORD_VERSION = 4
_REMEDY = "Fit or measure again to write a complete record."


class NetworkRecord(Part):
    """What the record of a fit and that of a measurement share.

    Attributes:
        bottleneck_layer: ℓ, where the network is narrow; 0 for the inputs.
    """

    format: Literal["isthmus-run"] = "isthmus-run"
    version: Literal[4] = 4
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
    bottleneck_error: float | None
    bottleneck_changes: list[float]
    bottleneck_change_ranks: list[int]
    cost_row: int | None
    curve: ToleranceCurve
    certificate: CertificateRow | None
    certified_share: float | None
    kernel_per_depth: float | None
    notes: list[str]
    units: str = ""

    @property
    def answer(self) -> int:
        """The k of the headline."""
        return self.bottleneck_rank

    @property
    def is_local(self) -> bool:
        """Whether only derivatives at points were taken, because the model is no chain that the theory covers."""
        return self.method != "chain"


class FitRecord(NetworkRecord):
    """Everything that `isthmus fit` found, and how to repeat it.

    Attributes:
        key: Names data and options: equal keys, equal results.
        command: What was typed; empty where the fit was not started from the command line.
        options: All that decides the outcome, as plain values.
        rank_probabilities: k -> probability; None where depth or λ are none that the evidence was weighed at.
        index: The index rank and its combinations; None of classes and of an autoencoder.
        not_done: What Ctrl-C left undone; empty for a run that ended.
        detection_limit: How strong a further direction must be, relative to the first, to be learned from these rows.
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
    index: IndexRow | None
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
    traversals: TraversalsRow | None = None
    detection_limit: float | None = None

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
