"""What all errors of isthmus have in common."""

from __future__ import annotations

from typing import Any


class IsthmusError(Exception):
    """Base of every error that isthmus raises on purpose; the message names the cause and the remedy.

    Example:
        >>> from isthmus import IsthmusError, Tolerance
        >>> try:
        ...     Tolerance(2.0)
        ... except IsthmusError as error:
        ...     print(error)
        tolerance is 2.0 but must be a number strictly between 0 and 1.
    """

    def __reduce__(self) -> tuple[object, ...]:
        # An error crosses to another process as its message and attributes: what else it was made of need not.
        return _with_message, (type(self), str(self)), self.__dict__


def _with_message(kind: type[IsthmusError], message: str) -> IsthmusError:
    layout = kind.__base__ or Exception  # what makes the object in memory, which the first `__new__` found may not be
    make: Any = layout.__new__
    error: IsthmusError = make(kind, message)
    error.args = (message,)
    return error
