"""Networks on disk come back bit for bit; damaged files are named, never half read."""

import json
import struct

import pytest
import safetensors.torch
import torch

from cases import random_layers
from isthmus.errors import FileFormatError, FileMissingError
from isthmus.formats import load_network, save
from isthmus.networks import FullyConnected, StandardizedNetwork
from isthmus.networks.scaling import Affine


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_network_round_trips(tmp_path, activation, dtype):
    network = random_layers((5, 4, 3), activation, seed=5, dtype=dtype)
    save(network, tmp_path / "n.safetensors")
    again = load_network(tmp_path / "n.safetensors")
    assert isinstance(again, FullyConnected)
    assert again.activation == activation
    for mine, other in zip((*network.weights, *network.biases), (*again.weights, *again.biases), strict=True):
        assert torch.equal(mine, other)
        assert mine.dtype == other.dtype


def test_a_standardised_network_round_trips(tmp_path, activation, points):
    network = random_layers((5, 4, 3), activation, seed=6)
    model = StandardizedNetwork(network, Affine(torch.ones(5), torch.full((5,), 2.0)), Affine.identity(3))
    save(model, tmp_path / "model.safetensors")
    again = load_network(tmp_path)
    assert isinstance(again, StandardizedNetwork)
    torch.testing.assert_close(again(points), model(points), rtol=0, atol=0)


def test_a_failed_write_leaves_the_old_file(tmp_path, activation, monkeypatch):
    path = tmp_path / "n.safetensors"
    save(random_layers((2, 2), activation, seed=0), path)
    before = path.read_bytes()

    def no_space(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(OSError, match="no space"):
        save(random_layers((3, 3), activation, seed=1), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["n.safetensors"]


def _valid(tmp_path):
    path = tmp_path / "n.safetensors"
    save(random_layers((2, 3, 2), load_activation(), seed=0), path)
    return path


def load_activation():
    from isthmus.networks import RELU

    return RELU


def truncated(path):
    path.write_bytes(path.read_bytes()[:-10])


def empty(path):
    path.write_bytes(b"")


def pickled(path):
    torch.save({"w": torch.zeros(2)}, path)


def huge_header(path):
    path.write_bytes(struct.pack("<Q", 2**60) + b"{}")


def foreign(path):
    safetensors.torch.save_file({"w": torch.zeros(2)}, path)


def newer(path):
    safetensors.torch.save_file({"w": torch.zeros(2)}, path, {"format": "isthmus-network", "version": "9"})


def without_a_bias(path):
    metadata = {"format": "isthmus-network", "version": "1", "activation": "relu"}
    safetensors.torch.save_file({"weight.1": torch.zeros(2, 2)}, path, metadata)


def with_nan(path):
    metadata = {"format": "isthmus-network", "version": "1", "activation": "relu"}
    tensors = {"weight.1": torch.full((2, 2), float("nan")), "bias.1": torch.zeros(2)}
    safetensors.torch.save_file(tensors, path, metadata)


def with_gelu(path):
    metadata = {"format": "isthmus-network", "version": "1", "activation": "gelu"}
    safetensors.torch.save_file({"weight.1": torch.zeros(2, 2), "bias.1": torch.zeros(2)}, path, metadata)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncated, "damaged or not a safetensors file"),
        (empty, "damaged or not a safetensors file"),
        (pickled, "damaged or not a safetensors file"),
        (huge_header, "damaged or not a safetensors file"),
        (foreign, "its format is None"),
        (newer, "its version is '9'"),
        (without_a_bias, "bias.1"),
        (with_nan, "NaN"),
        (with_gelu, "not positively homogeneous"),
    ],
)
def test_damaged_files_are_refused(tmp_path, damage, message):
    path = _valid(tmp_path)
    damage(path)
    with pytest.raises(FileFormatError, match=message):
        load_network(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileMissingError, match=r"There is no .*nothing\.safetensors"):
        load_network(tmp_path / "nothing.safetensors")
    with pytest.raises(FileMissingError, match="isthmus fit"):
        load_network(tmp_path)


def test_the_header_is_plain_json(tmp_path):
    content = _valid(tmp_path).read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    assert json.loads(content[8 : 8 + length])["__metadata__"]["activation"] == "relu"
