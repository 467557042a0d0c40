"""The figures of a record, in the order that tells its story."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import plotly.graph_objects as go

from isthmus.reports import certificate, input_attribution, latents, learning, profiles, rank_evidence, samples, spectra
from isthmus.reports.answer import answer_of
from isthmus.reports.record import Record
from isthmus.runs import FitRecord, MeasureRecord

_NAMES_IN_HALF = 12  # inputs under a figure of half the width
ANSWER, MEANING, INSIDE, TRAINING = "answer", "meaning", "inside", "training"


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure and what stands around it on the page.

    Attributes:
        name: Unique in its record; part of the element's id.
        chapter: The part of the story it belongs to.
        title: What is seen.
        caption: How to read it.
        quantity: What the y axis measures, set level above the plot.
        figure: The plotly figure.
        is_wide: Whether it takes the full width.
        proportion: Width over height, where the content prescribes it.
        height: In pixels, where the content prescribes that.
    """

    name: str
    chapter: str
    title: str
    caption: str
    quantity: str
    figure: go.Figure
    is_wide: bool = False
    proportion: float | None = None
    height: int | None = None


def drawings(record: Record) -> list[Drawing]:
    """Every figure that the record has the numbers for."""
    if isinstance(record, MeasureRecord):
        return [*_narrowing(record), *_inside(record)]
    return [_evidence(record), *_meaning(record), *_inside(record), _training(record)]


def _evidence(record: FitRecord) -> Drawing:
    found, path = answer_of(record), record.rank_path
    likely = "how probably each k is the answer; " if found.probabilities is not None else ""
    over_k = (
        "From top to bottom: the error on rows that were held out in turn, when only k numbers may pass; "
        f"{likely}the training objective through k numbers; how much one number more matters in the "
        "network that has it; and how much of it the others determine: where that is near 1 the network bends a sheet "
        "of k dimensions, and the number is none of its own. The rank is the likeliest k. "
    )
    over_ridges = (
        "At the bottom the rank of the network as it is trained on under a stronger and stronger λ: the longest step "
        "is marked, a rank that does not depend on the choice of λ."
    )
    return Drawing(
        "evidence",
        ANSWER,
        "How many numbers are needed",
        f"{over_k}{over_ridges if path else ''}".strip(),
        f"held-out {found.loss_name}",
        rank_evidence.evidence(found, path),
        is_wide=True,
        height=rank_evidence.height(found, path),
    )


def _narrowing(record: MeasureRecord) -> Iterator[Drawing]:
    if record.bottleneck_changes:
        yield Drawing(
            "narrowing",
            ANSWER,
            "How many numbers are needed",
            "How much the function changes when only k numbers pass, each k at its best layer.",
            "change of f, relative to its spread over the data",
            learning.narrowing_curve(record),
            is_wide=True,
        )


def _meaning(record: FitRecord) -> Iterator[Drawing]:
    k = record.answer
    found = record.latent
    if found and found.coordinates and found.coordinates[0]:
        first = (
            f"The first 3 of {k} coordinates, pair by pair, " if k > 3 else f"The {k} coordinates, " if k > 1 else ""
        )
        yield Drawing(
            "latent",
            MEANING,
            "The numbers that pass",
            f"{first or 'The one coordinate, '}for rows that were {_shown(record)}.",
            found.color_name if k == 1 else "z2" if k == 2 else "",
            latents.latent(record),
            is_wide=k > 2,
        )
    if record.attribution:
        yield _dependence(record)
    if record.reconstructions and len(record.reconstructions.shape) == 2:
        names = [name for name, _ in samples.picture_rows(record)]
        yield Drawing(
            "pictures",
            MEANING,
            "Before and after",
            f"Images that were {_shown(record)}, from top to bottom: {'; '.join(names)}.",
            "",
            samples.pictures(record),
            is_wide=True,
            proportion=samples.picture_proportion(record),
        )
    if record.arrows:
        yield Drawing(
            "arrows",
            MEANING,
            "Where points of the plane go",
            "Random points and the outputs they are sent to; a network that has found the data pulls them onto it.",
            "",
            samples.arrows(record),
        )


def _shown(record: FitRecord) -> str:
    """Which rows are drawn: those that were set aside, where some were."""
    return "not trained on" if record.data.test else "trained on, as none were set aside"


def _dependence(record: FitRecord) -> Drawing:
    assert record.attribution is not None  # asked for only where there is one
    shown = len(input_attribution.strongest(record.attribution.effects))
    return Drawing(
        "attribution",
        MEANING,
        "Which inputs they depend on",
        input_attribution.caption(record),
        input_attribution.QUANTITY,
        input_attribution.attribution(record),
        # Beside the coordinates, which then take half of the page, if there is room for the names.
        is_wide=record.answer > 2 or shown > _NAMES_IN_HALF,
    )


def _inside(record: Record) -> Iterator[Drawing]:
    yield Drawing(
        "weights",
        INSIDE,
        "Weights through the network",
        "The first ten singular values of each W_ℓ. A layer that merely hands k numbers on keeps k of them large.",
        "singular values of W_ℓ",
        spectra.through_layers(record, "weight_singular_values"),
    )
    yield Drawing(
        "activations",
        INSIDE,
        "Activations through the network",
        "How far the data spread along the principal directions of each layer.",
        "singular values of the centred activations",
        spectra.through_layers(record, "activation_singular_values"),
    )
    yield Drawing(
        "nonlinearity",
        INSIDE,
        "Impact of the nonlinearity",
        "Where it vanishes, the layer is linear on the data and merely hands numbers on.",
        "‖Z̃ − σ(Z̃)‖ / ‖Z̃‖",
        spectra.nonlinearity(record),
    )
    if isinstance(record, MeasureRecord) and record.certificate is not None:
        yield from _certified(record, record.certificate.rank)
    if isinstance(record, MeasureRecord):
        yield Drawing(
            "curve",
            INSIDE,
            "Rank at every tolerance",
            "How many singular values of the Jacobian count, from a coarse tolerance to a fine one. A long level "
            "stretch (the longest is shaded) is a rank that does not depend on where the line is drawn.",
            "rank",
            profiles.rank_curve(record),
        )
    yield Drawing(
        "jacobian",
        INSIDE,
        "Spectrum of the Jacobian",
        f"Singular values of the derivative at {record.jacobian.points} data points; those under the tolerance "
        "count as zero, those under a millionth are drawn there.",
        "σᵢ / σ₁",
        spectra.jacobian(record),
    )


def _certified(record: MeasureRecord, rank: int) -> Iterator[Drawing]:
    yield Drawing(
        "isometry",
        INSIDE,
        "Distance from an isometry",
        f"How far each W_ℓ is from a partial isometry of rank {rank} that is exhibited, in units of its norm √{rank}. "
        "Below the line a layer merely turns as many numbers and hands them on.",
        "‖W_ℓ − V_ℓ V_ℓ₋₁ᵀ‖ / √k",
        certificate.isometry_distances(record),
    )
    yield Drawing(
        "identity",
        INSIDE,
        "Cost of identity and energy",
        "What one identity layer more would cost behind each layer, how far the next layer moves in the same units, "
        "and the difference, which is level along an optimal path.",
        "squared norm of weights",
        certificate.identity_costs(record),
    )


def _training(record: FitRecord) -> Drawing:
    return Drawing(
        "history",
        TRAINING,
        "Training",
        "Objective, training error and norm at each step, on a logarithmic scale.",
        "",
        learning.history(record),
        is_wide=True,
    )
