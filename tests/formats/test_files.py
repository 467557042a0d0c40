"""Models from files: what is read computes the same; what may run code is refused."""

import io
import json
import pickle
import time
import weakref
import zipfile
from itertools import pairwise

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from isthmus import measure
from isthmus.errors import (
    FileFormatError,
    FileMissingError,
    ShapeError,
    UnsupportedOperatorError,
)
from isthmus.formats import load
from isthmus.formats.onnx_operators import OPERATORS
from isthmus.networks import from_torch

onnx = pytest.importorskip("onnx")
from onnx import helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from onnx_graphs import initializer, ints, node, rows, saved, scalar  # noqa: E402

CHANNELS = [initializer(name, 3, seed=i) for i, name in enumerate(("scale", "shift", "mean"))]
POSITIVE = numpy_helper.from_array(np.array([0.5, 1.0, 2.0], dtype=np.float32), "var")
KERNEL = initializer("k", 4, 3, 3, 3)
CASES = {
    "gemm": (
        [node("Gemm", "x w b", transB=1, alpha=0.5, beta=2.0)],
        (3,),
        [initializer("w", 4, 3), initializer("b", 4)],
    ),
    "matmul add": (
        [node("MatMul", "x w", "a"), node("Add", "a b")],
        (3,),
        [initializer("w", 3, 4), initializer("b", 4)],
    ),
    "conv": ([node("Conv", "x k", pads=[1, 1, 1, 1], strides=[2, 2])], (3, 8, 8), [KERNEL]),
    "conv asymmetric": ([node("Conv", "x k", pads=[0, 1, 2, 1])], (3, 8, 8), [KERNEL]),
    "conv same": ([node("Conv", "x k", auto_pad="SAME_UPPER", strides=[2, 2])], (3, 7, 8), [KERNEL]),
    "batch norm": ([node("BatchNormalization", "x scale shift mean var")], (3, 4, 4), [*CHANNELS, POSITIVE]),
    "average pool": ([node("AveragePool", "x", kernel_shape=[2, 2], strides=[2, 2], pads=[1, 1, 1, 1])], (3, 6, 6), []),
    "max pool": ([node("MaxPool", "x", kernel_shape=[2, 2], strides=[2, 2])], (3, 6, 6), []),
    "global pools": (
        [node("GlobalAveragePool", "x", "a"), node("GlobalMaxPool", "x", "b"), node("Add", "a b")],
        (3, 4, 4),
        [],
    ),
    "transposed conv": ([node("ConvTranspose", "x k", strides=[2, 2])], (4, 3, 3), [initializer("k", 4, 2, 3, 3)]),
    "layer norm": ([node("LayerNormalization", "x scale shift")], (3,), CHANNELS[:2]),
    "softmax": ([node("Softmax", "x", axis=-1)], (5,), []),
    "clip": ([node("Clip", "x lo hi")], (5,), [scalar("lo", -0.5), scalar("hi", 0.5)]),
    "hard sigmoid": ([node("HardSigmoid", "x", "a"), node("HardSwish", "x", "b"), node("Mul", "a b")], (5,), []),
    "slice": ([node("Slice", "x s e a st")], (6,), [ints("s", 5), ints("e", 0), ints("a", 1), ints("st", -2)]),
    "split concat": ([node("Split", "x", "a b", axis=1, num_outputs=2), node("Concat", "b a", axis=1)], (6,), []),
    "reshape": ([node("Reshape", "x s")], (6,), [ints("s", 0, 2, 3)]),
    "shape arithmetic": (
        [
            node("Shape", "x", "s"),
            node("Gather", "s i", "n"),
            node("Concat", "n r", "t", axis=0),
            node("Reshape", "x t"),
        ],
        (6,),
        [ints("i", 0), ints("r", 3, 2)],
    ),
    "transpose": ([node("Transpose", "x", perm=[0, 2, 1])], (2, 3), []),
    "squeeze": ([node("Unsqueeze", "x a", "u"), node("Squeeze", "u a")], (4,), [ints("a", 1)]),
    "gather": ([node("Gather", "x i", axis=1)], (5,), [ints("i", 0, -1, 2)]),
    "reduce": (
        [node("ReduceMean", "x a", "m", keepdims=1), node("Sub", "x m", "d"), node("Pow", "d two")],
        (4,),
        [ints("a", 1), scalar("two", 2.0)],
    ),
    "pad": ([node("Pad", "x p")], (4,), [ints("p", 0, 1, 0, 2)]),
    "where": ([node("Greater", "x z", "c"), node("Neg", "x", "m"), node("Where", "c x m")], (4,), [scalar("z", 0.0)]),
    "erf": ([node("Erf", "x", "e"), node("Exp", "x", "f"), node("Abs", "x", "g"), node("Max", "e f g")], (4,), []),
    "prelu": ([node("PRelu", "x s")], (4,), [initializer("s", 4)]),
    "gelu": ([node("Gelu", "x")], (4,), []),
}


@pytest.mark.parametrize("name", CASES)
def test_operators_are_those_of_the_reference(name, tmp_path):
    nodes, shape, weights = CASES[name]
    path = saved(tmp_path / "m.onnx", nodes, shape, weights)
    x = rows(*shape)
    expected = ReferenceEvaluator(str(path)).run(None, {"x": x.numpy()})[0]
    found = load(path)(x).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


def test_a_path_of_layers_is_a_chain(tmp_path):
    nodes = [
        node("Conv", "x k", "c"),
        node("Relu", "c", "r"),
        node("AveragePool", "r", "p", kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", "p", "f"),
        node("Gemm", "f w b", transB=1),
    ]
    weights = [KERNEL, initializer("w", 5, 36), initializer("b", 5)]
    model = load(saved(tmp_path / "m.onnx", nodes, (3, 8, 8), weights))
    assert isinstance(model, nn.Sequential)
    assert model.input_shape == (3, 8, 8)
    profile = measure(model, rows(3, 8, 8))
    assert (profile.method, len(profile.layers)) == ("chain", 2)


def test_several_outputs_are_named(tmp_path):
    nodes = [node("Tanh", "x", "a"), node("Exp", "x", "b")]
    model = load(saved(tmp_path / "m.onnx", nodes, (3,), outputs=("a", "b")))
    assert measure(model, rows(3), output="b").jacobian_rank.upper == 3


def test_a_fixed_number_of_rows_is_no_obstacle(tmp_path):
    nodes = [node("Reshape", "x s", "r"), node("Softmax", "r")]
    model = load(saved(tmp_path / "m.onnx", nodes, (4,), [ints("s", 2, 4)], batch=2))
    x = rows(4, n=5)
    torch.testing.assert_close(model(x), x.softmax(1))


def test_external_weights_stay_in_their_folder(tmp_path):
    inside = tmp_path / "model"
    inside.mkdir()
    path = saved(inside / "m.onnx", [node("MatMul", "x w")], (3,), [initializer("w", 3, 4)])
    model = onnx.load(path)
    expected = load(path)(rows(3))
    onnx.save(model, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    torch.testing.assert_close(load(path)(rows(3)), expected)
    model = onnx.load(path, load_external_data=False)
    (tmp_path / "w.bin").write_bytes((inside / "w.bin").read_bytes())
    for place in ("../w.bin", str(tmp_path / "w.bin")):
        relocate(model, place)
        (inside / "m.onnx").write_bytes(model.SerializeToString())
        with pytest.raises(FileFormatError, match=r"outside the folder of the model.*one folder"):
            load(path)
    relocate(model, "w.bin")
    (inside / "m.onnx").write_bytes(model.SerializeToString())
    (inside / "w.bin").unlink()
    with pytest.raises(FileFormatError, match=r"weights are in 'w\.bin', which is missing. Copy that file too"):
        load(path)


def relocate(model, place):
    for entry in model.graph.initializer[0].external_data:
        if entry.key == "location":
            entry.value = place


def called(name, source, target):
    return helper.make_node(name, [source], [target], domain="own")


def functions(path, bodies, version=17):
    """A graph that calls the last of some functions `name: nodes` from a to b."""
    opsets = [helper.make_opsetid("", version), helper.make_opsetid("own", 1)]
    made = [helper.make_function("own", name, ["a"], ["b"], nodes, opsets) for name, nodes in bodies.items()]
    tensors = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", 3]) for name in ("x", "y")]
    graph = helper.make_graph([called(list(bodies)[-1], "x", "y")], "g", tensors[:1], tensors[1:])
    onnx.save(helper.make_model(graph, opset_imports=opsets, functions=made, ir_version=10), path)
    return path


def test_functions_that_call_functions_are_written_out_but_no_million_times(tmp_path):
    doubled = {"f0": [node("Neg", "a", "b")]}
    for i in range(1, 41):
        doubled[f"f{i}"] = [called(f"f{i - 1}", "a", "c"), called(f"f{i - 1}", "c", "b")]
    few = functions(tmp_path / "few.onnx", {name: doubled[name] for name in list(doubled)[:4]})
    x = rows(3)
    assert torch.equal(load(few)(x), x)  # negated eight times
    many = functions(tmp_path / "many.onnx", doubled)
    assert many.stat().st_size < 10_000
    with pytest.raises(FileFormatError, match="its functions make more than 1,000,000 nodes"):
        load(many)


CYCLES = {
    "a node that reads itself": [node("Add", "x y")],
    "a ring of nodes": [node("Add", "x b", "a"), node("Relu", "a", "b"), node("Neg", "b")],
}


@pytest.mark.parametrize("name", CYCLES)
def test_cycles_are_refused(name, tmp_path):
    with pytest.raises(FileFormatError, match="topologically sorted"):
        load(saved(tmp_path / "m.onnx", CYCLES[name], (3,), []))
    ring = {"f": [called("g", "a", "b")], "g": [called("f", "a", "b")]}
    with pytest.raises(FileFormatError, match="must not be recursive"):
        load(functions(tmp_path / "f.onnx", ring))


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.exhaustive)])
def test_a_graph_of_a_hundred_thousand_nodes_is_read_in_seconds(count, tmp_path):
    """Negations and absolute values in turn, so that the value is known; time is of processors."""
    names = ["x", *(f"t{i}" for i in range(1, count)), "y"]
    nodes = [node("Abs" if i % 2 else "Neg", names[i], names[i + 1]) for i in range(count)]
    path = saved(tmp_path / "long.onnx", nodes, (3,), [])
    begin = time.process_time()
    model = load(path)
    took = time.process_time() - begin
    x = rows(3)
    assert torch.equal(model(x), x.abs())
    assert took < 3e-4 * count  # 5e-5 measured; a rule that looks at every node for every node takes a minute and more


def test_activations_are_let_go_once_nothing_reads_them(tmp_path):
    """Of twenty activations in a row two are alive at a time; one that the last node reads again stays."""
    names = ["x", *(f"t{i}" for i in range(20))]
    nodes = [node("Neg", a, b) for a, b in pairwise(names)] + [node("Sub", "t19 t0")]
    model = load(saved(tmp_path / "m.onnx", nodes, (3,), []))
    alive, most = set(), 0

    class Watched(torch.Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            nonlocal most
            result = super().__torch_function__(function, types, args, kwargs or {})
            if isinstance(result, torch.Tensor):
                alive.add(id(result))
                weakref.finalize(result, alive.discard, id(result))
                most = max(most, len(alive))
            return result

    x = rows(3)
    with torch.no_grad():
        result = model(x.as_subclass(Watched))
    assert torch.equal(torch.Tensor(result), 2 * x)  # t0 is −x and t19 is x
    assert 2 <= most <= 5


def test_an_unknown_operator_is_named(tmp_path):
    path = saved(tmp_path / "m.onnx", [helper.make_node("NonZero", ["x"], ["y"], name="where")], (3,))
    assert "NonZero" not in OPERATORS
    with pytest.raises(UnsupportedOperatorError, match=r"operator NonZero \(node 'where'\): an operator that is not"):
        load(path)


class Boom:
    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


@pytest.fixture
def exported(tmp_path):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 4)).eval()
    program = torch.export.export(module, (rows(2, 6, 6, n=2),), dynamic_shapes=({0: torch.export.Dim("n", max=4096)},))
    torch.export.save(program, tmp_path / "m.pt2")
    return module, tmp_path / "m.pt2"


def test_an_exported_chain_is_a_chain(exported):
    module, path = exported
    model = load(path)
    x = rows(2, 6, 6)
    torch.testing.assert_close(model(x), module(x))
    assert from_torch(model, model.input_shape).depth == 2


def test_an_exported_program_of_any_kind(tmp_path):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.GELU(), nn.Linear(8, 2)).eval()
    for rows_of_export, shapes in ((2, ({0: torch.export.Dim("n", max=4096)},)), (3, None)):
        program = torch.export.export(module, (rows(4, n=rows_of_export),), dynamic_shapes=shapes)
        torch.export.save(program, tmp_path / "m.pt2")
        model = load(tmp_path / "m.pt2")
        x = rows(4, n=7)
        torch.testing.assert_close(model(x), module(x), rtol=1e-5, atol=1e-6)
        profile = measure(model, x)
        assert (profile.method, len(profile.layers)) == ("local", 2)


def rewritten(path, change):
    """The archive with `change(inner name, content)` applied to every entry."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, change(name.partition("/")[2], content))
    return path


def test_an_archive_with_an_entry_without_a_name_is_refused(exported):
    _, path = exported
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(""), b"")
    with pytest.raises(FileFormatError, match=r"it is damaged or not a \.pt2 archive"):
        load(path)


@pytest.mark.parametrize("config", ["[]", '{"weight": 3}'])
def test_a_description_of_tensors_that_is_none_is_refused(exported, config):
    _, path = exported
    text = f'{{"config": {config}}}'.encode()
    rewritten(path, lambda name, old: text if name.startswith("data/weights/") and name.endswith(".json") else old)
    with pytest.raises(FileFormatError, match="no description of tensors"):
        load(path)


def test_sample_inputs_are_never_unpickled(exported):
    module, path = exported
    buffer = io.BytesIO()
    torch.save(Boom(), buffer)
    rewritten(path, lambda name, old: buffer.getvalue() if "sample_inputs" in name else old)
    x = rows(2, 6, 6)
    torch.testing.assert_close(load(path)(x), module(x))


def in_program(text, new):
    return lambda name, old: old.replace(text.encode(), new.encode()) if name.startswith("models/") else old


def marked(name, old):
    if not name.endswith("weights_config.json"):
        return old
    config = json.loads(old)
    next(iter(config["config"].values()))["use_pickle"] = True
    return json.dumps(config).encode()


HOSTILE = {
    "pickled weights": (marked, "is a pickled object"),
    "a call outside of torch": (in_program("torch.ops.aten.relu.default", "os.system"), "calls 'os.system'"),
    "an operator that calls": (in_program("torch.ops.aten.relu.default", "_operator.call"), "calls '_operator.call'"),
    "an expression that is evaluated": (in_program("Symbol(", "__import__('os').getcwd("), "torch would evaluate it"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_may_run_code_is_refused(name, exported):
    change, message = HOSTILE[name]
    with pytest.raises(FileFormatError, match=message):
        load(rewritten(exported[1], change))


def test_guards_are_not_executed(exported):
    module, path = exported

    def guarded(name, old):
        if not name.startswith("models/"):
            return old
        return json.dumps({**json.loads(old), "guards_code": ["exit()"]}).encode()

    x = rows(2, 6, 6)
    torch.testing.assert_close(load(rewritten(path, guarded))(x), module(x))


def pickled(path):
    path.write_bytes(pickle.dumps(Boom()))


def torch_saved(path):
    torch.save(Boom(), path)


@pytest.mark.parametrize("ending", [".onnx", ".pt2", ".safetensors", ".pt", ".pth", ".bin", ".pkl"])
@pytest.mark.parametrize("write", [pickled, torch_saved])
def test_pickles_in_disguise_are_errors(ending, write, tmp_path):
    write(tmp_path / f"m{ending}")
    with pytest.raises(FileFormatError, match=r"pickle|damaged|not a"):
        load(tmp_path / f"m{ending}")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("kind", ["pt2", "onnx", "safetensors"])
def test_files_cut_off_are_errors(kind, share, exported, tmp_path):
    path = exported[1]
    if kind == "onnx":
        path = saved(tmp_path / "m.onnx", [node("MatMul", "x w")], (3,), [initializer("w", 3, 400)])
    if kind == "safetensors":
        path = tmp_path / "m.safetensors"
        safetensors.torch.save_file({"0.weight": torch.zeros(30, 40)}, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(FileFormatError, match=f"m.{kind}"):
        load(path)


def test_nothing_there_is_an_error(tmp_path):
    with pytest.raises(FileMissingError, match=r"There is no .*none\.onnx.*\.onnx or \.pt2"):
        load(tmp_path / "none.onnx")


def described(tmp_path, layers, tensors):
    safetensors.torch.save_file(tensors, tmp_path / "m.safetensors")
    (tmp_path / "m.json").write_text(json.dumps({"layers": layers}))
    return tmp_path / "m.safetensors"


LINEAR = {"a.weight": torch.ones(3, 4), "a.bias": torch.zeros(3)}


def test_a_description_beside_the_tensors(tmp_path):
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1, groups=2), nn.BatchNorm2d(4), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(16, 3)
    ).eval()
    layers = [
        {"type": "Conv2d", "name": "0", "padding": 1, "groups": 2},
        {"type": "BatchNorm2d", "name": "1"},
        {"type": "LeakyReLU", "negative_slope": 0.2},
        {"type": "Flatten"},
        {"type": "Linear", "name": "4"},
    ]
    model = load(described(tmp_path, layers, module.state_dict()))
    x = rows(2, 2, 2)
    torch.testing.assert_close(model(x), module(x))
    assert measure(model, x).method == "chain"


BAD = {
    "unknown layer": ([{"type": "exec"}], LINEAR, "the layer 'exec' is not one of Linear"),
    "unknown option": ([{"type": "Linear", "name": "a", "size": 3}], LINEAR, "layer a does not fit .*size"),
    "no such tensor": ([{"type": "Linear", "name": "b"}], LINEAR, "layer b does not fit .*no tensor named weight"),
    "unused": ([{"type": "ReLU"}], LINEAR, r"no layer uses the tensors a\.bias, a\.weight"),
    "empty": ([], LINEAR, "no list named layers"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_descriptions_are_refused(name, tmp_path):
    layers, tensors, message = BAD[name]
    with pytest.raises(FileFormatError, match=message):
        load(described(tmp_path, layers, tensors))


def test_tensors_without_a_description_are_refused(tmp_path):
    safetensors.torch.save_file(LINEAR, tmp_path / "m.safetensors")
    with pytest.raises(FileFormatError, match=r"does not say to which layers.*m.*\.json|Describe the layers"):
        load(tmp_path / "m.safetensors")


def test_a_chain_of_another_shape_says_so(exported):
    model = load(exported[1])
    with pytest.raises(ShapeError, match=r"does not take inputs of shape \(3, 6, 6\).*Pass x as"):
        measure(model, rows(3, 6, 6))


def test_a_program_whose_bias_has_lost_its_entries_is_refused(tmp_path, monkeypatch):
    """Found by mutations: torch looks at the size only when the bias is used."""
    from isthmus.formats import pt2_file

    file = tmp_path / "m.pt2"
    torch.export.save(torch.export.export(torch.nn.Linear(3, 2), (torch.zeros(2, 3),)), file)
    whole = pt2_file.linear
    monkeypatch.setattr(pt2_file, "linear", lambda weight, bias: whole(weight, bias[:0]))
    with pytest.raises(FileFormatError, match="its weights do not fit together"):
        load(file)
