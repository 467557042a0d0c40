"""The RUN folder: a model, its two halves, its record, and while it is unfinished what to go on from."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from isthmus.errors import IsthmusError, RunConflictError
from isthmus.factorization import Factorization
from isthmus.formats import save
from isthmus.networks import StandardizedNetwork
from isthmus.runs.record import FitRecord, read_record, write_record
from isthmus.selection import SelectionCache


class RunFolder:
    """Where a fit keeps what it found."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model = path / "model.safetensors"
        self.encoder = path / "encoder.safetensors"
        self.decoder = path / "decoder.safetensors"
        self.report = path / "report.html"
        self.unfinished = path / "unfinished"
        self.record = path / "run.json"

    @property
    def is_finished(self) -> bool:
        """Whether there is a record: it is written last of all files."""
        return self.record.is_file()

    def read(self) -> FitRecord:
        """Read the record.

        Raises:
            FileMissingError, FileFormatError: If there is none, or it is damaged or of another kind or edition.
        """
        return read_record(self.record, FitRecord)

    def finished(self, key: str, options: dict[str, Any]) -> FitRecord | None:
        """Find the record of a finished fit with this key; None if the fit has still to be done or to be continued.

        Raises:
            RunConflictError: If the folder holds another fit, or something that is not a run.
        """
        if self.is_finished:
            record = self.read()
            if record.key != key:
                raise RunConflictError(self.path, _differences(record.options, options))
            return record if record.stopped != "interrupted" else None
        begun = SelectionCache.key_in(self.unfinished)
        if begun is not None and begun != key:
            raise RunConflictError(self.path, ["an unfinished fit of other data or with other options"])
        if begun is None and self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise RunConflictError(self.path, ["files that isthmus did not write"])
        return None

    @contextmanager
    def unchanged_if_refused(self) -> Iterator[None]:
        """Leave the folder as it was found where the work inside is refused."""
        was_there, had_begun = self.path.exists(), self.unfinished.exists()
        try:
            yield
        except IsthmusError:
            if not had_begun:
                shutil.rmtree(self.unfinished, ignore_errors=True)
            if not was_there and self.path.is_dir() and not any(self.path.iterdir()):
                self.path.rmdir()
            raise

    def write(self, record: FitRecord, network: StandardizedNetwork, halves: Factorization | None) -> None:
        """Replace what an earlier fit has written here; each file atomically, the record last."""
        save(network, self.model)
        if halves is None:
            for file in (self.encoder, self.decoder):
                file.unlink(missing_ok=True)
        else:
            save(halves.encoder, self.encoder)
            save(halves.decoder, self.decoder)
        write_record(record, self.record)
        if record.stopped != "interrupted":
            shutil.rmtree(self.unfinished, ignore_errors=True)


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What differs, as `name: old → new`."""
    changed = [f"{name}: {old.get(name)} → {new[name]}" for name in new if old.get(name) != new[name]]
    return changed or ["the data or the version of isthmus have changed"]
