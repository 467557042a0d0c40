"""Data whose truth is known: the random teacher, the curve in the plane, the inverted S."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from isthmus.data.assembly import dataset_from_arrays
from isthmus.data.dataset import Dataset
from isthmus.data.splitting import check_share, consecutive
from isthmus.errors import OptionError
from isthmus.foundation.task import Task

Array = NDArray[np.float64]
_TEST_ROWS = 1000


@dataclass(frozen=True, eq=False)
class Teacher:
    r"""$f^* = h \circ g$ through $\mathbb R^k$, where g and h have one hidden ReLU layer each.

    Attributes:
        encoder: $(W_1, b_1), (W_2, b_2)$ of g.
        decoder: $(W_3, b_3), (W_4, b_4)$ of h.
    """

    encoder: tuple[tuple[Array, Array], tuple[Array, Array]]
    decoder: tuple[tuple[Array, Array], tuple[Array, Array]]

    def encode(self, x: Array) -> Array:
        """The k hidden numbers behind each row of `x`."""
        return _shallow(self.encoder, x)

    def __call__(self, x: Array) -> Array:
        """f* at the rows of `x`."""
        return _shallow(self.decoder, self.encode(x))


def random_teacher(x: Array, *, k: int, d_out: int, width: int, train: int, rng: np.random.Generator) -> Teacher:
    r"""A random teacher, normalised on the rows of `x`.

    Weights are Gaussian with variance 1/fan-in before and 2/fan-in after a ReLU, biases have standard deviation 0.3.
    The k hidden numbers are shifted and scaled to mean 0 and variance 1 over all rows; the outputs are centred and
    scaled by one factor so that $E\|y\|^2 = d_{out}$ over the first `train` rows. Both are affine and part of f*.
    """

    def layer(out: int, fan_in: int, gain: float) -> tuple[Array, Array]:
        weight = rng.standard_normal((out, fan_in)) * np.sqrt(gain / fan_in)
        return weight, 0.3 * rng.standard_normal(out)

    first, (w, b) = layer(width, x.shape[1], 1.0), layer(k, width, 2.0)
    z = _shallow((first, (w, b)), x)
    mean, deviation = z.mean(0), z.std(0)
    if np.linalg.matrix_rank(z - mean) < k:
        raise OptionError("width of the teacher", width, f"larger: with this seed its {k} hidden numbers are not free")
    encoder = first, (w / deviation[:, None], (b - mean) / deviation)
    third, (w, b) = layer(width, k, 1.0), layer(d_out, width, 2.0)
    y = _shallow((third, (w, b)), (z - mean) / deviation)[:train]
    shift = y.mean(0)
    scale = np.sqrt(d_out / np.square(y - shift).sum(1).mean())
    return Teacher(encoder, (third, (w * scale, (b - shift) * scale)))


def teacher(
    *,
    seed: int,
    task: Task | None = None,
    test: float = 0.15,
    k: int = 4,
    n: int = 500,
    d: int = 50,
    d_in: int | None = None,
    d_out: int | None = None,
    width: int = 100,
    noise: float = 0.0,
    name: str = "teacher",
) -> Dataset:
    """The seed setting: Gaussian inputs, outputs of a random teacher of rank k.

    It comes with the hyperparameters of the paper: depth 13, width 100, and a λ of 1/1000 of the loss of the best
    constant, which is E‖y‖² = d_out here: 0.05 for 50 outputs.

    Args:
        seed: Draws teacher and data.
        task: Regression only.
        test: 0 for the training rows alone. Otherwise 1,000 rows more test, whatever the share: of a known truth there
            are as many rows as are wanted, and none of the n is given up.
        k: True rank.
        n: Training rows.
        d: Inputs and outputs, unless `d_in` or `d_out` say otherwise.
        d_in: Inputs.
        d_out: Outputs.
        width: Of the teacher's hidden layers.
        noise: Standard deviation of Gaussian noise on the outputs, in units of their root mean square.
        name: As the user gave it.
    """
    if task not in (None, "regression"):
        raise OptionError("--task", task, "regression for the teacher")
    d_in, d_out = d if d_in is None else d_in, d if d_out is None else d_out
    for what, value, least in (("k", k, 1), ("n", n, 20), ("d_in", d_in, 1), ("d_out", d_out, 1), ("width", width, 1)):
        if value < least:
            raise OptionError(f"{what} of the teacher", value, f"at least {least}")
    if k > min(d_in, d_out, width):
        raise OptionError("k of the teacher", k, f"at most {min(d_in, d_out, width)}, the narrowest of its layers")
    _check_noise(noise, "the teacher")
    check_share(test)
    rng = np.random.default_rng(seed)
    # 500 rows between the two parts are drawn and left out: they belong to the teachers whose results are on record.
    x = rng.standard_normal((n + 500 + _TEST_ROWS, d_in))
    truth = random_teacher(x, k=k, d_out=d_out, width=width, train=n, rng=rng)
    y = truth(x)
    y = y + noise * rng.standard_normal(y.shape)
    said = [f"The outputs are those of a random teacher of rank {k}."]
    if noise:
        said.append(f"Noise of relative size {noise:g} was added to the outputs.")
    rows = np.r_[:n, n + 500 : len(x)] if test else np.arange(n)
    dataset = dataset_from_arrays(
        x[rows].astype(np.float32),
        y[rows].astype(np.float32),
        task="regression",
        name=name,
        split=consecutive(n, len(rows) - n),
        shares_unit=True,
        notes=said,
    )
    return replace(dataset, defaults={"depth": 13, "width": 100, "ridge": d_out / 1000})


def curve(
    *, seed: int, task: Task | None = None, test: float = 0.15, n: int = 200, noise: float = 0.0, name: str = "curve"
) -> Dataset:
    """A one-dimensional curve in the plane, (1.2 t, 0.6 sin πt) for t in [−1, 1], to be learned by an autoencoder."""
    if task not in (None, "autoencoder"):
        raise OptionError("--task", task, "autoencoder for the curve")
    _check_noise(noise, "curve")
    rng = np.random.default_rng(seed)
    t = np.linspace(-1.0, 1.0, _at_least_20(n, "curve"))
    x = np.stack([1.2 * t, 0.6 * np.sin(np.pi * t)], 1) + noise * rng.standard_normal((n, 2))
    return dataset_from_arrays(
        x,
        task="autoencoder",
        name=name,
        seed=seed,
        test=test,
        input_names=("x", "y"),
        shares_unit=True,
        notes=["The points lie on a curve: one number tells where."],
    )


def inverted_s(
    *,
    seed: int,
    task: Task | None = None,
    test: float = 0.15,
    n: int = 100,
    noise: float = 0.03,
    name: str = "inverted-s",
) -> Dataset:
    """Four classes in the plane, each an inverted S, side by side along the x axis; `n` points a class.

    The letters are wider than the space between them, so no straight line parts two of them.
    """
    if task not in (None, "classification"):
        raise OptionError("--task", task, "classification for inverted-s")
    _check_noise(noise, "inverted-s")
    rng = np.random.default_rng(seed)
    t = rng.uniform(-1.0, 1.0, (4, _at_least_20(n, "inverted-s")))
    centres = np.array([-2.25, -0.75, 0.75, 2.25])[:, None]
    x = np.stack([centres + np.sin(np.pi * t), 2.0 * t], 2).reshape(-1, 2)
    x = x + noise * rng.standard_normal(x.shape)
    return dataset_from_arrays(
        x,
        np.repeat(np.arange(4), n),
        task="classification",
        name=name,
        seed=seed,
        test=test,
        input_names=("x", "y"),
        shares_unit=True,
    )


def _check_noise(noise: float, what: str) -> None:
    if not 0.0 <= noise < np.inf:
        raise OptionError(f"noise of {what}", noise, "a finite number ≥ 0")


def _at_least_20(n: int, what: str) -> int:
    if n < 20:
        raise OptionError(f"n of {what}", n, "at least 20")
    return n


def _shallow(layers: tuple[tuple[Array, Array], tuple[Array, Array]], x: Array) -> Array:
    (w1, b1), (w2, b2) = layers
    hidden: Array = np.maximum(x @ w1.T + b1, 0.0)
    return hidden @ w2.T + b2
