"""A folder of images, as one grey row each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.data.assembly import dataset_from_arrays
from isthmus.data.dataset import Dataset
from isthmus.errors import (
    FileFormatError,
    FileMissingError,
    MissingExtraError,
    OptionError,
)
from isthmus.foundation.task import Task

_KINDS = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"}


def from_folder(folder: Path, *, task: Task | None, **split: Any) -> Dataset:
    """Images of one size, read as grey levels in [0, 1]; subfolders are classes.

    Raises:
        MissingExtraError: If Pillow is not installed.
        FileMissingError: If the folder holds no image.
        FileFormatError: If an image is damaged or has another size than the first.
    """
    files, others = _files(folder)
    labels = [file.parent.relative_to(folder).as_posix() for file in files]
    has_classes = len(set(labels)) > 1
    task = task or ("classification" if has_classes else "autoencoder")
    if task == "regression":
        raise OptionError("--task", task, "autoencoder or classification for a folder of images")
    if task == "classification" and not has_classes:
        raise OptionError("--task", task, f"autoencoder: {folder} has no subfolders to serve as classes")
    if task == "classification" and "." in labels:
        cause = "it lies beside the subfolders that serve as classes"
        raise FileFormatError(files[labels.index(".")], cause, "Move it into one of them, or use --task autoencoder.")
    x, shape = _rows(files)
    left_out = "1 file that is not an image was" if others == 1 else f"{others} files that are not images were"
    return dataset_from_arrays(
        x,
        np.array(labels) if task == "classification" else None,
        task=task,
        name=str(folder),
        image_shape=shape,
        shares_unit=True,
        notes=[f"{left_out} left out."] if others else [],
        **split,
    )


def inputs_from_folder(folder: Path) -> NDArray[np.float32]:
    """The images in a folder as rows `(n, height × width)`, in the order of their paths; classes do not matter."""
    return _rows(_files(folder)[0])[0]


def _files(folder: Path) -> tuple[list[Path], int]:
    """The images under a folder, and the number of other files."""
    everything = sorted(file for file in folder.rglob("*") if file.is_file())
    files = [file for file in everything if file.suffix.lower() in _KINDS]
    if not files:
        raise FileMissingError(folder / "*.png", f"The folder should hold images ({', '.join(sorted(_KINDS))}).")
    return files, len(everything) - len(files)


def _rows(files: list[Path]) -> tuple[NDArray[np.float32], tuple[int, int]]:
    first = _grey(files[0])
    x = np.empty((len(files), first.size), np.float32)
    for row, file in enumerate(files):
        image = _grey(file)
        if image.shape != first.shape:
            cause = f"it has {_size(image)} pixels where {files[0].name} has {_size(first)}"
            raise FileFormatError(file, cause, "Bring all images to one size.")
        x[row] = image.ravel()
    return x, (first.shape[0], first.shape[1])


def _grey(file: Path) -> NDArray[np.float32]:
    try:
        from PIL import Image
    except ImportError as absent:
        raise MissingExtraError("A folder of images", "Pillow", "images") from absent
    try:
        with Image.open(file) as image:
            if image.mode.startswith("I;16"):  # convert("L") would clip at 255 instead of scaling
                return np.asarray(image, np.float32) / 65535.0
            if image.mode in ("I", "F"):
                raise ValueError("its pixels have 32 bits, so that white is not known; save it with 8 or 16")
            return np.asarray(image.convert("L"), np.float32) / 255.0
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as damaged:
        raise FileFormatError(file, f"it is damaged or not an image ({damaged})", "Remove or replace it.") from damaged


def _size(image: NDArray[np.float32]) -> str:
    return f"{image.shape[1]} × {image.shape[0]}"
