"""All linear regions of a network on a box, a polygon or a slice: the front door, where everything is checked."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from isthmus.errors import (
    DomainError,
    MissingExtraError,
    RegionBudgetError,
    ShapeError,
    UnsupportedModuleError,
)
from isthmus.foundation.arrays import as_matrix
from isthmus.foundation.progress import Report, silent
from isthmus.networks import FullyConnected, StandardizedNetwork, from_torch
from isthmus.regions.conditioning import conditioned
from isthmus.regions.plane import Plane
from isthmus.spectra import Model

if TYPE_CHECKING:
    from isthmus.regions.regions import Regions

Floats = NDArray[np.float64]

MOST_DIMENSIONS = 6
DEFAULT_BUDGET = 2_000_000


def enumerate_regions(
    model: Model,
    box: tuple[object, object] | None = None,
    *,
    polygon: object = None,
    plane: Plane | None = None,
    budget: int = DEFAULT_BUDGET,
    partial: bool = False,
    report: Report = silent,
) -> Regions:
    r"""All linear regions of f on a bounded domain Ω, with their corners, neighbours and activation patterns.

    A region is a maximal set with interior on which no hidden neuron changes its sign. Signs are decided in double
    precision: a pre-activation within 1e-13 of ‖W_j‖‖a‖ + |b_j| of zero counts as zero, so that neurons that are
    duplicates, negatives or concurrent up to rounding make no slivers.

    Args:
        model: A network, a standardised network (in the units of its data) or a torch module that converts. It is
            evaluated in float64 on the CPU.
        box: Lower and upper bound of Ω, each a number or one number a dimension. In 2 to 6 dimensions, or 1.
        polygon: Instead of `box`, the corners of a convex polygon `(m, 2)`, in either direction.
        plane: Look at the slice of the inputs by this plane; `box` or `polygon` are then in its coordinates.
        budget: Largest number of regions.
        partial: When there are more, return what was found, `is_complete=False`, instead of raising.
        report: Told after each layer the share of layers done and the regions so far.

    Returns:
        The regions: sized, indexable and iterable.

    Raises:
        MissingExtraError: If numba is not installed.
        DomainError: If Ω is empty, unbounded, not convex, or has more than 6 dimensions.
        ShapeError: If Ω or the plane do not fit the network.
        RegionBudgetError: If there are more regions than `budget` (and `partial` is false).
        PrecisionError: If double precision cannot tell the zero lines of some neurons apart.
        UnsupportedModuleError: If the model cannot be written exactly as a piecewise-linear network.

    Source:
        Jacot (2023), definition of finite piecewise-linear functions; the count is of activation regions.

    Example:
        >>> import torch
        >>> from isthmus import enumerate_regions
        >>> from isthmus.networks import RELU, FullyConnected
        >>> weights = torch.eye(2).double(), torch.ones(1, 2).double()  # two neurons, one that bends along each axis
        >>> f = FullyConnected(weights, (torch.zeros(2).double(), torch.zeros(1).double()), RELU)
        >>> len(enumerate_regions(f, box=(-1, 1)))
        4
    """
    if find_spec("numba") is None:
        raise MissingExtraError("Enumerating linear regions", "numba", "regions")
    if budget < 1:
        raise DomainError(f"A budget of {budget} regions cannot hold even one. Use a positive number.")
    ambient = piecewise_linear(model)
    network = plane.restricted(ambient) if plane is not None else ambient
    if polygon is not None:
        if box is not None:
            raise DomainError("Both a box and a polygon were given. Choose one of them.")
        return _planar(network, ambient, plane, _polygon(polygon, network.d_in), budget, partial, report)
    lower, upper = checked_box(box, network.d_in)
    if network.d_in == 2:
        corners = np.array([[lower[0], lower[1]], [upper[0], lower[1]], [upper[0], upper[1]], [lower[0], upper[1]]])
        return _planar(network, ambient, plane, corners, budget, partial, report)
    return _spatial(network, lower, upper, budget, partial, report)


def piecewise_linear(model: Model) -> FullyConnected:
    """`model` as one bare network in float64 on the CPU, a standardisation absorbed.

    Raises:
        UnsupportedModuleError: If the model is not a network or does not convert exactly.
    """
    if isinstance(model, StandardizedNetwork):
        exact = model.network.to(dtype=torch.float64, device="cpu")
        return StandardizedNetwork(exact, model.inputs, model.outputs).folded()
    if isinstance(model, FullyConnected):
        is_ready = model.dtype == torch.float64 and model.device.type == "cpu"
        return model if is_ready else model.to(dtype=torch.float64, device="cpu")
    if isinstance(model, nn.Module):
        return from_torch(model).to(dtype=torch.float64, device="cpu")
    raise UnsupportedModuleError(type(model).__name__, "it is not a network")


def checked_box(box: tuple[object, object] | None, d: int) -> tuple[Floats, Floats]:
    """Lower and upper corner `(d,)` of a box.

    Raises:
        DomainError: If it is none, unbounded, empty, or has more dimensions than are enumerated.
        ShapeError: If a corner is neither one number nor one for each dimension.
    """
    if box is None:
        raise DomainError("No domain was given. Pass box=(lower, upper), or polygon=...")
    try:
        low, high = box
        lower, upper = (np.asarray(side, dtype=np.float64) for side in (low, high))
    except (TypeError, ValueError) as wrong:
        raise DomainError(f"The box is {box!r}; it must be a pair (lower, upper) of numbers or vectors.") from wrong
    for name, side in (("lower", lower), ("upper", upper)):
        if side.shape not in ((), (1,), (d,)):
            raise ShapeError(
                f"The {name} bound of the box has shape {side.shape}; give one number, or one for each of the {d} "
                "dimensions of the domain."
            )
        if not np.isfinite(side).all():
            raise DomainError(f"The {name} bound of the box is {side.tolist()}: the box must be bounded.")
    lower, upper = np.broadcast_to(lower, d).copy(), np.broadcast_to(upper, d).copy()
    if not (lower < upper).all():
        axis = int(np.argmin(lower < upper))
        raise DomainError(
            f"The box is empty along dimension {axis}: its lower bound {lower[axis]:g} is not below its upper bound "
            f"{upper[axis]:g}. Give the lower bound first."
        )
    if d > MOST_DIMENSIONS:
        raise DomainError(
            f"The box has {d} dimensions; regions are enumerated in at most {MOST_DIMENSIONS}. Look at a slice: "
            "enumerate_regions(model, box, plane=Plane.through(three_points))."
        )
    return lower, upper


def _polygon(polygon: object, d: int) -> Floats:
    corners = as_matrix(polygon, "the polygon").double().numpy()
    if d != 2 or corners.shape[1] != 2:
        raise ShapeError(
            f"The polygon has {corners.shape[1]} coordinates and the domain {d} dimensions; both must be 2. "
            "For more inputs, pass plane=..."
        )
    if len(corners) < 3:
        raise DomainError(f"The polygon has {len(corners)} corners; at least 3 are needed.")
    ahead = np.roll(corners, -1, axis=0) - corners
    turns = ahead[:, 0] * np.roll(ahead, -1, axis=0)[:, 1] - ahead[:, 1] * np.roll(ahead, -1, axis=0)[:, 0]
    angles = np.arctan2(turns, (ahead * np.roll(ahead, -1, axis=0)).sum(axis=1))
    # All turns to one side, and once round: the second test refuses stars.
    if not ((turns > 0).all() or (turns < 0).all()) or abs(abs(angles.sum()) - 2 * np.pi) > 1e-6:
        raise DomainError("The polygon is not strictly convex. Give its corners in order, without three on one line.")
    return np.ascontiguousarray(corners if turns[0] > 0 else corners[::-1])


def _planar(
    network: FullyConnected,
    ambient: FullyConnected,
    plane: Plane | None,
    corners: Floats,
    budget: int,
    partial: bool,
    report: Report,
) -> Regions:
    # Imported here: compiled code takes a third of a second to load, which no other command should pay for.
    from isthmus.regions.planar import planar_complex
    from isthmus.regions.regions import Regions

    scaled = conditioned(network, corners.min(axis=0), corners.max(axis=0))
    found, stopped = planar_complex(scaled, scaled.forward(corners), budget, report)
    if stopped is not None and not partial:
        raise RegionBudgetError(len(found.faces) - 1, budget, *stopped)
    found.place[:, :2] = scaled.backward(found.place[:, :2])
    return Regions.of_planar(network, ambient, plane, found, is_complete=stopped is None)


def _spatial(
    network: FullyConnected, lower: Floats, upper: Floats, budget: int, partial: bool, report: Report
) -> Regions:
    from isthmus.regions.cells import cell_complex
    from isthmus.regions.regions import Regions

    scaled = conditioned(network, lower, upper)
    low, high = scaled.forward(np.stack([lower, upper]))
    found, stopped = cell_complex(scaled, low, high, budget, report)
    if stopped is not None and not partial:
        raise RegionBudgetError(int(found.counts[-1]), budget, *stopped)
    found.vertices[:] = scaled.backward(found.vertices)
    return Regions.of_cells(network, found, is_complete=stopped is None)
