"""`isthmus fit`: from data to a rank."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from isthmus.cli.fit_options import (
    BatchSize,
    Folds,
    LearningRate,
    OverRidges,
    Rounds,
    Starts,
    Steps,
    Test,
    Validation,
)
from isthmus.cli.learning_options import (
    ActivationName,
    Drop,
    Ridge,
    ScaledBy,
    Seed,
    Standardize,
    Target,
    Task,
    Width,
    scaling_asked,
    split_names,
)
from isthmus.cli.options import (
    AsJson,
    Device,
    Missing,
    MissingName,
    Threads,
    Tolerated,
    checked_device,
    checked_seed,
    use_threads,
)
from isthmus.cli.output import print_json, print_summary
from isthmus.data import load_dataset
from isthmus.errors import OptionError
from isthmus.foundation.progress import progress_bar
from isthmus.reports import write_report
from isthmus.runs import FitOptions, RunFolder, fit_dataset
from isthmus.training import Schedule

DEFAULTS = Schedule()


def fit(
    data: Annotated[
        str,
        typer.Argument(
            help="A .npz, .npy, .csv or .parquet file, a folder of images, or teacher, digits, mnist, curve, "
            "inverted-s (options after a colon: teacher:k=3,n=1000).",
            metavar="DATA",
        ),
    ],
    task: Task = None,
    target: Target = "",
    drop: Drop = "",
    missing: Missing = MissingName.refuse,
    depth: Annotated[str, typer.Option(help="Number of weight matrices L, or auto.", metavar="N|auto")] = "13",
    width: Width = 100,
    ridge: Ridge = None,
    out: Annotated[Path | None, typer.Option(help="RUN folder. Default: runs/<data>-<digest>.")] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace another run in the folder.")] = False,
    seed: Seed = 0,
    standardize: Standardize = True,
    scaling: ScaledBy = None,
    activation: ActivationName = "relu",
    tolerance: Tolerated = 0.1,
    validation: Validation = 0.15,
    test: Test = 0.15,
    folds: Folds = None,
    path: OverRidges = False,
    starts: Starts = 1,
    learning_rate: LearningRate = DEFAULTS.learning_rate,
    steps: Steps = DEFAULTS.steps,
    rounds: Rounds = DEFAULTS.rounds,
    batch_size: BatchSize = None,
    device: Device = "cpu",
    threads: Threads = None,
    as_json: AsJson = False,
) -> None:
    """Train a deep network on DATA, decide its rank, split it there, and write a RUN folder with a report."""
    use_threads(threads)
    options = FitOptions(
        depth=_depth(depth),
        width=width,
        ridge=ridge,
        seed=checked_seed(seed),
        starts=starts,
        standardize=scaling_asked(standardize, scaling),
        activation=activation,
        tolerance=tolerance,
        device=checked_device(device),
        schedule=Schedule(learning_rate=learning_rate, steps=steps, rounds=rounds, batch_size=batch_size),
        folds=folds,
        path=path,
    )
    options.check()
    dataset = load_dataset(
        data,
        task=task.value if task else None,
        target=split_names(target),
        drop=split_names(drop),
        missing=missing.value,
        seed=seed,
        validation=validation,
        test=test,
    )
    folder = out or Path("runs") / f"{_slug(data)}-{options.key(dataset)[:8]}"
    with progress_bar(f"fitting {dataset.name}") as progress:
        record = fit_dataset(dataset, options, folder, overwrite=overwrite, report=progress)
        page = write_report([record], RunFolder(folder).report)
    if as_json:
        print_json(record, run=folder, report=page)
    else:
        print_summary(record, run=folder, report=page)


def _depth(text: str) -> int | None:
    if text == "auto":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise OptionError("--depth", text, "a whole number from 1, or auto")
    return int(text)


def _slug(data: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", Path(data).stem or data).strip("-").lower() or "run"
