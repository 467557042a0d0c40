"""The IDX files in which MNIST comes."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import FileFormatError, FileMissingError

_UNSIGNED_BYTES = 0x08


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array in an IDX file of unsigned bytes, plain or gzipped (`path` or `path`.gz).

    Raises:
        FileMissingError: If neither is there.
        FileFormatError: If the file is damaged, truncated, or of another shape.
    """
    packed = path.with_name(path.name + ".gz")
    source = path if path.is_file() else packed
    remedy = "Fetch the file again; it should be one of the four files of MNIST."
    try:
        content = source.read_bytes()
        if source == packed:
            content = gzip.decompress(content)
    except FileNotFoundError as missing:
        raise FileMissingError(path, "Put MNIST's four IDX files (plain or .gz) into the folder.") from missing
    except (OSError, EOFError, zlib.error) as damaged:
        raise FileFormatError(source, f"it is not valid gzip ({damaged})", remedy) from damaged
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes((0, 0, _UNSIGNED_BYTES, dimensions)):
        raise FileFormatError(source, f"it is not an IDX file of bytes with {dimensions} dimensions", remedy)
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    expected = header + int(np.prod(shape, dtype=np.int64))
    if len(content) != expected:
        raise FileFormatError(source, f"it has {len(content)} bytes where its header says {expected}", remedy)
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
