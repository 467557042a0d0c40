"""Names of the first edition, refused with what they are now."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import ParamSpec

from isthmus.errors import RenamedOptionError

PARAMETERS = {
    "folds": "cv",
    "starts": "n_init",
    "steps": "schedule=Schedule(steps=…)",
    "rounds": "schedule=Schedule(rounds=…)",
    "evaluations": "schedule=Schedule(evaluations=…)",
    "learning_rate": "schedule=Schedule(learning_rate=…)",
    "batch_size": "schedule=Schedule(batch_size=…)",
}
ATTRIBUTES = {"decision_": "selection_"}

P = ParamSpec("P")


def checked_names(init: Callable[P, None]) -> Callable[P, None]:
    """An `__init__` that names an unknown parameter and says what it is now, under the signature that it has.

    A `**` in the signature itself would be one parameter more to scikit-learn.
    """
    known = signature(init).parameters

    @wraps(init)
    def checked(*args: P.args, **kwargs: P.kwargs) -> None:
        for name in kwargs:
            if name not in known:
                raise RenamedOptionError(type(args[0]).__name__, name, PARAMETERS)
        init(*args, **kwargs)

    return checked
