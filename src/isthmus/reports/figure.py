"""The figures of a record, in the order that tells its story."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from isthmus.reports import certificate, input_attribution, latents, learning, profiles, rank_evidence, samples, spectra
from isthmus.reports.answer import answer_of
from isthmus.reports.record import Record
from isthmus.runs import FitRecord, MeasureRecord

_NAMES_IN_HALF = 12  # inputs under a figure of half the width
OPENING, ANSWER, MEANING, INSIDE, TRAINING = "opening", "answer", "meaning", "inside", "training"


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
        return [*_narrowing(record), _rank_curve(record), *_inside(record)]
    opening = [*_before_and_after(record), _answer(record)]
    return [*opening, *_meaning(record), _reasons(record), *_inside(record), _training(record)]


def _answer(record: FitRecord) -> Drawing:
    likely = "; below, how probably each k is the answer" if record.rank_probabilities is not None else ""
    linear = ", beside what a linear method does with as many" if answer_of(record).counts_losses else ""
    caption = (
        f"The error on rows that were held out in turn, when only k numbers may pass{linear}{likely}. "
        "The rank is the likeliest k."
    )
    return _panels(record, "answer", OPENING, "How many numbers are needed", caption, rank_evidence.ANSWER)


def _reasons(record: FitRecord) -> Drawing:
    over_k = (
        "From top to bottom: the training objective through k numbers; how much one number more matters in the "
        "network that has it, relative to the first; and how much of it the others determine: where that is near 1 the "
        "network bends a sheet of k dimensions, and the number is none of its own."
    )
    over_ridges = (
        " At the bottom the rank of the network as it is trained on under a stronger and stronger λ: the longest step "
        "is marked, a rank that does not depend on the choice of λ."
    )
    caption = f"{over_k}{over_ridges if record.rank_path else ''}"
    return _panels(record, "evidence", ANSWER, "What else speaks for it", caption, rank_evidence.REASONS)


def _panels(record: FitRecord, name: str, chapter: str, title: str, caption: str, panels: Sequence[str]) -> Drawing:
    found, path = answer_of(record), record.rank_path
    return Drawing(
        name,
        chapter,
        title,
        caption,
        rank_evidence.quantity(found, panels),
        rank_evidence.evidence(found, path, panels),
        is_wide=True,
        height=rank_evidence.height(found, path, panels),
    )


def _narrowing(record: MeasureRecord) -> Iterator[Drawing]:
    if record.bottleneck_changes:
        yield Drawing(
            "narrowing",
            OPENING,
            "How many numbers are needed",
            "How much the function changes when only k numbers pass, each k at its best layer.",
            "change of f, relative to its spread over the data",
            learning.narrowing_curve(record),
            is_wide=True,
        )


def _rank_curve(record: MeasureRecord) -> Drawing:
    return Drawing(
        "curve",
        OPENING,
        "Rank at every tolerance",
        "How many singular values of the Jacobian count, from a coarse tolerance to a fine one. A long level stretch "
        "(the longest is shaded) is a rank that does not depend on where the line is drawn.",
        "rank",
        profiles.rank_curve(record),
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
    if record.traversals and _is_flat(record.traversals.shape):
        yield _traversals(record)
    if record.attribution:
        yield _pixels(record) if _is_flat(record.data.image_shape) else _dependence(record)
    if record.arrows:
        yield Drawing(
            "arrows",
            MEANING,
            "Where points of the plane go",
            "Random points and the outputs they are sent to; a network that has found the data pulls them onto it.",
            "",
            samples.arrows(record),
        )


def _is_flat(shape: Sequence[int] | None) -> bool:
    """Whether there are images, of height and width alone, which are what can be drawn."""
    return shape is not None and len(shape) == 2


def _before_and_after(record: FitRecord) -> Iterator[Drawing]:
    if record.reconstructions and _is_flat(record.reconstructions.shape):
        grid = samples.before_and_after(record)
        yield Drawing(
            "pictures",
            OPENING,
            "Before and after",
            f"Images that were {_shown(record)}, from top to bottom: {'; '.join(name for name, _ in grid.rows)}.",
            "",
            grid.figure(),
            is_wide=True,
            proportion=grid.proportion,
        )


def _traversals(record: FitRecord) -> Drawing:
    assert record.traversals is not None  # asked for only where there are some
    shares = record.traversals.shares
    drawn = len(record.traversals.images)
    which = f"The first {drawn} of {record.answer} numbers. " if drawn < record.answer else ""
    grid = samples.traversals(record)
    return Drawing(
        "traversals",
        MEANING,
        "What each number changes",
        f"{which}In a row one number moves from where {shares[0]:.0%} of the images lie below it to where "
        f"{shares[-1]:.0%} do, and the others stay at their means: an image that need not look like any of the data.",
        "",
        grid.figure(is_named=True),
        proportion=grid.proportion,
    )


def _pixels(record: FitRecord) -> Drawing:
    grid = samples.input_pictures(record)
    shown = [len(row) for _, row in grid.rows]
    return Drawing(
        "attribution",
        MEANING,
        "Which pixels they depend on",
        f"A picture for each number from z1 on, {shown[0]} in a row: the stronger the colour of a pixel, the more the "
        "number moves when that pixel alone moves by one of its standard deviations. Pixels that move together can "
        "stand in for each other.",
        "",
        grid.figure(),
        is_wide=grid.proportion > 4,
        proportion=grid.proportion,
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
