"""Data in numpy's files: .npz with x and y, .npy with one matrix."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.data import row_draw
from isthmus.data.assembly import dataset_from_arrays
from isthmus.data.dataset import Dataset
from isthmus.data.labels import class_indices
from isthmus.data.names import as_typed, split_entry
from isthmus.errors import FileFormatError, IsthmusError, OptionError
from isthmus.foundation.matrices import weight_vector
from isthmus.foundation.memory import refuse_beyond_memory
from isthmus.foundation.task import Task

Array = NDArray[Any]
_MAPPED_FROM = 2**20  # bytes
_COPIES = 2  # of an array: as it is read, and as a matrix in double precision


def read_npz(path: Path, wanted: Sequence[str] = ("x",)) -> dict[str, Array]:
    """Those of the `wanted` arrays that a .npz file holds, x among them; pickled objects are never loaded."""
    remedy = "Save it again with numpy.savez(path, x=…, y=…)."
    found, names = read_archive(path, wanted, remedy)
    if "x" not in found:
        raise FileFormatError(path, f"it has no array named x (it has {', '.join(names) or 'none'})", remedy)
    return found


def read_archive(path: Path, wanted: Sequence[str], remedy: str) -> tuple[dict[str, Array], list[str]]:
    """Those of the `wanted` arrays that a .npz file holds, and the names of all; pickled objects are never loaded."""
    try:
        _refuse_large_archive(path, wanted)
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise FileFormatError(path, "it holds one array, not a .npz archive", remedy)
            found: dict[str, Array] = {str(name): archive[name] for name in archive.files if name in wanted}
            return found, archive.files
    except (IsthmusError, PermissionError):
        raise
    except Exception as damaged:  # of a damaged file zipfile, zlib and numpy raise whatever comes first
        raise _unreadable(path, damaged, remedy) from damaged


def read_npy(path: Path) -> Array:
    """The array in a .npy file; pickled objects are never loaded."""
    refuse_beyond_memory(f"the array in {path}", _COPIES * path.stat().st_size)
    return np.array(_mapped_npy(path))


def _mapped_npy(path: Path) -> Array:
    """The array in a .npy file, which stays there unless it is small."""
    remedy = "Save it again with numpy.save(path, matrix)."
    try:
        array = np.load(path, mmap_mode="r" if path.stat().st_size > _MAPPED_FROM else None, allow_pickle=False)
    except PermissionError:
        raise
    except Exception as damaged:
        raise _unreadable(path, damaged, remedy) from damaged
    if not isinstance(array, np.ndarray):
        raise FileFormatError(path, "it is an archive of several arrays", "Name it .npz, with arrays x and y.")
    return array


def _refuse_large_archive(path: Path, wanted: Sequence[str]) -> None:
    """A small archive may unpack to any size, which it declares."""
    with zipfile.ZipFile(path) as archive:
        size = sum(each.file_size for each in archive.infolist() if each.filename.removesuffix(".npy") in wanted)
    refuse_beyond_memory(f"what is packed in {path}", _COPIES * size)


def from_npz(
    path: Path, *, task: Task | None, target: str | Sequence[str], weights: str | None, **split: Any
) -> Dataset:
    """A data set from the arrays x and y of a .npz file, and sample_weight if it holds that."""
    if as_typed(target):
        raise OptionError("--target", as_typed(target), "left out for .npz files, whose array y is the target")
    if weights is not None:
        raise OptionError("--weights", weights, "left out for .npz files, whose array sample_weight holds the weights")
    arrays = read_npz(path, ("x", "y", "sample_weight"))
    x, facts = flattened(arrays["x"])
    counts = arrays.get("sample_weight")
    if counts is not None:
        facts["weights"] = weight_vector(counts, len(x), "sample_weight")
    y = None if task == "autoencoder" else arrays.get("y")
    if task is None and y is None:
        facts["notes"] = [*facts.get("notes", []), "There is no array y, so this is an autoencoder."]
    x, y, facts = _drawn(x, y, task, facts)
    return dataset_from_arrays(x, y, task=task, name=str(path), **facts, **split)


def from_npy(path: Path, *, task: Task | None, target: str | Sequence[str], **split: Any) -> Dataset:
    """A data set from the matrix in a .npy file; `target` holds column numbers from 0."""
    target = [name for entry in ([target] if isinstance(target, str) else target) for name in split_entry(entry)]
    x, facts = flattened(_mapped_npy(path))
    refuse_beyond_memory(f"the array in {path}", _COPIES * np.atleast_1d(x)[: row_draw.MOST_ROWS].nbytes)
    if not target:
        x, _, facts = _drawn(x, None, task, facts)
        return dataset_from_arrays(x, None, task=task, name=str(path), **facts, **split)
    columns = x.shape[1] if x.ndim == 2 else 0
    for name in target:
        if not name.isdecimal() or int(name) >= columns:
            raise OptionError("--target", name, f"column numbers of the matrix, from 0 to {columns - 1}")
    chosen = [int(name) for name in target]
    rest = [column for column in range(columns) if column not in chosen]
    if len(set(chosen)) < len(chosen) or not rest:
        raise OptionError("--target", ",".join(target), "different column numbers, and not all of them")
    labels = x[:, chosen[0]] if task == "classification" and len(chosen) == 1 else None
    x, labels, facts = _drawn(x, labels, task, facts)
    return dataset_from_arrays(
        x[:, rest],
        x[:, chosen] if labels is None else labels,
        task=task,
        name=str(path),
        input_names=[f"x{column}" for column in rest],
        output_names=None if task == "classification" else [f"x{column}" for column in chosen],
        **facts,
        **split,
    )


def _drawn(
    x: Array, y: Array | None, task: Task | None, facts: dict[str, Any]
) -> tuple[Array, Array | None, dict[str, Any]]:
    """Of very many rows those that are drawn, and what is to be said; arrays that will be refused as they are."""
    numbers = [x] if y is None or task == "classification" else [x, y]
    is_fit = all(each.dtype.kind in "fiub" and len(each) == len(x) for each in numbers)
    if len(x) <= row_draw.MOST_ROWS or x.ndim != 2 or not is_fit:
        return x, y, facts
    weights = facts.get("weights", np.ones(len(x)))
    if y is None or task == "autoencoder":
        told = None
    else:
        told = class_indices(y, len(x), weights)[0] if task == "classification" else y.reshape(len(x), -1)
    drawn = row_draw.drawn_rows(x, told, weights)
    assert drawn is not None
    facts = {**facts, "notes": [*facts.get("notes", []), drawn.note(len(x))], "repeats": drawn.repeats}
    if "weights" in facts or (drawn.weights != 1.0).any():
        facts["weights"] = drawn.weights
    return np.array(x[drawn.rows]), None if y is None else np.array(y[drawn.rows]), facts


def npy_columns(x: Array, names: Sequence[str] | None) -> Array:
    """The columns of a matrix that `from_npy` called `names`, where these are fewer than all."""
    if names is None or x.ndim != 2 or x.shape[1] <= len(names):
        return x
    numbers = [int(name[1:]) for name in names if name[:1] == "x" and name[1:].isdecimal()]
    return x[:, numbers] if len(numbers) == len(names) and max(numbers) < x.shape[1] else x


def flattened(x: Array) -> tuple[Array, dict[str, Any]]:
    """Rows of images `(n, h, w, …)` as rows of numbers, with what is to be said about it."""
    if x.ndim <= 2:
        return x, {}
    facts: dict[str, Any] = {
        "notes": [f"Each input of shape {' × '.join(map(str, x.shape[1:]))} was flattened."],
        "shares_unit": True,
    }
    if x.ndim == 3:
        facts["image_shape"] = x.shape[1:]
    return x.reshape(len(x), int(np.prod(x.shape[1:]))), facts


def _unreadable(path: Path, damaged: Exception, remedy: str) -> FileFormatError:
    if "pickle" in str(damaged):
        return FileFormatError(path, "it holds pickled objects, which may run code and are never loaded", remedy)
    return FileFormatError(path, f"it is damaged or not a numpy file ({damaged})", remedy)
