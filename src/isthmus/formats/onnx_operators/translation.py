"""What a translated ONNX operator is: a torch function, and exactly which of its forms it has been written for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from isthmus.errors import UnsupportedOperatorError

LATEST = 28  # the newest opset whose operators were read; a form that is newer is refused
_HINTS = frozenset({"consumed_inputs"})  # of opset 1: which memory may be reused, never what is computed


@dataclass(frozen=True, eq=False)
class Node:
    """One node of a graph.

    Attributes:
        operator: Its type.
        name: As the file calls it, often empty.
        attributes: Values by name; texts decoded.
        since: The opset in which this form of the operator came.
        outputs: How many outputs the graph uses, up to the last one that it does.
        file: Where it is from, for messages.
    """

    operator: str
    name: str
    attributes: Mapping[str, Any]
    since: int
    outputs: int = 1
    file: Path = Path()

    def get(self, attribute: str, default: Any = None) -> Any:
        """The value of an attribute, `default` where the file leaves it out."""
        return self.attributes.get(attribute, default)

    def refuse(self, cause: str) -> UnsupportedOperatorError:
        """The error to raise where this form of the operator has no translation."""
        return UnsupportedOperatorError(self.file, self.operator, self.name, cause)


Function = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Translation:
    """An operator as a torch function of (node, inputs…), None for inputs that are left out.

    Attributes:
        function: Differentiable where the operator is.
        since: The oldest form it is right for.
        attributes: Every attribute it understands; any other is refused.
        outputs: How many outputs it gives; 0 for any number.
        domain: "" for ONNX's own operators.
    """

    function: Function
    since: int = 1
    attributes: frozenset[str] = frozenset()
    outputs: int = 1
    domain: str = ""

    def reason_against(self, node: Node) -> str:
        """Why this node is not translated; empty if it is."""
        unknown = sorted(set(node.attributes) - self.attributes - _HINTS)
        if unknown:
            return f"its attribute {unknown[0]!r} is not understood"
        if not self.since <= node.since <= LATEST:
            return f"its form of opset {node.since} is not known (those of opsets {self.since} to {LATEST} are)"
        if self.outputs and node.outputs > self.outputs:
            return f"only the first {self.outputs} of its outputs can be computed"
        return ""


def translated(
    function: Function, attributes: str = "", *, since: int = 1, outputs: int = 1, domain: str = ""
) -> Translation:
    """A translation whose attributes are given as one text, separated by blanks."""
    return Translation(function, since, frozenset(attributes.split()), outputs, domain)


def plain(function: Callable[..., Any], *, since: int = 1) -> Translation:
    """An operator without attributes that torch has under another name."""
    return Translation(lambda node, *inputs: function(*inputs), since)


def integers(value: Tensor | list[int] | None) -> list[int] | None:
    """Sizes, axes and the like, which come as an attribute or as a tensor, as a list; None where left out."""
    if value is None:
        return None
    return [int(v) for v in (value.flatten().tolist() if isinstance(value, Tensor) else value)]
