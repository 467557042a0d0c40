"""What the page draws: latent coordinates and their inputs, images of what passes, where points of the plane go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from isthmus.data import Dataset, Sample
from isthmus.data.dataset import Integers
from isthmus.factorization import Factorization, attribution, linear_baseline
from isthmus.runs.record_parts import ArrowsRow, AttributionRow, LatentRow, ReconstructionsRow, TraversalsRow
from isthmus.spectra import spaced
from isthmus.training import FittedNetwork

_POINTS = 800
_IMAGES = 10
_ARROWS = 120
_TRAVERSED = 12  # latent coordinates
_SHARES = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95)  # of the rows, where a coordinate stops on its way


def latent(dataset: Dataset, factorization: Factorization | None) -> LatentRow | None:
    """Coordinates in R^k of held-out rows, with something to colour them by."""
    if factorization is None:
        return None
    rows = _shown(dataset)[:_POINTS]
    x = torch.from_numpy(dataset.x[rows])
    z = factorization.encode(x)
    color: list[str] | list[float]
    if dataset.task == "classification":
        color, name = [dataset.output_names[int(label)] for label in dataset.y[rows]], "class"
    elif dataset.task == "autoencoder":
        misses = (factorization.decode(z) - x.to(z)).square().mean(1).sqrt()
        color, name = significant(misses), "reconstruction error"
    else:
        color, name = significant(torch.from_numpy(dataset.y[rows][:, 0])), dataset.output_names[0]
    return LatentRow(coordinates=significant(z), color=color, color_name=name)


def strongest_inputs(
    sample: Sample, names: Sequence[str], factorization: Factorization | None
) -> AttributionRow | None:
    """How strongly each latent coordinate depends on each input, over the different rows, as the estimators say."""
    if factorization is None:
        return None
    found = attribution(factorization, sample.x, names=names)
    return AttributionRow(inputs=list(found.input_names), effects=significant(found.effects))


def reconstructions(
    dataset: Dataset, fitted: FittedNetwork, factorization: Factorization | None
) -> ReconstructionsRow | None:
    """Held-out images, what h ∘ g makes of them, and what PCA with as many numbers does."""
    if dataset.task != "autoencoder" or dataset.image_shape is None or factorization is None:
        return None
    x = torch.from_numpy(dataset.x[_shown(dataset)[:_IMAGES]])
    train, _ = fitted.objective.sample()
    pca = linear_baseline(train, train, weights=fitted.objective.weights)
    same = fitted.outputs.backward(pca(fitted.inputs.forward(x.double()).to(train.device), factorization.rank))
    return ReconstructionsRow(
        shape=list(dataset.image_shape),
        originals=significant(x),
        outputs=significant(factorization(x)),
        baseline=significant(same),
        baseline_name=f"PCA, {factorization.rank} numbers",
    )


def traversals(dataset: Dataset, factorization: Factorization | None) -> TraversalsRow | None:
    """What the decoder of an autoencoder of images draws when one coordinate moves over the range of the rows."""
    if dataset.task != "autoencoder" or dataset.image_shape is None or factorization is None:
        return None
    z = factorization.encode(torch.from_numpy(dataset.x[_shown(dataset)[:_POINTS]]))
    stops = torch.quantile(z, torch.tensor(_SHARES).to(z), dim=0)
    images = []
    for i in range(min(z.shape[1], _TRAVERSED)):
        moved = z.mean(0).repeat(len(stops), 1)
        moved[:, i] = stops[:, i]
        images.append(significant(factorization.decode(moved)))
    return TraversalsRow(shape=list(dataset.image_shape), shares=list(_SHARES), images=images)


def arrows(sample: Sample, fitted: FittedNetwork, seed: int) -> ArrowsRow | None:
    """Random points of the plane and where an autoencoder of the plane sends them."""
    if sample.task != "autoencoder" or sample.x.shape[1] != 2:
        return None
    data = torch.from_numpy(sample.x)
    low, high = data.amin(0), data.amax(0)
    margin = 0.25 * (high - low)
    draws = torch.rand(_ARROWS, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    start = low - margin + draws * (high - low + 2 * margin)
    end = fitted(start)
    return ArrowsRow(starts=significant(start), ends=significant(end), data=significant(spaced(data, _POINTS)))


def _shown(dataset: Dataset) -> Integers:
    """Rows to draw: those that were set aside, or where none were all that count."""
    rows = dataset.split.test if len(dataset.split.test) else dataset.split.train
    return rows if dataset.weights is None else rows[dataset.weights[rows] > 0]


def significant(values: Tensor) -> list[Any]:
    """Nested lists with five significant figures: enough to draw."""
    return [significant(v) if v.ndim else float(f"{float(v):.5g}") for v in values]
