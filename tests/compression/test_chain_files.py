"""What is written is what is computed: in onnxruntime, loaded again, in torch."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from isthmus import compress
from isthmus.errors import DisagreementError, OptionError, TargetExistsError
from isthmus.formats import load
from isthmus.formats.chain_files import Interface, write_chain
from isthmus.networks import ABSOLUTE, IDENTITY, RELU, Activation, FullyConnected
from isthmus.networks.chain import Chain, Layer

ACTIVATIONS = [RELU, Activation(0.1), ABSOLUTE, IDENTITY]


def chain(*activations, dtype=torch.float32, widths=(5, 7, 2, 6, 3)):
    generator = torch.Generator().manual_seed(0)
    layers = []
    for n, m, activation in zip(widths[1:], widths, activations, strict=False):
        weight, bias = torch.randn(n, m, generator=generator), torch.randn(n, generator=generator)
        layers.append(Layer(weight.to(dtype), bias.to(dtype), activation))
    return Chain(tuple(layers))


def rows(dtype, n=50, d=5):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_onnxruntime_computes_what_the_chain_computes(tmp_path, activation, dtype):
    given = chain(activation, IDENTITY, activation, activation, dtype=dtype)
    path = write_chain(given, tmp_path / "c.onnx", Interface((5,), "features", "score", 15))
    model = onnx.load(path)
    assert ([i.name for i in model.graph.input], [o.name for o in model.graph.output]) == (["features"], ["score"])
    assert model.opset_import[0].version == 15
    x = rows(dtype)
    (found,) = onnxruntime.InferenceSession(path).run(None, {"features": x.numpy()})
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    np.testing.assert_allclose(found, given(x).numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", ["onnx", "safetensors", "pt2"])
def test_what_is_loaded_again_computes_the_same(tmp_path, kind):
    given = chain(RELU, IDENTITY, Activation(0.1), IDENTITY)
    path = write_chain(given, tmp_path / f"c.{kind}")
    loaded = load(path)
    x = rows(torch.float32)
    torch.testing.assert_close(loaded(x), given(x), rtol=1e-5, atol=1e-5)
    assert loaded.input_shape == (5,)


def test_a_chain_with_one_activation_is_a_network_of_ours_again(tmp_path):
    loaded = load(write_chain(chain(ABSOLUTE, ABSOLUTE, IDENTITY), tmp_path / "c.safetensors"))
    assert isinstance(loaded, FullyConnected)
    assert (loaded.widths, loaded.activation) == ((5, 7, 2, 6), ABSOLUTE)


def test_rows_keep_their_shape(tmp_path):
    given = chain(RELU, IDENTITY, widths=(12, 7, 2))
    path = write_chain(given, tmp_path / "c.onnx", Interface((3, 2, 2)))
    x = rows(torch.float32, d=12)
    torch.testing.assert_close(load(path)(x.reshape(-1, 3, 2, 2)), given(x), rtol=1e-5, atol=1e-5)


def test_where_something_is_nothing_is_written(tmp_path):
    target = tmp_path / "c.onnx"
    target.write_text("mine")
    with pytest.raises(TargetExistsError, match="not replaced"):
        write_chain(chain(RELU, IDENTITY), target)
    assert target.read_text() == "mine"
    with pytest.raises(OptionError, match=r"ends in \.onnx, \.safetensors or \.pt2"):
        write_chain(chain(RELU, IDENTITY), tmp_path / "c.pth")
    for given, kind in ((chain(ABSOLUTE, IDENTITY), "pt2"), (chain(ABSOLUTE, IDENTITY, IDENTITY), "safetensors")):
        with pytest.raises(OptionError, match=r"an \.onnx file: torch has no module for the absolute value"):
            write_chain(given, tmp_path / f"c.{kind}")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.onnx"]


def test_a_file_that_computes_something_else_is_taken_away_again(tmp_path, monkeypatch):
    given = chain(RELU, IDENTITY)
    found = compress(given, rows(torch.float32))
    right = found.chain
    wrong = Chain((right.layers[0], Layer(right.layers[1].weight * 1.01, right.layers[1].bias)))
    monkeypatch.setattr(
        "isthmus.compression.compressed.write_chain", lambda _, path, interface: write_chain(wrong, path, interface)
    )
    with pytest.raises(DisagreementError, match="differs by"):
        found.save(tmp_path / "c.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_chain_file_is_refused(tmp_path):
    import safetensors.torch

    path = tmp_path / "c.safetensors"
    for metadata in ({"version": "2"}, {"version": "1", "activations": '["relu"]'}, {"version": "1"}):
        safetensors.torch.save_file({"bias.1": torch.ones(2)}, path, {"format": "isthmus-chain", **metadata})
        with pytest.raises(ValueError, match=r"its version is|does not fit together"):
            load(path)
