"""Everything a killed fit needs to go on as if nothing had happened."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from torch import Tensor

from isthmus.errors import FileFormatError
from isthmus.formats.serialization import safetensors_bytes
from isthmus.formats.storage import read_safetensors
from isthmus.foundation.files import write_atomically
from isthmus.training.history import Moment


@dataclass
class Progress:
    """The state of a fit between two steps.

    Attributes:
        vector: All weights and biases of the S networks that are still trained, `(S, p)`.
        widths: Their shape: it shrinks as neurons are taken out.
        alive: Which of the starts they are.
        step: Steps of the descent done.
        rounds: Rounds of L-BFGS done, for each network.
        is_converged: Whether the last round of a network moved less than the schedule's precision.
        optimiser: The descent's state; empty once L-BFGS has begun, which starts every round afresh.
        history: The moments recorded so far.
        seconds: Time spent in earlier sessions.
    """

    vector: Tensor
    widths: tuple[int, ...]
    alive: list[int]
    step: int = 0
    rounds: list[int] = field(default_factory=list)
    is_converged: list[bool] = field(default_factory=list)
    optimiser: dict[str, Tensor] = field(default_factory=dict)
    history: list[Moment] = field(default_factory=list)
    seconds: float = 0.0


_FACTS = ("widths", "alive", "step", "rounds", "is_converged", "seconds")


def save_checkpoint(progress: Progress, path: Path, *, key: str) -> None:
    """Write `progress` to one safetensors file, atomically; `key` names the fit it belongs to."""
    facts = {name: getattr(progress, name) for name in _FACTS}
    facts["history"] = [asdict(moment) for moment in progress.history]
    tensors = {"vector": progress.vector, **{f"soap.{name}": t for name, t in progress.optimiser.items()}}
    content = safetensors_bytes(
        {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()},
        {"format": "isthmus-checkpoint", "key": key, "facts": json.dumps(facts)},
    )
    write_atomically(path, content)


def saver(path: Path | None, *, key: str) -> Callable[[Progress], None]:
    """What saves to `path`, or nowhere."""
    if path is None:
        return lambda progress: None
    return lambda progress: save_checkpoint(progress, path, key=key)


def load_checkpoint(path: Path, *, key: str) -> Progress | None:
    """The progress in `path`, or None if there is no file or it belongs to another fit.

    Raises:
        FileFormatError: If the file is damaged; the message says how to start afresh.
    """
    if not path.is_file():
        return None
    remedy = "Delete it to start the fit from the beginning."
    tensors, metadata = read_safetensors(path, remedy)
    if metadata.get("format") != "isthmus-checkpoint":
        raise FileFormatError(path, "it is not a checkpoint of isthmus", remedy)
    if metadata.get("key") != key:
        return None
    try:
        facts = json.loads(metadata["facts"])
        return Progress(
            vector=tensors["vector"],
            optimiser={name.removeprefix("soap."): t for name, t in tensors.items() if name.startswith("soap.")},
            history=[Moment(**moment) for moment in facts["history"]],
            **{name: facts[name] for name in _FACTS if name != "widths"},
            widths=tuple(facts["widths"]),
        )
    except (KeyError, TypeError, ValueError) as damaged:
        raise FileFormatError(path, f"its content does not fit together ({damaged})", remedy) from damaged
