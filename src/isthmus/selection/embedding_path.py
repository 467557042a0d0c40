"""Functions of k = 1, 2, … linear combinations of the inputs, learned from the rows that a fold does not hold out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from isthmus.foundation.span import span_axes
from isthmus.foundation.statistics import weighted_mean
from isthmus.foundation.task import Task
from isthmus.networks import FullyConnected
from isthmus.selection.embedded_process import EmbeddedProcess
from isthmus.spectra import jacobians, spaced
from isthmus.training import FittedNetwork

MOST = 24
"""Combinations that are looked at."""
_FIRST = 6  # combinations of the first path; while all of them are best, twice as many
_SMOOTH = 0.3  # variance of all combinations to begin with: from rougher kernels the search ends in local optima
_EVALUATIONS, _MOST_EVALUATIONS = 10, 36  # of the widest process, one more for every two inputs, and at most
_REFITS, _MOST_REFITS = 5, 8  # of each that is narrowed from the one before, one more for every 25 inputs, and at most
_FINAL = 25  # of the process of all rows
_ROWS = 4000  # that are learned from
_POINTS = 300  # at which the network is differentiated
_LINES = 0.3  # how much the slope of a linear fit counts beside the network's, which may have missed it
_RIDGE = 0.05  # of the linear fit, in variances of a column
_LEAST = 1e-3  # of the largest eigenvalue: combinations that matter less begin as if they mattered so much
_SPAN = 1e-3  # of the longest axis: less varies where copies of a column are rounded
_ROUNDING = 1e-6  # of the largest deviation of a combination, below which one is none


@dataclass(frozen=True, eq=False)
class EmbeddingPath:
    r"""Processes of k = 1 … K combinations.

    Attributes:
        losses: Squared errors at the held-out rows, `(K + 1, m)`, first of the mean.
        surprises: −log of the evidence, `(K + 1,)`, first of noise alone.
        directions: A of each k, `(K, K, d)`, zero beyond its k rows: combinations of variance 1 without correlation,
            in the order of their effects.
    """

    losses: Tensor
    surprises: Tensor
    directions: Tensor

    @staticmethod
    def empty(inputs: int) -> EmbeddingPath:
        """Of nothing, where no functions of so many inputs are learned."""
        return EmbeddingPath(*(torch.zeros(shape, dtype=torch.float64) for shape in ((0, 0), 0, (0, 0, inputs))))


def path_of_fold(fitted: FittedNetwork, held_out: tuple[Tensor, Tensor], task: Task) -> EmbeddingPath:
    """The path of a fold's training rows, directions in the units of the inputs; empty unless outputs are learned.

    Args:
        fitted: The network of the fold.
        held_out: Inputs `(m, d)` and outputs of the rows that it holds out, in the network's units.
        task: What is learned.
    """
    if task != "regression":
        return EmbeddingPath.empty(fitted.network.d_in)
    x, y = fitted.objective.sample()
    found = embedding_path(fitted.network, (x, y, fitted.objective.weights), held_out)
    return replace(found, directions=in_units(found.directions, fitted.inputs.scale.cpu()))


def embedding_path(
    network: FullyConnected, rows: tuple[Tensor, Tensor, Tensor | None], held_out: tuple[Tensor, Tensor]
) -> EmbeddingPath:
    r"""Learn processes of fewer and fewer combinations, and take their losses at the rows that are held out.

    The widest begins with the leading eigenvectors of $E[\nabla f \nabla f^\top]$ of the network, to which the slope of
    a linear fit is added, and a smooth function of them. Each is narrowed from the one before by its combination of
    least effect, and refitted. While all of them are best, a path of twice as many is learned, up to `MOST`.

    Args:
        network: f, trained on the rows.
        rows: Inputs `(n, d)`, outputs `(n, p)` and weights `(n,)` or None, in the network's units; at most 4,000 evenly
            spaced ones are used.
        held_out: Inputs `(m, d)` and outputs.
    """
    x, y = (spaced(each, _ROWS).cpu().double() for each in rows[:2])
    weights = None if rows[2] is None else spaced(rows[2], _ROWS).cpu().double()
    fresh, truths = (each.cpu().double() for each in held_out)
    mean = weighted_mean(x, weights)
    axes = varying_axes(x, weights)
    process = EmbeddedProcess((x - mean) @ axes, y, weights)
    starts = _starts(network, x, y, axes)
    losses = [(weighted_mean(y, weights) - truths).square().sum(1)]
    surprises, directions = [process.surprise_of_noise], list[Tensor]()
    while len(directions) < min(len(starts), MOST) and _is_last_best(losses):
        found = _narrowing(process, starts[: min(2 * len(directions) or _FIRST, MOST)], len(directions))
        wider = [
            ((process.predict(b, (fresh - mean) @ axes) - truths).square().sum(1), surprise, own @ axes.T)
            for b, surprise, own in found
        ]
        for each, surprise, own in reversed(wider):
            losses.append(each)
            surprises.append(surprise)
            directions.append(torch.nn.functional.pad(own, (0, 0, 0, MOST - len(own))))
    return EmbeddingPath(
        torch.stack(losses),
        torch.tensor(surprises, dtype=torch.float64),
        torch.stack(directions)[:, : len(directions)] if directions else x.new_zeros(0, 0, x.shape[1]),
    )


def _narrowing(process: EmbeddedProcess, start: Tensor, fewest: int) -> Iterator[tuple[Tensor, float, Tensor]]:
    """B, its surprise and its ordered combinations for as many as `start` has, and fewer, but more than `fewest`.

    From one to the next the combination of least effect goes; what the others share with it stays.
    """
    inputs = start.shape[1]
    refits = min(_REFITS + inputs // 25, _MOST_REFITS)
    b, evaluations = _smooth(process, start), min(_EVALUATIONS + inputs // 2, _MOST_EVALUATIONS)
    for k in range(len(start), fewest, -1):
        b, surprise = process.fit(b, evaluations)
        ordered, back = _by_effect(process, b)
        yield b, surprise, ordered @ b
        _, values, vectors = torch.linalg.svd(back[:, : k - 1] @ ordered[: k - 1] @ b, full_matrices=False)
        b, evaluations = values[: k - 1, None] * vectors[: k - 1], refits


def _smooth(process: EmbeddedProcess, start: Tensor) -> Tensor:
    """Combinations of little variance in all: the kernel then reaches across the rows, not to neighbours alone."""
    variance = process.covariance(start).trace().clamp_min(torch.finfo(start.dtype).tiny)
    return start * (_SMOOTH / variance).sqrt()


def _by_effect(process: EmbeddedProcess, b: Tensor) -> tuple[Tensor, Tensor]:
    r"""What makes z = Bx ordered combinations, `(k, k)`, and the way back.

    With C the covariance of z and $G = E[\nabla g \nabla g^\top]$ it is $U^\top C^{-1/2}$ with U the eigenvectors of
    $C^{1/2} G C^{1/2}$, the largest eigenvalue first. The ordered combinations have variance 1 and no correlation; they
    do not depend on the units of the inputs.
    """
    values, vectors = torch.linalg.eigh(process.covariance(b))
    scales = values.clamp_min(float(values[-1]) * _ROUNDING**2 + torch.finfo(values.dtype).tiny).sqrt()
    root, inverse = (vectors * scales) @ vectors.T, (vectors / scales) @ vectors.T
    _, axes = torch.linalg.eigh(root @ process.gradient_products(b) @ root)
    axes = axes.flip(1)
    return axes.T @ inverse, root @ axes


def varying_axes(x: Tensor, weights: Tensor | None) -> Tensor:
    """The `span_axes` `(d, r)` of rows `(n, d)` about their mean along which they vary by a thousandth of the most."""
    centred = x - weighted_mean(x, weights)
    axes = span_axes(centred)
    lengths = (centred @ axes).norm(dim=0)
    return axes[:, lengths > _SPAN * lengths[:1]]


def in_units(directions: Tensor, scale: Tensor) -> Tensor:
    """Directions of standardised inputs `(…, d)` as directions of the inputs, whose scales are `scale` `(d,)`.

    Weights that are rounding are zero: the scale of a constant column may be rounding, too.
    """
    least = torch.finfo(directions.dtype).eps * directions.shape[-1] * directions.abs().amax(-1, keepdim=True)
    return torch.where(directions.abs() > least, directions, 0.0) / scale


def directions_of_all(x: Tensor, y: Tensor, weights: Tensor, of_parts: Sequence[Tensor]) -> Tensor:
    """Ordered combinations of a process of rows in standard units, the heaviest column positive: `(k, d)`.

    Args:
        x: Inputs `(n, d)`; at most 4,000 evenly spaced rows are used.
        y: Outputs `(n, p)`.
        weights: How much each row counts, `(n,)`, positive.
        of_parts: Those of parts of them, with whose common span the search begins.
    """
    x, y, weights = (spaced(each, _ROWS) for each in (x, y, weights))
    axes = varying_axes(x, weights)
    process = EmbeddedProcess((x - weighted_mean(x, weights)) @ axes, y, weights)
    every = torch.cat(list(of_parts)) @ axes
    _, vectors = torch.linalg.eigh(process.covariance(every))
    common = vectors.flip(1)[:, : len(of_parts[0])].T @ every
    b, _ = process.fit(_smooth(process, common), _FINAL)
    found = _by_effect(process, b)[0] @ b @ axes.T
    heaviest = found.gather(1, found.abs().argmax(1, keepdim=True))
    return torch.where(heaviest < 0.0, -found, found)


def _starts(network: FullyConnected, x: Tensor, y: Tensor, axes: Tensor) -> Tensor:
    """Combinations in the order in which the network and a linear fit say that they matter, `(r, r)`, as rows."""
    points = spaced(x, _POINTS).to(network.weights[0])
    slopes = jacobians(network, points).cpu().double().reshape(-1, x.shape[1]) @ axes
    centred = (x - x.mean(0)) @ axes
    gram = centred.T @ centred / len(x)
    gram.diagonal().add_(_RIDGE * float(gram.diagonal().mean()))
    line = torch.linalg.solve(gram, centred.T @ (y - y.mean(0)))
    least = torch.finfo(x.dtype).tiny
    products = slopes.T @ slopes / slopes.square().sum().clamp_min(least)
    products += _LINES * (line @ line.T) / line.square().sum().clamp_min(least)
    if not len(products):  # nothing varies
        return products
    values, vectors = torch.linalg.eigh(products)
    lengths = values.clamp_min(_LEAST * float(values[-1]) + least).sqrt()
    starts: Tensor = (vectors * lengths).flip(1).T
    return starts


def _is_last_best(losses: list[Tensor]) -> bool:
    means = [float(each.mean()) for each in losses]
    return means[-1] == min(means)
