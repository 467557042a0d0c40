"""An option that takes one value and is given twice is refused: which of the two is meant is not known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typer.core import TyperCommand, TyperOption

from isthmus.errors import RepeatedOptionError


class SingleOptions(TyperCommand):
    """A command whose options are given once, unless they are lists.

    Raises:
        RepeatedOptionError: If one is given again: the last would be taken, and the others ignored.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse repeats, then parse as any command."""
        _, _, given = self.make_parser(ctx).parse_args(args=list(args))
        _refuse_repeats(given)
        return super().parse_args(ctx, args)


def _refuse_repeats(given: Sequence[Any]) -> None:
    met: set[str] = set()
    for each in given:
        if not isinstance(each, TyperOption) or each.multiple or each.count:
            continue
        if each.name in met:
            takes_several = ",…" in str(each.metavar)
            remedy = "Give it once, several values separated by commas" if takes_several else "Give it once"
            raise RepeatedOptionError(each.opts[0], remedy)
        met.add(str(each.name))
