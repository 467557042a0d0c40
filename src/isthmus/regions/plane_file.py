"""A plane from a file: three points, or an origin and two directions."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from isthmus.errors import FileFormatError, FileMissingError
from isthmus.regions.plane import Plane

_REMEDY = "Give three points, one a row, as .npy or .csv, or an .npz with the arrays origin and directions."


def read_plane(path: Path) -> tuple[Plane, np.ndarray]:
    """The plane that a file describes, and the points in its coordinates `(m, 2)` that a picture should show.

    Args:
        path: `.npy` or `.csv` with three rows, the points; or `.npz` with `origin` `(d,)` and `directions` `(d, 2)`, or
            with one array of three points. Nothing is unpickled.

    Raises:
        FileMissingError: If there is no such file.
        FileFormatError: If it is damaged or holds something else.
        ShapeError, NonFiniteError, CollinearPointsError: If what it holds spans no plane.
    """
    if not path.is_file():
        raise FileMissingError(path, _REMEDY)
    arrays = _arrays(path)
    if {"origin", "directions"} <= arrays.keys():
        plane = Plane(arrays["origin"], arrays["directions"])
        return plane, np.array([[-1.0, -1.0], [1.0, 1.0]])
    if len(arrays) != 1:
        raise FileFormatError(path, f"it holds the arrays {', '.join(sorted(arrays)) or 'none'}", _REMEDY)
    points = next(iter(arrays.values()))
    plane = Plane.through(points)
    return plane, plane.coordinates(np.asarray(points, dtype=np.float64))


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        if path.suffix.lower() in (".csv", ".txt"):
            return {"points": np.loadtxt(path, delimiter=",", ndmin=2)}
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"points": loaded}
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except Exception as damaged:  # of a damaged archive zipfile, zlib and numpy raise whatever comes first
        cause = (
            "it holds Python objects, which are never loaded" if "pickle" in str(damaged).lower() else "it is damaged"
        )
        if path.suffix.lower() in (".csv", ".txt"):
            cause = f"it is not a table of numbers separated by commas ({str(damaged).splitlines()[0]})"
        raise FileFormatError(path, cause, _REMEDY) from damaged
