"""Tensors as the bytes of a safetensors file: the same content, the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping

import safetensors.torch
from torch import Tensor

_LENGTH = 8  # bytes that hold the header's length, and what the header is padded to


def safetensors_bytes(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """Serialise tensors (contiguous, none a view of another) with their metadata in the order of its names.

    safetensors (0.8.0) keeps metadata in a hash map, so that two files of the same content differ by its order. Digests
    of files, and what is resumed and compared with what was not, need them alike.
    """
    written = safetensors.torch.save(dict(tensors), dict(metadata))
    end = _LENGTH + int.from_bytes(written[:_LENGTH], "little")
    header = json.loads(written[_LENGTH:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _LENGTH)
    return len(text).to_bytes(_LENGTH, "little") + text + written[end:]
