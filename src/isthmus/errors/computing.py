"""A computation cannot go on: for want of memory, processes or digits."""

from __future__ import annotations

from isthmus.errors.base import IsthmusError


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


class MemoryBudgetError(IsthmusError, ValueError):
    """The smallest piece of the work does not fit into the memory that is allowed."""

    def __init__(self, what: str, needed: int, allowed: int) -> None:
        super().__init__(
            f"{what[:1].upper()}{what[1:]} takes {needed / 1e6:.3g} MB, but memory allows {allowed / 1e6:.3g} MB. "
            f"Raise memory to at least {needed} bytes."
        )


class TooLargeError(IsthmusError, MemoryError):
    """The work needs more memory than there is, by an estimate that is made before it begins."""

    def __init__(self, what: str, needed: int, available: int, remedy: str) -> None:
        super().__init__(
            f"{what[:1].upper()}{what[1:]} takes about {needed / 1e9:.3g} GB of memory, and this machine has "
            f"{available / 1e9:.3g} GB. {remedy}, or a machine with more memory."
        )


class EvaluationBudgetError(IsthmusError, ValueError):
    """A function would have to be evaluated at more rows than were allowed."""

    def __init__(self, name: str, needed: int, allowed: int) -> None:
        super().__init__(
            f"{name} must be evaluated {needed} times and more, but {allowed} evaluations are allowed. Raise "
            "evaluations, or measure a function of fewer inputs."
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


class WorkerError(IsthmusError, RuntimeError):
    """A process that computed one of several jobs has died."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__(
            f"A worker process died, most likely for want of memory, after {done} of {total} jobs. What was written by "
            "then is kept: run the same again to continue, with a smaller n_jobs (--n-jobs)."
        )


class ClusterLostError(IsthmusError, ConnectionError):
    """The cluster that computed jobs does not answer any more."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__(
            f"The connection to the cluster was lost after {done} of {total} jobs. What was written by then is kept: "
            "start the scheduler and its workers again and run the same."
        )
