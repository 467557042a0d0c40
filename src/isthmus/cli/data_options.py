"""Options of the commands that learn from data: what is learned, from which columns, by what network."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar

import typer


class TaskName(StrEnum):
    """What to learn."""

    regression = "regression"
    classification = "classification"
    autoencoder = "autoencoder"


class ScalingName(StrEnum):
    """How columns are scaled."""

    columns = "columns"
    shared = "global"
    none = "none"


DataArgument = Annotated[
    str,
    typer.Argument(
        help="A table (.csv, .tsv, .txt, also .gz, .zip, .zst; .xlsx, .parquet, .feather), a .npz or .npy file, "
        "a folder of images, or teacher, digits, mnist, curve, inverted-s "
        "(options after a colon: teacher:k=3,n=1000).",
        metavar="DATA",
    ),
]
Task = Annotated[TaskName | None, typer.Option(help="What to learn. Default: what the data suggest.")]
Target = Annotated[
    list[str] | None,
    typer.Option(help="Columns to predict, separated by commas; or give the option again for each.", metavar="COLS"),
]
Width = Annotated[int, typer.Option(help="Width of the hidden layers.")]
Seed = Annotated[int, typer.Option(help="Seed of data, split, folds and training.")]
Standardize = Annotated[
    ScalingName | None, typer.Option(help="Scale each column, or all by one number, or none. Default: by the data.")
]
ActivationName = Annotated[str, typer.Option(help="relu, leaky_relu, leaky_relu:SLOPE, absolute, identity.")]
Starts = Annotated[int, typer.Option("--n-init", help="Random starts; the worse half is dropped on the way.", min=1)]


@dataclass(frozen=True)
class ColumnOptions:
    """What was said on the command line of what is learned from which columns; each field is an option."""

    panel: ClassVar[str] = "What is learned"

    task: Task = None
    target: Target = None
    weights: Annotated[str | None, typer.Option(help="Column that says how much each row counts.", metavar="COL")] = (
        None
    )
    group: Annotated[
        str | None,
        typer.Option(
            help="Column of what each row belongs to, a person say; its rows are held out together.", metavar="COL"
        ),
    ] = None
    time: Annotated[
        str | None,
        typer.Option(
            help="Column of when each row was taken: learn from the past, judge by the future.", metavar="COL"
        ),
    ] = None

    def loading(self) -> dict[str, Any]:
        """The arguments `task`, `target`, `weights`, `group` and `time` of `load_dataset`."""
        return {
            "task": self.task.value if self.task else None,
            "target": list(self.target or ()),
            "weights": self.weights,
            "group": self.group,
            "time": self.time,
        }
