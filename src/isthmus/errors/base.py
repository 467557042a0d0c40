"""What all errors of isthmus have in common."""

from __future__ import annotations


class IsthmusError(Exception):
    """Base of every error that isthmus raises on purpose; the message names the cause and the remedy."""

    def __reduce__(self) -> tuple[object, ...]:
        # An error crosses to another process as its message: the objects it was made of need not.
        return _with_message, (type(self), str(self))


def _with_message(kind: type[IsthmusError], message: str) -> IsthmusError:
    error = kind.__new__(kind, message)
    error.args = (message,)
    return error
