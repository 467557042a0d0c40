"""Affine maps that follow each other without a kink: multiplied out, or held as two factors where that is smaller."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.compression.fold import Fold
from isthmus.networks.chain import Chain, Layer

_ROWS = 256
_NEAR = 10.0  # times the share that may be left out: how far a guessed range may be from the best one
ROOMS = (4.0, 0.25, 0.0)
"""Roundings that a singular value may be; less where that shows in the outputs, at last nothing."""


@dataclass(frozen=True, eq=False)
class Precision:
    """What counts as rounding.

    Attributes:
        unit: Relative spacing of numbers in the model's own precision.
        room: How many units a rounded factor may leave in a product.
    """

    unit: float
    room: float

    def tail(self, factors: int) -> float:
        """Share of a product's norm that is the rounding of so many factors."""
        return self.room * self.unit * factors


def with_short_runs(chain: Chain, precision: Precision) -> tuple[Chain, list[Fold]]:
    """The same function with each run of affine maps as one map, or as two through its numerical rank.

    Two where that takes fewer numbers. The numerical rank leaves out singular values that together, as a share of the
    Frobenius norm, are what `room` roundings of each factor's entries leave.
    """
    layers: list[Layer] = []
    folds: list[Fold] = []
    for run in _runs(chain.layers):
        made, share = _shortened(run, precision)
        names = tuple(layer.name for layer in run)
        numbers = sum(layer.weight.numel() for layer in made)
        if numbers >= sum(layer.weight.numel() for layer in run) and len(made) >= len(run):
            layers += run
            continue
        layers += made
        if len(run) > len(made):
            folds.append(Fold("linear run", names, (), "no activation between them: the product of their matrices"))
        if len(made) == 2:
            rank = len(made[0].bias)
            proof = f"its matrix has numerical rank {rank} of {min(run[0].weight.shape[1], len(run[-1].bias))}"
            folds.append(Fold("low rank", names, (), proof, share))
    return Chain(tuple(layers)), folds


def multiplied_out(chain: Chain) -> Chain:
    """The same function with each run of affine maps as one map."""
    return Chain(tuple(_product(run) for run in _runs(chain.layers)))


def _runs(layers: Sequence[Layer]) -> list[list[Layer]]:
    """Layers that follow each other without an activation."""
    runs: list[list[Layer]] = [[]]
    for layer in layers:
        runs[-1].append(layer)
        if not layer.activation.is_linear:
            runs.append([])
    return [run for run in runs if run]


def _shortened(run: list[Layer], precision: Precision) -> tuple[list[Layer], float]:
    """The run in as few numbers as it takes, and the share of its matrix that was left out."""
    first, last = run[0], run[-1]
    d_in, d_out = first.weight.shape[1], len(last.bias)
    widths = [len(layer.bias) for layer in run[:-1]]
    narrow = min(range(len(widths)), key=widths.__getitem__) if widths else None
    tail, left = precision.tail(len(run)), 0.0
    whole: Layer | None = None
    if narrow is None or widths[narrow] * (d_in + d_out) >= d_in * d_out:
        whole = _product(run)
        found = _narrow_svd(whole.exact.weight, tail)
        if found is None:
            return [whole], 0.0
        u, s, vt, left = found
        bias = whole.exact.bias
    else:
        before, after = _product(run[: narrow + 1]).exact, _product(run[narrow + 1 :]).exact
        q_out, r_out = torch.linalg.qr(after.weight)
        q_in, r_in = torch.linalg.qr(before.weight.T)
        u, s, vt = torch.linalg.svd(r_out @ r_in.T)
        u, vt = q_out @ u, vt @ q_in.T
        bias = torch.addmv(after.bias, after.weight, before.bias)
    rank = _numerical_rank(s, tail, left)
    size = math.hypot(float(s.norm()), left)
    share = math.hypot(float(s[rank:].norm()), left) / size if size > 0 else 0.0
    if whole is not None and rank * (d_in + d_out + 1) >= d_in * d_out:
        return [whole], 0.0
    roots = s[:rank].sqrt()
    name = f"{first.name} to {last.name}" if len(run) > 1 else first.name
    return [
        Layer(roots[:, None] * vt[:rank], bias.new_zeros(rank), name=f"{name}, in"),
        Layer(u[:, :rank] * roots, bias, last.activation, f"{name}, out"),
    ], share


def _product(run: Sequence[Layer]) -> Layer:
    """The run as one layer: itself where it is one, else in float64."""
    if len(run) == 1:
        return run[0]
    weight, bias = run[0].exact.weight, run[0].exact.bias
    for layer in (each.exact for each in run[1:]):
        weight, bias = layer.weight @ weight, torch.addmv(layer.bias, layer.weight, bias)
    return Layer(weight, bias, run[-1].activation, f"{run[0].name} to {run[-1].name}")


def _numerical_rank(s: Tensor, tail: float, left: float) -> int:
    """Fewest singular values whose rest, with what is left out already, is a share `tail` of the norm; at least one."""
    rest = (s.flip(0).square().cumsum(0) + left**2).sqrt()
    return max(1, len(s) - int((rest <= tail * math.hypot(float(s.norm()), left)).sum()))


def _narrow_svd(weight: Tensor, tail: float) -> tuple[Tensor, Tensor, Tensor, float] | None:
    """The decomposition of a matrix whose rank may be small enough for two factors, and the norm that it leaves out.

    A product with a random matrix of as many columns as would pay has the range of a narrow matrix: what is
    decomposed is then half as large. None where clearly more is outside of that range than the share `tail`.

    Source:
        Halko, Martinsson and Tropp (2011).
    """
    n, m = weight.shape
    most = n * m // (n + m + 1)
    if most < 1:
        return None
    generator = torch.Generator().manual_seed(0)
    basis = torch.linalg.qr(weight @ torch.randn(m, most, generator=generator, dtype=weight.dtype)).Q
    inside = basis.T @ weight
    left, size = _distance(weight, basis, inside), float(weight.norm())
    if left > max(_NEAR * tail, most * torch.finfo(weight.dtype).eps) * size:
        return None
    if left > 0.5 * tail * size:  # too near to the limit for a range that was guessed
        return (*torch.linalg.svd(weight, full_matrices=False), 0.0)
    u, s, vt = torch.linalg.svd(inside, full_matrices=False)
    return basis @ u, s, vt, left


def _distance(weight: Tensor, basis: Tensor, inside: Tensor) -> float:
    """Norm of a matrix less a product, some rows at a time: a large matrix is not held twice."""
    parts = zip(weight.split(_ROWS), basis.split(_ROWS), strict=True)
    return math.hypot(*(float(torch.addmm(part, rows, inside, alpha=-1.0).norm()) for part, rows in parts))
