"""Measure any function: one call, three methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import nn

from isthmus.errors import DtypeError, UnsupportedModuleError
from isthmus.formats.reference import agreement
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.memory import DEFAULT_MEMORY, check_memory
from isthmus.foundation.progress import Report, silent
from isthmus.foundation.rows import Rows
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE, Tolerance
from isthmus.networks import FullyConnected, LeakyResNet, StandardizedNetwork, from_torch
from isthmus.networks.evaluation import evaluating
from isthmus.networks.rowwise import row_function
from isthmus.networks.wrappers import in_single_precision, name_of, unwrapped
from isthmus.spectra.black_box import black_box
from isthmus.spectra.chain_profile import chain_profile
from isthmus.spectra.local_profile import differences_profile, local_profile
from isthmus.spectra.measure_options import EVALUATIONS, MeasureOptions
from isthmus.spectra.model import Model
from isthmus.spectra.profile import RankProfile
from isthmus.spectra.units import Scaling


def measure(
    model: Model | Callable[[Any], Any],
    x: object,
    *,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    points: int = 500,
    output: str | None = None,
    leading: int | None = None,
    memory: int = DEFAULT_MEMORY,
    seed: int = 0,
    check: bool = True,
    evaluations: int = EVALUATIONS,
    scale_inputs: Scaling = "data",
    scale_outputs: Scaling = "data",
    report: Report = silent,
) -> RankProfile:
    """Every measurement of `model` over the rows of `x`.

    A chain of affine maps (convolutions and average pooling included) and one positively homogeneous activation is
    measured in closed form. Of any other callable on arrays (a simulator, `predict` of an estimator, a session of a
    runtime) only values are known: derivatives are differences whose step follows the measured noise, each singular
    value has an error bar, and a direction below it is neither counted nor called absent. Any other module is measured
    locally: derivatives at points, spectra of its layers through hooks, projections at the places everything must
    pass. It is evaluated in eval mode; its modes, the random state and its gradients are left as they were.

    Args:
        model: A network, a standardised network, any torch module that takes one tensor whose first dimension counts
            rows, or any callable that takes a numpy array `(n, …)` of the dtype of `x` and returns one output a row.
        x: `(n, d_in)`, or `(n, …)` as the module takes it; a numpy memory map is read in chunks.
        tolerance: Which relative sizes count as zero.
        points: At how many rows, evenly spaced, the Jacobian is taken.
        output: Which output, where a module returns a tuple (a position, as text) or a dict (a key).
        leading: Take certified intervals of so many leading singular values instead of all of them; for modules with
            very many inputs and outputs. For a callable: from differences along random lines, which are taken anyway
            where `evaluations` do not allow every input.
        memory: Bytes that derivatives, or the rows of their differences, may take at a time. Not those of a forward
            pass, which a module is given 256 rows for (more, for the spectra of its layers), nor those of the result.
        seed: Of the random vectors behind `leading`, or behind the confirmation of single precision.
        check: Compare a model that was loaded from a file with the file's own runtime first.
        evaluations: At how many rows a callable may be evaluated.
        scale_inputs: In what units inputs are counted, which decides what is small beside what. "data": each by its
            spread over the rows (of a standardised network: over those of its fit); what does not vary does not count.
            "unit": all by one number, for numbers of one unit such as pixels. "none": as they are.
        scale_outputs: The same of the outputs.
        report: Told the fraction done.

    Raises:
        EvaluationBudgetError: If a callable cannot be measured at one row within `evaluations`.
        DisagreementError: If a model that was loaded from a file computes something else than the file's own runtime.
        NonFiniteError, ShapeError, DtypeError: If `x` does not hold finite rows that fit the model.
        RandomOutputError: If it gives the same rows other outputs the next time, and that hides its derivatives.
        ModelCallError, OutputChoiceError, MixedRowsError, NotDifferentiableError: If a module is not a
            differentiable function of one row.
        MemoryBudgetError: If one row does not fit into `memory`.
        UnsupportedModuleError: If `model` is not a network at all.

    Source:
        Jacot (2023), definitions of the ranks, Proposition 3, experiment on rank recovery.

    Example:
        >>> import torch
        >>> from isthmus import measure
        >>> torch.manual_seed(0)  # doctest: +ELLIPSIS
        <...>
        >>> f = torch.nn.Sequential(torch.nn.Linear(4, 1), torch.nn.ReLU(), torch.nn.Linear(1, 3))
        >>> profile = measure(f, torch.randn(100, 4))
        >>> (profile.bottleneck_rank.lower, profile.bottleneck_rank.upper)
        (1, 1)
    """
    options = MeasureOptions(
        tolerance, points, output, leading, memory, seed, check, evaluations, scale_inputs, scale_outputs
    )
    return profile_of(model, x if isinstance(x, Rows) else Rows(x), options, report)


def profile_of(
    model: Model | Callable[[Any], Any], rows: Rows, options: MeasureOptions, report: Report = silent
) -> RankProfile:
    """The profile of `model` as it is asked for: what `measure`, `jacobian_rank` and `bottleneck_rank` answer from."""
    check_memory(options.memory)
    with flushed_denormals(), torch.no_grad():
        if isinstance(model, LeakyResNet):
            model = model.fully_connected()
        if isinstance(model, FullyConnected | StandardizedNetwork):
            return chain_profile(model, rows, type(model).__name__, options, report)
        if not isinstance(model, nn.Module):
            return _by_differences(model, rows, options, report)
        model, upcast = in_single_precision(unwrapped(model))
        network, reason = _as_chain(model, rows, options)
        function = None if network is not None else row_function(model, rows.spaced(2)[0], options.output)
        notes = (*upcast, *(agreement(model, rows) if options.check else ()))
        if network is not None:
            profile = chain_profile(network, rows, name_of(model), options, report)
        else:
            assert function is not None
            profile = local_profile(function, rows, reason, options, report)
        return replace(profile, notes=(*notes, *profile.notes))


def _by_differences(call: Any, rows: Rows, options: MeasureOptions, report: Report) -> RankProfile:
    notes = getattr(call, "notes", ())
    if options.output is not None:
        call = partial(call, output=options.output)
    found = black_box(call, rows, options, report)
    profile = differences_profile(found, rows, options)
    return replace(profile, notes=(*notes, *profile.notes))


def _as_chain(model: nn.Module, rows: Rows, options: MeasureOptions) -> tuple[FullyConnected | None, str]:
    """The module as a chain, or None and the reason why it is none."""
    if options.output is not None or options.leading is not None:
        return None, "derivatives were asked for"
    try:
        with evaluating(model):
            return from_torch(
                model, rows.row_shape if len(rows.row_shape) > 1 else None, memory=options.memory // 16
            ), ""
    except UnsupportedModuleError as refused:
        return None, str(refused).partition(". Supported")[0]
    except DtypeError:
        return None, "its weights are neither float32 nor float64"
