"""Options of `isthmus fit`: how the rank is decided, and how long and how fast is trained."""

from __future__ import annotations

from typing import Annotated

import typer

Validation = Annotated[float, typer.Option(help="Share of rows that decide the rank.")]
Test = Annotated[float, typer.Option(help="Share of rows for the figures that are reported.")]
Folds = Annotated[
    int | None,
    typer.Option(
        help="Decide by so many parts of the training and validation rows, each held out from one network more. "
        "Default: by the validation rows alone.",
        min=2,
    ),
]
OverRidges = Annotated[bool, typer.Option("--path", help="Follow the rank over λ, from λ to 64 λ, as well.")]

Starts = Annotated[
    int, typer.Option(help="Random starts; the worse half is dropped at 1/4, 1/2 and 3/4 of the descent.", min=1)
]
LearningRate = Annotated[float, typer.Option(help="Peak step size of the descent.")]
Steps = Annotated[int, typer.Option(help="Steps of the descent (SOAP).")]
Rounds = Annotated[int, typer.Option(help="At most so many rounds of L-BFGS after it.")]
BatchSize = Annotated[int | None, typer.Option(help="Rows in a step of the descent. Default: all up to 4096.")]
