"""The figures of a record, in the order that tells its story."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import plotly.graph_objects as go

from isthmus.reports import (
    input_attribution as attribution,
)
from isthmus.reports import (
    latents as latent,
)
from isthmus.reports import (
    learning,
    profiles,
    samples,
    spectra,
)
from isthmus.reports import (
    rank_evidence as evidence,
)
from isthmus.reports.record import (
    Record,
    held_out_name,
    is_measurement,
    rank_of,
)

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
    if is_measurement(record):
        return [*_narrowing(record), *_inside(record)]
    return [*_answers(record), *_meaning(record), *_inside(record), _training(record)]


def _answers(record: Record) -> Iterator[Drawing]:
    found, path = record.get("cross_decision"), record.get("rank_path")
    if not found:
        yield _answer(record)
    if found or path:
        yield _evidence(record)


def _evidence(record: Record) -> Drawing:
    found, path = record.get("cross_decision"), record.get("rank_path")
    over_k = (
        "From top to bottom: the error on rows that were held out in turn, when only k numbers may pass; how probably "
        "each k is the answer; the training objective through k numbers; how much one number more matters in the "
        "network that has it; and how much of it the others determine: where that is near 1 the network bends a sheet "
        "of k dimensions, and the number is none of its own. The rank is the likeliest k. "
        "The table adds how far beyond chance linear functions alone need more than k numbers, in standard deviations. "
    )
    over_ridges = (
        "The rank of the network as it is trained on under a stronger and stronger λ: the longest step is marked, a "
        "rank that does not depend on the choice of λ."
    )
    return Drawing(
        "evidence" if found else "path",
        ANSWER,
        "How many numbers are needed" if found else "Rank over the ridge",
        f"{over_k if found else ''}{over_ridges if path else ''}".strip(),
        f"held-out {held_out_name(record)}" if found else "rank",
        evidence.evidence(found, path),
        is_wide=True,
        height=evidence.height(found, path) if found else None,
    )


def _answer(record: Record) -> Drawing:
    is_open = record["rank_lower"] != record["rank_upper"]
    shaded = " The shaded ranks agree with the held-out rows." if is_open else ""
    resampled = " Below: how often each k is the answer when these rows are resampled."
    below = resampled if record.get("rank_probabilities") else ""
    return Drawing(
        "error",
        ANSWER,
        "How many numbers are needed",
        "Error on rows that were not trained on, when only k numbers may pass. The rank is the smallest k that does as "
        f"well as the whole network. Bars: one standard error of the difference to it.{shaded}{below}",
        f"held-out {record['error_name']}",
        learning.error_curve(record),
        is_wide=True,
    )


def _narrowing(record: Record) -> Iterator[Drawing]:
    if record.get("bottleneck_changes"):
        yield Drawing(
            "narrowing",
            ANSWER,
            "How many numbers are needed",
            "How much the function changes when only k numbers pass, each k at its best layer.",
            "change of f, relative to its spread over the data",
            learning.narrowing_curve(record),
            is_wide=True,
        )


def _meaning(record: Record) -> Iterator[Drawing]:
    k = rank_of(record)
    found = record.get("latent")
    if found and found["coordinates"] and found["coordinates"][0]:
        first = (
            f"The first 3 of {k} coordinates, pair by pair, " if k > 3 else f"The {k} coordinates, " if k > 1 else ""
        )
        yield Drawing(
            "latent",
            MEANING,
            "The numbers that pass",
            f"{first or 'The one coordinate, '}for rows that were not trained on.",
            str(found.get("color_name", "")) if k == 1 else "z₂" if k == 2 else "",
            latent.latent(record),
            is_wide=k > 2,
        )
    if record.get("attribution"):
        yield _dependence(record)
    if record.get("reconstructions") and len(record["reconstructions"]["shape"]) == 2:
        names = [name for name, _ in samples.picture_rows(record)]
        yield Drawing(
            "pictures",
            MEANING,
            "Before and after",
            f"Images that were not trained on, from top to bottom: {'; '.join(names)}.",
            "",
            samples.pictures(record),
            is_wide=True,
            proportion=samples.picture_proportion(record),
        )
    if record.get("arrows"):
        yield Drawing(
            "arrows",
            MEANING,
            "Where points of the plane go",
            "Random points and the outputs they are sent to; a network that has found the data pulls them onto it.",
            "",
            samples.arrows(record),
        )


def _dependence(record: Record) -> Drawing:
    shown = len(attribution.strongest(record["attribution"]["effects"]))
    return Drawing(
        "attribution",
        MEANING,
        "Which inputs they depend on",
        attribution.caption(record),
        attribution.QUANTITY,
        attribution.attribution(record),
        # Beside the coordinates, which then take half of the page, if there is room for the names.
        is_wide=rank_of(record) > 2 or shown > _NAMES_IN_HALF,
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
    if record.get("curve"):
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
        f"Singular values of the derivative at {record['jacobian']['points']} data points; those under the tolerance "
        "count as zero, those under a millionth are drawn there.",
        "σᵢ / σ₁",
        spectra.jacobian(record),
    )


def _training(record: Record) -> Drawing:
    return Drawing(
        "history",
        TRAINING,
        "Training",
        "Objective, training error and norm at each step, on a logarithmic scale.",
        "",
        learning.history(record),
        is_wide=True,
    )
