"""A model or a network cannot be used, or cannot exist."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from isthmus.errors.base import IsthmusError


class UnknownActivationError(IsthmusError, ValueError):
    """The activation is not positively homogeneous."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(
            f"Activation {name!r} is not positively homogeneous, so the function has no exact linear regions and "
            f"the theory does not cover it. Use one of {', '.join(known)}."
        )


class UnsupportedModuleError(IsthmusError, TypeError):
    """A torch module cannot be written exactly as a chain of affine maps and one activation."""

    def __init__(self, module: str, reason: str) -> None:
        super().__init__(
            f"{module} cannot be converted exactly to a fully-connected network: {reason}. "
            "Supported are Linear, ReLU, LeakyReLU, Identity, Flatten, convolutions, average pooling, and Dropout and "
            "BatchNorm in eval mode, one after the other."
        )


class MixedFrequenciesError(UnsupportedModuleError):
    """A torch module is no chain of circular convolutions, so frequencies do not pass it apart."""

    def __init__(self, module: str, reason: str) -> None:
        IsthmusError.__init__(
            self,
            f"{module} does not hand frequencies on apart: {reason}. For another module `measure` has ranks and bounds "
            "that hold whatever the padding is.",
        )


class IncompressibleModelError(IsthmusError, TypeError):
    """A model is no chain that can be written smaller."""

    def __init__(self, model: str, reason: str) -> None:
        super().__init__(
            f"{model} cannot be compressed: {reason}. Compressed are chains of Linear, convolutions, pooling, ReLU, "
            "LeakyReLU, Flatten, Identity, and Dropout and BatchNorm in eval mode, and ONNX graphs."
        )


class IncompatibleNetworksError(IsthmusError, ValueError):
    """Two networks cannot be combined because they differ in something that one network has only once."""

    def __init__(self, what: str, first: object, second: object, remedy: str) -> None:
        super().__init__(f"The functions differ in {what} ({first} and {second}), and one network has one. {remedy}")


class NotRepresentableError(IsthmusError, ValueError):
    """No network with this activation and depth computes the function, whatever its weights."""

    def __init__(self, what: str, activation: str, reason: str, remedy: str) -> None:
        super().__init__(f"{what} cannot be written with the activation {activation!r}: {reason}. {remedy}")


class ModelCallError(IsthmusError, ValueError):
    """A torch module cannot be evaluated on the data as they are."""

    def __init__(self, model: str, shape: tuple[int, ...], cause: str, remedy: str) -> None:
        super().__init__(f"{model} cannot be measured on rows of shape {shape}: {cause}. {remedy}")


class OutputChoiceError(IsthmusError, ValueError):
    """A model returns several outputs, or not the one that was named."""

    def __init__(self, model: str, known: Sequence[str], chosen: str | None) -> None:
        asked = "returns several outputs" if chosen is None else f"has no output {chosen!r}"
        super().__init__(f"{model} {asked}. Choose one with output=: {', '.join(known)}.")


class MixedRowsError(IsthmusError, ValueError):
    """A model computes the output of one row from other rows, so it is no function of one input."""

    def __init__(self, model: str, change: float | None) -> None:
        why = "a part normalises by the statistics of the batch, also in eval mode"
        if change is not None:
            why = f"one row alone gives an output that differs by {change:.2g} of its size"
        super().__init__(
            f"{model} mixes the rows of a batch: {why}. Use normalisation with running statistics "
            "(track_running_stats=True) and no statistics across rows."
        )


class RandomOutputError(IsthmusError, ValueError):
    """A model gives one row different outputs, so that derivatives say nothing of it."""

    def __init__(self, model: str, spread: float, why: str) -> None:
        super().__init__(
            f"{model} is not deterministic: two evaluations of one row differ by {spread:.2g}, and {why}. Fix the seed "
            "inside it, or pass the mean over many draws."
        )


class RowCountError(IsthmusError, ValueError):
    """A model gives another number of outputs than it is given rows."""

    def __init__(self, model: str, given: int, returned: int) -> None:
        what = f"{returned} row{'s' * (returned != 1)}" if returned else "one number"
        super().__init__(
            f"{model} takes {given} row{'s' * (given != 1)} and returns {what}: it is no function of one row. Return "
            "one output a row, the first dimension counting rows: keep the mean or the reshape over rows out of it."
        )


class NotDifferentiableError(IsthmusError, ValueError):
    """An output does not depend on the inputs through derivatives."""

    def __init__(self, model: str, cause: str) -> None:
        super().__init__(
            f"{model} has no Jacobian: {cause}. Measure the part of it that maps real numbers to real numbers, for "
            "example the logits before an argmax, or everything after an embedding."
        )
