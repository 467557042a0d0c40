"""One exact step from a chain to a smaller one, and why it may be taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fold:
    """What was taken out, and the proof that f stays.

    Attributes:
        kind: "linear run", "always active", "always inactive", "constant", "unread", "proportional", "shared" (active
            neurons that fewer carry) or "low rank".
        layers: Names of the layers.
        neurons: Which neurons of the (first) layer, counted from 0 as in the model; empty for whole layers.
        proof: By what.
        bound: The bound that settles it: the least distance of the pre-activations from zero over the domain; for
            what is equal or zero up to rounding, the relative size of what was left out. None where it is an identity.
    """

    kind: str
    layers: tuple[str, ...]
    neurons: tuple[int, ...]
    proof: str
    bound: float | None = None

    def record(self) -> dict[str, Any]:
        """Ready for JSON: neurons by their number."""
        return {
            "kind": self.kind,
            "layers": list(self.layers),
            "neurons": len(self.neurons),
            "proof": self.proof,
            "bound": self.bound,
        }
