"""Where to measure in a graph: between two tensors, other inputs held; by values where there is no translation."""

import json

import numpy as np
import pytest
import torch

from commands import call
from isthmus import measure
from isthmus.errors import (
    FileFormatError,
    MissingExtraError,
    MixedRowsError,
    TensorChoiceError,
    UnsupportedOperatorError,
)
from isthmus.formats import load, load_values
from isthmus.foundation.tolerance import Tolerance

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from onnx_graphs import initializer, ints, node, saved  # noqa: E402

W1, W2 = initializer("w1", 4, 3, seed=1), initializer("w2", 3, 5, seed=2)
X = np.random.default_rng(0).standard_normal((30, 4)).astype(np.float32)


def value(proto):
    return torch.from_numpy(np.array(numpy_helper.to_array(proto)))


@pytest.fixture
def chain(tmp_path):
    """x -> h = x w1 -> t = tanh h -> p = t w2 -> y = softmax p."""
    nodes = [node("MatMul", "x w1", "h"), node("Tanh", "h", "t"), node("MatMul", "t w2", "p"), node("Softmax", "p")]
    np.save(tmp_path / "x.npy", X)
    return saved(tmp_path / "m.onnx", nodes, (4,), [W1, W2])


@pytest.fixture
def two(tmp_path):
    """y = x w1 * gate, with a second input."""
    graph = helper.make_graph(
        [node("MatMul", "x w1", "h"), node("Mul", "h gate")],
        "g",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4]),
            helper.make_tensor_value_info("gate", TensorProto.FLOAT, [3]),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [W1],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), tmp_path / "two.onnx"
    )
    return tmp_path / "two.onnx"


def test_an_output_inside_and_an_input_inside(chain):
    x = torch.from_numpy(X)
    torch.testing.assert_close(load(chain, output="p")(x), torch.tanh(x @ value(W1)) @ value(W2))
    behind = load(chain, input="t", output="p")
    t = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(behind(t), t @ value(W2))
    # Before the softmax there is one direction more than after it.
    tolerance = Tolerance(1e-6)
    assert measure(load(chain, output="p"), X, tolerance=tolerance).jacobian_rank.lower == 3
    assert measure(load(chain, input="t"), t, tolerance=tolerance).jacobian_rank.upper <= 5


def test_held_inputs_are_weights(two):
    gate = np.array([1.0, 0.0, 2.0], np.float32)
    model = load(two, input="x", held={"gate": gate})
    torch.testing.assert_close(model(torch.from_numpy(X)), torch.from_numpy(X) @ value(W1) * torch.from_numpy(gate))
    assert measure(model, X, tolerance=Tolerance(1e-6)).jacobian_rank.lower == 2


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("start", ["x", "h"])
def test_a_graph_that_reshapes_by_what_is_held_is_one_for_so_many_rows(tmp_path, rows, start):
    """y = (x w1) reshaped to (rows of the mask, 3): other numbers of rows do not fit, in the runtime neither."""
    nodes = [
        node("MatMul", "x w1", "h"),
        node("Shape", "mask", "s", start=0, end=1),
        node("Concat", "s three", "shape", axis=0),
        node("Reshape", "h shape", "r"),
        node("Mul", "r mask"),
    ]
    kinds = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", d]) for name, d in (("x", 4), ("mask", 3))]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])
    graph = helper.make_graph(nodes, "g", kinds, [output], [W1, ints("three", 3)])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), tmp_path / "held.onnx"
    )
    mask = np.tile(np.array([[1.0, 0.0, 2.0]], np.float32), (rows, 1))
    x = torch.from_numpy(X)
    h = x @ value(W1)
    model = load(tmp_path / "held.onnx", input=start, held={"mask": mask})
    given = x if start == "x" else h
    torch.testing.assert_close(model(given), h * torch.from_numpy(mask[:1]))
    profile = measure(model, given, tolerance=Tolerance(1e-6))
    assert profile.jacobian_rank.lower == 2
    assert not any("Not compared" in note for note in profile.notes)
    different = mask * np.arange(1, rows + 1, dtype=np.float32)[:, None]
    if rows > 1:  # each place has a mask of its own, so a row is not one function
        with pytest.raises(MixedRowsError, match="mixes the rows"):
            load(tmp_path / "held.onnx", input=start, held={"mask": different})(given)


@pytest.fixture(params=[11, 17])
def jointly(tmp_path, request):
    """y = tanh(flatten(a) w1) * b * c, with a of rows (2, 2)."""
    nodes = [
        node("Flatten", "a", "f"),
        node("MatMul", "f w1", "h"),
        node("Tanh", "h", "t"),
        node("Mul", "t b", "u"),
        node("Mul", "u c"),
    ]
    sizes = {"a": ["n", 2, 2], "b": ["n", 3], "c": [3], "tokens": ["n", 3], "free": ["n", "m"]}
    kinds = {"tokens": TensorProto.INT64}
    tensors = [helper.make_tensor_value_info(k, kinds.get(k, TensorProto.FLOAT), v) for k, v in sizes.items()]
    graph = helper.make_graph(
        nodes, "g", tensors, [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])], [W1]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", request.param)], ir_version=6)
    onnx.save(model, tmp_path / "joint.onnx")
    return tmp_path / "joint.onnx"


def test_inputs_vary_jointly_as_one_vector(jointly, tmp_path, capsys):
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((20, 2, 2)).astype(np.float32), rng.standard_normal((20, 3)).astype(np.float32)
    c = np.array([1.0, 2.0, 0.5], np.float32)

    def right(row):
        return torch.tanh(row[:4] @ value(W1).double()) * row[4:] * torch.from_numpy(c)

    x = torch.from_numpy(np.concatenate([a.reshape(20, 4), b], 1))
    model = load(jointly, input="a,b", held={"c": c})
    torch.testing.assert_close(model(x).double(), torch.stack([right(row) for row in x.double()]), rtol=1e-5, atol=1e-6)
    spectra = measure(model, x, scale_inputs="none", scale_outputs="none").jacobian.singular_values
    jacobians = torch.stack([torch.func.jacrev(right)(row) for row in x.double()])
    torch.testing.assert_close(spectra, torch.linalg.svdvals(jacobians), rtol=1e-4, atol=1e-6)
    np.savez(tmp_path / "in.npz", a=a, b=b, c=c)
    arguments = ("measure", str(jointly), "--data", str(tmp_path / "in.npz"), "--json", "--input")
    status, out, err = call(capsys, *arguments, "a, b")
    assert (status, err, json.loads(out)["rows"], json.loads(out)["jacobian_rank_upper"]) == (0, "", 20, 3)
    assert "It computes what onnxruntime" in json.loads(out)["notes"][0]
    np.savez(tmp_path / "in.npz", a=a, b=b[:5], c=c)
    status, _, err = call(capsys, *arguments, "a,b")
    assert (status, err.count("\n")) == (2, 1)
    assert "--input is 'a,b' but must be arrays of as many rows in" in err


BAD_JOINTLY = {
    "a,h": (TensorChoiceError, "'h' is no input of its own"),
    "a,a": (TensorChoiceError, "'a' is named twice"),
    "a,tokens": (FileFormatError, "its inputs a, tokens are not real numbers of one type"),
    "a,c": (FileFormatError, "its inputs a, c are not real numbers of one type and as many rows"),
    "a,free": (FileFormatError, "a size of its inputs a, free is free"),
}


@pytest.mark.parametrize("chosen", BAD_JOINTLY)
def test_what_cannot_vary_jointly_is_refused(chosen, jointly):
    error, message = BAD_JOINTLY[chosen]
    with pytest.raises(error, match=message):
        load(jointly, input=chosen)


BAD = {
    "two inputs": (
        {},
        r"it has 2 inputs \(x, gate\), and one varies at a time.*begins at one of x, gate with --input NAME",
    ),
    "one not held": ({"input": "x"}, "the output also depends on gate"),
    "no such tensor": ({"input": "z"}, "there is no tensor 'z' in its graph"),
    "no such output": ({"output": "z"}, "there is no tensor 'z' in its graph.*x, gate, h, y"),
    "nothing to hold": ({"input": "x", "held": {"z": X}}, "there is no input 'z' to hold"),
    "independent": ({"input": "gate", "output": "h"}, "also depends on x|does not depend on 'gate'"),
}


@pytest.mark.parametrize("name", BAD)
def test_an_unclear_choice_is_an_error_that_names_the_tensors(name, two):
    options, message = BAD[name]
    with pytest.raises(TensorChoiceError, match=message):
        load(two, **options)


def test_tokens_name_the_first_real_tensors_behind_them(tmp_path):
    nodes = [node("Gather", "table x", "embedded"), node("Tanh", "embedded")]
    path = saved(tmp_path / "m.onnx", nodes, (7,), [initializer("table", 10, 3)], kind=TensorProto.INT64)
    model = onnx.load(path)
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    path.write_bytes(model.SerializeToString())
    with pytest.raises(FileFormatError, match=r"'x' holds no real numbers \(int64\).*--input embedded or --input y"):
        load(path)
    x = torch.randn(5, 7, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(load(path, input="embedded")(x), x.tanh())


def test_the_tensors_are_listed(chain, capsys):
    status, out, err = call(capsys, "measure", str(chain), "--list", "--json")
    assert (status, err) == (0, "")
    found = {each["name"]: (each["role"], each["type"], each["shape"]) for each in json.loads(out)["tensors"]}
    assert found["x"] == ("input", "float", [None, 4])
    assert found["t"] == ("inside", "float", [None, 3])
    assert found["y"][0] == "output"
    status, out, _ = call(capsys, "measure", str(chain), "--list")
    assert status == 0
    assert "any × 3" in out


def test_the_command_measures_between_tensors(chain, capsys):
    arguments = ("measure", str(chain), "--data", str(chain.parent / "x.npy"), "--tolerance", "1e-6", "--json")
    status, out, _ = call(capsys, *arguments, "--output", "p")
    assert (status, json.loads(out)["jacobian_rank"]) == (0, 3)


def test_arrays_by_name_vary_or_are_held(two, capsys, tmp_path):
    np.savez(tmp_path / "in.npz", x=X, gate=np.array([1.0, 0.0, 2.0], np.float32))
    arguments = ("measure", str(two), "--data", str(tmp_path / "in.npz"), "--tolerance", "1e-6")
    status, out, err = call(capsys, *arguments, "--input", "x", "--json")
    assert (status, err, json.loads(out)["jacobian_rank"]) == (0, "", 2)
    status, _, err = call(capsys, *arguments)
    assert status == 2
    assert "--input is None but must be one of the arrays in" in err
    status, _, err = call(capsys, "measure", str(two))
    assert (status, err.count("\n")) == (2, 1)
    assert "Missing option '--data'" in err


def test_what_has_no_translation_is_measured_by_its_values(tmp_path, capsys):
    pytest.importorskip("onnxruntime")
    nodes = [node("Unsqueeze", "x a", "u"), node("DFT", "u", axis=1)]
    path = saved(tmp_path / "m.onnx", nodes, (4,), [ints("a", -1)], version=17)
    with pytest.raises(UnsupportedOperatorError, match=r"operator DFT.*--by-differences, .*load_values"):
        load(path)
    profile = measure(load_values(path), X, scale_inputs="none", scale_outputs="none")
    assert profile.method == "differences"
    assert "m.onnx in onnxruntime" in profile.notes[0]
    # The transform of four numbers stretches every direction by 2.
    assert bool((profile.jacobian.singular_values <= 2.0).all())
    assert bool((profile.jacobian.upper >= 2.0).all())
    assert profile.jacobian_rank.lower == 4
    np.save(tmp_path / "x.npy", X)
    arguments = ("measure", str(path), "--data", str(tmp_path / "x.npy"))
    status, _, err = call(capsys, *arguments)
    assert (status, err.count("\n")) == (2, 1)
    status, out, _ = call(capsys, *arguments, "--by-differences", "--json")
    assert (status, json.loads(out)["method"]) == (0, "differences")


def test_values_need_the_runtime(chain, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match="onnxruntime"):
        load_values(chain)
    assert "onnxruntime is not installed" in measure(load(chain), X).notes[0]
