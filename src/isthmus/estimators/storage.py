"""Estimators on disk: one safetensors file with a description in JSON, never a pickle."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from isthmus.errors import FileFormatError, IsthmusError, OptionError
from isthmus.estimators.latents import Latents, input_names
from isthmus.factorization import Attribution, Factorization
from isthmus.formats.serialization import safetensors_bytes
from isthmus.formats.storage import content, ours, read_safetensors
from isthmus.foundation.files import write_atomically
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks import StandardizedNetwork
from isthmus.selection import Hyperparameters, IndexEvidence, IndexRank, RankEvidence, RankSelection
from isthmus.selection.hyperparameters import Trial
from isthmus.selection.verdict import Comparison, Verdict
from isthmus.training import Schedule

_FORMAT, _VERSION = "isthmus-estimator", "8"
_PLAIN = ("rank", "lower", "upper", "is_calibrated", "task", "n_evaluations", "not_done")
_INDEX = ("rank", "lower", "upper", "dimensions", "ties")
_REMEDY = "Pass a file saved by an estimator of isthmus."


def save_estimator(estimator: Any, found: RankSelection, latents: Latents | None, path: Path) -> None:
    """Write parameters and everything learned to `path`, atomically."""
    description = {
        "class": type(estimator).__name__,
        "parameters": {name: _plain(name, value) for name, value in estimator.get_params(deep=False).items()},
        "attributes": _attributes(estimator),
        "selection": {name: getattr(found, name) for name in _PLAIN},
        "tolerance": found.tolerance.relative,
        "evidence": asdict(found.evidence),
        "verdict": asdict(found.verdict),
        "hyperparameters": None if found.hyperparameters is None else asdict(found.hyperparameters),
    }
    if hasattr(estimator, "dimension_"):
        description["dimension"] = {
            "dimension": estimator.dimension_,
            "interval": estimator.dimension_interval_,
            "shares": list(estimator.dimension_shares_.items()),
        }
    tensors = {"constant": found.constant}
    if (index := found.index) is not None:
        description["index"] = {name: getattr(index, name) for name in _INDEX} | {"evidence": asdict(index.evidence)}
        tensors |= {f"index.{name}": getattr(index, name) for name in ("directions", "replicates")}
    sides = {"network": found.network}
    if (halves := found.factorization) is not None:
        description |= {"layer": halves.layer, "error_curve": halves.error_curve}
        sides |= {"encoder": halves.encoder, "decoder": halves.decoder}
    for side, network in sides.items():
        if network is not None:
            parts, description[side] = content(network)
            tensors |= {f"{side}.{name}": tensor for name, tensor in parts.items()}
    if latents is not None:
        tensors |= {"latents.lower": latents.lower, "latents.upper": latents.upper}
        tensors["latents.effects"] = latents.attribution.effects
    metadata = {"format": _FORMAT, "version": _VERSION, "estimator": json.dumps(description)}
    write_atomically(path, safetensors_bytes(tensors, metadata))


def load_estimator(kind: type[Any], path: Path) -> tuple[Any, RankSelection, Latents | None]:
    """An estimator of class `kind` with its parameters and attributes, what it has found, and where its rows lay.

    Raises:
        FileMissingError, FileFormatError: If there is none at `path`, or it is damaged or of another class.
    """
    tensors, metadata = read_safetensors(path, _REMEDY)
    if metadata.get("format") != _FORMAT:
        raise FileFormatError(path, f"its format is {metadata.get('format')!r}, not {_FORMAT!r}", _REMEDY)
    if metadata.get("version") != _VERSION:
        raise FileFormatError(
            path, f"its version is {metadata.get('version')!r}", "Fit again, or use the isthmus that wrote it."
        )
    try:
        description = json.loads(metadata["estimator"])
        if (name := description["class"]) != kind.__name__:
            raise FileFormatError(path, f"it holds a {name}, not a {kind.__name__}", f"Call {name}.load instead.")
        estimator = kind(**_parameters(description["parameters"]))
        if "n_features_in_" not in description["attributes"]:  # which every estimator has
            raise KeyError("n_features_in_")
        for attribute, value in description["attributes"].items():
            setattr(estimator, attribute, _array(value) if isinstance(value, dict) else value)
        if "dimension" in description:
            _set_dimension(estimator, description["dimension"])
        found = _selection(path, description, tensors)
        return estimator, found, None if found.factorization is None else _latents(estimator, tensors)
    except (AttributeError, LookupError, TypeError, ValueError) as damaged:
        if isinstance(damaged, IsthmusError):
            raise
        raise FileFormatError(path, f"its content does not fit together ({damaged})", _REMEDY) from damaged


def _parameters(saved: dict[str, Any]) -> dict[str, Any]:
    schedule = saved["schedule"]
    return saved | {"schedule": None if schedule is None else Schedule(**schedule)}


def _selection(path: Path, description: dict[str, Any], tensors: dict[str, Tensor]) -> RankSelection:
    halves: Factorization | None = None
    if "encoder" in description:
        encoder, decoder = (_network(path, side, description[side], tensors) for side in ("encoder", "decoder"))
        halves = Factorization(encoder, decoder, description["layer"], tuple(description["error_curve"]))
    chosen = description["hyperparameters"]
    if chosen is not None:
        chosen = Hyperparameters(**{**chosen, "trials": tuple(Trial(**trial) for trial in chosen["trials"])})
    judged = description["verdict"]
    judged = Verdict(**{**judged, "comparisons": tuple(Comparison(**each) for each in judged["comparisons"])})
    return RankSelection(
        **_tuples(description["selection"]),
        evidence=RankEvidence(**_tuples(description["evidence"])),
        verdict=judged,
        tolerance=Tolerance(description["tolerance"]),
        hyperparameters=chosen,
        network=_network(path, "network", description["network"], tensors) if "network" in description else None,
        factorization=halves,
        constant=tensors["constant"],
        index=_index(description["index"], tensors) if "index" in description else None,
    )


def _index(saved: dict[str, Any], tensors: dict[str, Tensor]) -> IndexRank:
    return IndexRank(
        **{**saved, "ties": tuple(map(tuple, saved["ties"])), "evidence": IndexEvidence(**_tuples(saved["evidence"]))},
        directions=tensors["index.directions"],
        replicates=tensors["index.replicates"],
    )


def _tuples(saved: dict[str, Any]) -> dict[str, Any]:
    """JSON has lists where the results have tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in saved.items()}


def _latents(estimator: Any, tensors: dict[str, Tensor]) -> Latents:
    attribution = Attribution(tensors["latents.effects"], tuple(input_names(estimator)))
    return Latents(tensors["latents.lower"], tensors["latents.upper"], attribution)


def _set_dimension(estimator: Any, saved: dict[str, Any]) -> None:
    lower, upper = saved["interval"]
    estimator.dimension_, estimator.dimension_interval_ = saved["dimension"], (lower, upper)
    estimator.dimension_shares_ = {int(d): float(share) for d, share in saved["shares"]}


def _network(path: Path, side: str, metadata: dict[str, str], tensors: dict[str, Tensor]) -> StandardizedNetwork:
    prefix = f"{side}."
    parts = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    network = ours(path, parts, metadata)
    if not isinstance(network, StandardizedNetwork):
        raise FileFormatError(path, f"its {side} has no standardisation", _REMEDY)
    return network


def _attributes(estimator: Any) -> dict[str, Any]:
    """The attributes of a fit that `RankSelection` does not hold."""
    found: dict[str, Any] = {"n_features_in_": estimator.n_features_in_}
    if hasattr(estimator, "_is_vector"):
        found["_is_vector"] = estimator._is_vector
    for name in ("feature_names_in_", "classes_"):
        if hasattr(estimator, name):
            values = getattr(estimator, name)
            kind = "O" if values.dtype.kind == "O" else values.dtype.str
            found[name] = {"dtype": kind, "values": [_plain(name, value) for value in values.tolist()]}
    return found


def _array(value: dict[str, Any]) -> NDArray[Any]:
    return np.array(value["values"], dtype=value["dtype"])


def _plain(name: str, value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(name, each) for each in value]
    if isinstance(value, Schedule):
        return {field: _plain(name, each) for field, each in asdict(value).items()}
    raise OptionError(name, value, "a number, a text or None to be saved")
