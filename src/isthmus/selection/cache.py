"""What a selection has done, kept in a folder: one that was killed goes on from there, to the same numbers."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from isthmus.data import Sample
from isthmus.errors import FileFormatError
from isthmus.formats.serialization import safetensors_bytes
from isthmus.formats.storage import read_safetensors
from isthmus.foundation.files import write_atomically
from isthmus.foundation.progress import Report
from isthmus.selection.fold import PARTS, Fold
from isthmus.training import FittedNetwork, TrainingConfig, fit

_FORMAT = "isthmus-folds"
_REMEDY = "Delete it to start from the beginning."


class SelectionCache:
    """Networks and folds that are done.

    Args:
        folder: Where they are kept; None keeps nothing.
        key: Names the selection; what belongs to another is overwritten.

    Raises:
        FileFormatError: If what the folder holds is damaged; the message says how to start afresh.
    """

    def __init__(self, folder: Path | None = None, *, key: str = "") -> None:
        self._folder, self._key = folder, key
        self._folds: list[Fold] = []
        if self._file is not None:
            if self.key_in(folder) not in (None, key):
                self.clear()
            self._folds = _loaded(self._file) if self._file.is_file() else []

    @staticmethod
    def key_in(folder: Path | None) -> str | None:
        """The key of what a folder keeps; None if it keeps nothing."""
        file = None if folder is None else folder / "key"
        return file.read_text() if file is not None and file.is_file() else None

    def network(
        self,
        name: str,
        sample: Sample,
        config: TrainingConfig,
        seed: int,
        report: Report,
        start: FittedNetwork | None = None,
    ) -> FittedNetwork:
        """A network for all rows of the sample: the one kept under this name, trained on to its end, or a new one.

        It goes on from `start`, a fit of the same rows.

        Raises:
            KeyboardInterrupt: If the training was interrupted: the others of a selection should not begin.
            IsthmusError: For whatever `fit` refuses.
        """
        self._begin()
        return fit(
            sample.x,
            None if sample.task == "autoencoder" else sample.y,
            config=config,
            task=sample.task,
            sample_weight=sample.weights,
            seed=seed,
            start=start,
            checkpoint=None if self._folder is None else self._folder / f"{name}.safetensors",
            key=self._key,
            report=report,
        ).complete()

    @property
    def folds(self) -> list[Fold]:
        """What is kept of the first folds."""
        return list(self._folds)

    def keep(self, fold: Fold) -> None:
        """Keep the next fold."""
        self._folds.append(fold)
        self._save()

    def clear(self) -> None:
        """Remove the folder."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _begin(self) -> None:
        """Mark the folder as this selection's, before anything is kept there: what is refused leaves none behind."""
        if self._folder is not None and self.key_in(self._folder) is None:
            write_atomically(self._folder / "key", self._key.encode())

    @property
    def _file(self) -> Path | None:
        return None if self._folder is None else self._folder / "folds.safetensors"

    def _save(self) -> None:
        if self._file is None:
            return
        tensors = {f"{i}.{name}": getattr(fold, name) for i, fold in enumerate(self._folds) for name in PARTS}
        # Copies: a fold's tensors may be views of one another, which the format refuses.
        copies = {name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
        metadata = {"format": _FORMAT, "folds": str(len(self._folds))}
        write_atomically(self._file, safetensors_bytes(copies, metadata))


def _loaded(path: Path) -> list[Fold]:
    tensors, metadata = read_safetensors(path, _REMEDY)
    if metadata.get("format") != _FORMAT:
        raise FileFormatError(path, "it does not hold folds of a fit", _REMEDY)
    try:
        return [Fold(*(tensors[f"{i}.{name}"] for name in PARTS)) for i in range(int(metadata["folds"]))]
    except (KeyError, ValueError) as damaged:
        raise FileFormatError(path, f"its content does not fit together ({damaged})", _REMEDY) from damaged
