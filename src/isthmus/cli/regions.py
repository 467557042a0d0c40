"""`isthmus regions`: all linear regions of a trained network, counted and drawn."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from isthmus.cli.options import PAGE, PICTURE, AsJson, ModelPath, Tolerated, checked_model, checked_view, parsed_box
from isthmus.errors import MissingOptionError
from isthmus.foundation.progress import progress_bar
from isthmus.foundation.tolerance import Tolerance

if TYPE_CHECKING:
    from isthmus.regions import Plane
    from isthmus.regions.regions import Regions


class Colouring(StrEnum):
    """What a picture of regions shows."""

    pattern = "pattern"
    rank = "rank"
    klass = "class"
    det = "det"


def regions(
    model: ModelPath,
    box: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Lower and upper bound: two numbers, or with commas one for each axis.", metavar="LO HI"),
    ] = None,
    plane: Annotated[
        Path | None, typer.Option(help="Look at a slice: three points (.npy, .csv), or origin and directions (.npz).")
    ] = None,
    colour: Annotated[Colouring, typer.Option("--colour", "--color", help="What the picture shows first.")] = (
        Colouring.pattern
    ),
    out: Annotated[Path | None, typer.Option(help="Draw the regions here, .html or .svg.")] = None,
    tolerance: Tolerated = 0.1,
    budget: Annotated[int, typer.Option(help="Largest number of regions.", min=1)] = 2_000_000,
    partial: Annotated[bool, typer.Option("--partial", help="Beyond the budget, show what was found.")] = False,
    seed: Annotated[int, typer.Option(help="No effect: nothing here is random.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Count all linear regions of a network on a box or a slice, with exact ranks and tripoints."""
    del seed
    limit = Tolerance(tolerance)
    checked_view(out, "--out", (*PAGE, *PICTURE))
    checked_model(model)
    # Torch takes a second to load: what needs none has been said by now.
    from isthmus.cli.output import print_object
    from isthmus.formats import load
    from isthmus.regions import enumerate_regions
    from isthmus.regions.plane_file import read_plane

    network = load(model)
    surface, shown = (None, None) if plane is None else read_plane(plane)
    bounds = _bounds(box, shown)
    start = time.perf_counter()
    with progress_bar(f"regions of {model}", logs=True) as report:
        report(0.0, "loading compiled code (20 seconds the first time)")
        found = enumerate_regions(network, bounds, plane=surface, budget=budget, partial=partial, report=report)
        record = regions_record(str(model), found, surface, limit, time.perf_counter() - start)
    if out is not None:
        _draw(record, found, limit, colour, out)
        record["picture"] = str(out)
    if as_json:
        print_object(record)
    else:
        _print(record)


def _bounds(box: tuple[str, str] | None, shown: np.ndarray | None) -> tuple[object, object]:
    if box is not None:
        return parsed_box(box)
    if shown is None:
        raise MissingOptionError("--box", "Give LO HI, for example --box -1 1, unless there is a --plane")
    middle, half = shown.mean(axis=0), 0.75 * np.ptp(shown, axis=0).max()
    return middle - half, middle + half


def regions_record(
    name: str, found: Regions, plane: Plane | None, tolerance: Tolerance, seconds: float
) -> dict[str, Any]:
    """Everything that is printed about the regions, ready for JSON."""
    d = found.vertices.shape[1]
    record: dict[str, Any] = {
        "kind": "regions",
        "name": name,
        "lower": found.vertices.min(axis=0).tolist(),
        "upper": found.vertices.max(axis=0).tolist(),
        "is_slice": plane is not None,
        "is_complete": found.is_complete,
        "regions": len(found),
        "vertices": len(found.vertices),
        "neighbours": len(found.neighbours),
        "tolerance": tolerance.relative,
        "seconds": seconds,
        # None where there is nothing to count: partial regions, other dimensions, a single output.
        "jacobian_rank": None,
        "tripoints": None,
    }
    if d == 2:
        record["area"] = float(found.areas.sum())
    if not found.is_complete:
        return record
    jacobian, bottleneck = found.jacobian_rank(tolerance=tolerance), found.bottleneck_rank(tolerance=tolerance)
    connected, distinct = found.count_pieces()
    record |= {
        "connected_pieces": connected,
        "distinct_pieces": distinct,
        "jacobian_rank": jacobian.lower,
        "jacobian_rank_lower": jacobian.lower,
        "jacobian_rank_upper": jacobian.upper,
        "bottleneck_rank_lower": bottleneck.lower,
        "bottleneck_rank_upper": bottleneck.upper,
        "evidence": [*jacobian.evidence, *bottleneck.evidence[1:]],
        "rank_counts": _rank_counts(found, tolerance),
    }
    if d == 2 and plane is None:
        record |= _index(found, tolerance)
    if d == 2 and found.network.d_out > 1:
        record |= _boundary(found)
    return record


def _index(found: Regions, tolerance: Tolerance) -> dict[str, Any]:
    from isthmus.regions import gradient_outer_product

    product = gradient_outer_product(found)
    # A mean passes over what happens on a small part; where the derivative has so large a rank f depends on as many.
    index = max(product.index_rank(tolerance), found.jacobian_rank(tolerance=tolerance).lower)
    return {"gradient_outer_product": product.matrix.tolist(), "index_rank": index}


def _rank_counts(found: Regions, tolerance: Tolerance) -> list[dict[str, Any]]:
    """How many regions have each rank, and in the plane their share of the area."""
    ranks = found.jacobian_ranks(tolerance)
    rows: list[dict[str, Any]] = []
    for rank in np.unique(ranks).tolist():
        row: dict[str, Any] = {"rank": rank, "regions": int((ranks == rank).sum())}
        if found.vertices.shape[1] == 2:
            row["share_of_area"] = float(found.areas[ranks == rank].sum() / found.areas.sum())
        rows.append(row)
    return rows


def _boundary(found: Regions) -> dict[str, Any]:
    boundary = found.decision_boundary()
    return {
        "tripoints": len(boundary.tripoints),
        "tripoint_points": [
            {"point": point, "classes": list(classes)}
            for point, classes in zip(boundary.tripoints.tolist(), boundary.tripoint_classes, strict=True)
        ],
        "tied_segments": len(boundary.tied_segments),
        "classes_present": list(boundary.present),
        "class_adjacency": [{"classes": list(pair), "length": size} for pair, size in boundary.adjacency.items()],
        "class_order": None if boundary.order is None else list(boundary.order),
        "exits": boundary.exits.tolist(),
    }


def _draw(record: dict[str, Any], found: Regions, tolerance: Tolerance, colour: Colouring, out: Path) -> None:
    from isthmus.cli.regions_picture import regions_picture
    from isthmus.reports.regions_page import write_regions_page, write_regions_svg

    picture = regions_picture(record, found, tolerance, first=colour.value)
    if out.suffix.lower() == ".svg":
        write_regions_svg(picture, out)
    else:
        write_regions_page(picture, out)


def _print(record: dict[str, Any]) -> None:
    console = Console(highlight=False)
    partial = "" if record["is_complete"] else " (partial: the budget was reached before all neurons had cut)"
    console.print(f"\n[bold]{record['regions']:,} linear regions[/bold]{partial}\n")
    table = Table(box=None, show_header=False)
    table.add_column(justify="right", style="dim")
    table.add_column()
    for label, value in _lines(record):
        table.add_row(label, value)
    console.print(table)


def _lines(record: dict[str, Any]) -> list[tuple[str, str]]:
    low, high = (", ".join(f"{v:.4g}" for v in record[side]) for side in ("lower", "upper"))
    lines = [("domain", f"({low}) to ({high})" + (" on a slice" if record["is_slice"] else ""))]
    if record["is_complete"]:
        ranks = ", ".join(f"rank {row['rank']} on {row['regions']:,}" for row in record["rank_counts"])
        lines += [
            ("affine pieces", f"{record['connected_pieces']:,} connected, {record['distinct_pieces']:,} distinct"),
            ("Jacobian rank", f"{_interval(record, 'jacobian_rank')} at {record['tolerance']:g} ({ranks})"),
            ("bottleneck rank", _interval(record, "bottleneck_rank")),
        ]
    if "index_rank" in record:
        lines.append(("index rank", f"{record['index_rank']} at {record['tolerance']:g}, of E[∇f ∇fᵀ] over the domain"))
    if record["tripoints"] is not None:
        order = record["class_order"]
        lines.append(("tripoints", f"{record['tripoints']}"))
        lines.append(("classes", " – ".join(map(str, order)) + " along a line" if order else "not along a line"))
    lines.append(("seconds", f"{record['seconds']:.3g}"))
    if "picture" in record:
        lines.append(("picture", record["picture"].replace("[", r"\[")))
    return lines


def _interval(record: dict[str, Any], name: str) -> str:
    lower, upper = record[f"{name}_lower"], record[f"{name}_upper"]
    return f"{lower}" if lower == upper else f"{lower} to {upper}"
