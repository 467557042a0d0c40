"""What a record must hold before it can be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from isthmus.errors import FileFormatError

Record = Mapping[str, Any]

_REMEDY = "Fit or measure again to write a complete record."

# A needed key maps to what its value must hold in turn: None for anything, a list for the shape of each entry.
_COMMON: dict[str, Any] = {
    "format": None,
    "version": None,
    "name": None,
    "created": None,
    "versions": {},
    "tolerance": None,
    "bottleneck_layer": None,
    "norm_per_depth": None,
    "jacobian_rank": None,
    "jacobian": {"points": None, "median": None, "low": None, "high": None, "rank_counts": {}},
    "layers": [
        {
            "layer": None,
            "weight_singular_values": None,
            "activation_singular_values": None,
            "nonlinearity_impact": None,
        }
    ],
}
_FIT: dict[str, Any] = {
    **_COMMON,
    "task": None,
    "options": {},
    "data": dict.fromkeys(("source", "sha256", "rows", "train", "validation", "test", "inputs", "outputs")),
    "rank": None,
    "rank_lower": None,
    "rank_upper": None,
    "rank_evidence": [None],
    "depth": None,
    "width": None,
    "ridge": None,
    "error_name": None,
    "objective": None,
    "train_error": None,
    "validation_error": None,
    "test_error": None,
    "seconds": None,
    "stopped": None,
    "jacobian_rank": {"lower": None, "upper": None},
    "error_curve": [{"rank": None, "projected": None, "refitted": None, "standard_error": None}],
    "whole_error": None,
    "whole_standard_error": None,
    "history": [{"step": None, "objective": None, "error": None, "norm_per_depth": None}],
}
_OVER_K = ("probabilities", "errors", "standard_errors", "objectives", "effects", "dependences")
# What a fit holds if it was asked for more.
_EXTRAS: dict[str, Any] = {
    "cross_decision": {
        **dict.fromkeys(("rank", "lower", "upper", "whole_error", "tolerance", "error_name", "folds", "rows")),
        **{name: [None] for name in _OVER_K},
    },
    "rank_path": {"points": [{"ridge": None, "rank": None}], "plateau": None},
}
_MEASURE: dict[str, Any] = {**_COMMON, "bottleneck_rank": None, "bottleneck_error": None, "cost_lower": None}


def is_measurement(record: Record) -> bool:
    """Whether the record is of a network that was only measured, not of a fit."""
    kind = record.get("kind") or ("fit" if "rank" in record else "measure")
    return bool(kind == "measure")


def is_local(record: Record) -> bool:
    """Whether only derivatives at points were taken, because the model is no chain the theory covers."""
    return bool(record.get("method") == "local")


def rank_of(record: Record) -> int:
    """The k of the headline, whatever the kind of record."""
    return int(record["bottleneck_rank"] if is_measurement(record) else record["rank"])


def depth_of(record: Record) -> int:
    """L, the number of weight matrices."""
    return len(record["layers"])


def held_out_name(record: Record) -> str:
    """What the held-out errors of a fit measure; by folds it is a likelihood also where test rows are counted."""
    return str((record.get("cross_decision") or record)["error_name"])


def validate_record(record: object, source: Path) -> Record:
    """The record itself, once everything that a page shows is known to be there.

    Args:
        record: The content of a run.json.
        source: Where it comes from, for the message.

    Raises:
        FileFormatError: If it is not a record, or lacks a key; the message names the keys.
    """
    if not isinstance(record, Mapping) or record.get("format") != "isthmus-run":
        raise FileFormatError(source, "it is not a record of isthmus", _REMEDY)
    extras = {name: shape for name, shape in _EXTRAS.items() if record.get(name) is not None}
    missing = list(_missing(record, _MEASURE if is_measurement(record) else {**_FIT, **extras}, ""))
    if missing:
        # A record from elsewhere may lack the same key in hundreds of entries: three name the trouble.
        named = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
        raise FileFormatError(source, f"the record lacks {named}", _REMEDY)
    return record


def _missing(value: object, shape: Any, place: str) -> Iterator[str]:
    if isinstance(shape, list):
        if not isinstance(value, list):
            yield f"the list {place}"
            return
        for index, entry in enumerate(value):
            yield from _missing(entry, shape[0], f"{place}[{index}]")
    elif isinstance(shape, dict):
        if not isinstance(value, Mapping):
            yield f"the object {place}"
            return
        for name, inner in shape.items():
            where = f"{place}.{name}" if place else name
            if name in value:
                yield from _missing(value[name], inner, where)
            else:
                yield where
