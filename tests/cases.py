"""Shared cases: networks whose function, rank or layers are known by construction; and which cases run by default."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from isthmus.networks import ABSOLUTE, IDENTITY, RELU, Activation, FullyConnected

ACTIVATIONS = [RELU, Activation(0.1), IDENTITY, ABSOLUTE]


def random_layers(widths, activation, seed, *, dtype=torch.float64):
    """A network with independent Gaussian weights and biases, scaled so that signals keep their size."""
    generator = torch.Generator().manual_seed(seed)
    weights = [
        torch.randn(o, i, generator=generator, dtype=torch.float64) * (2.0 / i) ** 0.5 for i, o in pairwise(widths)
    ]
    biases = [0.3 * torch.randn(o, generator=generator, dtype=torch.float64) for o in widths[1:]]
    return FullyConnected(tuple(w.to(dtype) for w in weights), tuple(b.to(dtype) for b in biases), activation)


def through(k, seed, *, d=9, width=30, dtype=torch.float64):
    """f = h ∘ g with a linear layer of width k inside: Rank_BN ≤ k, and Rank_J = k for generic weights."""
    g = random_layers((d, width, k), RELU, seed)
    h = random_layers((k, width, d), RELU, seed + 1)
    weights = (g.weights[0], h.weights[0] @ g.weights[1], h.weights[1])
    biases = (g.biases[0], h.weights[0] @ g.biases[1] + h.biases[0], h.biases[1])
    return FullyConnected(tuple(w.to(dtype) for w in weights), tuple(b.to(dtype) for b in biases), RELU)


def thinned(names, cases, *, keep, ids=None):
    """`pytest.mark.parametrize` of which some cases run by default, and all of them with `make test-all`.

    `keep` cases are evenly spread, the first and the last among them. Of several arguments every value occurs: the
    first case that has one that is missing is kept too. The others are marked "exhaustive".
    """
    several = not isinstance(names, str) or "," in names
    rows = [tuple(case) if several else (case,) for case in cases]
    kept = {round(i * (len(rows) - 1) / max(1, keep - 1)) for i in range(keep)}
    seen = {(column, repr(value)) for i in kept for column, value in enumerate(rows[i])}
    for i, row in enumerate(rows if several else []):
        values = {(column, repr(value)) for column, value in enumerate(row)}
        if not values <= seen:
            kept.add(i)
            seen |= values
    marks = [() if i in kept else pytest.mark.exhaustive for i in range(len(rows))]
    return pytest.mark.parametrize(
        names, [pytest.param(*row, marks=mark) for row, mark in zip(rows, marks, strict=True)], ids=ids
    )


def named(value):
    """How a case is called in the name of a test; None leaves it to pytest."""
    return getattr(value, "name", getattr(value, "__name__", None))
