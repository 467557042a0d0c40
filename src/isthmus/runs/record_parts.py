"""The parts of a record: each a small frozen value with the entries that it names and no others."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


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
    isometry_distance: float | None = None
    cost_of_identity: float | None = None
    identity_residual: float | None = None
    kinetic_energy: float | None = None


class JacobianRow(Part):
    """Singular values relative to the first: quantiles over the points, and how often each rank occurs."""

    points: int
    low: list[float]
    median: list[float]
    high: list[float]
    rank_counts: dict[str, int]
    is_sketched: bool
    is_leading: bool = False


class CertificateRow(Part):
    """Partial isometries that the layers are near to (`spectra.BottleneckCertificate`)."""

    row: int
    rank: int
    log_pseudo_determinant: float
    excess: float
    guaranteed_share: float


class ToleranceCurve(Part):
    """Rank at every tolerance (`spectra.RankCurve`)."""

    tolerances: list[float]
    largest: list[int]
    median: list[int]
    plateau_rank: int | None
    plateau: tuple[float, float] | None
    gap: float | None
    next_direction: float | None
    resampled: dict[str, float]


class ColumnRow(Part):
    """What became of a column of a table (`data.ColumnUse`)."""

    name: str
    kind: str
    detail: str = ""


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
    warnings: list[str] = []
    columns: list[ColumnRow] = []
    fills: dict[str, float] = {}


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
    residual_lines: list[float]
    shared_slopes: list[float]
    label_scores: list[float]
    network_errors: list[float]
    linear_errors: list[float]
    whole_error: float
    whole_standard_error: float
    folds: int
    rows: int
    error_name: str


class ComparisonRow(Part):
    """A simpler method beside the network, on the same rows (`selection.verdict.Comparison`).

    Attributes:
        standard_error: Of the difference; None where too few rows count to see it.
    """

    name: str
    error: float
    difference: float
    standard_error: float | None


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
    standardize: str = "columns"


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


class IndexRow(Part):
    """Of how many linear combinations of the inputs f is a function (`selection.IndexRank`).

    Attributes:
        probabilities: k -> probability; the last k stands for more as well.
        errors: Held-out error of functions of k combinations, in order.
        ties: Names of columns among which weight can be moved with hardly a change at any row.
        deviations: Of the inputs: a direction times them says which inputs weigh most.
        directions, standard_errors: `(rank, inputs)`, in the units of the inputs; errors None of one or two folds.
    """

    rank: int
    lower: int
    upper: int
    probabilities: dict[str, float]
    sentence: str
    errors: list[float]
    dimensions: int
    ties: list[list[str]]
    inputs: list[str]
    deviations: list[float]
    directions: list[list[float]]
    standard_errors: list[list[float]] | None


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


class TraversalsRow(Part):
    """Images that the decoder draws while one latent coordinate moves and the others stay at their means.

    Attributes:
        shape: Height and width.
        shares: For each image of a row, the share of the rows of data whose coordinate is lower.
        images: For each coordinate a row of images, each as its pixels line by line.
    """

    shape: list[int]
    shares: list[float]
    images: list[list[list[float]]]


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
