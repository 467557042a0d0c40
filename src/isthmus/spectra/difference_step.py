"""Over what distance to take differences: far enough to rise above the noise, near enough not to see the bend."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from isthmus.errors import NotDifferentiableError
from isthmus.spectra.ecnoise import POINTS, noise_level
from isthmus.spectra.evaluated import EvaluatedFunction

_PILOTS = 4  # rows at which the noise and the bend are measured
_FIRST, _FACTOR, _TRIES = 1e-6, 100.0, 5  # spacing of the points on a line, in units of the spread
_SCALES = [10.0**-e for e in (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)]  # over which third differences are tried
_ABOVE = 30.0  # times the noise that a third difference must be to count
_FLAT = 1e-4  # in units of the spread: how far around a row a function that has a slope changes for certain
_NEAREST, _FARTHEST = 1e-7, 0.3
EPS = torch.finfo(torch.float64).eps


@dataclass(frozen=True, eq=False)
class DifferenceStep:
    r"""How to take differences of one function.

    Attributes:
        scale: `(d,)`, the spread of each input over the rows: steps are counted in it.
        step: h, in units of `scale`.
        noise: `(m,)`, standard deviation of the noise in each output.
    """

    scale: Tensor
    step: float
    noise: Tensor


def difference_step(function: EvaluatedFunction, x: Tensor, seed: int) -> DifferenceStep:
    r"""Noise by ECnoise, bend by third differences, both along random lines; the step that balances them.

    The error of a central difference is about $ε/(\sqrt2 h) + h^2 |f'''|/6$, least near
    $h = (3 ε / |f'''|)^{1/3}$ in the norms over the outputs.

    Args:
        function: f.
        x: `(n, d)`, float64.
        seed: Of the lines.

    Raises:
        NotDifferentiableError: If f is constant around most rows and jumps between them.

    Source:
        Moré and Wild (2012), Estimating derivatives of noisy simulations.
    """
    scale = x.std(0, correction=0)
    typical = x.abs().mean(0)
    scale = torch.where(scale > 1e-8 * typical, scale, torch.where(typical > 0, typical, 1.0))
    generator = torch.Generator().manual_seed(seed)
    chosen = x[torch.linspace(0, len(x) - 1, min(_PILOTS, len(x))).round().long()]
    lines = torch.randn(len(chosen), x.shape[1], generator=generator, dtype=torch.float64)
    lines = lines / lines.norm(dim=1, keepdim=True) * scale
    values = function.watch(chosen)
    _check_slopes(function, chosen, lines, values)
    rounding = EPS * values.abs().amax(0)
    found = torch.stack([_noise(function, row, line) for row, line in zip(chosen, lines, strict=True)])
    found = found.square().mean(0).sqrt()
    noise = torch.maximum(torch.maximum(found, rounding), torch.full_like(rounding, function.deviation))
    bend = torch.stack([_bend(function, row, line, noise) for row, line in zip(chosen, lines, strict=True)]).amax(0)
    best = (3.0 * float(noise.norm()) / max(float(bend.norm()), 1e-300)) ** (1.0 / 3.0)
    return DifferenceStep(scale, min(max(best, _NEAREST), _FARTHEST), noise)


def _check_slopes(function: EvaluatedFunction, rows: Tensor, lines: Tensor, values: Tensor) -> None:
    """Refuse a function that is constant around most rows and yet varies between them."""
    offsets = torch.linspace(-1.0, 1.0, POINTS, dtype=torch.float64)[:, None, None] * (_FLAT * lines)
    around = function((rows + offsets).flatten(0, 1)).reshape(POINTS, len(rows), -1)
    flat = (around == values).all(2).all(0)
    if 2 * int(flat.sum()) > len(rows) and bool((values[flat] != values[flat][:1]).any()):
        cause = "it is constant around most rows and jumps between them, as trees do and what rounds"
        raise NotDifferentiableError(function.name, cause)


def _noise(function: EvaluatedFunction, row: Tensor, line: Tensor) -> Tensor:
    """The noise of each output near one row; 0 where no spacing shows any."""
    spacing, found = _FIRST, None
    steps = torch.arange(POINTS, dtype=torch.float64) - (POINTS - 1) / 2
    for _ in range(_TRIES):
        noise, why = noise_level(function(row + spacing * steps[:, None] * line))
        found = noise if found is None else torch.maximum(found, noise)
        if bool((why == 1).any()):
            break
        # Most outputs decide: too far apart for noise to show, or so close that values are equal.
        spacing = spacing / _FACTOR if float((why == 2).double().mean()) >= 0.5 else spacing * _FACTOR
    assert found is not None
    return found


def _bend(function: EvaluatedFunction, row: Tensor, line: Tensor, noise: Tensor) -> Tensor:
    """|f'''| of each output along a line: from the nearest points that show it above the noise."""
    places = torch.tensor([2.0, 1.0, -1.0, -2.0], dtype=torch.float64)
    weights = torch.tensor([0.5, -1.0, 1.0, -0.5], dtype=torch.float64)
    points = torch.cat([row + s * places[:, None] * line for s in _SCALES])
    values = function(points).reshape(len(_SCALES), 4, -1)
    thirds = (weights[None, :, None] * values).sum(1).abs()
    scales = torch.tensor(_SCALES, dtype=torch.float64)[:, None]
    seen = thirds > _ABOVE * noise
    # Where nothing rises above the noise the farthest points bound the bend.
    bound = (thirds[0] + _ABOVE * noise) / _SCALES[0] ** 3
    found = thirds / scales**3
    last = (seen.long() * torch.arange(1, len(_SCALES) + 1)[:, None]).amax(0)
    picked = found.gather(0, (last - 1).clamp_min(0)[None])[0]
    return torch.where(last > 0, picked, bound)
