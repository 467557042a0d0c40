"""Every error isthmus raises: a named fact that carries its objects and names the remedy.

Each class also subclasses the builtin that a caller would expect (`ValueError`, `TypeError`, …), so code that
does not know isthmus still catches what it means to catch. The command line turns any of them into one sentence
on standard error and exit status 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path


class IsthmusError(Exception):
    """Base of every error that isthmus raises on purpose; the message names the cause and the remedy."""

    def __reduce__(self) -> tuple[object, ...]:
        # An error crosses to another process as its message: the objects it was made of need not.
        return _with_message, (type(self), str(self))


def _with_message(kind: type[IsthmusError], message: str) -> IsthmusError:
    error = kind.__new__(kind, message)
    error.args = (message,)
    return error


class ShapeError(IsthmusError, ValueError):
    """An array does not have the shape that the mathematics needs."""


class NonFiniteError(IsthmusError, ValueError):
    """An array holds NaN or infinity."""

    def __init__(self, what: str, row: int, column: int | str) -> None:
        super().__init__(
            f"{what} holds NaN or infinity (first at row {row}, column {column}). "
            "Remove or fill these entries before passing the data on."
        )


class DtypeError(IsthmusError, TypeError):
    """An array does not hold real numbers."""

    def __init__(self, what: str, dtype: object) -> None:
        super().__init__(f"{what} has dtype {dtype}, not real numbers. Convert it to float32 or float64 first.")


class TooFewRowsError(IsthmusError, ValueError):
    """There are fewer rows than a fit with held-out data needs."""

    def __init__(self, what: str, rows: int, needed: int, remedy: str = "Provide more data") -> None:
        super().__init__(f"{what} has {rows} row{'s' * (rows != 1)}; at least {needed} are needed. {remedy}.")


class RareClassError(IsthmusError, ValueError):
    """A class has too few rows to be trained on and tested."""

    def __init__(self, name: str, rows: int, needed: int) -> None:
        super().__init__(
            f"Class {name!r} has {rows} row{'s' * (rows != 1)}; each class needs at least {needed}. "
            "Leave these rows out, merge the class with another, or use --task regression for a number."
        )


class ColumnError(IsthmusError, ValueError):
    """A column of a table cannot be used as it is."""

    def __init__(self, column: str, cause: str, remedy: str) -> None:
        super().__init__(f"Column {column!r} {cause}. {remedy.rstrip('.')}.")


class ConstantOutputError(IsthmusError, ValueError):
    """The outputs do not vary, so the function has rank 0."""

    def __init__(self, what: str = "y") -> None:
        super().__init__(
            f"Every row of {what} is the same: the function is constant, its rank is 0 and there is nothing to fit. "
            "Choose a target that varies."
        )


class OptionError(IsthmusError, ValueError):
    """An option has a value outside its range."""

    def __init__(self, option: str, value: object, requirement: str) -> None:
        super().__init__(f"{option} is {value!r} but must be {requirement}.")


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


class IncompatibleNetworksError(IsthmusError, ValueError):
    """Two networks cannot be combined because they differ in something that one network has only once."""

    def __init__(self, what: str, first: object, second: object, remedy: str) -> None:
        super().__init__(f"The functions differ in {what} ({first} and {second}), and one network has one. {remedy}")


class NotRepresentableError(IsthmusError, ValueError):
    """No network with this activation and depth computes the function, whatever its weights."""

    def __init__(self, what: str, activation: str, reason: str, remedy: str) -> None:
        super().__init__(f"{what} cannot be written with the activation {activation!r}: {reason}. {remedy}")


class MissingExtraError(IsthmusError, ImportError):
    """An optional package is needed for this and is not installed."""

    def __init__(self, purpose: str, package: str, extra: str) -> None:
        super().__init__(f"{purpose} needs {package}, which is not installed. Run: pip install 'isthmus[{extra}]'")


class PartialFitError(IsthmusError, AttributeError, NotImplementedError):
    """An estimator is asked to learn in parts."""

    def __init__(self, estimator: str) -> None:
        super().__init__(
            f"{estimator} has no partial_fit: its rank is decided on held-out rows of all the data, and what is best "
            "for one part is not for the next. Call fit with all rows; isthmus.fit takes rows that stay in their file."
        )


class FileMissingError(IsthmusError, FileNotFoundError):
    """A file or folder is not there."""

    def __init__(self, path: Path, remedy: str) -> None:
        super().__init__(f"There is no {path}. {remedy}")


class FileFormatError(IsthmusError, ValueError):
    """A file is damaged, truncated or of a kind that isthmus does not read."""

    def __init__(self, path: Path, cause: str, remedy: str) -> None:
        super().__init__(f"Cannot read {path}: {cause}. {remedy}")


class RunConflictError(IsthmusError, ValueError):
    """A RUN folder holds another run than the one asked for."""

    def __init__(self, path: Path, differences: Sequence[str]) -> None:
        super().__init__(
            f"{path} holds a run with other options ({'; '.join(differences)}). "
            "Choose another --out, or add --overwrite to replace it."
        )


class ScaleError(IsthmusError, ValueError):
    """The data are too large for single precision, or even for double precision."""

    def __init__(self, what: str, largest: float, limit: float, *, precision: str = "single") -> None:
        remedy = "Standardise the data" if precision == "single" else "Mend or remove such entries"
        super().__init__(
            f"{what} reaches {largest:.2g} in magnitude; squares of numbers above {limit:.0e} leave {precision} "
            f"precision. {remedy}, or express them in a larger unit."
        )


class DivergenceError(IsthmusError, ArithmeticError):
    """The objective left the finite numbers during training.

    Attributes:
        cause: "λ", "learning rate" or "scale of the data".
    """

    def __init__(self, step: int, cause: str) -> None:
        self.cause = cause
        remedy = {
            "λ": "a smaller --ridge",
            "learning rate": "a smaller --learning-rate, or standardise the data",
            "scale of the data": "standardised data, or a larger unit",
        }[cause]
        what = cause if cause == "λ" else f"the {cause}"
        super().__init__(
            f"The objective became NaN or infinite at step {step}: {what} is too large. Use {remedy}. "
            "The last checkpoint, if one was asked for, is unharmed."
        )


class DeviceMemoryError(IsthmusError, MemoryError):
    """The device has too little memory for a step of training."""

    def __init__(self, device: object, rows: int, remedy: str) -> None:
        super().__init__(
            f"{device} ran out of memory in a pass over {rows} rows at a time. Use {remedy}. "
            "The last checkpoint, if one was asked for, is unharmed."
        )


class RegionBudgetError(IsthmusError, RuntimeError):
    """There are more linear regions than were allowed.

    Attributes:
        found: Regions when the enumeration stopped.
        budget: Regions allowed.
    """

    def __init__(self, found: int, budget: int, layer: int, neurons: int) -> None:
        self.found, self.budget = found, budget
        super().__init__(
            f"More than {budget} linear regions: {found} were found after {neurons} neurons of layer {layer}. "
            "Raise the budget, choose a smaller box, or ask for partial results."
        )


class PrecisionError(IsthmusError, ArithmeticError):
    """Rounding in double precision exceeded the bound under which regions are told apart."""

    def __init__(self, layer: int, faces: int) -> None:
        super().__init__(
            f"In layer {layer} the signs of {faces} region{'s' * (faces != 1)} contradict each other: double precision "
            "cannot tell some zero lines apart. Choose a smaller box, or a network with a smaller range of weights."
        )


class ContradictingRowsError(IsthmusError, ValueError):
    """Equal inputs have different outputs, so no function goes through the data.

    Attributes:
        pairs: Rows with equal inputs and different outputs.
    """

    def __init__(self, pairs: Sequence[tuple[int, int]]) -> None:
        self.pairs = tuple(pairs)
        named = ", ".join(f"{first} and {second}" for first, second in self.pairs[:5])
        more = f" and {len(self.pairs) - 5} more pairs" if len(self.pairs) > 5 else ""
        super().__init__(
            f"Rows {named}{more} have equal inputs and different outputs, so no function goes through all of them. "
            "Average or leave out such rows."
        )


class InexactNetworkError(IsthmusError, ArithmeticError):
    """A network that was built for given values does not have them in double precision.

    Attributes:
        error: The largest deviation, relative to the largest value.
    """

    def __init__(self, what: str, error: float, allowed: float) -> None:
        self.error = error
        super().__init__(
            f"{what} is off by {error:.2g} of the largest output in double precision, where {allowed:.0e} is allowed: "
            "inputs that nearly agree have outputs that do not. Merge such rows, or use fewer of them."
        )


class CollinearPointsError(IsthmusError, ValueError):
    """Three points that should span a plane lie on one line."""

    def __init__(self) -> None:
        super().__init__("The points lie on one line, so they span no plane. Choose three points that do not.")


class DomainError(IsthmusError, ValueError):
    """The domain is not a bounded set with interior, or is not of a kind the regions can be enumerated on."""


class MemoryBudgetError(IsthmusError, ValueError):
    """The smallest piece of the work does not fit into the memory that is allowed."""

    def __init__(self, what: str, needed: int, allowed: int) -> None:
        super().__init__(
            f"{what[:1].upper()}{what[1:]} takes {needed / 1e6:.3g} MB, but memory allows {allowed / 1e6:.3g} MB. "
            f"Raise memory to at least {needed} bytes."
        )


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

    def __init__(self, model: str, change: float) -> None:
        super().__init__(
            f"{model} mixes the rows of a batch: one row alone gives an output that differs by {change:.2g} of its "
            "size. Use normalisation with running statistics (track_running_stats=True) and no statistics across rows."
        )


class NotDifferentiableError(IsthmusError, ValueError):
    """An output does not depend on the inputs through derivatives."""

    def __init__(self, model: str, cause: str) -> None:
        super().__init__(
            f"{model} has no Jacobian: {cause}. Measure the part of it that maps real numbers to real numbers, for "
            "example the logits before an argmax, or everything after an embedding."
        )


class UnsupportedOperatorError(IsthmusError, ValueError):
    """An ONNX graph holds an operator without a differentiable counterpart here."""

    def __init__(self, path: Path, operator: str, node: str, known: Sequence[str]) -> None:
        where = f" (node {node!r})" if node else ""
        super().__init__(
            f"Cannot read {path}: its operator {operator}{where} is not known. Load the original torch module and "
            f"measure that, or export a graph of {', '.join(known)}."
        )


class WorkerError(IsthmusError, RuntimeError):
    """A process that computed a part of an experiment has died."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__(
            f"A worker process died, most likely for want of memory; {done} of {total} cells are kept. "
            "Run the same command again to continue, with fewer --jobs."
        )
