"""`isthmus compress`: a smaller network that computes the same, or nearly."""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from isthmus.cli.option_groups import with_option_groups
from isthmus.cli.options import (
    AsJson,
    ModelPath,
    PagePath,
    ScaleOutputs,
    UnitsName,
    checked_model,
    checked_out,
    parsed_box,
)
from isthmus.cli.table_options import TableOptions
from isthmus.foundation.progress import progress_bar
from isthmus.foundation.tolerance import Tolerance

if TYPE_CHECKING:
    from isthmus.compression import Compressed


@with_option_groups
def compress(
    model: ModelPath,
    out: Annotated[Path, typer.Option(help="Write it here: .onnx, .safetensors or .pt2, a new file.")],
    data: Annotated[str, typer.Option(help="Rows to keep f on: as for isthmus fit.", metavar="DATA")],
    box: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Keep f on all inputs from LO to HI; with commas one bound a column.", metavar="LO HI"),
    ] = None,
    tolerance: Annotated[
        float | None, typer.Option(help="Largest error on held-out rows, of f's spread. Without it f stays as it is.")
    ] = None,
    rank: Annotated[int | None, typer.Option(help="Pass f through so many numbers of one layer.", min=1)] = None,
    scale_outputs: ScaleOutputs = UnitsName.data,
    output: Annotated[str | None, typer.Option(help="Tensor of an .onnx graph to end at.")] = None,
    table: TableOptions = TableOptions(),
    page: PagePath = None,
    seed: Annotated[int, typer.Option(help="Draws points of the box and held-out rows.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Write a smaller network: folded exactly, and approximated within a tolerance if one is given."""
    limit = None if tolerance is None else Tolerance(tolerance)
    bounds = None if box is None else parsed_box(box)
    checked_model(model)
    checked_out(out, "--out")
    # Torch takes a second to load: what needs none has been said by now.
    from isthmus.cli.inputs import fitted_data, model_inputs
    from isthmus.cli.output import print_object
    from isthmus.compression import compress as compressed
    from isthmus.compression.graphs import checked_graph_target
    from isthmus.formats import load
    from isthmus.formats.onnx_file import onnx_names
    from isthmus.formats.onnx_from_modules import graph_of
    from isthmus.reports.compression import write_compression_page

    network = load(model, output=output)
    rows = model_inputs(
        network,
        data,
        columns=fitted_data(model),
        **table.reading(),
        seed=seed,
    )
    names: dict[str, Any] = onnx_names(model) if model.suffix.lower() == ".onnx" else {}
    if output is not None and names:
        names["output"] = output
    if graph_of(network, rows.row_shape, names) is not None:
        checked_graph_target(out)
    start = time.perf_counter()
    with progress_bar(f"compressing {model}", logs=True) as report:
        found = compressed(
            network,
            rows,
            box=bounds,
            tolerance=limit,
            rank=rank,
            scale_outputs=scale_outputs.value,
            seed=seed,
            names=names,
            report=report,
        )
    record = {"name": str(model), **found.record(), "seconds": time.perf_counter() - start}
    record["out"] = str(found.save(out))
    if page is not None:
        record["latency"] = _latency(model, network, record["out"], found)
        record["report"] = str(write_compression_page(record, page))
    if as_json:
        print_object(record)
    else:
        _print(record)


def _latency(model: Path, network: Any, out: str, found: Compressed) -> list[dict[str, float]]:
    """Microseconds of a run before and after, of one row and of 256, in onnxruntime; empty where it cannot tell."""
    import tempfile

    from isthmus.compression.latency import run_seconds
    from isthmus.formats.chain_files import Interface, write_chain
    from isthmus.formats.onnx_from_modules import graph_of
    from isthmus.networks.chain_conversion import chain_of

    if find_spec("onnxruntime") is None or find_spec("onnx") is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        before, after = model, Path(out)
        if before.suffix.lower() != ".onnx":
            before, graph = Path(folder, "before.onnx"), graph_of(network, found.row_shape, {})
            if graph is None:
                write_chain(chain_of(network).to(found.dtype), before, Interface(found.row_shape))
            else:
                before.write_bytes(graph.plain.SerializeToString())
        if after.suffix.lower() != ".onnx":
            after = found.write(Path(folder, "after.onnx"))
        return [
            {
                "batch": batch,
                **{
                    when: 1e6 * run_seconds(file, found.example(batch))
                    for when, file in (("before", before), ("after", after))
                },
            }
            for batch in (1, 256)
        ]


def _print(record: dict[str, Any]) -> None:
    from isthmus.reports.compression import domain_in_words

    console = Console(highlight=False)
    less = record["parameters_before"] / record["parameters_after"]
    console.print(f"\n[bold]{record['parameters_after']:,} parameters of {record['parameters_before']:,}[/bold]")
    console.print(Padding(f"{less:.3g} times fewer; {domain_in_words(record)}.", (0, 0, 1, 2)))
    table = Table(box=None, padding=(0, 2, 0, 2))
    for column in ("", "before", "after"):
        table.add_column(column, justify="right" if column else "left")
    for name, label in (("parameters", "parameters"), ("depth", "matrices"), ("flops", "FLOPs a row")):
        table.add_row(label, f"{record[f'{name}_before']:,}", f"{record[f'{name}_after']:,}")
    table.add_row("widths", *("–".join(map(str, record[f"widths_{when}"])) for when in ("before", "after")))
    console.print(table)
    console.print()
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for label, value in _lines(record):
        table.add_row(label, value.replace("[", r"\["))
    console.print(table)


def _lines(record: dict[str, Any]) -> list[tuple[str, str]]:
    lines = [
        ("method", record["method"]),
        *([] if record["rank"] is None else [("rank", str(record["rank"]))]),
        (
            "error",
            f"{record['error']:.3g} of f's spread, {record['units']}{', on held-out rows' if record['curve'] else ''}",
        ),
        (
            "largest change",
            f"{record['largest_change']:.3g} of that output's largest value (rounding: {record['rounding']:.3g})",
        ),
    ]
    for fold in record["folds"]:
        count = fold["neurons"]
        what = f"{count} neuron{'s' * (count > 1)} of {fold['layers'][0]}" if count else _layers(fold["layers"])
        lines.append((fold["kind"], f"{what}: {fold['proof']}"))
    lines += [("note", note) for note in record["notes"]]
    return [*lines, *((name, record[name]) for name in ("out", "report") if name in record)]


def _layers(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
