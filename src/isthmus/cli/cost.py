"""`isthmus cost`: what a function costs at each depth."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from isthmus.cli.option_groups import with_option_groups
from isthmus.cli.options import (
    ModelPath,
    PagePath,
    checked_model,
    checked_seed,
)
from isthmus.cli.table_options import TableOptions
from isthmus.errors import DomainError, OptionError
from isthmus.foundation.progress import progress_bar

if TYPE_CHECKING:
    from isthmus.costs import CostInterval
    from isthmus.spectra import Model

_DEEPEST_SAVED = 10_000  # layers that are written out, of at most 64 numbers each: 330 MB


@with_option_groups
def cost(
    model: ModelPath,
    data: Annotated[
        str | None,
        typer.Option(help="The domain is a neighbourhood of these rows: as for isthmus fit.", metavar="DATA"),
    ] = None,
    box: Annotated[
        tuple[float, float] | None,
        typer.Option(help="Instead of --data: every input from LO to HI, at most six inputs.", metavar="LO HI"),
    ] = None,
    depth: Annotated[
        list[str] | None, typer.Option(help="Depths L, separated by commas or given again.", metavar="N…")
    ] = None,
    table: TableOptions = TableOptions(),
    points: Annotated[int | None, typer.Option(help="Rows whose neighbourhoods are used. Default: 100.", min=1)] = None,
    search: Annotated[int, typer.Option(help="Rounds of a search for points with a higher lower bound.", min=0)] = 0,
    tolerance: Annotated[float, typer.Option(help="Relative error within which a function counts as f.")] = 1e-6,
    page: PagePath = None,
    out: Annotated[Path | None, typer.Option(help="Save the cheapest network of each depth in this folder.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of built-in data and of --search.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON list, one object a depth.")] = False,
) -> None:
    """Bracket what the function of a trained network costs, ‖w‖²/L, at each depth."""
    _check_one_domain(data, box)
    reading = table.reading()
    if data is None:
        from isthmus.data.table_format import refuse_table_options

        refuse_table_options("a box, which needs no rows", **reading)
        if points is not None:
            raise OptionError("--points", points, "left out for a box, which is used whole")
    checked_seed(seed)
    checked_model(model)
    # Torch takes a second to load: what needs none has been said by now.
    from isthmus.cli.inputs import fitted_data, model_inputs
    from isthmus.cli.output import print_object
    from isthmus.costs import representation_costs
    from isthmus.costs.representation import DEFAULT_POINTS
    from isthmus.formats import load
    from isthmus.reports.costs import write_cost_page

    points = points or DEFAULT_POINTS
    network = load(model)
    depths = _depths(depth) or [_own_depth(network)]
    if out is not None and max(depths) > _DEEPEST_SAVED:
        raise OptionError("--depth", max(depths), f"at most {_DEEPEST_SAVED} with --out: its layers are written out")
    x = None
    if data is not None:
        rows = model_inputs(
            network,
            data,
            columns=fitted_data(model),
            **reading,
            seed=seed,
        )
        x = rows.spaced(points)[0].flatten(1)
    with progress_bar(f"bracketing {model}", logs=True) as report:
        limit, *found = representation_costs(
            network,
            x,
            depths=[math.inf, *depths],
            box=box,
            points=points,
            search=search,
            tolerance=tolerance,
            seed=seed,
            report=report,
        )
    if not found:
        raise KeyboardInterrupt  # before the first depth was done
    record = _record(str(model), tolerance, limit, found)
    paths = {} if page is None else {"report": str(write_cost_page(record, page))}
    if out is not None:
        paths["networks"] = str(_saved(found, network, out))
    if as_json:
        print_object(record["brackets"])
    else:
        _print(record, paths)


def _check_one_domain(data: str | None, box: tuple[float, float] | None) -> None:
    if (data is None) == (box is None):
        what = "No domain was" if data is None else "Two domains were"
        raise DomainError(f"{what} given, but a cost is that of a function on one. Pass --data DATA or --box LO HI.")


def _depths(given: list[str] | None) -> list[int]:
    depths = []
    for text in (piece.strip() for each in given or [] for piece in each.split(",")):
        if not text.isdecimal() or int(text) < 1:
            raise OptionError("--depth", text, "whole numbers from 1, separated by commas")
        depths.append(int(text))
    return depths


def _own_depth(model: Model) -> int:
    from isthmus.networks import StandardizedNetwork
    from isthmus.regions import piecewise_linear

    return piecewise_linear(model.network if isinstance(model, StandardizedNetwork) else model).depth


def _record(name: str, tolerance: float, limit: CostInterval, found: list[CostInterval]) -> dict[str, Any]:
    """Everything that is printed and drawn about the costs, ready for JSON."""
    return {
        "name": name,
        "domain": limit.domain,
        "tolerance": tolerance,
        "limit": limit.record(),
        "brackets": [interval.record() for interval in found],
    }


def _saved(found: list[CostInterval], model: Model, folder: Path) -> Path:
    from isthmus.costs import StretchedNetwork
    from isthmus.formats import save
    from isthmus.networks import StandardizedNetwork

    folder.mkdir(parents=True, exist_ok=True)
    for interval in found:
        net = interval.network
        if isinstance(net, StretchedNetwork):
            net = net.dense()
        if net is not None:
            whole = (
                StandardizedNetwork(net, model.inputs, model.outputs) if isinstance(model, StandardizedNetwork) else net
            )
            save(whole, folder / f"depth-{int(interval.depth)}.safetensors")
    return folder


def _print(record: dict[str, Any], paths: dict[str, str]) -> None:
    from isthmus.reports.costs import costs_in_words

    console = Console(highlight=False)
    console.print(f"\n[bold]{costs_in_words(record)}[/bold]\n")
    console.print(Padding(f"Domain: {record['domain']}.".replace("[", r"\["), (0, 0, 1, 2)))
    table = Table(title="R(f; L)/L, the least ‖w‖²/L of a network that computes f", title_justify="left", box=None)
    for column in ("depth L", "at least", "at most", "proved by", "network"):
        table.add_column(column, justify="right" if "L" in column or "at" in column else "left")
    for row in record["brackets"]:
        upper = "none known" if row["upper"] is None else f"{row['upper']:.4g}"
        table.add_row(str(row["depth"]), f"{row['lower']:.4g}", upper, row["lower_by"], row["upper_by"] or "")
    console.print(table)
    console.print()
    for name, path in paths.items():
        console.print(f"  {name:8} {path}".replace("[", r"\["), soft_wrap=True)
