"""The RUN folder: a model, its two halves, its record, and while it is unfinished what to go on from."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from isthmus.errors import FileFormatError, RunConflictError
from isthmus.formats.storage import read_safetensors
from isthmus.foundation.files import read_json, write_json

RECORD_FORMAT = "isthmus-run"
RECORD_VERSION = 1


class RunFolder:
    """Where a fit keeps what it found."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model = path / "model.safetensors"
        self.encoder = path / "encoder.safetensors"
        self.decoder = path / "decoder.safetensors"
        self.checkpoint = path / "checkpoint.safetensors"
        self.folds = path / "folds.safetensors"
        self.fold_checkpoint = path / "fold-checkpoint.safetensors"
        self.path_checkpoint = path / "path-checkpoint.safetensors"
        self.report = path / "report.html"
        self._record = path / "run.json"

    def read(self) -> dict[str, Any]:
        """The record.

        Raises:
            FileMissingError, FileFormatError: If there is none, or it is damaged or of another kind.
        """
        record = read_json(self._record, "Pass a folder made by `isthmus fit`.")
        if not isinstance(record, dict) or record.get("format") != RECORD_FORMAT:
            raise FileFormatError(self._record, "it is not a record of isthmus", "Pass a folder made by `isthmus fit`.")
        if record.get("version") != RECORD_VERSION:
            raise FileFormatError(self._record, f"its version is {record.get('version')!r}", "Fit again.")
        return record

    def write(self, record: dict[str, Any]) -> None:
        """Write the record, last of all files: a folder with a record is complete."""
        write_json(self._record, record)

    def finished(self, key: str, options: dict[str, Any]) -> dict[str, Any] | None:
        """The record of a finished fit with this key; None if the fit has still to be done or to be continued.

        Raises:
            RunConflictError: If the folder holds another fit, or something that is not a run.
        """
        if self._record.is_file():
            record = self.read()
            if record.get("key") != key:
                raise RunConflictError(self.path, _differences(record.get("options", {}), options))
            return record if record["stopped"] != "interrupted" else None
        unfinished = [file for file in self._unfinished if file.is_file()]
        for file in unfinished:
            _, metadata = read_safetensors(file, "Delete it to start the fit from the beginning.")
            # Of the fit to a fold the key is followed by the fold.
            if metadata.get("key", "").partition(":")[0] != key:
                raise RunConflictError(self.path, ["an unfinished fit of other data or with other options"])
        if not unfinished and self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise RunConflictError(self.path, ["files that isthmus did not write"])
        return None

    def forget(self) -> None:
        """Remove what was kept to go on from: the fit is finished."""
        for file in self._unfinished:
            file.unlink(missing_ok=True)

    @property
    def _unfinished(self) -> tuple[Path, ...]:
        return self.checkpoint, self.folds, self.fold_checkpoint, self.path_checkpoint

    def clear(self) -> None:
        """Remove what a fit has written here, and nothing else."""
        self.forget()
        for file in (self.model, self.encoder, self.decoder, self.report, self._record):
            file.unlink(missing_ok=True)
        if self.path.is_dir() and not any(self.path.iterdir()):
            shutil.rmtree(self.path)


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What differs, as `name: old → new`."""
    changed = [f"{name}: {old.get(name)} → {new[name]}" for name in new if old.get(name) != new[name]]
    return changed or ["the data or the version of isthmus have changed"]
