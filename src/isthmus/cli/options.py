"""Options that several commands share: their words, their values and the checks on them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from isthmus.errors import FileMissingError, OptionError


class MissingName(StrEnum):
    """What to do with missing values."""

    refuse = "refuse"
    drop = "drop"
    indicate = "indicate"


ModelPath = Annotated[
    Path, typer.Argument(help="A RUN folder, or an .onnx, .pt2 or .safetensors file.", metavar="MODEL")
]
Missing = Annotated[
    MissingName, typer.Option(help="Missing values: their rows dropped, or the median and a column that tells.")
]
Tolerated = Annotated[float, typer.Option(help="Relative size that counts as nothing.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, …")]
Threads = Annotated[int | None, typer.Option(help="Processor threads. Use 1 beside other work. Default: all.", min=1)]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


def checked_seed(seed: int) -> int:
    """`seed`, if it seeds a generator."""
    if not 0 <= seed < 2**31:
        raise OptionError("--seed", seed, "between 0 and 2147483647")
    return seed


def checked_model(path: Path) -> Path:
    """`path`, if there is something: said before torch is loaded."""
    if not path.exists():
        raise FileMissingError(path, "MODEL is a RUN folder, or an .onnx, .pt2 or .safetensors file.")
    return path


def checked_device(name: str) -> str:
    """`name`, if torch finds the device."""
    if name == "cpu":
        return name
    import torch

    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as absent:
        raise OptionError("--device", name, "a device that torch finds on this machine, such as cpu") from absent
    return name


def use_threads(threads: int | None) -> None:
    """Let torch use so many threads; as many as it likes if None."""
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
