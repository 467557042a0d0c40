"""`isthmus measure`: the rank profile of a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from isthmus.cli.option_groups import with_option_groups
from isthmus.cli.options import (
    AsJson,
    ModelPath,
    PagePath,
    ScaleOutputs,
    Tolerated,
    UnitsName,
    checked_model,
)
from isthmus.cli.table_options import TableOptions
from isthmus.foundation.progress import progress_bar
from isthmus.foundation.tolerance import Tolerance

_MB = 1_000_000


def _list_operators(is_asked: bool) -> None:
    if is_asked:
        from isthmus.formats.onnx_operators import OPERATORS

        typer.echo("\n".join(sorted(OPERATORS)))
        raise typer.Exit


@with_option_groups
def measure(
    model: ModelPath,
    data: Annotated[
        str, typer.Option(help="Inputs to measure on: as for isthmus fit, or .npz arrays by input.", metavar="DATA")
    ] = "",
    table: TableOptions = TableOptions(),
    tolerance: Tolerated = 0.1,
    points: Annotated[int, typer.Option(help="Rows at which the Jacobian is taken.", min=1)] = 500,
    start: Annotated[
        str | None,
        typer.Option("--input", help="Which input varies (A,B: jointly), or any tensor of an .onnx graph to begin at."),
    ] = None,
    output: Annotated[str | None, typer.Option(help="Which output, or any tensor of an .onnx graph to end at.")] = None,
    by_differences: Annotated[
        bool, typer.Option("--by-differences", help="Run an .onnx file in onnxruntime and difference its values.")
    ] = False,
    evaluations: Annotated[
        int | None, typer.Option(help="Rows to evaluate at with --by-differences. Default: a million.", min=1)
    ] = None,
    scale_inputs: Annotated[UnitsName, typer.Option(help="Units of the inputs: as --scale-outputs.")] = UnitsName.data,
    scale_outputs: ScaleOutputs = UnitsName.data,
    is_list: Annotated[bool, typer.Option("--list", help="Name the tensors of an .onnx graph and stop.")] = False,
    leading: Annotated[
        int | None, typer.Option(help="Certified intervals of so many singular values, for very large models.", min=1)
    ] = None,
    memory: Annotated[
        int, typer.Option(help="Megabytes for derivatives at a time; forward passes are not bounded.", min=1)
    ] = 1000,
    page: PagePath = None,
    out: Annotated[Path | None, typer.Option(help="Save the profile in this folder.")] = None,
    check: Annotated[bool, typer.Option(help="Compare a model file with its own runtime first.")] = True,
    seed: Annotated[int, typer.Option(help="Seed of built-in data and of --leading.", min=0)] = 0,
    list_operators: Annotated[
        bool, typer.Option("--list-operators", is_eager=True, callback=_list_operators, help="Name the ONNX operators.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell through how few numbers a trained network passes its inputs."""
    limit = Tolerance(tolerance)
    checked_model(model)
    # Torch takes a second to load: what needs none has been said by now.
    from isthmus.cli.graph_inputs import held_arrays, loaded, paired_rows_named, print_tensors
    from isthmus.cli.inputs import fitted_data, model_inputs
    from isthmus.cli.output import print_json, print_summary
    from isthmus.reports import write_report
    from isthmus.runs import measure_record
    from isthmus.spectra import EVALUATIONS
    from isthmus.spectra import measure as measured

    if is_list:
        print_tensors(model, as_json)
        return
    if not data:
        raise TyperException("Missing option '--data'")
    if evaluations is not None and not by_differences:
        raise TyperException("--evaluations is a budget of differences. Give --by-differences as well, or leave it out")
    start, held, source = held_arrays(model, data, start)
    network, chosen = loaded(model, start, output, held, by_differences)
    x = model_inputs(
        network,
        source,
        columns=fitted_data(model),
        **table.reading(),
        seed=seed,
    )
    with paired_rows_named(start, held, len(x)), progress_bar(f"measuring {model}", logs=True) as report:
        profile = measured(
            network,
            x,
            tolerance=limit,
            points=points,
            output=chosen,
            leading=leading,
            memory=memory * _MB,
            seed=seed,
            check=check,
            evaluations=EVALUATIONS if evaluations is None else evaluations,
            scale_inputs=scale_inputs.value,
            scale_outputs=scale_outputs.value,
            report=report,
        )
    record = measure_record(str(model), profile, "cpu")
    paths = {} if page is None else {"report": write_report([record], page)}
    if out is not None:
        paths["profile"] = profile.save(out)
    if as_json:
        print_json(record, **paths)
    else:
        print_summary(record, **paths)
