"""A file or a folder cannot be read or written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from isthmus.errors.base import IsthmusError


class FileMissingError(IsthmusError, FileNotFoundError):
    """A file or folder is not there."""

    def __init__(self, path: Path, remedy: str) -> None:
        super().__init__(f"There is no {path}. {remedy}")


class FileFormatError(IsthmusError, ValueError):
    """A file is damaged, truncated or of a kind that isthmus does not read."""

    def __init__(self, path: Path, cause: str, remedy: str) -> None:
        super().__init__(f"Cannot read {path}: {cause}. {remedy}")


class TargetExistsError(IsthmusError, FileExistsError):
    """Where something new should be written, something is."""

    def __init__(self, path: Path, remedy: str = "Choose another path.") -> None:
        super().__init__(f"There is something at {path} already, and it is not replaced. {remedy}")


class UnsupportedOperatorError(IsthmusError, ValueError):
    """An ONNX graph holds an operator, or a form of one, without a differentiable counterpart here."""

    def __init__(self, path: Path, operator: str, node: str, cause: str) -> None:
        where = f" (node {node!r})" if node else ""
        super().__init__(
            f"Cannot translate {path}: operator {operator}{where}: {cause}. Load the original torch module and measure "
            "that, measure up to it (--output NAME) or behind it (--input NAME), or measure its values "
            "(--by-differences, isthmus.formats.load_values). `isthmus measure --list-operators` names what is known."
        )


class TensorChoiceError(IsthmusError, ValueError):
    """It is not clear, or not possible, which tensors of a graph to measure between."""

    def __init__(self, path: Path, cause: str, inputs: Sequence[str], inside: Sequence[str]) -> None:
        names = [*inputs, *inside]
        shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
        remedy = f"Choose one of {shown or 'none'}; `isthmus measure MODEL --list` names all."
        if not inside:  # the name is right, but not enough
            remedy = (
                f"`isthmus measure` begins at one of {shown or 'none'} with --input NAME (input=), and holds the "
                "others at given values (held=, or arrays by name in --data inputs.npz)."
            )
        super().__init__(f"Cannot use {path}: {cause}. {remedy}")


class DisagreementError(IsthmusError, ValueError):
    """What was loaded from a file computes something else than the file's own runtime."""

    def __init__(self, source: str, runtime: str, output: str, difference: str) -> None:
        super().__init__(
            f"{source} is not computed as {runtime} computes it: {output!r} {difference}. Please report the file; "
            "--no-check (check=False) measures what was loaded all the same."
        )


class RunConflictError(IsthmusError, ValueError):
    """A RUN folder holds another run than the one asked for."""

    def __init__(self, path: Path, differences: Sequence[str]) -> None:
        super().__init__(
            f"{path} holds a run with other options ({'; '.join(differences)}). "
            "Choose another --out, or add --overwrite to replace it."
        )


class ForeignFolderError(IsthmusError, ValueError):
    """What should become a RUN folder holds something else, which is left alone."""

    def __init__(self, path: Path) -> None:
        cause = "holds files that isthmus did not write" if path.is_dir() else "is a file, not a RUN folder"
        super().__init__(f"{path} {cause}. It is left as it is: choose another --out.")


class StoreConflictError(IsthmusError, ValueError):
    """A store holds the cells of another specification."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is the store of another specification, of other content of its data, or of another version of "
            "isthmus. It is left as it is: choose another --out."
        )


class StoreError(IsthmusError, OSError):
    """A store cannot be written."""

    def __init__(self, path: Path, cause: str) -> None:
        super().__init__(
            f"{path} cannot be written: {cause}. What is in it is kept: free some space or check the permissions, and "
            "run the same again."
        )


class BusyFolderError(IsthmusError, RuntimeError):
    """Another program is at work in a folder."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"Another isthmus is at work in {path}. Wait for it to end, or choose another --out.")
