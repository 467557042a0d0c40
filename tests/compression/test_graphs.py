"""Graphs that branch: onnxruntime computes the same from the written file as from the given one."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from isthmus import Tolerance, compress
from isthmus.compression import path
from isthmus.errors import IncompressibleModelError, OptionError
from isthmus.formats import load
from onnx_graphs import node, saved


@pytest.fixture(autouse=True)
def _short_training(monkeypatch):
    monkeypatch.setattr(path, "_FINAL", 100)
    monkeypatch.setattr(path, "_STEPS", 20)


def weights(seed, **shapes):
    """Named weights, each with the scale of its number of rows."""
    draws = np.random.default_rng(seed)
    return {
        name: (draws.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32) for name, shape in shapes.items()
    }


def initializers(values):
    return [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in values.items()]


def in_onnxruntime(file, x):
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: np.asarray(x, np.float32)})


def points(*shape, n=2000, low=0.0, high=1.0, seed=9):
    found = np.random.default_rng(seed).random((n, *shape))
    found[: n // 10] = found[: n // 10].round()
    return (low + (high - low) * found).astype(np.float32)


def largest_change(first, second, x):
    """Of any output, relative to its largest value."""
    return max(
        float(np.max(np.abs(a - b).max(0) / np.maximum(np.abs(a).max(0), 1e-30)))
        for a, b in zip(in_onnxruntime(first, x), in_onnxruntime(second, x), strict=True)
    )


def residual(tmp_path):
    """x + W₂ relu(W₁ x + b₁), twice, then two affine maps in a row of rank 3 and a head of two outputs."""
    values = weights(0, a=(8, 12), b=(12, 8), c=(8, 12), d=(12, 8), e=(8, 20), f=(20, 9), head=(9, 4))
    values["e"] = values["e"] @ np.linalg.qr(weights(5, q=(20, 3))["q"])[0] @ weights(6, q=(3, 20))["q"]
    values["a"][:, 1] = 2.0 * values["a"][:, 0]  # proportional: with the same bias but twice
    bias = np.linspace(-0.4, 0.4, 12, dtype=np.float32)
    bias[1] = 2.0 * bias[0]
    bias[5] = 6.0  # always active on the box
    bias[6] = -6.0  # never
    values |= {"ab": bias, "cb": -bias[::-1], "bb": np.ones(8)}
    values["d"][7] = 0.0  # nobody reads the eighth neuron
    nodes = [
        node("Gemm", "x a ab", "h"),
        node("Relu", "h", "r"),
        node("Gemm", "r b bb", "o"),
        node("Add", "x o", "s"),
        node("Gemm", "s c cb", "h2"),
        node("Relu", "h2", "r2"),
        node("MatMul", "r2 d", "o2"),
        node("Add", "s o2", "s2"),
        node("MatMul", "s2 e", "m"),
        node("MatMul", "m f", "n"),
        node("Tanh", "n", "t"),
        node("MatMul", "t head", "score"),
    ]
    file = saved(tmp_path / "m.onnx", nodes, (8,), initializers(values), outputs=("score", "s"), version=15)
    model = onnx.load(file)
    for each, width in zip(model.graph.output, (4, 8), strict=True):
        each.CopyFrom(helper.make_tensor_value_info(each.name, TensorProto.FLOAT, ["n", width]))
    onnx.save(model, file)
    return file


def test_a_residual_network_is_folded_between_its_branches(tmp_path):
    given = residual(tmp_path)
    x = torch.from_numpy(points(8, n=300, seed=1))
    found = compress(load(given), x, box=(0.0, 1.0))
    small = found.save(tmp_path / "s.onnx")
    assert largest_change(given, small, points(8)) < 1e-5
    kinds = {(fold.kind, fold.layers[0], fold.neurons) for fold in found.folds if fold.neurons}
    assert {("proportional", "h", (1,)), ("always inactive", "h", (6,)), ("unread", "h2", (7,))} <= kinds
    (low,) = (fold for fold in found.folds if "m" in fold.layers)
    assert (low.kind, low.layers, low.proof) == ("low rank", ("m", "n"), "its matrix has numerical rank 3 of 8")
    written = onnx.load(small)
    onnx.checker.check_model(written, full_check=True)
    assert [each.name for each in written.graph.output] == ["score", "s"]
    assert written.opset_import[0].version == 15
    assert [n.op_type for n in written.graph.node].count("Tanh") == 1
    held = sum(int(np.prod(each.dims)) for each in written.graph.initializer)
    assert found.after.parameters == held < found.before.parameters
    assert found.before.parameters == sum(int(np.prod(each.dims)) for each in onnx.load(given).graph.initializer)
    assert found.rank is None
    np.testing.assert_allclose(found(x)[:, :4].numpy(), in_onnxruntime(small, x)[0], rtol=1e-4, atol=1e-5)


def test_on_the_box_only_what_is_proved_behind_a_branch_is_folded(tmp_path):
    """The second block reads x + o: what all rows have on one side is folded on the rows alone."""
    given = residual(tmp_path)
    x = torch.from_numpy(points(8, n=30, low=0.4, high=0.6, seed=1))
    on_rows = compress(load(given), x)
    on_box = compress(load(given), x, box=(-3.0, 3.0))
    assert on_rows.after.parameters < on_box.after.parameters
    assert {f.proof for f in on_rows.folds if f.kind.startswith("always")} == {"seen on the given rows only"}
    assert "seen on the given rows only" not in {f.proof for f in on_box.folds}
    small = on_box.save(tmp_path / "s.onnx")
    assert largest_change(given, small, points(8, low=-3.0, high=3.0)) < 1e-5
    rows = on_rows.save(tmp_path / "r.onnx")
    assert largest_change(given, rows, x) < 1e-5
    assert largest_change(given, rows, points(8, low=-3.0, high=3.0)) > 1e-3


def test_what_is_not_bounded_is_folded_only_for_every_input(tmp_path):
    """Behind a product of tensors nothing bounds what is read. An identity layer of what is positive goes."""
    values = weights(0, a=(4, 6), b=(6, 6), c=(6, 3)) | {"eye": np.eye(6)}
    nodes = [
        node("Mul", "x x", "q"),
        node("MatMul", "q a", "h"),
        node("Relu", "h", "r"),
        node("MatMul", "r eye", "i"),
        node("Relu", "i", "j"),
        node("MatMul", "j c", "y"),
    ]
    given = saved(tmp_path / "m.onnx", nodes, (4,), initializers(values))
    x = torch.from_numpy(points(4, n=100, low=0.5))
    found = compress(load(given), x, box=(-5.0, 5.0))
    assert {f.proof for f in found.folds if f.kind.startswith("always")} == {"intervals, for every input"}
    assert found.after.depth == 2
    assert largest_change(given, found.save(tmp_path / "s.onnx"), points(4, low=-5.0, high=5.0)) < 1e-5


def attention(tmp_path):
    """One head of attention over five places of eight columns, and two matrices with a branch around."""
    values = weights(1, q=(8, 8), k=(8, 8), v=(8, 8), o=(8, 8), up=(8, 24), down=(24, 8), head=(8, 3))
    values["k"] = values["k"] @ np.diag([1, 1, 1, 0, 0, 0, 0, 0])
    values["up"][:, 20:] = values["up"][:, :4]
    values |= {"ub": np.zeros(24), "db": np.ones(8), "scale": np.float32(8**-0.5)}
    nodes = [
        node("MatMul", "x q", "qs"),
        node("MatMul", "x k", "ks"),
        node("MatMul", "x v", "vs"),
        node("Transpose", "ks", "kt", perm=[0, 2, 1]),
        node("MatMul", "qs kt", "l"),
        node("Mul", "l scale", "ls"),
        node("Softmax", "ls", "p", axis=-1),
        node("MatMul", "p vs", "pv"),
        node("MatMul", "pv o", "a"),
        node("Add", "x a", "s"),
        node("MatMul", "s up", "u"),
        node("Add", "u ub", "u1"),
        node("Relu", "u1", "u2"),
        node("MatMul", "u2 down", "d"),
        node("Add", "d db", "d1"),
        node("Add", "s d1", "z"),
        node("MatMul", "z head", "y"),
    ]
    return saved(tmp_path / "m.onnx", nodes, (5, 8), initializers(values), version=17)


def test_a_block_of_a_transformer_is_folded_in_its_matrices(tmp_path):
    given = attention(tmp_path)
    x = torch.from_numpy(points(5, 8, n=200, seed=1))
    found = compress(load(given), x, box=(0.0, 1.0))
    small = found.save(tmp_path / "s.onnx")
    kinds = {(fold.kind, fold.layers[0]): fold for fold in found.folds}
    assert kinds["proportional", "u"].neurons == (20, 21, 22, 23)
    assert kinds["low rank", "ks"].proof == "its matrix has numerical rank 3 of 8"
    assert largest_change(given, small, points(5, 8)) < 1e-5
    assert "Softmax" in [n.op_type for n in onnx.load(small).graph.node]
    # A row is multiplied at five places.
    assert found.before.flops == 5 * 2 * (4 * 64 + 2 * 8 * 24 + 8 * 3)


@pytest.mark.parametrize("make", [residual, attention])
def test_within_a_tolerance_a_graph_is_smaller(make, tmp_path):
    given = make(tmp_path)
    shape = (8,) if make is residual else (5, 8)
    x = torch.from_numpy(points(*shape, n=400, seed=1))
    sizes = []
    for tolerance in (0.1, 0.3):
        found = compress(load(given), x, tolerance=Tolerance(tolerance))
        small = found.save(tmp_path / f"{tolerance}.onnx")
        fresh = points(*shape, n=1000, seed=5)
        first, second = (
            np.concatenate([v.reshape(1000, -1) for v in in_onnxruntime(f, fresh)], 1) for f in (given, small)
        )
        spread = first.std(0)
        error = np.linalg.norm((first - second) / spread) / np.linalg.norm((first - first.mean(0)) / spread)
        assert error < 1.4 * tolerance
        assert found.error == pytest.approx(error, rel=0.4)
        sizes.append(found.after.parameters)
        assert found.after.parameters in {point.parameters for point in found.curve}
    assert sizes[1] < sizes[0] < found.before.parameters


@pytest.mark.parametrize("is_bound", [False, True])
def test_a_graph_for_one_row_at_a_time_is_compressed(is_bound, tmp_path):
    """As it says, and as it computes: a Reshape to one row takes no others."""
    values = weights(0, a=(6, 9), b=(9, 9), c=(9, 9))
    nodes = [
        node("MatMul", "x a", "h"),
        node("MatMul", "h b", "g"),
        node("Add", "g h", "s"),
        node("MatMul", "s c", "y"),
    ]
    shape = numpy_helper.from_array(np.array([1, 9]), "shape")
    if is_bound:
        nodes[2:3] = [node("Reshape", "h shape", "i"), node("Add", "g i", "s")]
    given = saved(tmp_path / "m.onnx", nodes, (6,), [*initializers(values), shape], batch=1)
    x = torch.from_numpy(points(6, n=12 if is_bound else 40))
    found = compress(load(given), x, tolerance=None if is_bound else Tolerance(0.4))
    assert is_bound or found.after.parameters < 0.8 * found.before.parameters
    small = found.save(tmp_path / "s.onnx")
    assert onnx.load(small).graph.input[0].type.tensor_type.shape.dim[0].dim_value == 1
    (wanted,) = zip(*(in_onnxruntime(given, row[None]) for row in x), strict=True)
    torch.testing.assert_close(
        found(x),
        torch.from_numpy(np.concatenate(wanted)),
        rtol=0.5 * (not is_bound) + 1e-4,
        atol=1.0 * (not is_bound) + 1e-5,
    )


def test_what_is_no_graph_to_compress_is_refused(tmp_path):
    plain = saved(tmp_path / "p.onnx", [node("Mul", "x x", "y")], (4,))
    x = torch.rand(20, 4)
    with pytest.raises(IncompressibleModelError, match=r"no matrix or kernel in it is constant \(Mul\)"):
        compress(load(plain), x)
    given = residual(tmp_path)
    rows = torch.from_numpy(points(8, n=40))
    with pytest.raises(OptionError, match="no layer carries all"):
        compress(load(given), rows, rank=2)
    found = compress(load(given), rows)
    with pytest.raises(OptionError, match=r"ends in \.onnx: a graph is written in no other form"):
        found.save(tmp_path / "s.safetensors")
    assert not (tmp_path / "s.safetensors").exists()
    values = {name: value.astype(np.float16) for name, value in weights(0, a=(4, 3)).items()}
    half = [numpy_helper.from_array(value, name) for name, value in values.items()]
    nodes = [node("Mul", "x x", "h"), node("MatMul", "h a", "y")]
    halves = saved(tmp_path / "h.onnx", nodes, (4,), half, kind=TensorProto.FLOAT16)
    with pytest.raises(IncompressibleModelError, match="half precision"):
        compress(load(halves), x)


@pytest.mark.parametrize("tolerance", [None, Tolerance(0.01)])
def test_weights_that_layers_share_are_not_written_apart(tmp_path, tolerance):
    """h + relu(W h + b) four times with one W: each fold apart would be a matrix more."""
    values = weights(3, i=(5, 16), w=(16, 16), o=(16, 3)) | {"b": np.linspace(-0.5, 0.5, 16, dtype=np.float32)}
    values["b"][:4] = -50.0  # never active, but read through the sum
    nodes = [node("MatMul", "x i", "h0")]
    for at in range(4):
        nodes += [node("Gemm", f"h{at} w b", f"z{at}"), node("Relu", f"z{at}", f"r{at}")]
        nodes += [node("Add", f"h{at} r{at}", f"h{at + 1}")]
    file = saved(tmp_path / "m.onnx", [*nodes, node("MatMul", "h4 o")], (5,), initializers(values), version=15)
    found = compress(load(file), torch.from_numpy(points(5, n=200)), box=(0.0, 1.0), tolerance=tolerance)
    assert found.after.parameters <= found.before.parameters
    small = found.save(tmp_path / "s.onnx")
    assert small.stat().st_size < 1.2 * file.stat().st_size
    if found.after.parameters == found.before.parameters:
        assert (found.folds, found.error) == ((), 0.0)
        assert any("share their weights" in note for note in found.notes)
        assert largest_change(file, small, points(5)) < 1e-6
