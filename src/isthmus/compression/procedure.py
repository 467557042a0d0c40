"""The one way from a network to a smaller one: exact folds, then approximations if a tolerance or a rank is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from isthmus.compression.affine_runs import Precision
from isthmus.compression.compressed import Compressed, CurvePoint, Size, interface_of
from isthmus.compression.domain import Domain
from isthmus.compression.exact_folding import folded
from isthmus.compression.fold import Fold
from isthmus.compression.output_units import OutputUnits
from isthmus.compression.path import Step, through_rank, within_tolerance
from isthmus.compression.refitting import Targets, relative_error
from isthmus.errors import NonFiniteError, OptionError, UnmetToleranceError
from isthmus.formats.reference import agreement
from isthmus.foundation.arrays import check_columns
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.progress import Report, silent
from isthmus.foundation.rows import Rows
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.networks import StandardizedNetwork
from isthmus.networks.chain import Chain
from isthmus.networks.chain_conversion import chain_of
from isthmus.spectra.units import Scaling

_ROOMS = (4.0, 0.25, 0.0)  # roundings that a singular value may be; less where that shows in the outputs
_OWN = 4.0  # times its own rounding, and 16 units: how far from f the folded network may be to count as f
_UNITS = 16.0


def compress(
    model: object,
    x: object,
    *,
    box: tuple[object, object] | None = None,
    tolerance: Tolerance | None = None,
    rank: int | None = None,
    scale_outputs: Scaling = "data",
    seed: int = 0,
    names: Mapping[str, Any] | None = None,
    report: Report = silent,
) -> Compressed:
    r"""A smaller network that computes what `model` computes.

    First what is exact: runs of affine maps become one, through their numerical rank where that is smaller; neurons
    that are proved to keep one sign on the domain are folded, and those that are constant, unread or proportional to
    others. Then, if a tolerance or a rank is given, what is not: rank k at the best layer by balanced truncation, or
    matrices of low rank and fewer neurons, whichever is better at each size, refitted to give what f gives on three
    fifths of the rows. One fifth chooses, one fifth judges.

    Args:
        model: A network, a standardised network, or a torch module that is a chain of Linear, ReLU, LeakyReLU and what
            folds into them.
        x: `(n, d_in)` in the units the model takes; rows of more dimensions are flattened.
        box: Lower and upper bound of the inputs on which f is kept, each a number or one a column; it must hold the
            rows. Without it signs of neurons are only looked up on the rows, and the folds say so.
        tolerance: Largest $\|f - f_k\| / \|f - \bar f\|$ on held-out rows; the smallest network within it is given.
        rank: Pass f through so many coordinates of one layer.
        scale_outputs: In what units outputs are counted in that error, as of `measure`: "data", each by its spread
            over the rows (of a standardised network: over those of its fit); "unit", all by one number; "none".
        seed: Draws points of the box and held-out rows.
        names: Names for files: `input`, `output`, `opset`.
        report: Told the fraction done.

    Raises:
        IncompressibleModelError, UnsupportedModuleError: If the model is no such chain; the message names the part.
        ShapeError, DtypeError, NonFiniteError: If `x` does not hold finite rows that fit the model.
        DomainError: If the box is empty or does not hold the rows.
        OptionError: If `rank` is below 1 or above what the layers carry.
        UnmetToleranceError: If no network within the tolerance is found.
        TooFewRowsError: If a tolerance or a rank is given and there are fewer than five rows.
        DisagreementError: If a model from a file computes something else than the file's own runtime.

    Source:
        Jacot (2023): f is three parts, g, identities on R^k, and h.

    Example:
        >>> import torch
        >>> from isthmus import compress
        >>> _ = torch.manual_seed(0)
        >>> from torch.nn import Linear, ReLU, Sequential
        >>> f = Sequential(Linear(4, 1), ReLU(), Linear(1, 30), ReLU(), Linear(30, 3))
        >>> small = compress(f, torch.randn(200, 4))
        >>> small.rank, bool(small.error < 0.01)
        (1, True)
    """
    if rank is not None and rank < 1:
        raise OptionError("rank", rank, "at least 1")
    chain, dtype = _exact(model)
    rows = _rows(model, x, chain.d_in)
    domain = Domain.of(rows, box)
    generator = torch.Generator().manual_seed(seed)
    with flushed_denormals(), torch.no_grad():
        points, wanted = domain.points(generator), chain.exact(rows)
        units = OutputUnits.of(model, rows, wanted.to(dtype), scale_outputs)
        own = model(points) if isinstance(model, StandardizedNetwork) else chain.reversed_sums.to(dtype)(points)
        given = _Given(chain, dtype, points, chain.exact(points), own.double())
        report(0.1, "proving the signs of neurons")
        smaller, folds, dtype, notes = _folded(given, domain, units, generator)
        error = relative_error(units.counted(smaller.to(dtype)(rows)), units.counted(wanted))
        found = _Found(smaller, "exact folds", error, ())
        if tolerance is not None or rank is not None:
            report(0.4, "approximating")
            found = _approximated(found, chain, rows, units, tolerance, rank, dtype, generator)
        report(1.0, f"{found.chain.parameter_count:,} parameters")
        written = found.chain.to(dtype)
        if found.curve and scale_outputs != "data":
            notes += _lost_outputs(written(rows).double(), wanted, tolerance or DEFAULT_TOLERANCE)
        return Compressed(
            chain=written,
            before=_size_before(model, chain),
            after=Size(written.parameter_count, written.depth, written.flops, written.widths),
            folds=tuple(folds),
            rank=0 if written.is_constant else min(written.widths),
            error=found.error,
            units=units.words,
            largest_change=given.change(written),
            rounding=given.rounding,
            domain=_in_words(domain),
            method=found.method,
            curve=found.curve,
            notes=notes,
            interface=interface_of(model, written, names),
            _points=points,
        )


@dataclass(frozen=True, eq=False)
class _Given:
    """The given chain, its own precision, and its outputs at points of the domain in float64 and in that precision."""

    chain: Chain
    dtype: torch.dtype
    points: Tensor
    outputs: Tensor
    own: Tensor

    def change(self, chain: Chain) -> float:
        """Largest change of an output at the points, relative to the largest value of that output."""
        return float(self._off(chain(self.points)).max())

    @property
    def rounding(self) -> float:
        """What evaluating f in its own precision changes."""
        return float(self._off(self.own).max())

    def is_kept_by(self, chain: Chain) -> bool:
        """Whether no output of the chain is farther from f's than rounding explains."""
        allowed = _OWN * self._off(self.own) + _UNITS * torch.finfo(self.dtype).eps
        return bool((self._off(chain(self.points)) <= allowed).all())

    def _off(self, outputs: Tensor) -> Tensor:
        """Of each output, `(d_out,)`: a small one beside a large one is an output too."""
        sizes = self.outputs.abs().amax(0)
        sizes = torch.where(sizes > 0, sizes, sizes.max() if bool(sizes.max() > 0) else 1.0)
        return (outputs.double() - self.outputs).abs().amax(0) / sizes


@dataclass(frozen=True, eq=False)
class _Found:
    """A network, how it was made, its error, and what was seen on the way."""

    chain: Chain
    method: str
    error: float
    curve: tuple[CurvePoint, ...]


def _exact(model: object) -> tuple[Chain, torch.dtype]:
    """The model as a chain, and its own precision."""
    if isinstance(model, nn.Module):  # before its layers are looked for: a graph with such a weight is no chain of them
        for name, tensor in (*model.named_parameters(), *model.named_buffers()):
            if tensor.is_floating_point():
                _check_weight(f"the weight {name}", tensor)
    chain = chain_of(model)
    dtype = model.network.dtype if isinstance(model, StandardizedNetwork) else chain.dtype
    for layer in chain.layers:
        for what, tensor in ((f"the weight of {layer.name}", layer.weight), (f"the bias of {layer.name}", layer.bias)):
            _check_weight(what, tensor)
    return chain, dtype


def _check_weight(what: str, tensor: Tensor) -> None:
    if not bool(torch.isfinite(tensor).all()):
        place = (~torch.isfinite(tensor)).nonzero()[0].tolist() or [0]
        raise NonFiniteError(what, place[0], place[-1])


def _rows(model: object, x: object, d_in: int) -> Tensor:
    """The rows as a matrix in float64, the model compared with its file's own runtime on them."""
    rows = x if isinstance(x, Rows) else Rows(x)
    if isinstance(model, nn.Module):
        agreement(model, rows)
    matrix = rows.matrix()
    check_columns(matrix, d_in)
    return matrix.double().cpu()


def _folded(
    given: _Given, domain: Domain, units: OutputUnits, generator: torch.Generator
) -> tuple[Chain, list[Fold], torch.dtype, tuple[str, ...]]:
    """The folded chain, its folds, the precision it is written in, and what is to be said of that.

    Outputs are folded in units of theirs, so that what is rounding beside a large one is none beside itself. What
    counts as rounding in a matrix may show in the outputs: then less does, and at last nothing. Where single precision
    does not hold f in the units of its data, it is written in double precision.
    """
    unit, units = torch.finfo(given.dtype).eps, units.rounded
    counted, state = units.of_chain(given.chain), generator.get_state()
    for dtype in dict.fromkeys((given.dtype, torch.float64)):
        for room in _ROOMS:
            generator.set_state(state)
            chain, folds = folded(counted, domain, Precision(unit, room), generator)
            chain = units.undone(chain)
            if given.is_kept_by(chain.to(dtype)):
                is_double = dtype != given.dtype
                notes = ("It is written in double precision: in single precision f would change.",) if is_double else ()
                return chain, folds, dtype, notes
    return given.chain, [], torch.float64, ("Folding would change f by more than rounding: it is written as it is.",)


def _approximated(
    found: _Found,
    given: Chain,
    rows: Tensor,
    units: OutputUnits,
    tolerance: Tolerance | None,
    rank: int | None,
    dtype: torch.dtype,
    generator: torch.Generator,
) -> _Found:
    given, folded_chain = (units.of_chain(chain.to(torch.float64)) for chain in (given, found.chain))
    targets = Targets.of(given, rows, generator)
    start = Step(folded_chain, found.method, targets.error(folded_chain.to(dtype)))
    seen = [start]
    if rank is not None:
        start = through_rank(folded_chain, targets, rank, dtype, generator)
        seen.append(start)
    if tolerance is not None:
        error = max(start.error, targets.judged(start.chain.to(dtype)))
        if error > tolerance.relative:
            raise UnmetToleranceError(tolerance.relative, error, rank)
        start, more = within_tolerance(start, targets, tolerance.relative, dtype, generator, rank=rank)
        seen += more[1:]
    curve = tuple(CurvePoint(step.method, step.chain.parameter_count, step.error) for step in seen)
    chain = units.undone(start.chain)
    error = relative_error(units.counted(chain.to(dtype)(targets.judge_x)), targets.judge_y)
    return replace(found, chain=chain, method=start.method, error=error, curve=curve)


def _lost_outputs(found: Tensor, wanted: Tensor, tolerance: Tolerance) -> tuple[str, ...]:
    """What is to be said of outputs that are not kept: small ones hardly count in the error of all of them."""
    errors = [relative_error(found[:, [j]], wanted[:, [j]]) for j in range(wanted.shape[1])]
    lost = [(error, j) for j, error in enumerate(errors) if tolerance.relative < error < float("inf")]
    if not lost or wanted.shape[1] == 1:
        return ()
    error, worst = max(lost)
    return (
        f"Output {worst} changes by {error:.3g} of its own spread over the rows ({len(lost)} of {len(errors)} outputs "
        f"by more than {tolerance.relative:g}): the error is of all outputs together, so that those in small units "
        'hardly count. With scale_outputs="data" (--scale-outputs data) each counts by its own spread.',
    )


def _size_before(model: object, chain: Chain) -> Size:
    """The size of the model as it is held: of a norm its vectors, not the matrix that they are."""
    if not isinstance(model, nn.Module):
        return Size(chain.parameter_count, chain.depth, chain.flops, chain.widths)
    layers = [layer for layer in chain.layers if not layer.name.startswith("BatchNorm")]
    held = [*model.parameters(), *(buffer for buffer in model.buffers() if buffer.is_floating_point())]
    widths = (chain.d_in, *(len(layer.bias) for layer in layers))
    return Size(sum(t.numel() for t in held), len(layers), 2 * sum(layer.weight.numel() for layer in layers), widths)


def _in_words(domain: Domain) -> str:
    if not domain.is_box:
        return f"the {len(domain.rows):,} given rows only"
    low, high = float(domain.lower.min()), float(domain.upper.max())
    is_one = bool((domain.lower == low).all() and (domain.upper == high).all())
    return f"every input from {low:g} to {high:g}" if is_one else "a box with bounds of its own for each column"
