"""Tensors of anyone with a description of their layers: against torch's own modules, numpy, and sums by hand."""

import json

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from isthmus import measure
from isthmus.errors import FileFormatError
from isthmus.formats import load


def saved(tmp_path, layers, tensors, **more):
    safetensors.torch.save_file({name: t.clone() for name, t in tensors.items()}, tmp_path / "m.safetensors")
    (tmp_path / "m.json").write_text(json.dumps({"layers": layers, **more}))
    return tmp_path / "m.safetensors"


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def linear(name):
    return {"type": "Linear", "name": name}


def test_a_layer_that_is_used_twice_has_its_tensors_twice(tmp_path):
    tensors = {"a.weight": randn(4, 4), "a.bias": randn(4, seed=1)}
    model = load(saved(tmp_path, [linear("a"), {"type": "ReLU"}, linear("a")], tensors))
    x = randn(20, 4, seed=2)
    expected = (x @ tensors["a.weight"].T + tensors["a.bias"]).clamp_min(0) @ tensors["a.weight"].T + tensors["a.bias"]
    torch.testing.assert_close(model(x), expected)
    assert measure(model, x).method == "chain"


def test_tensors_that_a_file_stores_once_for_two_names_are_found_under_both(tmp_path):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
            self.second.weight = self.first.weight

    module = Tied()
    safetensors.torch.save_model(module, str(tmp_path / "m.safetensors"))
    with safetensors.safe_open(tmp_path / "m.safetensors", "pt") as stored:
        assert len(stored.keys()) == 3
    (tmp_path / "m.json").write_text(json.dumps({"layers": [linear("first"), {"type": "Tanh"}, linear("second")]}))
    x = randn(20, 4).float()
    expected = module.second(torch.tanh(module.first(x)))
    torch.testing.assert_close(load(tmp_path / "m.safetensors")(x), expected)


def test_a_decoder_with_the_weight_of_its_encoder(tmp_path):
    tensors = {"encoder.weight": randn(2, 6), "encoder.bias": randn(2, seed=1), "decoder.bias": randn(6, seed=2)}
    decoder = {"type": "Linear", "weight": "encoder.weight", "transposed": True, "bias": "decoder.bias"}
    model = load(saved(tmp_path, [linear("encoder"), {"type": "ReLU"}, decoder], tensors))
    x = randn(100, 6, seed=3)
    hidden = (x @ tensors["encoder.weight"].T + tensors["encoder.bias"]).clamp_min(0)
    torch.testing.assert_close(model(x), hidden @ tensors["encoder.weight"] + tensors["decoder.bias"])
    profile = measure(model, x)
    assert (profile.method, profile.bottleneck_rank.upper) == ("chain", 2)


def test_a_pipeline_as_scikit_learn_holds_it(tmp_path):
    """Scaler, and a perceptron whose matrices have inputs first; the sum is numpy's."""
    tensors = {
        "scaler.mean_": randn(5) * 3,
        "scaler.scale_": randn(5, seed=1).abs() + 0.5,
        "coefs_.0": randn(5, 7, seed=2),
        "intercepts_.0": randn(7, seed=3),
        "coefs_.1": randn(7, 2, seed=4),
        "intercepts_.1": randn(2, seed=5),
        "t_": torch.tensor([12.0]),
    }
    layers = [
        {"type": "Scaler", "mean": "scaler.mean_", "scale": "scaler.scale_"},
        {"type": "Linear", "weight": "coefs_.0", "bias": "intercepts_.0", "transposed": True},
        {"type": "ReLU"},
        {"type": "Linear", "weight": "coefs_.1", "bias": "intercepts_.1", "transposed": True},
    ]
    model = load(saved(tmp_path, layers, tensors, unused=["t_"]))
    x = randn(50, 5, seed=6)
    a = {name: t.numpy() for name, t in tensors.items()}
    z = np.maximum((x.numpy() - a["scaler.mean_"]) / a["scaler.scale_"] @ a["coefs_.0"] + a["intercepts_.0"], 0)
    np.testing.assert_allclose(model(x).detach().numpy(), z @ a["coefs_.1"] + a["intercepts_.1"], rtol=1e-12)
    assert measure(model, x).method == "chain"


@pytest.mark.parametrize("is_causal", [False, True])
def test_a_transformer_block_is_that_of_torch(is_causal, tmp_path):
    torch.manual_seed(0)
    block = nn.TransformerEncoderLayer(8, 2, 16, activation="gelu", batch_first=True, norm_first=True, dropout=0.0)
    block = block.double().eval()
    attention = {
        "type": "Attention",
        "heads": 2,
        "causal": is_causal,
        "fused": {"weight": "self_attn.in_proj_weight", "bias": "self_attn.in_proj_bias"},
        "output": {"name": "self_attn.out_proj"},
    }
    feed = [{"type": "LayerNorm", "name": "norm2"}, linear("linear1"), {"type": "GELU"}, linear("linear2")]
    layers = [
        {"type": "Prepend", "tensor": "first"},
        {"type": "Add", "tensor": "places"},
        {"type": "Residual", "layers": [{"type": "LayerNorm", "name": "norm1"}, attention]},
        {"type": "Residual", "layers": feed},
        {"type": "Token", "index": 0} if not is_causal else {"type": "Token"},
    ]
    first, places = randn(1, 1, 8), randn(9, 8, seed=1)
    model = load(saved(tmp_path, layers, {**block.state_dict(), "first": first, "places": places}))
    x = randn(6, 4, 8, seed=2)
    tokens = torch.cat([first.expand(6, 1, 8), x], 1) + places[:5]
    mask = nn.Transformer.generate_square_subsequent_mask(5, dtype=torch.float64) if is_causal else None
    expected = block(tokens, src_mask=mask, is_causal=is_causal)
    expected = expected.mean(1) if is_causal else expected[:, 0]
    torch.testing.assert_close(model(x), expected)
    profile = measure(model, x)
    assert (profile.model, profile.method) == ("m.safetensors", "local")


def test_shared_keys_rotary_positions_and_gates_by_hand(tmp_path):
    """Two heads of queries on one of keys, pairs as complex numbers, a gated unit; summed token by token."""
    names = {"q": (8, 8), "k": (4, 8), "v": (4, 8), "o": (8, 8), "gate": (6, 8), "up": (6, 8), "down": (8, 6)}
    tensors = {f"{name}.weight": randn(*shape, seed=i) for i, (name, shape) in enumerate(names.items())}
    attention = {"type": "Attention", "heads": 2, "causal": True, "rotary": 100.0}
    parts = {"query": "q", "key": "k", "value": "v", "output": "o"}
    attention |= {part: {"name": name} for part, name in parts.items()}
    gated = {"type": "Gated", "activation": "SiLU", **{part: {"name": part} for part in ("gate", "up", "down")}}
    x = randn(2, 3, 8, seed=9)
    found = load(saved(tmp_path, [attention, gated], tensors))(x)
    w = {name: tensors[f"{name}.weight"].numpy() for name in names}

    def turned(vector, place):
        z = (vector[:2] + 1j * vector[2:]) * np.exp(1j * place * 100.0 ** (-np.arange(2) / 2))
        return np.concatenate([z.real, z.imag])

    for row, rows in enumerate(x.numpy()):
        for t in range(3):
            heads = []
            for h in range(2):
                query = turned((w["q"] @ rows[t])[4 * h : 4 * h + 4], t)
                scores = np.array([query @ turned(w["k"] @ rows[s], s) / 2.0 for s in range(t + 1)])
                weights = np.exp(scores) / np.exp(scores).sum()
                heads.append(sum(weight * (w["v"] @ rows[s]) for s, weight in enumerate(weights)))
            y = w["o"] @ np.concatenate(heads)
            gate = w["gate"] @ y
            expected = w["down"] @ (gate / (1 + np.exp(-gate)) * (w["up"] @ y))
            np.testing.assert_allclose(found[row, t].detach().numpy(), expected, rtol=1e-10, atol=1e-12)


LINEAR = {"a.weight": randn(8, 8), "a.bias": randn(8)}
BAD = {
    "a stray tensor called unused": ([linear("a")], {"unused": ["b"]}, "calls 'b' unused, which is no tensor"),
    "a used tensor called unused": ([linear("a")], {"unused": ["a"]}, "calls 'a' unused, which is no tensor"),
    "unused as a text": ([linear("a")], {"unused": "a"}, "unused is no list of names"),
    "no such tensor": ([linear("a"), {"type": "Add", "tensor": "b"}], {}, "layer Add does not fit .*no tensor named b"),
    "heads that do not divide": (
        [{"type": "Attention", "heads": 3, **{part: {"name": "a"} for part in ("query", "key", "value", "output")}}],
        {},
        "3 heads do not share",
    ),
    "a part missing": ([{"type": "Attention", "heads": 2, "fused": {"name": "a"}}], {}, "does not fit .*'output'"),
    "an unknown option": (
        [{"type": "Residual", "layers": [linear("a")], "scale": 2}],
        {},
        "layer Residual does not fit .*does not take 'scale'",
    ),
    "layers that are none": ([{"type": "Residual", "layers": 3}], {}, "layers does not fit .*no list of layers"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_descriptions_are_refused(name, tmp_path):
    layers, more, message = BAD[name]
    with pytest.raises(FileFormatError, match=message):
        load(saved(tmp_path, layers, LINEAR, **more))
