"""The RUN folder: a model, its two halves, its record, and while it is unfinished what to go on from."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from isthmus.errors import BusyFolderError, ForeignFolderError, IsthmusError, RunConflictError
from isthmus.factorization import Factorization
from isthmus.formats import save
from isthmus.foundation.locks import locked_folder
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
        """Whether there is a record, which is written last of all files, or only a move of it was cut short."""
        return self.record.is_file() or (self._aside / self.record.name).is_file()

    def read(self) -> FitRecord:
        """Read the record.

        Raises:
            FileMissingError, FileFormatError: If there is none, or it is damaged or of another kind or edition.
        """
        if not self.record.is_file() and self.is_finished:
            with suppress(BusyFolderError), locked_folder(self.path):  # who is at work here moves it
                self._take_over()
        return read_record(self.record, FitRecord)

    def finished(self, key: str, options: dict[str, Any], *, overwrite: bool = False) -> FitRecord | None:
        """Find the record of a finished fit with this key; None if the fit has still to be done or to be continued.

        To be called by who has locked the folder.

        Args:
            key: Names the fit.
            options: To say in what another fit differs.
            overwrite: Give none back, and forget what is unfinished of another fit.

        Raises:
            RunConflictError: If the folder holds another fit that is to be kept.
            ForeignFolderError: If it holds something that is not a run.
        """
        self._take_over()
        begun = SelectionCache.key_in(self.unfinished)
        if not self.is_finished and begun is None and not self._is_free():
            raise ForeignFolderError(self.path)
        if overwrite:
            if begun != key:
                shutil.rmtree(self.unfinished, ignore_errors=True)
            return None
        if self.is_finished:
            record = self.read()
            if record.key != key:
                raise RunConflictError(self.path, _differences(record.options, options))
            return record if record.stopped != "interrupted" else None
        if begun is not None and begun != key:
            raise RunConflictError(
                self.path, ["an unfinished fit of other data, with other options or by another edition of isthmus"]
            )
        return None

    def _is_free(self) -> bool:
        """Whether nothing is there, or the beginning of a fit that did not come far enough to have a name."""
        if not self.path.exists():
            return True
        return self.path.is_dir() and all(entry == self.unfinished for entry in self.path.iterdir())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other programs out; where the work inside is refused, leave the folder as it was, and make none.

        What goes is taken away before the lock ends: afterwards it may be the next one's.

        Raises:
            BusyFolderError: If another is at work there.
        """
        missing = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        with locked_folder(self.path):
            had_begun = self.unfinished.exists()
            try:
                yield
            except IsthmusError:
                if not had_begun:
                    shutil.rmtree(self.unfinished, ignore_errors=True)
                for folder in missing:
                    if folder.is_dir() and not any(folder.iterdir()):
                        folder.rmdir()
                raise

    def write(self, record: FitRecord, network: StandardizedNetwork, halves: Factorization | None) -> None:
        """Replace what an earlier fit has written here.

        Everything is written aside first, the record last, and then moved: what can be read is one fit, and a move that
        was cut short is ended by the next look into the folder.
        """
        new = RunFolder(self._aside)
        shutil.rmtree(new.path, ignore_errors=True)
        save(network, new.model)
        if halves is not None:
            save(halves.encoder, new.encoder)
            save(halves.decoder, new.decoder)
        write_record(record, new.record)
        self._take_over()

    @property
    def _aside(self) -> Path:
        return self.unfinished / "result"

    def _take_over(self) -> None:
        """Move a result that was written aside into its place, if it is whole: its record is there."""
        new = RunFolder(self._aside)
        if not new.record.is_file():
            return
        record = read_record(new.record, FitRecord)
        for file in (self.record, self.report):  # the page is that of the earlier fit
            file.unlink(missing_ok=True)
        for file in (self.model, self.encoder, self.decoder):
            if (written := new.path / file.name).is_file():
                written.replace(file)
            elif file != self.model and record.rank == 0:
                file.unlink(missing_ok=True)
        new.record.replace(self.record)
        new.path.rmdir()
        if record.stopped != "interrupted":
            shutil.rmtree(self.unfinished, ignore_errors=True)


def _differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What differs, as `name: old → new`, in options of options as `name.inner: old → new`."""
    before, after = dict(_flat(old)), dict(_flat(new))
    changed = [f"{name}: {before.get(name)} → {value}" for name, value in after.items() if before.get(name) != value]
    return changed or ["the data or the version of isthmus have changed"]


def _flat(options: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in options.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", each) for inner, each in _flat(value))
        else:
            yield name, value
