"""A network in exact rational arithmetic: every float is a fraction, so nothing is rounded."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class RationalNetwork:
    """Weights as rows of fractions, biases as lists, and the slope of σ left of zero."""

    weights: list[list[list[Fraction]]]
    biases: list[list[Fraction]]
    slope: Fraction


def rational_network(network):
    """The same weights, exactly (a float is a dyadic fraction)."""
    return RationalNetwork(
        [[[Fraction(v) for v in row] for row in w.tolist()] for w in network.weights],
        [[Fraction(v) for v in b.tolist()] for b in network.biases],
        Fraction(network.activation.negative_slope),
    )


def dot(u, v):
    return sum((a * b for a, b in zip(u, v, strict=True)), Fraction(0))


def exact_values(network, x):
    """f(x) as a list of fractions, for one point x (numbers that convert exactly)."""
    net = rational_network(network)
    a = [Fraction(v) for v in x]
    for layer, (w, b) in enumerate(zip(net.weights, net.biases, strict=True), start=1):
        a = [dot(row, a) + c for row, c in zip(w, b, strict=True)]
        if layer < len(net.weights):
            a = [max(z, Fraction(0)) + net.slope * min(z, Fraction(0)) for z in a]
    return a


def exact_rank(matrix):
    """Rank of a matrix of fractions, by elimination."""
    rows = [list(row) for row in matrix]
    rank = 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((r for r in range(rank, len(rows)) if rows[r][column] != 0), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        for r in range(rank + 1, len(rows)):
            factor = rows[r][column] / rows[rank][column]
            if factor:
                rows[r] = [v - factor * p for v, p in zip(rows[r], rows[rank], strict=True)]
        rank += 1
    return rank


def exact_jacobian(network, x):
    """Jf(x) as rows of fractions, at a point where no pre-activation is zero unless its gradient is too."""
    net = rational_network(network)
    d = len(x)
    a = [Fraction(v) for v in x]
    tangents = [[Fraction(i == j) for j in range(d)] for i in range(d)]
    for layer, (w, b) in enumerate(zip(net.weights, net.biases, strict=True), start=1):
        z = [dot(row, a) + c for row, c in zip(w, b, strict=True)]
        gradients = [[dot(row, [t[j] for t in tangents]) for j in range(d)] for row in w]
        if layer == len(net.weights):
            return gradients
        assert all(v != 0 or not any(g) for v, g in zip(z, gradients, strict=True)), "the point lies on a kink"
        slopes = [Fraction(1) if v > 0 else net.slope for v in z]
        a = [s * v for s, v in zip(slopes, z, strict=True)]
        tangents = [[s * v for v in g] for s, g in zip(slopes, gradients, strict=True)]
    raise AssertionError("a network has at least one layer")
