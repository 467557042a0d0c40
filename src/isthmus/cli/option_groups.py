"""Options that belong together: a dataclass of them stands for one parameter of a command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import copy
from dataclasses import fields, is_dataclass
from functools import wraps
from typing import Annotated, Any, get_args, get_type_hints

import typer

Command = Callable[..., None]


def with_option_groups(command: Command) -> Command:
    """The command with one option for each field of its parameters whose defaults are dataclasses of options.

    The help shows the options of a dataclass under its `panel`.
    """
    parameters: list[inspect.Parameter] = []
    groups: dict[str, type] = {}
    for each in inspect.signature(command, eval_str=True).parameters.values():
        if is_dataclass(each.default):
            groups[each.name] = type(each.default)
            parameters += _options(type(each.default))
        else:
            parameters.append(each.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    @wraps(command)
    def run(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{each.name: given.pop(each.name) for each in fields(group)})
        command(**given)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _options(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=each.default,
            annotation=_in_panel(hints[each.name], group.panel),
        )
        for each in fields(group)
    ]


def _in_panel(annotation: Any, panel: str) -> Any:
    """The annotated type with its option shown under the panel."""
    kind, option = get_args(annotation)
    assert isinstance(option, typer.models.OptionInfo)
    shown = copy(option)  # some options are shared between commands
    shown.rich_help_panel = panel
    return Annotated[kind, shown]
