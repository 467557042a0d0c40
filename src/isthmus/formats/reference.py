"""What a file computes by its own runtime, beside what was loaded from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from isthmus.errors import DisagreementError
from isthmus.foundation.rows import Rows
from isthmus.networks.evaluation import evaluating

_ROWS = 64  # compared, evenly spaced
_TOLD = 0.01  # relative differences above it can only be those of tiny outputs
_SHARE = 1e-3  # of the spread of an output over the rows: what is measured is how outputs vary


@dataclass(frozen=True, eq=False)
class Reference:
    """The runtime that a file was made for.

    Attributes:
        runtime: Its name and version.
        run: Rows to outputs, in the order and by the names of the file. Raises `CannotRunError` where it refuses.
        precision: Relative rounding of the coarsest numbers in the file.
        source: The file.
        unavailable: Why there is nothing to compare with; empty if there is.
        notes: What a reader should know about how the file was loaded.
    """

    runtime: str
    run: Callable[[Tensor], dict[str, Tensor]]
    precision: float
    source: str
    unavailable: str = ""
    notes: tuple[str, ...] = ()


class CannotRunError(Exception):
    """A runtime refuses its own file; the message is its own."""


def agreement(model: nn.Module, rows: Rows) -> tuple[str, ...]:
    """Compare a loaded model with the runtime of its file on the given rows; sentences that say what was found.

    An output may differ by a thousandth of its spread over the rows and by the rounding of the file's own numbers.

    Args:
        model: A module; one that was not loaded from a file has nothing to be compared with.
        rows: `(n, …)`; at most 64 of them are compared.

    Raises:
        DisagreementError: If an output has another shape or differs by more.
    """
    reference = getattr(model, "reference", None)
    if not isinstance(reference, Reference):
        return ()
    if reference.unavailable:
        return (*reference.notes, f"Not compared with the file's own runtime: {reference.unavailable}.")
    chosen, numbers = rows.spaced(_ROWS)
    home = next((t for t in (*model.parameters(), *model.buffers()) if t.is_floating_point()), torch.empty(0))
    with evaluating(model), torch.no_grad():
        found = by_name(model(chosen.to(dtype=home.dtype, device=home.device)))
    try:
        right = reference.run(chosen)
    except CannotRunError as refused:
        cause = str(refused).strip().splitlines() or ["no reason given"]
        return (*reference.notes, f"Not compared: {reference.runtime} does not run it ({cause[0].rstrip('.')[:200]}).")
    worst = 0.0
    for (name, ours), theirs in zip(found.items(), right.values(), strict=False):
        worst = max(worst, _difference(reference, name, ours, theirs, numbers))
    said = f"It computes what {reference.runtime} computes from the file on {len(chosen)} rows"
    hidden = " (they are so small that rounding hides more)" if worst > _TOLD else ""
    return (*reference.notes, f"{said}, to {worst:.1g} of the size of the outputs{hidden}.")


def by_name(result: Any) -> dict[str, Tensor]:
    """The tensors that a model returned, by name or by position."""
    if isinstance(result, Tensor):
        return {"output": result}
    if isinstance(result, dict):
        return result
    return {str(i): value for i, value in enumerate(result) if isinstance(value, Tensor)}


def _difference(reference: Reference, name: str, ours: Tensor, theirs: Tensor, numbers: Tensor) -> float:
    """The largest difference, relative to the largest number."""
    place = (reference.source, reference.runtime, name)
    if ours.shape != theirs.shape:
        raise DisagreementError(*place, f"has shape {tuple(ours.shape)} here and {tuple(theirs.shape)} there")
    if not ours.numel():
        return 0.0
    a, b = ours.double().cpu(), theirs.double().cpu()
    known = torch.isfinite(b)
    if not torch.equal(known, torch.isfinite(a)):
        raise DisagreementError(*place, "is not finite in the same places here and there")
    a, b = (torch.where(known, each, 0.0) for each in (a, b))
    size, spread = float(b.abs().max()), float((b - b.mean(0)).abs().max())
    off = (a - b).abs()
    # Functions that saturate at 1 are rounded to a part of 1, however small the numbers are that come out.
    allowed = _SHARE * spread + reference.precision ** (2 / 3) * size + 4.0 * reference.precision
    if float(off.max()) > allowed:
        where = [int(i) for i in torch.unravel_index(off.argmax(), off.shape)]
        row = int(numbers[where[0]]) if where and len(off) == len(numbers) else 0
        entry = f", entry {tuple(where[1:])}" if len(where) > 1 else ""
        values = f"{float(a[tuple(where)]):.6g} here and {float(b[tuple(where)]):.6g} there"
        raise DisagreementError(*place, f"is {values} at row {row}{entry}")
    return float(off.max()) / size if size else 0.0
