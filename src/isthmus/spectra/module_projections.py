"""Through how few numbers a module can be passed: projections at the places through which everything must go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from isthmus.errors import NonFiniteOutputError
from isthmus.networks.evaluation import evaluating
from isthmus.networks.rowwise import RowFunction
from isthmus.spectra.units import Units

_WIDEST = 4096  # numbers at a cut that are still decomposed
_LARGEST = 256  # k is doubled and bisected up to here
_CHUNK = 256


@dataclass(frozen=True)
class ProjectionPoint:
    r"""The best projection of f on k principal directions of one cut.

    Attributes:
        rank: k.
        cut: 0 for the inputs, then the parts of the (nested) Sequential in order; the last one is the output.
        name: The part whose output is projected, "inputs" for the inputs.
        change: $\|f - f_k\| / \|f - \bar f\|$ over the rows, root mean squares.
    """

    rank: int
    cut: int
    name: str
    change: float


@dataclass(frozen=True, eq=False)
class _Cut:
    """A place, the mean of what passes it `(d,)`, and `(d, r)` matrices to principal coordinates and back from them."""

    number: int
    name: str
    part: nn.Module | None
    mean: Tensor
    encode: Tensor
    decode: Tensor


def outputs_at(function: RowFunction, x: Tensor, numbers: Tensor) -> Tensor:
    """f at the rows of `x`, `(n, d_out)` in the dtype it computes in.

    Args:
        function: Any function of rows.
        x: `(n, *input_shape)`.
        numbers: Of the rows in the data, for messages.

    Raises:
        NonFiniteOutputError: If an output is NaN or infinite.
    """
    with evaluating(function.module), torch.no_grad():
        outputs = torch.cat([function(_home(function, rows)) for rows in x.split(_CHUNK)])
    if not bool(torch.isfinite(outputs).all()):
        row, column = (~torch.isfinite(outputs)).nonzero()[0].tolist()
        raise NonFiniteOutputError(function.name, int(numbers[row]), column)
    return outputs


def projection_curve(
    function: RowFunction, x: Tensor, outputs: Tensor, units: Units, *, until: float
) -> list[ProjectionPoint]:
    """For several k the best cut, ascending in k, down to the smallest k found whose change is at most `until`.

    The parts of a Sequential are cuts, and so are inputs and outputs: whatever passes them, passes nothing else.
    Keeping k principal directions there *is* a factorisation through R^k, so each entry bounds Rank_BN at its change
    from above. The k are tried by doubling and bisection, which assumes that a larger k is no worse.

    Args:
        function: Any function of rows.
        x: `(n, *input_shape)`.
        outputs: f there, `(n, d_out)`.
        units: What inputs and outputs are counted in.
        until: Relative change of f.
    """
    with evaluating(function.module), torch.no_grad():
        outputs, weigh = outputs.double(), units.outputs.to(outputs.device)
        spread = float(((outputs - outputs.mean(0)) * weigh).square().sum())
        cuts = _cuts(function, x, units)
        found: dict[int, ProjectionPoint] = {}

        def at(rank: int) -> ProjectionPoint:
            if rank not in found:
                tried = [_projected(function, x, outputs, weigh, spread, cut, rank) for cut in cuts]
                found[rank] = min(tried, key=lambda each: each.change)
            return found[rank]

        largest = min(_LARGEST, function.d_in, function.d_out, max((cut.encode.shape[1] for cut in cuts), default=0))
        if cuts and at(0).change > until:
            low, high = 0, 1
            while high < largest and at(high).change > until:
                low, high = high, 2 * high
            high = min(high, largest)
            at(high)
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if at(middle).change <= until else (middle, high)
    return [found[rank] for rank in sorted(found)]


def _cuts(function: RowFunction, x: Tensor, units: Units) -> list[_Cut]:
    # The whole module comes last: its output is a cut also where its last part is used elsewhere as well.
    parts = _sequence(function.module, "")
    places: list[tuple[str, nn.Module | None]] = [("inputs", None), *parts]
    if parts[-1][1] is not function.module:
        places.append(("outputs", function.module))
    seen: dict[int, list[Tensor]] = {}

    def add(number: int, value: Any) -> None:
        if isinstance(value, Tensor) and value.is_floating_point() and value[0].numel() <= _WIDEST:
            seen.setdefault(number, []).append(value.reshape(len(value), -1).clone())

    handles = [
        part.register_forward_hook(lambda _, __, output, number=number: add(number, output))
        for number, (_, part) in enumerate(places)
        if part is not None
    ]
    try:
        for rows in x.split(_CHUNK):
            add(0, rows)
            function(_home(function, rows))
    finally:
        for handle in handles:
            handle.remove()
    # What is called twice in a pass is no single place that everything must go through.
    once = {number: torch.cat(rows) for number, rows in sorted(seen.items()) if len(rows) == len(x.split(_CHUNK))}
    finite = {number: rows for number, rows in once.items() if bool(torch.isfinite(rows).all())}
    # Inputs and outputs are told apart by their units; numbers inside the module share whatever unit they have.
    sizes = {0: units.inputs, len(places) - 1: torch.where(units.outputs > 0, 1.0 / units.outputs, 0.0)}
    return [_cut(number, *places[number], rows, sizes.get(number)) for number, rows in finite.items()]


def _cut(number: int, name: str, part: nn.Module | None, rows: Tensor, size: Tensor | None) -> _Cut:
    """Mean and principal axes of the rows `(n, d)` in units of `size`, those below float32 rounding left out."""
    exact = rows.double()
    size = torch.ones_like(exact[0]) if size is None or len(size) != exact.shape[1] else size.to(exact)
    inverse = torch.where(size > 0, 1.0 / size.where(size > 0, 1.0), 0.0)
    counted = exact * inverse
    mean = counted.mean(0)
    # There are few rows and often more columns: the decomposition of the rows is the smaller one.
    _, deviations, axes = torch.linalg.svd(counted - mean, full_matrices=False)
    floor = deviations[0] + mean.norm() * len(rows) ** 0.5
    kept = axes[deviations > floor * torch.finfo(torch.float32).eps].T
    return _Cut(number, name, part, exact.mean(0), inverse[:, None] * kept, size[:, None] * kept)


def _sequence(module: nn.Module, name: str) -> list[tuple[str, nn.Module]]:
    """The parts of nested Sequentials; for any other module only its own output."""
    if type(module).forward is not nn.Sequential.forward:
        return [(name or "outputs", module)]
    return [
        place
        for child, part in module._modules.items()
        if part is not None
        for place in _sequence(part, f"{name}.{child}".lstrip("."))
    ]


def _projected(
    function: RowFunction, x: Tensor, outputs: Tensor, weigh: Tensor, spread: float, cut: _Cut, rank: int
) -> ProjectionPoint:
    encode, decode = cut.encode[:, :rank], cut.decode[:, :rank]

    def projected(value: Tensor) -> Tensor:
        rows = value.flatten(1).double() - cut.mean
        return (cut.mean + rows @ encode @ decode.T).to(value.dtype).reshape(value.shape)

    handle = None
    if cut.part is not None:
        handle = cut.part.register_forward_hook(lambda _, __, output: projected(output))
    try:
        change = 0.0
        for rows, expected in zip(x.split(_CHUNK), outputs.split(_CHUNK), strict=True):
            rows = _home(function, rows)
            result = function(rows if cut.part is not None else projected(rows))
            change += float(((result.double() - expected) * weigh).square().sum())
    finally:
        if handle is not None:
            handle.remove()
    return ProjectionPoint(rank, cut.number, cut.name, (change / spread) ** 0.5 if spread > 0 else 0.0)


def _home(function: RowFunction, rows: Tensor) -> Tensor:
    return rows.to(dtype=function.dtype, device=function.device)
