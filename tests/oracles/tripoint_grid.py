"""Tripoints of a classifier in a box of the plane, by a quadtree over plain forward evaluations.

A tripoint is a point at which three or more logits tie at the maximum. The oracle knows nothing of linear regions. It
keeps a square of the quadtree as long as three logits may tie at the maximum somewhere in it: with K_ij a Lipschitz
constant of l_i − l_j (product of spectral norms) and r the square's half diagonal, l_i − l_j changes by at most K_ij r
from the centre, so

- class i may be at the maximum in the square only if l_i ≥ l_j − K_ij r at the centre for all j, and
- i and j may tie only if |l_i − l_j| ≤ K_ij r there.

Nothing is missed, however close together or however small a class's territory. What survives at the last level is
grouped into clusters; a ring of evaluations around each tells whether it is a crossing (every class of the tie wins
somewhere on the ring) or only a near-tie.

Ambiguity is reported, not resolved: `separation` (least distance between two clusters), `margin` (least distance of one
to the edge of the box) and `near_ties` (clusters that do not cross). Check `is_clear` before comparing counts.
"""

from dataclasses import dataclass
from itertools import combinations, pairwise

import torch

_LEVELS = 40  # squares of 2⁻⁴⁰ of the box: above float64 rounding of its coordinates
_MOST = 400_000  # squares at a level; more means a whole curve or area of ties


class TooManyTiesError(AssertionError):
    """Three logits tie along a curve or in an area, so that there is no finite count."""


@dataclass(frozen=True)
class GridTripoint:
    """One crossing: where, and the classes that meet there."""

    point: tuple[float, float]
    classes: frozenset[int]


@dataclass(frozen=True)
class GridTripoints:
    """What the grid found; lengths are relative to the longer side of the box."""

    tripoints: tuple[GridTripoint, ...]
    near_ties: int
    separation: float
    margin: float

    def is_clear(self, least=1e-6):
        """True where no two tripoints, no edge of the box and no near-tie come closer than `least`."""
        return self.near_ties == 0 and min(self.separation, self.margin) >= least


def grid_tripoints(network, lower=(-1.0, -1.0), upper=(1.0, 1.0), *, start=32, finest=1e-9):
    """Every tripoint of the logits `network` (two inputs, three or more outputs) in the box.

    Args:
        network: Maps (n, 2) to (n, classes), float64.
        lower: Lower corner of the box.
        upper: Upper corner of the box.
        start: Squares a side at the first level.
        finest: Half side, relative to the box, at which refinement stops.
    """
    low, high = torch.tensor(lower).double(), torch.tensor(upper).double()
    size = float((high - low).max())
    constants = _lipschitz(network)
    half = (high - low) / (2 * start)
    steps = [torch.arange(start).double() * 2 + 1] * 2
    centres = low + torch.cartesian_prod(*steps) * half
    levels = 0
    while float(half.max()) > finest * size and len(centres) and levels < _LEVELS:
        centres = centres[_may_tie(network(centres), constants * float(half.norm()))]
        half, levels = half / 2, levels + 1
        offsets = torch.tensor([[-1, -1], [-1, 1], [1, -1], [1, 1]]).double() * half
        centres = (centres[:, None] + offsets).reshape(-1, 2)
        if len(centres) > _MOST:
            raise TooManyTiesError(f"{len(centres)} squares may hold a tripoint at half side {float(half.max()):.1e}")
    survivors = centres[_may_tie(network(centres), constants * float(half.norm()))]
    return _described(network, survivors, size, low, high)


def _lipschitz(network):
    """K_ij ≥ Lipschitz constant of l_i − l_j, (classes, classes)."""
    slope = max(1.0, abs(network.activation.negative_slope))
    inner = 1.0
    for w in network.weights[:-1]:
        inner *= slope * float(torch.linalg.matrix_norm(w, 2))
    last = network.weights[-1]
    return torch.cdist(last, last) * inner


def _may_tie(logits, reach):
    gaps = logits[:, :, None] - logits[:, None, :]  # l_i − l_j
    candidate = (gaps >= -reach).all(2)
    pairs = gaps.abs() <= reach
    kept = torch.zeros(len(logits), dtype=torch.bool)
    for i, j, k in combinations(range(logits.shape[1]), 3):
        together = candidate[:, i] & candidate[:, j] & candidate[:, k]
        kept |= together & pairs[:, i, j] & pairs[:, j, k] & pairs[:, i, k]
    return kept


def _described(network, centres, size, low, high):
    clusters = _clusters(centres, 1e-7 * size)
    found, near_ties, places = [], 0, []
    for cluster in clusters:
        logits = network(cluster)
        third = logits.sort(1, descending=True).values[:, :3]
        place = cluster[(third[:, 0] - third[:, 2]).argmin()]
        places.append(place)
    places = torch.stack(places) if places else torch.zeros(0, 2).double()
    distances = torch.pdist(places)
    separation = float(distances.min()) if len(distances) else float("inf")
    for place, cluster in zip(places, clusters, strict=True):
        spread = float((cluster - place).norm(dim=1).max())
        classes = _around(network, place, max(4 * spread, 1e-7 * size))
        if len(classes) >= 3:
            found.append(GridTripoint(tuple(place.tolist()), classes))
        else:
            near_ties += 1
    margin = float(torch.minimum(places - low, high - places).min()) if len(places) else float("inf")
    return GridTripoints(tuple(found), near_ties, separation / size, margin / size)


def _around(network, place, radius):
    """The classes that win somewhere on a small circle."""
    angles = torch.arange(4096).double() * (2 * torch.pi / 4096)
    ring = torch.stack([angles.cos(), angles.sin()], 1)
    return frozenset(network(place + radius * ring).argmax(1).tolist())


def _clusters(points, distance):
    """Single linkage along sorted coordinates: groups with a gap above `distance` in x or y are apart."""
    groups = [points] if len(points) else []
    for _ in range(4):  # split by x, then y, until nothing changes in practice
        for axis in (0, 1):
            groups = [part for group in groups for part in _split(group[group[:, axis].argsort()], axis, distance)]
    return groups


def _split(points, axis, distance):
    breaks = (points[1:, axis] - points[:-1, axis] > distance).nonzero()[:, 0].tolist()
    bounds = [0, *(i + 1 for i in breaks), len(points)]
    return [points[a:b] for a, b in pairwise(bounds)]
