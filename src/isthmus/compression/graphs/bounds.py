"""Bounds of the tensors of a graph over a box of its input, as far as its operators let them pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from isthmus.compression.backward_bounds import Interval
from isthmus.compression.interval import UNIT, activation_interval, affine_interval, rounding
from isthmus.formats.onnx_steps import Step
from isthmus.formats.onnx_stretches import Stage, Stretch
from isthmus.networks import RELU

_PLACES = 10**6  # more than are averaged over: their sum rounds
_SHARES = {"Sigmoid": 0.0, "Softmax": 0.0, "Tanh": -1.0}  # least values of operators that are at most 1


def stretch_bounds(
    steps: Sequence[Step], constants: Mapping[str, Tensor], stretches: Sequence[Stretch], given: Mapping[str, Interval]
) -> dict[str, Interval]:
    """For each stretch, by its output, bounds of the channels or columns that it reads, where there are any.

    Args:
        steps: The graph.
        constants: Its constants.
        stretches: Its stretches.
        given: Bounds of a row of the input, in its shape.
    """
    known, found = dict(given), {}
    made = {name: stretch for stretch in stretches for name in stretch.made}
    for step in steps:
        stretch = made.get(step.outputs[0])
        if stretch is None:
            bounds = _passed(step, known, constants)
        elif stretch.output != step.outputs[0] or stretch.input not in known:
            continue
        else:
            found[stretch.output] = _channels(known[stretch.input], stretch.stages[0])
            bounds = _through(stretch.stages, found[stretch.output])
        if bounds is not None:
            known[step.outputs[0]] = bounds
    return found


def _passed(step: Step, known: Mapping[str, Interval], constants: Mapping[str, Tensor]) -> Interval | None:
    operator = step.node.operator
    if operator in _SHARES:  # in floating point, too: none of them rounds beyond its limits
        return Interval(torch.tensor(_SHARES[operator]).double(), torch.tensor(1.0).double())
    inputs = [known.get(name) or _constant(constants.get(name)) for name in step.inputs]
    if not inputs or any(each is None for each in inputs):
        return None
    first = inputs[0]
    assert first is not None
    if operator in ("Identity", "Dropout"):
        return first
    if operator == "Relu":
        return Interval(*activation_interval(RELU, first.lower, first.upper))
    if operator == "Add" and len(inputs) == 2 and inputs[1] is not None:
        lower, upper = first.lower + inputs[1].lower, first.upper + inputs[1].upper
        return Interval(lower - 2 * UNIT * lower.abs(), upper + 2 * UNIT * upper.abs())
    return None


def _constant(value: Tensor | None) -> Interval | None:
    """Bounds of what has the same value for every row."""
    if value is None or not value.is_floating_point():
        return None
    return Interval(value.double(), value.double())


def _channels(bounds: Interval, stage: Stage) -> Interval:
    """Of all places together, for each channel or column that a stage reads."""
    window = stage.window
    wanted = stage.layer.weight.shape[1] // (1 if window is None else window.kernel[0] * window.kernel[1])
    axis = -1 if window is None else -3
    sides = []
    for side, is_upper in ((bounds.lower, False), (bounds.upper, True)):
        if side.ndim < -axis or side.shape[axis] != wanted:
            side = side.amax() if is_upper else side.amin()
            sides.append(side.expand(wanted).clone())
            continue
        flat = side.movedim(axis, -1).reshape(-1, wanted)
        sides.append(flat.amax(0) if is_upper else flat.amin(0))
    return Interval(*sides)


def read_by(stage: Stage, channels: Interval) -> Interval:
    """Bounds of each number that a stage's matrix is multiplied with, zeros around an image among them."""
    if stage.window is None:
        places = stage.layer.weight.shape[1] // len(channels.lower)
        return Interval(channels.lower.repeat_interleave(places), channels.upper.repeat_interleave(places))
    places = stage.window.kernel[0] * stage.window.kernel[1]
    lower, upper = channels.lower, channels.upper
    if stage.window.is_padded:
        lower, upper = lower.clamp_max(0.0), upper.clamp_min(0.0)
    return Interval(lower.repeat_interleave(places), upper.repeat_interleave(places))


def given_by(stage: Stage, z: Interval) -> Interval:
    """Bounds of each channel behind the activation and the links of a stage."""
    lower, upper = activation_interval(stage.layer.activation, z.lower, z.upper)
    if any(link.step.node.operator == "AveragePool" for link in stage.links):  # zeros may be averaged with
        lower, upper = lower.clamp_max(0.0), upper.clamp_min(0.0)
    if any("AveragePool" in link.step.node.operator for link in stage.links):
        lower, upper = (side + sign * rounding(_PLACES) * side.abs() for side, sign in ((lower, -1), (upper, 1)))
    return Interval(lower, upper)


def pre_activations(stage: Stage, channels: Interval) -> Interval:
    """Bounds of W a + b."""
    a = read_by(stage, channels)
    return Interval(*affine_interval(stage.layer.weight, stage.layer.bias, a.lower, a.upper))


def _through(stages: Sequence[Stage], channels: Interval) -> Interval:
    """Bounds of what the last stage gives, in a shape that its places share."""
    for stage in stages:
        channels = given_by(stage, pre_activations(stage, channels))
    if stages[-1].is_flat:
        return channels
    return Interval(channels.lower[:, None, None], channels.upper[:, None, None])
