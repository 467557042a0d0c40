"""What is read off a classifier of the plane: its tripoints, counted exactly, its territories, its rank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from isthmus.experiments.jacot2023.inverted_s_classification.margin_descent import least_margin, norm_at_unit_margin
from isthmus.networks import FullyConnected
from isthmus.regions import class_outlines, enumerate_regions
from isthmus.spectra import bottleneck_rank

if TYPE_CHECKING:  # compiled code, loaded when regions are enumerated
    from isthmus.regions.boundary import DecisionBoundary

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_PIXEL = 2e-3  # how far a line that is drawn may be off: a fifth of a pixel where ten units take a thousand


def reading(
    network: FullyConnected, x: Floats, y: Integers, *, box: float, far: float
) -> tuple[dict[str, Any], DecisionBoundary]:
    """Numbers of a classifier, and its decision boundary on [−box, box]².

    Args:
        network: Two inputs, one output a class.
        x: The training rows `(n, 2)`.
        y: Their classes `(n,)`.
        box: Half side of the square in which tripoints are counted.
        far: Half side of a far larger one.

    Returns:
        `tripoints` in the box, `tripoints_near` in the bounding box of the data, `tripoints_far` in the large box;
        `present`, the number of classes that are largest somewhere in the box; `misclassified` training rows; `rank`,
        the upper end of the bottleneck rank at its default tolerance; `norm_per_depth`; and `unit_norm`, the same at
        margin 1, None where rows are misclassified.
    """
    exact = network.to(dtype=torch.float64, device="cpu")
    rows, classes = torch.from_numpy(x), torch.from_numpy(y)
    boundary = enumerate_regions(exact, (-box, box)).decision_boundary()
    near = ((boundary.tripoints >= x.min(0)) & (boundary.tripoints <= x.max(0))).all(1)
    margin = least_margin(exact, rows, classes)
    return {
        "tripoints": len(boundary.tripoints),
        "tripoints_near": int(near.sum()),
        "tripoints_far": len(enumerate_regions(exact, (-far, far)).tripoints()),
        "present": len(boundary.present),
        "misclassified": int((exact(rows).argmax(1) != classes).sum()),
        "rank": bottleneck_rank(exact, rows, scale_inputs="none", scale_outputs="none").upper,
        "norm_per_depth": exact.norm_per_depth,
        "unit_norm": norm_at_unit_margin(exact, margin) if margin > 0 else None,
    }, boundary


def panel(boundary: DecisionBoundary) -> dict[str, Any]:
    """What is drawn of it: the territories' outlines, by class, and the tripoints, to four digits."""
    outlines = class_outlines(boundary)
    return {
        "territories": {
            str(owner): [thin_line(line, _PIXEL).round(4).tolist() for line in lines]
            for owner, lines in outlines.items()
        },
        "tripoints": boundary.tripoints.round(4).tolist(),
    }


def thin_line(line: Floats, tolerance: float) -> Floats:
    """Corners of the closed line `(m, 2)` between which none of the others is farther off than `tolerance`."""
    closed, kept = np.concatenate([line, line[:1]]), [0]
    for end in range(2, len(closed)):
        a, chord = closed[kept[-1]], closed[end] - closed[kept[-1]]
        between = closed[kept[-1] + 1 : end] - a
        along = np.clip(between @ chord / max(float(chord @ chord), np.finfo(float).tiny), 0.0, 1.0)
        if float(np.linalg.norm(between - along[:, None] * chord, axis=1).max()) > tolerance:
            kept.append(end - 1)
    return np.asarray(closed[kept])
