"""`isthmus window`: how deep to train."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from isthmus.cli.data_options import (
    ActivationName,
    DataArgument,
    Seed,
    Standardize,
    Starts,
    Target,
    Task,
    Width,
)
from isthmus.cli.option_groups import with_option_groups
from isthmus.cli.options import (
    PICTURE,
    AsJson,
    Device,
    Jobs,
    PagePath,
    Tolerated,
    checked_device,
    checked_jobs,
    checked_seed,
    checked_view,
)
from isthmus.cli.table_options import TableOptions
from isthmus.errors import OptionError
from isthmus.foundation.progress import part, progress_bar
from isthmus.foundation.tolerance import Tolerance

if TYPE_CHECKING:
    from isthmus.costs import DepthWindow

_POINTS = 60  # depths at which the objectives are drawn
_SELECTED = 0.1  # of the progress: the rank is selected
_BEYOND = 1.6  # how far beyond the ends of the window


@with_option_groups
def window(
    data: DataArgument,
    rank: Annotated[
        int | None, typer.Option(help="The rank to find. Default: the rank of the data, as isthmus fit selects it.")
    ] = None,
    task: Task = None,
    target: Target = None,
    table: TableOptions = TableOptions(),
    width: Width = 100,
    ridge: Annotated[
        float | None, typer.Option(help="λ in (λ/L)‖w‖². Default: 1/1000 of the loss of the best constant.")
    ] = None,
    page: PagePath = None,
    out: Annotated[Path | None, typer.Option(help="Draw the objectives over the depth here, .svg.")] = None,
    seed: Seed = 0,
    standardize: Standardize = None,
    activation: ActivationName = "relu",
    tolerance: Tolerated = 0.1,
    n_init: Starts = 4,
    device: Device = "cpu",
    n_jobs: Jobs = 1,
    as_json: AsJson = False,
) -> None:
    """Predict the depths at which the best network has the rank of DATA: not too shallow, not too deep."""
    checked_view(out, "--out", PICTURE)
    if rank is not None and rank < 1:
        raise OptionError("--rank", rank, "at least 1")
    checked_jobs(n_jobs)
    if ridge is not None and not ridge > 0:
        raise OptionError("--ridge", ridge, "positive: without it no depth prefers a rank")
    limit = Tolerance(tolerance)
    # What needs no torch comes first: a wrong file or column is said at once.
    from isthmus.data import load_dataset

    with progress_bar(f"reading {data}", logs=True) as progress:
        dataset = load_dataset(
            data,
            task=task.value if task else None,
            target=list(target or ()),
            **table.reading(),
            seed=checked_seed(seed),
            report=progress,
        )
    if dataset.weights is not None:
        raise OptionError(
            "DATA",
            data,
            "without sample_weight, which rows of a long table that repeat have too: a window counts every row alike",
        )
    from isthmus.cli.output import print_object
    from isthmus.costs import depth_window
    from isthmus.networks import Scaling
    from isthmus.networks import activation as activation_named
    from isthmus.reports.windows import write_window_page, write_window_svg
    from isthmus.selection import SelectionConfig, select_rank
    from isthmus.training import TrainingConfig

    scaling: Scaling = "global" if dataset.shares_unit else "columns"
    if standardize is not None:
        scaling = standardize.value
    config = TrainingConfig(
        width=width,
        ridge=ridge,
        n_init=n_init,
        standardize=scaling,
        activation=activation_named(activation),
        device=checked_device(device),
    )
    rows, begin = dataset.split.train, time.perf_counter()
    x, y = dataset.x[rows], None if dataset.task == "autoencoder" else dataset.y[rows]
    with progress_bar(f"searching the depths for {dataset.name}", logs=True) as report:
        if rank is None:
            selection = SelectionConfig(standardize=scaling, tolerance=tolerance, device=config.device)
            told = part(report, 0.0, _SELECTED)
            rank = select_rank(
                x, y, task=dataset.task, config=selection, n_jobs=n_jobs, random_state=seed, report=told
            ).rank
            report = part(report, _SELECTED, 1.0)
        if rank == 0:
            raise OptionError(
                "the rank of the data", 0, "at least 1 for a window: no dependence was found. Give --rank"
            )
        found = depth_window(
            x,
            y,
            rank=rank,
            config=config,
            task=dataset.task,
            tolerance=limit,
            seed=seed,
            n_jobs=n_jobs,
            report=report,
        )
    record = window_record(dataset.name, found, time.perf_counter() - begin)
    paths = {} if page is None else {"report": str(write_window_page(record, page))}
    if out is not None:
        paths["picture"] = str(write_window_svg(record, out))
    if as_json:
        print_object({**record, **paths})
    else:
        _print(record, paths)


def window_record(name: str, found: DepthWindow, seconds: float) -> dict[str, Any]:
    """Everything that is printed and drawn about a window, ready for JSON."""
    from isthmus.costs.window import ranks_in_words

    words = ranks_in_words(found.ranges)
    at = found.searched[-1]
    lines = {rank: found.line(rank, at) for rank in found.ranks}
    depths = _drawn_depths(found)
    return {
        "kind": "window",
        "name": name,
        "rank": found.rank,
        "shallowest": found.shallowest,
        "deepest": found.deepest,
        "reasons": list(found.reasons),
        "ridge": found.ridge,
        "searched": list(found.searched),
        "is_complete": found.is_complete,
        "ranges": [
            {"rank": each.rank, "shallowest": each.shallowest, "deepest": each.deepest} for each in found.ranges
        ],
        "ranks": [
            {"rank": rank, "error": line.error, "constant": round(line.constant, 6), "at": at, "wins": words.get(rank)}
            for rank, line in lines.items()
        ],
        "depths": depths,
        "objectives": {str(rank): [_finite(found.objective(rank, depth)) for depth in depths] for rank in found.ranks},
        "seconds": seconds,
    }


def _drawn_depths(found: DepthWindow) -> list[int]:
    """From the shallowest searched to beyond the window, evenly spaced in the logarithm, its ends among them."""
    first = found.searched[0]
    ends = [each.deepest for each in found.ranges if each.deepest is not None and each.deepest < 2000]
    last = int(_BEYOND * max(*ends, 30) if ends else 50)
    spaced = {round(first * (last / first) ** (i / (_POINTS - 1))) for i in range(_POINTS)}
    own = {end for end in (found.shallowest, found.deepest) if end is not None and end <= last}
    return sorted(spaced | own)


def _finite(value: float) -> float | None:
    return value if value < float("inf") else None


def _print(record: dict[str, Any], paths: dict[str, str]) -> None:
    from isthmus.reports.windows import depths_in_words

    console = Console(highlight=False)
    console.print(f"\n[bold]{depths_in_words(record)}[/bold]\n")
    console.print(Padding(" ".join(record["reasons"]).replace("[", r"\["), (0, 0, 1, 2)))
    title = f"objective at depth L: E + λ(r + C/L), λ = {record['ridge']:.4g}"
    table = Table(title=title, title_justify="left", box=None)
    for column in ("rank r", "loss E", "constant C", "lowest at depths"):
        table.add_column(column, justify="right")
    for row in record["ranks"]:
        is_answer = row["rank"] == record["rank"]
        cells = [f"→ {row['rank']}" if is_answer else str(row["rank"]), f"{row['error']:.4g}", f"{row['constant']:.1f}"]
        table.add_row(*cells, row["wins"] or "none", style="bold" if is_answer else "")
    console.print(table)
    console.print(f"  E and C of the best network of each rank at depth {record['ranks'][0]['at']}.\n")
    for name, path in paths.items():
        console.print(f"  {name:7} {path}".replace("[", r"\["), soft_wrap=True)
