"""Options that several commands share: their words, their values and the checks on them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from isthmus.errors import FileMissingError, OptionError, TargetExistsError

_NETWORK_FILES = (".onnx", ".safetensors", ".pt2")
PAGE = (".html",)
PICTURE = (".svg",)


class UnitsName(StrEnum):
    """In what units inputs or outputs are counted."""

    data = "data"
    unit = "unit"
    none = "none"


ModelPath = Annotated[
    Path, typer.Argument(help="A RUN folder, or an .onnx, .pt2 or .safetensors file.", metavar="MODEL")
]
Tolerated = Annotated[float, typer.Option(help="What is smaller than this share of the whole counts as nothing.")]
ScaleOutputs = Annotated[
    UnitsName, typer.Option(help="Each by its spread over the rows (data), all by one (unit), or as they are.")
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, …")]
Jobs = Annotated[int, typer.Option("--n-jobs", help="Workers of one thread each; -1: one for each processor.")]
PagePath = Annotated[
    Path | None,
    typer.Option(
        "--report", help="Write an HTML page here.", callback=lambda page: checked_view(page, "--report", PAGE)
    ),
]
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


def checked_jobs(count: int) -> int:
    """`count`, if it is a number of workers."""
    if count == 0:
        raise OptionError("--n-jobs", count, "a whole number of workers, or -1 for one a processor")
    return count


def checked_out(path: Path, option: str) -> Path:
    """`path`, if a network can be written to it as a new file."""
    if path.suffix.lower() not in _NETWORK_FILES:
        raise OptionError(option, str(path), f"a path that ends in {', '.join(_NETWORK_FILES)}")
    if path.exists() or path.is_symlink():
        raise TargetExistsError(path)
    return path


def checked_view(path: Path | None, option: str, endings: tuple[str, ...]) -> Path | None:
    """`path`, if it is one of a page or picture: an earlier one is replaced, but never a table or a folder."""
    if path is not None and (path.suffix.lower() not in endings or path.is_dir()):
        raise OptionError(option, str(path), f"a file whose name ends in {' or '.join(endings)}")
    return path


def checked_new(path: Path, overwrite: bool) -> Path:
    """`path`, if there is nothing, or a file that may be replaced."""
    if path.is_dir():
        raise TargetExistsError(path)
    if not overwrite and (path.exists() or path.is_symlink()):
        raise TargetExistsError(path, "Choose another path, or use --overwrite.")
    return path


def parsed_box(box: tuple[str, str]) -> tuple[object, object]:
    """Lower and upper bound of a box: numbers, or lists of one for each axis."""
    try:
        low, high = ([float(v) for v in side.split(",")] for side in box)
    except ValueError as wrong:
        raise OptionError("--box", " ".join(box), "two numbers, or two lists of numbers with commas") from wrong
    return (low[0] if len(low) == 1 else low), (high[0] if len(high) == 1 else high)
