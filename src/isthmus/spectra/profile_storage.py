"""Profiles on disk: numbers as safetensors, the rest as JSON."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import safetensors.torch

from isthmus.errors import FileFormatError, IsthmusError
from isthmus.formats.storage import read_safetensors
from isthmus.foundation.files import read_json, write_atomically, write_json
from isthmus.foundation.tolerance import Tolerance
from isthmus.spectra.isometry import BottleneckCertificate
from isthmus.spectra.layer_spectrum import LayerSpectrum
from isthmus.spectra.point_spectra import JacobianSpectra
from isthmus.spectra.profile import RankProfile
from isthmus.spectra.rank_estimate import RankEstimate
from isthmus.spectra.tolerance_curve import RankCurve

_FORMAT, _VERSION = "isthmus-profile", 1
_JSON, _TENSORS = "profile.json", "profile.safetensors"
_REMEDY = "Pass a folder written by RankProfile.save, or measure again."
_NOT_PLAIN = ("jacobian", "points")


def save_profile(profile: RankProfile, folder: Path) -> Path:
    """Write `profile` into `folder`; the JSON comes last, so a folder with it is complete."""
    tensors = {"singular_values": profile.jacobian.singular_values, "points": profile.points}
    if profile.jacobian.upper is not None:
        tensors["upper"] = profile.jacobian.upper
    content = safetensors.torch.save({name: t.cpu().contiguous() for name, t in tensors.items()})
    write_atomically(folder / _TENSORS, content)
    plain: dict[str, Any] = {
        field.name: getattr(profile, field.name) for field in fields(profile) if field.name not in _NOT_PLAIN
    }
    for name in ("jacobian_rank", "bottleneck_rank", "curve"):
        plain[name] = asdict(plain[name])
    plain["layers"] = [asdict(layer) for layer in profile.layers]
    plain["certificate"] = None if profile.certificate is None else asdict(profile.certificate)
    plain["changes"] = {str(k): change for k, change in profile.changes.items()}
    plain["tolerance"] = profile.tolerance.relative
    plain["is_leading"] = profile.jacobian.is_leading
    write_json(folder / _JSON, {"format": _FORMAT, "version": _VERSION, "profile": plain})
    return folder


def load_profile(folder: Path) -> RankProfile:
    """The profile in `folder`."""
    path = folder / _JSON
    stored = read_json(path, _REMEDY)
    if not isinstance(stored, dict) or stored.get("format") != _FORMAT:
        raise FileFormatError(path, "it is not a profile of isthmus", _REMEDY)
    if stored.get("version") != _VERSION:
        raise FileFormatError(path, f"its version is {stored.get('version')!r}", "Update isthmus, or measure again.")
    tensors, _ = read_safetensors(folder / _TENSORS, _REMEDY)
    try:
        return _assembled(dict(stored["profile"]), tensors)
    except (KeyError, TypeError, ValueError, AttributeError, IsthmusError) as damaged:
        raise FileFormatError(path, f"its content does not fit together ({damaged})", _REMEDY) from damaged


def _assembled(plain: dict[str, Any], tensors: dict[str, Any]) -> RankProfile:
    for name in ("jacobian_rank", "bottleneck_rank"):
        plain[name] = RankEstimate(**{**plain[name], "evidence": tuple(plain[name]["evidence"])})
    curve = _tupled(plain["curve"])
    curve["resampled"] = {int(k): share for k, share in curve["resampled"].items()}
    plain["curve"] = RankCurve(**curve)
    plain["layers"] = tuple(LayerSpectrum(**_tupled(layer)) for layer in plain["layers"])
    plain["changes"] = {int(k): change for k, change in plain["changes"].items()}
    plain["notes"] = tuple(plain.get("notes", ()))
    if plain.get("certificate") is not None:
        plain["certificate"] = BottleneckCertificate(**_tupled(plain["certificate"]))
    plain["tolerance"] = Tolerance(plain["tolerance"])
    spectra = JacobianSpectra(tensors["singular_values"], tensors.get("upper"), plain.pop("is_leading", False))
    return RankProfile(jacobian=spectra, points=tensors["points"], **plain)


def _tupled(plain: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}
