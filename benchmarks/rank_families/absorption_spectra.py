"""Mixtures: an absorption spectrum is measured, and the fluorescence of the same sample predicted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from _rank_tasks import Floats, Teacher

Map = Callable[[Floats], Floats]


def _bands(chemicals: int, places: Floats, width: float, rng: np.random.Generator) -> Floats:
    """Spectra `(chemicals, channels)`: a band of its own each, which overlaps its neighbours', and a weaker one."""
    own = (rng.permutation(chemicals) + rng.uniform(0.3, 0.7, chemicals)) / chemicals
    centres = np.stack((own, rng.uniform(0.0, 1.0, chemicals)))[..., None]
    widths = np.maximum(width * rng.uniform(0.8, 1.5, (2, chemicals)), 0.6 / len(places))[..., None]
    heights = np.stack((rng.uniform(0.7, 1.3, chemicals), rng.uniform(0.1, 0.5, chemicals)))[..., None]
    return (heights * np.exp(-0.5 * np.square((places - centres) / widths))).sum(0)


def _absorbance(k: int, d: int, rng: np.random.Generator) -> Map:
    """What a spectrometer shows `(n, d)` of a sample: k logarithms of concentrations, two of dirt, path, level, slope.

    Absorbance is linear in concentrations (Beer and Lambert) and saturates by stray light, 2 per cent of the lamp's.
    The solvent, always as concentrated, tells the path. With fewer than 3 (k + 2) channels there is no dirt, and with
    fewer than 2 (k + 1) the path, level and slope are fixed too.
    """
    has_dirt, has_path = d >= 3 * (k + 2), d >= 2 * (k + 1)
    channel = (np.arange(d) + 0.5) / d
    spectra = _bands(k + 3, channel, 0.8 / (k + 3), rng)  # of k analytes, two kinds of dirt, the solvent

    def show(causes: Floats) -> Floats:
        analytes, dirt = np.exp(0.7 * causes[:, :k]), 0.5 * has_dirt * np.exp(0.4 * causes[:, k : k + 2])
        path, level, slope = causes[:, k + 2 :].T[..., None] * has_path
        amounts = np.hstack((0.4 * analytes, 0.4 * dirt, np.full((len(causes), 1), 0.7)))
        light = 10.0 ** (-np.exp(0.25 * path) * (amounts @ spectra))
        return -np.log10((light + 0.02) / 1.02) + 0.1 * level + 0.1 * slope * (channel - 0.5)

    return show


def mixtures(k: int, d_in: int, d_out: int, rng: np.random.Generator) -> Teacher:
    """The hidden numbers are logarithms of k concentrations, x is an absorption spectrum, y what the mixture emits.

    One to three lamps excite it in turn; what chemicals absorb of a lamp they share by their absorbances, and the more
    there is of them all, the less comes from each (inner filter effect; Lakowicz, Principles of fluorescence
    spectroscopy, chapter 2). A quencher among them dims all others (Stern and Volmer).
    """
    together = rng.uniform(0.0, 0.5)
    is_uniform = rng.random() < 0.5

    def draw(n: int) -> Floats:
        own = rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), (n, k)) if is_uniform else rng.standard_normal((n, k))
        dilution = rng.standard_normal((n, 1))
        return np.hstack((np.sqrt(1.0 - together) * own + np.sqrt(together) * dilution, rng.standard_normal((n, 5))))

    lamps = int(rng.integers(1, 4))
    lamp = rng.integers(lamps, size=d_out)
    emission = _bands(k, (np.arange(d_out) + rng.uniform(0.2, 0.8, d_out)) / d_out, 0.7 / k, rng)
    absorbs = rng.uniform(0.3, 1.5, (k, lamps))
    quencher, quenching = int(rng.integers(k)), rng.uniform(0.2, 0.6) * (k > 1)
    filtered = rng.uniform(0.0, 0.6, (k, d_out)) / k  # absorption of what is emitted

    def decode(z: Floats) -> Floats:
        amounts = np.exp(0.7 * z)
        total = 0.5 * amounts @ absorbs / np.sqrt(k)
        excited = (-np.expm1(-total) / total)[:, lamp]
        dimmed = amounts / (1.0 + quenching * amounts[:, [quencher]] * (np.arange(k) != quencher))
        glow = np.einsum("nk,kd,kd->nd", dimmed, emission, absorbs[:, lamp])
        return np.sqrt(excited * glow * np.exp(-amounts @ filtered))

    return Teacher(draw, lambda causes: causes[:, :k], decode, _absorbance(k, d_in, rng))
