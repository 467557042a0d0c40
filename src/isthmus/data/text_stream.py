"""Text files of tables, compressed or not, as lines of text."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from isthmus.errors import FileFormatError, MissingExtraError
from isthmus.foundation.memory import refuse_beyond_memory

COMPRESSED = (".gz", ".zip", ".zst")
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_SAVE_AGAIN = "Save the table again as comma-separated UTF-8 text, or as .parquet."


@contextmanager
def open_text(path: Path, encoding: str | None) -> Iterator[IO[str]]:
    """The text in a file; UTF-8 unless said otherwise or marked as UTF-16. Bytes are never written to disk.

    Raises:
        FileFormatError: If an archive holds another number of files than one, or is encrypted.
        TooLargeError: While it is read, if what is packed does not fit into the memory of this machine.
    """
    with _open_bytes(path) as stream:
        start = stream.read(2)
    with (
        _open_bytes(path) as stream,
        io.TextIOWrapper(
            cast(IO[bytes], stream), encoding=encoding or _MARKS.get(start, "utf-8-sig"), newline=""
        ) as text,
    ):
        yield text


def undecodable_line(path: Path) -> tuple[int, int]:
    """The number of the first line that is not UTF-8, from 1, and the byte in it that is to blame."""
    with _open_bytes(path) as stream:
        for number, line in enumerate(stream, 1):
            try:
                line.decode()
            except UnicodeDecodeError as wrong:
                return number, line[wrong.start]
    return 1, 0


@contextmanager
def _open_bytes(path: Path) -> Iterator[Any]:
    kind = path.suffix.lower()
    if kind not in COMPRESSED:
        with path.open("rb") as stream:
            yield stream
        return
    with _unpacked(path, kind) as stream, io.BufferedReader(_Counted(stream, path)) as counted:
        yield counted


@contextmanager
def _unpacked(path: Path, kind: str) -> Iterator[Any]:
    if kind == ".gz":
        with gzip.open(path) as stream:
            yield stream
    elif kind == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(_only_member(path, archive)) as stream:
            yield stream
    else:
        try:
            import pyarrow as pa
        except ImportError as absent:
            raise MissingExtraError("Reading .zst files", "pyarrow", "tables") from absent
        with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as stream:
            yield stream


def _only_member(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith("__MACOSX/")]
    if len(members) != 1:
        names = ", ".join(repr(each.filename) for each in members[:3]) or "none"
        raise FileFormatError(
            path, f"it holds {len(members)} files ({names}), not one table", "Unpack the one you mean."
        )
    if members[0].flag_bits & 1:
        raise FileFormatError(path, "it is encrypted", "Unpack it first.")
    refuse_beyond_memory(f"what is packed in {path}", members[0].file_size)
    return members[0]


class _Counted(io.RawIOBase):
    """A stream that refuses to become larger than the memory: a small file may unpack to any size."""

    def __init__(self, stream: Any, path: Path) -> None:
        self._stream, self._path, self._size = stream, path, 0

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` as far as there is something."""
        piece = self._stream.read(len(buffer))
        self._size += len(piece)
        refuse_beyond_memory(f"what is packed in {self._path}", self._size)
        buffer[: len(piece)] = piece
        return len(piece)
