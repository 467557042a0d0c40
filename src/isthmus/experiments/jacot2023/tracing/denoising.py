"""Statements about autoencoders that denoise: in the plane over λ and depth, of digits over the noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean, median

from isthmus.experiments.experiment import Numbers
from isthmus.experiments.jacot2023.curve_diagram.claims import CLEAN, share_left
from isthmus.experiments.jacot2023.tracing.trace import Place, Row

_CLOSE = 2.0  # factor within which the noise that passes counts as that of a projection, as in the claims on digits


def denoising_places(kind: str) -> Callable[[Numbers, Sequence[Row]], list[Place]]:
    """By λ, over depth: the median share of the distance that is left."""

    def places(settings: Numbers, rows: Sequence[Row]) -> list[Place]:
        found = []
        for decay in settings["weight_decays"]:
            for depth in settings["depths"]:
                left = [share_left(r, kind) for r in rows if (r["weight_decay"], r["depth"]) == (decay, depth)]
                if left:
                    value = median(left)
                    found.append(Place(f"λ = {decay:g}", f"L = {depth}", f"{value:.1%}", value < CLEAN, len(left)))
        return found

    return places


def deep_beside_shallow(settings: Numbers, rows: Sequence[Row]) -> list[Place]:
    """By reading of λ and kind of rows, over the noise: PSNR of deep and shallow."""
    found = []
    for reading in settings["readings"]:
        for part, name in (("held_out", "held-out"), ("training", "training")):
            here = [row[part] for row in rows if row["reading"] == reading]
            for index, sigma in enumerate(settings["noise"] if here else ()):
                deep, shallow = (fmean(each[kind]["psnr"][index] for each in here) for kind in ("deep", "shallow"))
                value = f"{deep:.1f} beside {shallow:.1f}"
                found.append(Place(f"λ {reading}, {name}", f"σ = {sigma:g}", value, deep > shallow, len(here)))
    return found


def noise_that_passes(settings: Numbers, rows: Sequence[Row]) -> list[Place]:
    """By reading of λ, over the noise: the share that passes the deep network, over k/d."""
    found = []
    for reading in settings["readings"]:
        here = [row for row in rows if row["reading"] == reading]
        for index, sigma in enumerate(settings["noise"] if here else ()):
            ratios = [row["held_out"]["deep"]["passed"][index] * row["pixels"] / row["k"] for row in here]
            value = median(ratios)
            found.append(
                Place(f"λ {reading}", f"σ = {sigma:g}", f"{value:.2g}", 1 / _CLOSE <= value <= _CLOSE, len(here))
            )
    return found
