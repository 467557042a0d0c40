"""Options of the commands that learn from data, `isthmus fit` and `isthmus window`: what is learnt, by what network."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from isthmus.networks import Scaling


class TaskName(StrEnum):
    """What to learn."""

    regression = "regression"
    classification = "classification"
    autoencoder = "autoencoder"


class ScalingName(StrEnum):
    """How columns are scaled."""

    columns = "columns"
    shared = "global"


Task = Annotated[TaskName | None, typer.Option(help="What to learn. Default: what the data suggest.")]
Target = Annotated[str, typer.Option(help="Columns to predict, separated by commas.", metavar="COLS")]
Drop = Annotated[str, typer.Option(help="Columns to leave out, separated by commas.", metavar="COLS")]
Width = Annotated[int, typer.Option(help="Width of the hidden layers.")]
Ridge = Annotated[float | None, typer.Option(help="λ in (λ/L)‖w‖². Default: 1/1000 of the loss of the best constant.")]
Seed = Annotated[int, typer.Option(help="Seed of data, split and training.")]
Standardize = Annotated[bool, typer.Option(help="Standardise inputs and outputs.")]
ScaledBy = Annotated[
    ScalingName | None, typer.Option(help="Scale each column, or all by one number. Default: by the data.")
]
ActivationName = Annotated[str, typer.Option(help="relu, leaky_relu, leaky_relu:SLOPE, absolute, identity.")]


def split_names(text: str) -> tuple[str, ...]:
    """The names between commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def scaling_asked(standardize: bool, scaling: ScalingName | None) -> Scaling | None:
    """The standardisation that the two options ask for; None where it goes by the data."""
    if not standardize:
        return "none"
    return scaling.value if scaling else None
