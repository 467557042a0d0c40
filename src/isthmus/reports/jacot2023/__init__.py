"""Figures of the replayed slides, from records alone, by the name of the experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from isthmus.reports.figure import Drawing
from isthmus.reports.jacot2023 import (
    curve_autoencoder,
    huge_depth,
    infinite_depth,
    inverted_s_classification,
    linear_networks,
    mnist_autoencoder,
    rank_recovery,
    sample_size,
    weight_spectrum,
)

DRAWINGS: Mapping[str, Callable[[Mapping[str, Any]], Sequence[Drawing]]] = {
    "rank-recovery": rank_recovery.drawings,
    "weight-spectrum": weight_spectrum.drawings,
    "inverted-s-classification": inverted_s_classification.drawings,
    "mnist-autoencoder": mnist_autoencoder.drawings,
    "curve-autoencoder": curve_autoencoder.drawings,
    "huge-depth": huge_depth.drawings,
    "sample-size": sample_size.drawings,
    "linear-networks": linear_networks.drawings,
    "infinite-depth": infinite_depth.drawings,
}
