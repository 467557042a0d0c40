"""The folds that are done, kept in a file: a fit that was killed does not do them again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import safetensors.torch

from isthmus.errors import FileFormatError
from isthmus.formats.storage import read_safetensors
from isthmus.foundation.files import write_atomically
from isthmus.selection import Fold

_FORMAT = "isthmus-folds"
_REMEDY = "Delete it to start the folds from the beginning."
_PARTS = ("losses", "whole", "objectives", "effects", "dependences", "squares")


class KeptFolds:
    """One safetensors file with what each fold has said, written after each.

    Args:
        path: The file to resume from and to save to.
        key: Names the fit; a file with another key is ignored and overwritten.

    Raises:
        FileFormatError: If the file is damaged; the message says how to start afresh.
    """

    def __init__(self, path: Path, *, key: str) -> None:
        self._path, self._key = path, key
        self._done = _loaded(path, key) if path.is_file() else []

    def __call__(self, index: int, made: Callable[[], Fold]) -> Fold:
        """The fold of this index: the one that is kept, or else `made` now and kept. Folds come in order."""
        if index >= len(self._done):
            self._done.append(made())
            self._save()
        return self._done[index]

    def _save(self) -> None:
        tensors = {f"{i}.{name}": getattr(fold, name) for i, fold in enumerate(self._done) for name in _PARTS}
        # Copies: a fold's tensors may be views of one another, which the format refuses.
        copies = {name: tensor.contiguous().clone() for name, tensor in tensors.items()}
        metadata = {"format": _FORMAT, "key": self._key, "folds": str(len(self._done))}
        write_atomically(self._path, safetensors.torch.save(copies, metadata))


def _loaded(path: Path, key: str) -> list[Fold]:
    tensors, metadata = read_safetensors(path, _REMEDY)
    if metadata.get("format") != _FORMAT:
        raise FileFormatError(path, "it does not hold folds of a fit", _REMEDY)
    if metadata.get("key") != key:
        return []
    try:
        return [Fold(*(tensors[f"{i}.{name}"] for name in _PARTS)) for i in range(int(metadata["folds"]))]
    except (KeyError, ValueError) as damaged:
        raise FileFormatError(path, f"its content does not fit together ({damaged})", _REMEDY) from damaged
