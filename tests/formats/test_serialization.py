"""Files of the same content are the same bytes."""

from __future__ import annotations

import struct

import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from isthmus.formats.serialization import safetensors_bytes

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)


@given(st.dictionaries(NAMES, NAMES, min_size=1, max_size=9), st.randoms(use_true_random=False))
def test_the_order_of_metadata_does_not_show_and_nothing_is_lost(metadata, random):
    tensors = {"a": torch.arange(5.0), "b": torch.tensor([True, False]), "c.é": torch.zeros(2, 0, dtype=torch.float64)}
    shuffled = random.sample(list(metadata.items()), len(metadata))
    written = safetensors_bytes(tensors, metadata)
    assert written == safetensors_bytes(tensors, dict(shuffled))
    back = safetensors.torch.load(written)
    assert {name: (t.dtype, t.tolist()) for name, t in back.items()} == {
        name: (t.dtype, t.tolist()) for name, t in tensors.items()
    }


def test_metadata_is_read_back_by_the_library(tmp_path):
    metadata = {f"name {i}": f"\"'\\ ü {i}" for i in range(9)}
    path = tmp_path / "t.safetensors"
    path.write_bytes(safetensors_bytes({"a": torch.ones(3)}, metadata))
    with safetensors.safe_open(path, "pt") as stream:
        assert stream.metadata() == metadata
    assert struct.unpack("<Q", path.read_bytes()[:8])[0] % 8 == 0
