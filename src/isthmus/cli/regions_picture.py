"""From regions to their picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from isthmus.errors import DomainError, OptionError
from isthmus.foundation.tolerance import Tolerance
from isthmus.reports.regions_picture import (
    Colouring,
    Polygons,
    RegionPicture,
    categories,
    distinct_neighbours,
    magnitudes,
)

if TYPE_CHECKING:
    from isthmus.regions.boundary import DecisionBoundary
    from isthmus.regions.regions import Regions

_MOST = 300_000


def regions_picture(record: dict[str, Any], found: Regions, tolerance: Tolerance, *, first: str) -> RegionPicture:
    """The picture of `found`, with the colouring `first` on top.

    Raises:
        DomainError: If the regions are not in the plane, or too many to draw.
        OptionError: If that colouring does not exist for this network.
    """
    if found.planar is None:
        raise DomainError(
            f"Regions in {found.vertices.shape[1]} dimensions cannot be drawn. Leave --out away, or draw a slice with "
            "--plane."
        )
    if len(found) > _MOST:
        raise DomainError(
            f"{len(found):,} regions are too many for one picture. Draw a smaller --box, or leave --out away."
        )
    colourings = {c.name: c for c in _colourings(found, tolerance)}
    if first not in colourings:
        known = ", ".join(colourings)
        raise OptionError("--colour", first, f"one of {known} for this network" + _reason(first))
    boundary = found.decision_boundary() if record["tripoints"] is not None else None
    order = [colourings.pop(first), *colourings.values()]
    return RegionPicture(
        title=f"{len(found):,} linear regions of {record['name']}",
        facts=_facts(record),
        polygons=Polygons(found.vertices, found.offsets, found.corners),
        areas=found.areas,
        notes=_notes(found, tolerance),
        colourings=tuple(order),
        segments=np.empty((0, 2, 2)) if boundary is None else boundary.segments,
        tripoints=np.empty((0, 2)) if boundary is None else boundary.tripoints,
    )


def _reason(colouring: str) -> str:
    return (
        " (a class needs two outputs or more, |det| as many outputs as inputs)" if colouring in ("class", "det") else ""
    )


def _colourings(found: Regions, tolerance: Tolerance) -> list[Colouring]:
    result = [distinct_neighbours("pattern", "activation pattern", len(found), found.neighbours)]
    if not found.is_complete:
        return result
    result.append(categories("rank", "rank of the Jacobian", found.jacobian_ranks(tolerance), "rank {}"))
    if found.network.d_out > 1:
        result.append(_territories(found.decision_boundary()))
    jacobians = found.slice_jacobians()
    if jacobians.shape[1] == jacobians.shape[2]:
        result.append(magnitudes("det", "|det J|", np.abs(np.linalg.det(jacobians))))
    return result


def _territories(boundary: DecisionBoundary) -> Colouring:
    polygons = Polygons(boundary.vertices, boundary.offsets, boundary.corners)
    return categories("class", "largest output", boundary.owners, "output {}", polygons)


def _classes(found: Regions) -> np.ndarray:
    import torch

    return found.network(torch.from_numpy(found.interior_points)).argmax(dim=1).numpy()


def _notes(found: Regions, tolerance: Tolerance) -> tuple[str, ...]:
    if not found.is_complete:
        return ("",) * len(found)
    values, ranks = found.singular_values[:, :4], found.jacobian_ranks(tolerance)
    texts = (", ".join(f"{v:.3g}" for v in row) for row in values.tolist())
    notes = [f"rank {rank}, σ {text}" for rank, text in zip(ranks.tolist(), texts, strict=True)]
    if found.network.d_out > 1:
        notes = [f"{note}, output {c} at the middle" for note, c in zip(notes, _classes(found).tolist(), strict=True)]
    return tuple(notes)


def _facts(record: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    facts = [("regions", f"{record['regions']:,}")]
    if record["is_complete"]:
        facts += [
            ("connected affine pieces", f"{record['connected_pieces']:,}"),
            ("distinct affine pieces", f"{record['distinct_pieces']:,}"),
            ("Jacobian rank", f"{record['jacobian_rank']} at {record['tolerance']:g}"),
        ]
    if record["tripoints"] is not None:
        facts.append(("tripoints", f"{record['tripoints']}"))
    return tuple(facts)
