r"""Theorem 1's upper half, built: g, identity layers on R^k, h, with every layer written out and evaluated.

For random halves and for the tripod, through nonnegative coordinates as the proof has it; and, where σ is steeper than
1 below zero, through negative ones, which shows that the lower half of the theorem needs |σ′| ≤ 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from isthmus.costs import StretchedNetwork, three_part
from isthmus.costs.construction import shifted_inputs, shifted_outputs
from isthmus.experiments.experiment import Claim, Numbers
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import RELU, Activation, FullyConnected, affine, compose
from isthmus.networks.catalogue import tripod
from isthmus.spectra import jacobian_spectra

_ROUNDING = 1e-9  # relative to the largest |f|: double precision through 10,000 layers
_EXACT = 1e-12  # relative: two sums of the same 20,000 squares in another order
_CONSTANT = 1e-6  # relative: a difference of two numbers near 30,000
_INPUTS, _HIDDEN = 3, 8  # of the random halves
TRIPOD = -1  # in place of a seed: not random halves but the identity of the plane and the tripod


def construction(depths: Sequence[int], rank: int, seed: int, *, rows: int, slope: float = 0.0) -> Numbers:
    """Theorem 1's network at each depth, written out: its norm, and how far it is from h ∘ g at random rows.

    Args:
        depths: L.
        rank: k.
        seed: Of the halves and the rows; `TRIPOD` for the tripod.
        rows: How many, in [−1, 1]^d.
        slope: a of σ below zero; above 1 the middle passes negative numbers.
    """
    activation = Activation(slope) if slope else RELU
    g, h = halves(rank, seed, activation)
    generator = torch.Generator().manual_seed(seed + 1000)
    x = 2 * torch.rand(rows, g.d_in, generator=generator, dtype=torch.float64) - 1
    f = compose(h, g)
    expected = f(x)
    low, high = reach(g)
    path = []
    for depth in depths:
        built = through_negative(g, h, depth, high) if slope > 1.0 else three_part(g, h, depth, outputs_above=low)
        dense = built.dense()
        ends = built.encoder.squared_norm + built.decoder.squared_norm
        path.append(
            {
                "depth": depth,
                "norm_per_depth": dense.norm_per_depth,
                "formula": ends + rank * (depth - g.depth - h.depth) * _price(activation),
                "norm": dense.squared_norm,
                "gap": float((dense(x) - expected).abs().max() / expected.abs().max()),
            }
        )
    ranks = jacobian_spectra(f, x).ranks(Tolerance(_ROUNDING))
    return {"path": path, "jacobian_rank": int(ranks.max())}


def _price(activation: Activation) -> float:
    """What a layer costs that passes one number on the cheaper side of σ."""
    return 1.0 / max(1.0, abs(activation.negative_slope)) ** 2


def halves(rank: int, seed: int, activation: Activation) -> tuple[FullyConnected, FullyConnected]:
    """g: R^3 → R^k and h: R^k → R^3 of depth 2 with Gaussian weights; for `TRIPOD` the identity and the tripod."""
    if seed == TRIPOD:
        return affine(torch.eye(2, dtype=torch.float64)), tripod()
    generator = torch.Generator().manual_seed(seed)

    def drawn(*widths: int) -> FullyConnected:
        weights = [
            torch.randn(out, fan_in, generator=generator, dtype=torch.float64) / math.sqrt(fan_in)
            for fan_in, out in pairwise(widths)
        ]
        biases = [0.3 * torch.randn(out, generator=generator, dtype=torch.float64) for out in widths[1:]]
        return FullyConnected(tuple(weights), tuple(biases), activation)

    return drawn(_INPUTS, _HIDDEN, rank), drawn(rank, _HIDDEN, _INPUTS)


def reach(network: FullyConnected) -> tuple[Tensor, Tensor]:
    """Bounds of the outputs on [−1, 1]^d, `(d_out,)` each, by interval arithmetic."""
    low, high = -torch.ones(network.d_in, dtype=torch.float64), torch.ones(network.d_in, dtype=torch.float64)
    for layer, (w, b) in enumerate(zip(network.weights, network.biases, strict=True), start=1):
        up, down = w.clamp_min(0), w.clamp_max(0)
        low, high = up @ low + down @ high + b, up @ high + down @ low + b
        if layer < network.depth:  # every activation here increases
            low, high = network.activation(low), network.activation(high)
    return low, high


def through_negative(g: FullyConnected, h: FullyConnected, depth: int, high: Tensor) -> StretchedNetwork:
    r"""Theorem 1's network where σ has slope a > 1 below zero: k numbers shifted below zero pass weights of 1/a.

    $\sigma(z / a) = z$ for z ≤ 0, so such a layer costs k/a². The last σ leaves a z, which h divides by a.
    """
    a = g.activation.negative_slope
    shift = -high.clamp_min(0.0)
    decoder = shifted_inputs(h, shift)
    decoder = FullyConnected((decoder.weights[0] / a, *decoder.weights[1:]), decoder.biases, h.activation)
    scale = torch.full_like(high, 1.0 / a)
    return StretchedNetwork(shifted_outputs(g, shift), scale, depth - g.depth - h.depth, decoder)


def construction_claims(rows: Sequence[Mapping[str, Any]]) -> list[Claim]:
    """What it computes, what it costs, and where that tends to."""
    path = [(row["rank"], each) for row in rows for each in row["path"]]
    gap = max((each["gap"] for _, each in path), default=math.inf)
    apart = max((abs(each["norm"] / each["formula"] - 1) for _, each in path), default=math.inf)
    deepest = max((each["depth"] for _, each in path), default=0)
    excess = [each["norm_per_depth"] - k for k, each in path if each["depth"] == deepest]
    constants = [
        abs(each["depth"] * (each["norm_per_depth"] - row["rank"]) - last) / max(1.0, abs(last))
        for row in rows
        for last in [row["path"][-1]["depth"] * (row["path"][-1]["norm_per_depth"] - row["rank"])]
        for each in row["path"]
    ]
    return [
        Claim(
            "an FPLF f = h ∘ g is a network of three parts: g, identity layers on R^k, h",
            "‖w‖² = ‖w_g‖² + k(L − L_g − L_h) + ‖w_h‖²",
            f"f to {gap:.1e}, ‖w‖² to {apart:.1e}, both relative; {len(rows)} functions, L up to {deepest}",
            gap < _ROUNDING and apart < _EXACT if path else None,
            "random h ∘ g with k = 1, 2, 3 and the tripod; every layer written out and evaluated at the rows; g is "
            f"shifted once to nonnegative values and h takes the shift back. Rules: {_ROUNDING:g} and {_EXACT:g}",
        ),
        Claim(
            "the middle part dominates as L → ∞: ‖w‖²/L → k",
            "R/L → k at most",
            f"‖w‖²/L − k = {min(excess, default=math.nan):.2g} to {max(excess, default=math.nan):.2g} at L = {deepest}",
            None if not constants else max(constants) < _CONSTANT,
            f"L (‖w‖²/L − k) is the same at every depth, to {_CONSTANT:g} of itself",
        ),
    ]


def steep_claim(rows: Sequence[Mapping[str, Any]]) -> Claim:
    """Whether R/L stays above Rank_J also where |σ′| > 1."""
    ends = [(row["jacobian_rank"], row["path"][-1]) for row in rows]
    below = [rank for rank, each in ends if each["gap"] < _ROUNDING and each["norm_per_depth"] < rank]
    costs = {
        rank: [each["norm_per_depth"] for other, each in ends if other == rank] for rank in sorted({r for r, _ in ends})
    }
    return Claim(
        "Rank_J ≤ R_∞ also where σ is steeper than 1",
        "the slides ask for a homogeneous σ and no more; the proof of Proposition 3 uses |σ′| ≤ 1",
        "; ".join(f"Rank_J = {rank}: ‖w‖²/L = {min(found):.2f} to {max(found):.2f}" for rank, found in costs.items()),
        None if not ends else not below,
        "leaky ReLU whose slope below zero is a = 3: a layer passes a negative value on for a weight of 1/a, so "
        f"networks of R/L → k/a² compute f (here at L = {ends[0][1]['depth'] if ends else 0}, to {_ROUNDING:g}). The "
        "theorem holds with Rank_J/a² below; for |a| ≤ 1 as stated",
    )
