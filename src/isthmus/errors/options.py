"""What was asked for is out of range, not possible, or needs a package that is not there."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence

from isthmus.errors.base import IsthmusError


class OptionError(IsthmusError, ValueError):
    """An option has a value outside its range."""

    def __init__(self, option: str, value: object, requirement: str) -> None:
        super().__init__(f"{option} is {value!r} but must be {requirement}.")


class MissingOptionError(OptionError):
    """An option that is needed here was not given."""

    def __init__(self, option: str, remedy: str) -> None:
        IsthmusError.__init__(self, f"{option} is missing. {remedy}.")


class RepeatedOptionError(OptionError):
    """An option of one value was given twice."""

    def __init__(self, option: str, remedy: str) -> None:
        IsthmusError.__init__(self, f"{option} is given more than once. {remedy}.")


class UnmetToleranceError(IsthmusError, ValueError):
    """No smaller network is within a tolerance."""

    def __init__(self, tolerance: float, error: float, rank: int | None) -> None:
        what, remedy = "exact folds alone change", "Nothing is within it: choose a larger tolerance"
        if rank is not None:
            what, remedy = f"a network of rank {rank} changes", "Choose a larger tolerance or a larger rank"
        if math.isinf(error):
            super().__init__(
                "f is constant on the held-out rows, so that no change is small beside its spread. Pass rows on which "
                "f varies, or leave the tolerance out."
            )
            return
        super().__init__(
            f"The tolerance is {tolerance:g}, but {what} f by {error:.3g} of its spread on held-out rows. {remedy}."
        )


class UnknownNameError(IsthmusError, ValueError):
    """Something is named that there is not."""

    def __init__(self, where: str, name: str, known: Sequence[str]) -> None:
        close = difflib.get_close_matches(name, known, 1, cutoff=0.5)
        remedy = f"Did you mean {close[0]}?" if close else f"Use one of {', '.join(known)}."
        super().__init__(f"There is no {name!r} in {where}. {remedy}")


class DomainError(IsthmusError, ValueError):
    """The domain is not a bounded set with interior, or is not of a kind the regions can be enumerated on."""


class CollinearPointsError(IsthmusError, ValueError):
    """Three points that should span a plane lie on one line."""

    def __init__(self) -> None:
        super().__init__("The points lie on one line, so they span no plane. Choose three points that do not.")


class MissingExtraError(IsthmusError, ImportError):
    """An optional package is needed for this and is not installed."""

    def __init__(self, purpose: str, package: str, extra: str) -> None:
        super().__init__(f"{purpose} needs {package}, which is not installed. Run: pip install 'isthmus[{extra}]'")


class RenamedOptionError(IsthmusError, TypeError):
    """A parameter is not known, or has another name since the first edition."""

    def __init__(self, owner: str, name: str, renamed: Mapping[str, str]) -> None:
        remedy = f"It is now {renamed[name]}." if name in renamed else "See its documentation for those that there are."
        super().__init__(f"{owner} has no parameter {name!r}. {remedy}")


class RenamedAttributeError(IsthmusError, AttributeError):
    """An attribute has another name since the first edition."""

    def __init__(self, owner: str, name: str, now: str) -> None:
        super().__init__(f"{owner} has no attribute {name!r}. It is now {now!r}.")


class PartialFitError(IsthmusError, AttributeError, NotImplementedError):
    """An estimator is asked to learn in parts."""

    def __init__(self, estimator: str) -> None:
        super().__init__(
            f"{estimator} has no partial_fit: its rank is decided on held-out rows of all the data, and what is best "
            "for one part is not for the next. Call fit with all rows; isthmus.fit takes rows that stay in their file."
        )
