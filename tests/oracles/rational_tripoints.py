"""Tripoints in exact rational arithmetic: in a cell of the rational oracle, three affine logits tie at one point."""

from itertools import combinations

from oracles.rational_regions import rational_regions


def rational_tripoints(network, lower=(-1, -1), upper=(1, 1)):
    """{(x, y): classes that tie at the maximum there}, for the isolated ties of three or more in the closed box.

    Ties of three along a line or in an area are not isolated and are left out.
    """
    found = {}
    for cell in rational_regions(network, lower, upper):
        for i, j, k in combinations(range(len(cell.constant)), 3):
            point = _tie(cell, i, j, k)
            if point is None or not _contains(cell.polygon, point):
                continue
            values = [p * point[0] + q * point[1] + r for (p, q), r in zip(cell.jacobian, cell.constant, strict=True)]
            if values[i] == max(values):
                found[point] = frozenset(c for c, v in enumerate(values) if v == values[i])
    return found


def _tie(cell, i, j, k):
    (a, b), (c, d) = (
        tuple(u - v for u, v in zip(cell.jacobian[i], cell.jacobian[other], strict=True)) for other in (j, k)
    )
    e, f = (cell.constant[other] - cell.constant[i] for other in (j, k))
    determinant = a * d - b * c
    return None if determinant == 0 else ((e * d - b * f) / determinant, (a * f - e * c) / determinant)


def _contains(polygon, point):
    x, y = point
    edges = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    return all((q[0] - p[0]) * (y - p[1]) >= (q[1] - p[1]) * (x - p[0]) for p, q in edges)
