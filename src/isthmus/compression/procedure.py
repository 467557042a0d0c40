"""The one way from a network to a smaller one: exact folds, then approximations if a tolerance or a rank is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from isthmus.compression.chains import compress_chain
from isthmus.compression.compressed import Compressed
from isthmus.compression.graphs import compress_graph
from isthmus.compression.options import Options
from isthmus.compression.weights import check_weights
from isthmus.errors import OptionError
from isthmus.formats.onnx_from_modules import graph_of
from isthmus.foundation.progress import Report, silent
from isthmus.foundation.rows import Rows
from isthmus.foundation.tolerance import Tolerance
from isthmus.spectra.units import Scaling


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

    Of a network that convolves, and of an ONNX graph that branches, the chain-like stretches are compressed in this
    way, channels in the place of neurons, and the rest is copied.

    Args:
        model: A network, a standardised network, a torch module that is a chain of Linear, ReLU, LeakyReLU and what
            folds into them, one that convolves and pools, or what was loaded from an `.onnx` file.
        x: `(n, d_in)` in the units the model takes, `(n, …)` of a model that takes images or sequences.
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
        IncompressibleModelError, UnsupportedModuleError: If the model is nothing of these; the message names the part.
        MissingExtraError: If a model convolves and onnx is not installed.
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
    if isinstance(model, nn.Module):
        check_weights(model)
    options = Options(box, tolerance, rank, scale_outputs, seed, names or {}, report)
    rows = x if isinstance(x, Rows) else Rows(x)
    graph = graph_of(model, rows.row_shape, options.names)
    return compress_chain(model, rows, options) if graph is None else compress_graph(model, graph, rows, options)
