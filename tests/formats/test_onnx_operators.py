"""ONNX operators whose forms were once computed wrongly or ended in a traceback: right by hand, or refused by name."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from isthmus import measure
from isthmus.errors import (
    FileFormatError,
    IsthmusError,
    MixedRowsError,
    ModelCallError,
    NonFiniteError,
    RowCountError,
    UnsupportedOperatorError,
)
from isthmus.formats import load

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from onnx_graphs import initializer, ints, node, rows, saved, scalar  # noqa: E402


def tensor(proto):
    return torch.from_numpy(np.array(numpy_helper.to_array(proto)))


def window_mean(x, height, width, counted):
    """The mean of one window by hand: the numbers inside, over how many places are counted."""
    return x[:, :, height, :][:, :, :, width].sum((2, 3)) / counted


KERNEL = initializer("k", 4, 3, 3, 3)
W = initializer("w", 4, 6)
CHANNEL = numpy_helper.from_array(np.array([10, 0, -10], np.float32), "b")
SLOPES = numpy_helper.from_array(np.array([0.1, 0.2, 0.3], np.float32), "s")
IMAGE = rows(3, 5, 5)
ROWS = rows(6)
THREE = rows(2, 3)

BOOL, LONG = TensorProto.BOOL, TensorProto.INT64


def loop(nodes, most="m", condition="", inputs="x", more=(), **options):
    """A loop whose body makes the next `v` and `go` of the number of the pass, `go` before and `v`; y is the last v."""
    info = helper.make_tensor_value_info
    kept = [info("k", LONG, []), info("before", BOOL, []), info("v", TensorProto.FLOAT, None)]
    made = [info("go", BOOL, []), info("w_", TensorProto.FLOAT, None), *more]
    body = helper.make_graph(nodes, "body", kept, made, **options)
    return helper.make_node("Loop", [most, condition, inputs], ["y", *(f"s{i}" for i in range(len(more)))], body=body)


TRUE = numpy_helper.from_array(np.array(True), "yes")
PASS = [node("Identity", "before", "go"), node("Mul", "v scale", "d"), node("Add", "d x", "w_")]


RIGHT = {
    # name: nodes, weights, opset, x, right value
    "split into as many parts as there are outputs": (
        [node("Split", "x", "q k v", axis=1), node("Mul", "q k")],
        [],
        13,
        ROWS,
        ROWS[:, :2] * ROWS[:, 2:4],
    ),
    "parts of a product, all of them used": (
        [
            node("Gemm", "x w", "h", transB=1),
            node("Split", "h", "q k v", axis=1),
            node("Mul", "q k", "m"),
            node("Add", "m v"),
        ],
        [initializer("w", 6, 6, seed=3)],
        13,
        ROWS,
        torch.stack(
            [
                (ROWS @ tensor(initializer("w", 6, 6, seed=3)).T)[:, i]
                * (ROWS @ tensor(initializer("w", 6, 6, seed=3)).T)[:, 2 + i]
                + (ROWS @ tensor(initializer("w", 6, 6, seed=3)).T)[:, 4 + i]
                for i in (0, 1)
            ],
            1,
        ),
    ),
    "split unevenly": (
        [node("Split", "x", "a b c d", axis=1, num_outputs=4), node("Concat", "d a", axis=1)],
        [],
        18,
        rows(7),
        torch.cat([rows(7)[:, 6:], rows(7)[:, :2]], 1),
    ),
    "a second operand aligned at an axis": (
        [node("Add", "x b", axis=1, broadcast=1)],
        [CHANNEL],
        6,
        IMAGE,
        IMAGE + tensor(CHANNEL)[:, None, None],
    ),
    "one slope a channel": (
        [node("PRelu", "x s")],
        [SLOPES],
        6,
        IMAGE,
        torch.where(IMAGE > 0, IMAGE, IMAGE * tensor(SLOPES)[:, None, None]),
    ),
    "softmax of everything from the axis on": (
        [node("Softmax", "x", axis=1)],
        [],
        11,
        THREE,
        (THREE.exp() / THREE.exp().sum((1, 2), keepdim=True)),
    ),
    "softmax of one axis": ([node("Softmax", "x", axis=1)], [], 13, THREE, THREE.exp() / THREE.exp().sum(1, True)),
    "flatten from behind": ([node("Flatten", "x", axis=-2)], [], 13, THREE, THREE.reshape(5, 6)),
    "gather of one number": (
        [
            node("Shape", "x", "s"),
            node("Gather", "s i", "n"),
            node("Unsqueeze", "n z", "u"),
            node("Concat", "u r", "t", axis=0),
            node("Reshape", "x t"),
        ],
        [ints("z", 0), ints("r", -1), numpy_helper.from_array(np.array(0, np.int64), "i")],
        13,
        THREE,
        THREE.reshape(5, 6),
    ),
    "a layer of a constant": (
        [node("Identity", "c", "d"), node("Relu", "d", "r"), node("Sigmoid", "r", "g"), node("Mul", "x g")],
        [initializer("c", 6)],
        17,
        ROWS,
        ROWS * torch.sigmoid(torch.relu(tensor(initializer("c", 6)))),
    ),
    "a weight that is computed": (
        [node("Relu", "w", "v"), node("Transpose", "v", "t"), node("MatMul", "x t")],
        [W],
        17,
        ROWS,
        ROWS @ torch.relu(tensor(W)).T,
    ),
    "gemm with a bias of one number": (
        [node("Gemm", "x w b", transB=1)],
        [W, scalar("b", 2.0)],
        17,
        ROWS,
        ROWS @ tensor(W).T + 2.0,
    ),
    "max pooling padded on one side": (
        [node("MaxPool", "x", kernel_shape=[2, 2], pads=[0, 0, 1, 1], strides=[2, 2])],
        [],
        17,
        IMAGE,
        F.max_pool2d(F.pad(IMAGE, [0, 1, 0, 1], value=-1e9), 2),
    ),
    "average pooling padded on one side, padding not counted": (
        [node("AveragePool", "x", kernel_shape=[2, 2], pads=[0, 0, 1, 1], strides=[4, 4])],
        [],
        17,
        IMAGE,
        torch.stack(
            [
                window_mean(IMAGE, slice(0, 2), slice(0, 2), 4),
                window_mean(IMAGE, slice(0, 2), slice(4, 5), 2),
                window_mean(IMAGE, slice(4, 5), slice(0, 2), 2),
                window_mean(IMAGE, slice(4, 5), slice(4, 5), 1),
            ],
            2,
        ).reshape(5, 3, 2, 2),
    ),
    "average pooling of every second number": (
        [node("AveragePool", "x", kernel_shape=[3, 3], dilations=[2, 2])],
        [],
        19,
        IMAGE,
        IMAGE[:, :, ::2, ::2].mean((2, 3), keepdim=True),
    ),
    "transposed convolution cut to a size": (
        [node("ConvTranspose", "x k", output_shape=[4, 4], strides=[2, 2])],
        [initializer("k", 3, 2, 3, 3)],
        17,
        rows(3, 2, 2),
        F.conv_transpose2d(rows(3, 2, 2), tensor(initializer("k", 3, 2, 3, 3)), stride=2)[:, :, 1:, 1:],
    ),
    "mean and deviation of a layer norm": (
        [node("LayerNormalization", "x g", "a m i"), node("Add", "m i")],
        [initializer("g", 6)],
        17,
        ROWS,
        ROWS.mean(1, True) + (ROWS.var(1, correction=0, keepdim=True) + 1e-5).rsqrt(),
    ),
    "norm of everything but the rows, by the standard's definition": (
        [node("MeanVarianceNormalization", "x", axes=[1, 2])],
        [],
        13,
        THREE,
        (THREE - THREE.mean((1, 2), keepdim=True)) / THREE.std((1, 2), correction=0, keepdim=True),
    ),
    "reshape that keeps the rows": ([node("Reshape", "x s")], [ints("s", -1, 6)], 17, THREE, THREE.reshape(5, 6)),
    "resize by align_corners": (
        [node("Resize", "x  f", coordinate_transformation_mode="align_corners", mode="linear")],
        [numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "f")],
        13,
        IMAGE,
        F.interpolate(IMAGE, scale_factor=2, mode="bilinear", align_corners=True),
    ),
    "resize by the nearest": (
        [node("Resize", "x  f", coordinate_transformation_mode="asymmetric", mode="nearest", nearest_mode="floor")],
        [numpy_helper.from_array(np.array([1, 1, 2, 3], np.float32), "f")],
        13,
        IMAGE,
        IMAGE.repeat_interleave(2, 2).repeat_interleave(3, 3),
    ),
    "a clip whose bound depends on the row": (
        [node("ReduceMean", "x a", "m", keepdims=0), node("ReduceMax", "m", "b", keepdims=0), node("Clip", "x  b")],
        [ints("a", 1)],
        18,
        rows(6, n=1),
        rows(6, n=1).clamp(max=float(rows(6, n=1).mean())),
    ),
    "a loop of three passes over a number from outside": (
        [loop(PASS)],
        [scalar("scale", 2.0), numpy_helper.from_array(np.array(3, np.int64), "m")],
        17,
        ROWS,
        15.0 * ROWS,  # v becomes 2 v + x, three times
    ),
    "a loop that stops by the number of the pass": (
        [
            loop(
                [
                    node("Less", "k two", "go"),
                    node("Cast", "k", "f", to=1),
                    node("Mul", "v scale", "d"),
                    node("Add", "d f", "w_"),
                ],
                most="",
                condition="yes",
            )
        ],
        [scalar("scale", 3.0), numpy_helper.from_array(np.array(2, np.int64), "two"), TRUE],
        17,
        ROWS,
        27.0 * ROWS + 5.0,  # 3 v + k for k = 0, 1, 2: 27 v + 9·0 + 3·1 + 2
    ),
    "a loop in a loop": (
        [
            loop(
                [
                    node("Identity", "before", "go"),
                    helper.make_node(
                        "Loop",
                        ["m", "", "v"],
                        ["w_"],
                        body=helper.make_graph(
                            [node("Identity", "c", "d"), node("Mul", "u scale", "n")],
                            "inner",
                            [
                                helper.make_tensor_value_info("j", LONG, []),
                                helper.make_tensor_value_info("c", BOOL, []),
                                helper.make_tensor_value_info("u", TensorProto.FLOAT, None),
                            ],
                            [
                                helper.make_tensor_value_info("d", BOOL, []),
                                helper.make_tensor_value_info("n", TensorProto.FLOAT, None),
                            ],
                        ),
                    ),
                ]
            )
        ],
        [scalar("scale", 2.0), numpy_helper.from_array(np.array(2, np.int64), "m")],
        17,
        ROWS,
        16.0 * ROWS,
    ),
    "a loop of no passes": (
        [loop(PASS)],
        [scalar("scale", 2.0), numpy_helper.from_array(np.array(0, np.int64), "m")],
        17,
        ROWS,
        ROWS,
    ),
    "the branch of a constant condition": (
        [
            helper.make_node(
                "If",
                ["yes"],
                ["y"],
                then_branch=helper.make_graph(
                    [helper.make_node("Neg", ["x"], ["t"])],
                    "t",
                    [],
                    [helper.make_tensor_value_info("t", TensorProto.FLOAT, [])],
                ),
                else_branch=helper.make_graph(
                    [helper.make_node("Exp", ["x"], ["e"])],
                    "e",
                    [],
                    [helper.make_tensor_value_info("e", TensorProto.FLOAT, [])],
                ),
            )
        ],
        [numpy_helper.from_array(np.array(True), "yes")],
        17,
        ROWS,
        -ROWS,
    ),
    "weights in eight bits": (
        [node("DequantizeLinear", "q s z", "w", axis=0), node("Gemm", "x w", transB=1)],
        [
            numpy_helper.from_array(np.arange(12, dtype=np.uint8).reshape(2, 6), "q"),
            numpy_helper.from_array(np.array([0.5, 0.25], np.float32), "s"),
            numpy_helper.from_array(np.array([3, 0], np.uint8), "z"),
        ],
        13,
        ROWS,
        ROWS @ torch.tensor([[(i - 3) * 0.5 for i in range(6)], [i * 0.25 for i in range(6, 12)]]).T,
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_form_is_computed_as_the_standard_says(name, tmp_path):
    nodes, weights, version, x, right = RIGHT[name]
    path = saved(tmp_path / "m.onnx", nodes, x.shape[1:], weights, version=version)
    torch.testing.assert_close(load(path)(x).detach(), right.to(torch.float32), rtol=2e-5, atol=2e-5)


REFUSED = {
    "an attribute": ([node("Relu", "x", slope=0.1)], [], "Unrecognized attribute|'slope' is not understood"),
    "an attribute that is read elsewhere": (
        [helper.make_node("Relu", ["x"], ["y"], domain="com.example")],
        [],
        r"operator Relu: an operator of com\.example that is not known",
    ),
    "training": (
        [node("BatchNormalization", "x c c c c", "y m v", training_mode=1)],
        [initializer("c", 6)],
        "only the first 1 of its outputs",
    ),
    "random": (
        [node("Dropout", "x r t")],
        [scalar("r", 0.5), numpy_helper.from_array(np.array(True), "t")],
        "training mode, where it is random",
    ),
    "a second output": ([node("MaxPool", "x", "y i", kernel_shape=[2])], [], "only the first 1 of its outputs"),
    "numbers torch has not": (
        [node("Cast", "x", "u", to=TensorProto.UINT16), node("Cast", "u", to=TensorProto.FLOAT)],
        [],
        "ONNX's type 4, which torch does not compute with",
    ),
    "a loop that ends by the data": (
        [loop([node("ReduceMax", "v", "r", keepdims=0), node("Less", "r two", "go"), node("Add", "v two", "w_")])],
        [scalar("two", 2.0), numpy_helper.from_array(np.array(3, np.int64), "m")],
        "its condition depends on the input",
    ),
    "a loop without an end": (
        [loop([node("Identity", "before", "go"), node("Neg", "v", "w_")], most="")],
        [],
        "more than 10000 passes",
    ),
    "outputs of every pass": (
        [loop(PASS, more=[helper.make_tensor_value_info("d", TensorProto.FLOAT, None)])],
        [scalar("scale", 2.0), numpy_helper.from_array(np.array(3, np.int64), "m")],
        "outputs of every pass",
    ),
    "a condition on the data": (
        [node("ReduceMax", "x", "m", keepdims=0), node("Greater", "m z", "c"), helper.make_node("If", ["c"], ["y"])],
        [scalar("z", 0.0)],
        "its condition depends on the input|Required attribute",
    ),
    "unequal parts": ([node("Split", "x", "y b c d", axis=1)], [], "6 numbers do not split into 4 equal parts"),
    "constants that do not fit": (
        [node("MatMul", "a a", "m"), node("Add", "x m")],
        [initializer("a", 2, 3)],
        "MatMul: its constant inputs do not fit",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_understood_is_refused_by_name(name, tmp_path):
    nodes, weights, message = REFUSED[name]
    domains = [helper.make_opsetid("com.example", 1)]
    path = saved(tmp_path / "m.onnx", nodes, (6,), weights, version=15, more=domains)
    with pytest.raises((UnsupportedOperatorError, FileFormatError), match=message):
        load(path)(ROWS)


def test_a_bias_along_the_rows_is_no_function_of_a_row(tmp_path):
    bias = numpy_helper.from_array(np.array([[0], [0], [1], [2]], np.float32), "b")
    nodes = [node("MatMul", "x w", "h"), node("Add", "h b")]
    square = initializer("w", 6, 4)
    x = rows(6, n=4)
    for path in (
        saved(tmp_path / "add.onnx", nodes, (6,), [square, bias], batch=4),
        saved(tmp_path / "gemm.onnx", [node("Gemm", "x w b")], (6,), [square, bias], batch=4),
    ):
        with pytest.raises(MixedRowsError, match="mixes the rows"):
            measure(load(path), x)


@pytest.mark.parametrize("batch", ["n", 4])
def test_a_graph_that_makes_more_rows_is_refused(batch, tmp_path):
    path = saved(tmp_path / "m.onnx", [node("Reshape", "x s")], (6,), [ints("s", -1, 3)], batch=batch)
    with pytest.raises(RowCountError, match=r"takes . rows? and returns . rows?"):
        measure(load(path), rows(6, n=4))


def test_a_norm_in_training_mode_is_no_layer(tmp_path):
    nodes = [node("Conv", "x k", "c"), node("BatchNormalization", "c s s s s", training_mode=1)]
    weights = [initializer("k", 4, 3, 3, 3), initializer("s", 4)]
    path = saved(tmp_path / "m.onnx", nodes, (3, None, None), weights, version=15)
    with pytest.raises((UnsupportedOperatorError, FileFormatError), match=r"training mode|output size"):
        load(path)(rows(3, 5, 5))


def test_a_view_by_the_number_of_rows_has_the_ranks_of_the_module(tmp_path):
    """What torch's older exporter writes for `x.view(x.size(0), -1)`, the number of rows free."""
    torch.manual_seed(0)
    conv, head = nn.Conv2d(1, 2, 3), nn.Linear(18, 3)
    nodes = [
        node("Conv", "x k kb", "c"),
        node("Relu", "c", "r"),
        node("Shape", "r", "s"),
        node("Gather", "s i", "n", axis=0),
        node("Unsqueeze", "n z", "u"),
        node("Concat", "u rest", "t", axis=0),
        node("Reshape", "r t", "v"),
        node("Gemm", "v w b", transB=1),
    ]
    weights = [
        numpy_helper.from_array(value.detach().numpy(), name)
        for name, value in (("k", conv.weight), ("kb", conv.bias), ("w", head.weight), ("b", head.bias))
    ]
    weights += [ints("z", 0), ints("rest", -1), numpy_helper.from_array(np.array(0, np.int64), "i")]
    x = torch.randn(30, 1, 5, 5)
    loaded = measure(load(saved(tmp_path / "view.onnx", nodes, (1, 5, 5), weights, version=13)), x)
    module = measure(nn.Sequential(conv, nn.ReLU(), nn.Flatten(), head), x)
    assert (loaded.jacobian_rank.lower, loaded.jacobian_rank.upper) == (module.jacobian_rank.lower, 3)
    assert loaded.bottleneck_rank.lower == module.bottleneck_rank.lower
    torch.testing.assert_close(
        loaded.jacobian.singular_values, module.jacobian.singular_values[:, :3], rtol=1e-4, atol=1e-6
    )


def test_a_reshape_of_free_sizes_is_no_flattening(tmp_path):
    path = saved(
        tmp_path / "m.onnx", [node("Reshape", "x s", "r"), node("Relu", "r")], (None, None), [ints("s", -1, 6)]
    )
    with pytest.raises(RowCountError, match=r"takes 2 rows and returns 4 rows"):
        measure(load(path), rows(3, 4))


def test_rows_that_meet_in_a_fixed_batch_are_refused(tmp_path):
    path = saved(tmp_path / "m.onnx", [node("Softmax", "x", axis=0)], (6,), batch=4)
    with pytest.raises(MixedRowsError, match="mixes the rows"):
        measure(load(path), rows(6, n=4))


def test_an_output_without_a_shape_is_not_damaged(tmp_path):
    path = saved(tmp_path / "m.onnx", [node("Tanh", "x")], (6,))
    model = onnx.load(path)
    model.graph.output[0].type.tensor_type.ClearField("shape")
    path.write_bytes(model.SerializeToString())
    torch.testing.assert_close(load(path)(ROWS), ROWS.tanh())


def test_sparse_and_half_weights(tmp_path):
    values = numpy_helper.from_array(np.array([1, 2, -1], np.float32), "w")
    places = numpy_helper.from_array(np.array([0, 4, 8], np.int64), "w_indices")
    path = saved(tmp_path / "m.onnx", [node("MatMul", "x w")], (4,), version=17)
    model = onnx.load(path)
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [4, 3]))
    path.write_bytes(model.SerializeToString())
    x = rows(4)
    dense = torch.tensor([[1.0, 0, 0], [0, 2, 0], [0, 0, -1], [0, 0, 0]])
    torch.testing.assert_close(load(path)(x), x @ dense)
    half = helper.make_tensor(
        "w", TensorProto.BFLOAT16, [4, 3], dense.bfloat16().view(torch.int16).numpy().tobytes(), raw=True
    )
    nodes = [node("MatMul", "x w", "h"), node("Relu", "h")]
    module = load(saved(tmp_path / "h.onnx", nodes, (4,), [half], version=17, kind=TensorProto.BFLOAT16))
    assert next(module.parameters()).dtype == torch.float32
    torch.testing.assert_close(module(x).detach(), torch.relu(x @ dense))


def test_every_number_follows_the_precision_of_the_input(tmp_path):
    nodes = [node("Cast", "x", "c", to=TensorProto.FLOAT), node("Mul", "c w", "m"), node("Exp", "m")]
    module = load(saved(tmp_path / "m.onnx", nodes, (6,), [initializer("w", 6)])).double()
    x = rows(6).double()
    expected = (x * tensor(initializer("w", 6)).double()).exp()
    torch.testing.assert_close(module(x), expected, rtol=1e-14, atol=0)


def test_rows_of_another_width_are_an_error_that_names_the_operator(tmp_path):
    nodes = [node("MatMul", "x w", "h"), node("Softmax", "h")]
    path = saved(tmp_path / "m.onnx", [*nodes[:1], node("Mul", "h h", "q"), node("Softmax", "q")], (None,), [W])
    with pytest.raises(ModelCallError, match="cannot be multiplied"):
        measure(load(path), rows(3))


RECURRENT = {
    "LSTM": (nn.LSTM, [0, 3, 1, 2], {}),  # ONNX's order of gates in torch's
    "GRU": (nn.GRU, [1, 0, 2], {"linear_before_reset": 1}),
    "RNN": (nn.RNN, [0], {}),
}


@pytest.mark.parametrize("kind", RECURRENT)
@pytest.mark.parametrize("is_bidirectional", [False, True])
def test_recurrent_layers_are_those_of_torch(kind, is_bidirectional, tmp_path):
    make, order, more = RECURRENT[kind]
    torch.manual_seed(0)
    layer = make(3, 4, bidirectional=is_bidirectional, batch_first=True)
    ends = ["", "_reverse"] if is_bidirectional else [""]

    def gates(name):
        parts = [getattr(layer, f"{name}_l0{end}").detach().chunk(len(order)) for end in ends]
        return torch.stack([torch.cat([part[i] for i in order]) for part in parts])

    biases = torch.cat([gates("bias_ih"), gates("bias_hh")], 1)
    weights = [
        numpy_helper.from_array(value.numpy(), name)
        for name, value in (("w", gates("weight_ih")), ("r", gates("weight_hh")), ("b", biases))
    ]
    direction = "bidirectional" if is_bidirectional else "forward"
    nodes = [
        node("Transpose", "x", "t", perm=[1, 0, 2]),
        node(kind, "t w r b", "h", hidden_size=4, direction=direction, **more),
        node("Transpose", "h", "g", perm=[2, 0, 1, 3]),
        node("Reshape", "g s"),
    ]
    path = saved(tmp_path / "m.onnx", nodes, (5, 3), [*weights, ints("s", 0, 5, 4 * len(ends))], version=17)
    x = rows(5, 3)
    torch.testing.assert_close(load(path)(x), layer(x)[0].detach(), rtol=1e-5, atol=1e-6)


def damaged_type(model):
    model.graph.input[0].type.tensor_type.elem_type = 46


def damaged_shape(model):
    model.graph.initializer[0].dims[0] += 1


@pytest.mark.parametrize("damage", [damaged_type, damaged_shape])
def test_a_mistyped_tensor_is_a_typed_error(damage, tmp_path):
    path = saved(tmp_path / "m.onnx", [node("MatMul", "x v")], (6,), [initializer("v", 6, 2)])
    model = onnx.load(path)
    damage(model)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(FileFormatError, match=r"m\.onnx"):
        load(path)


def test_activations_that_leave_the_numbers_are_a_typed_error(tmp_path):
    nodes = [node("MatMul", "x v", "h"), node("Exp", "h", "e"), node("MatMul", "e v2", "g"), node("Sigmoid", "g")]
    huge = numpy_helper.from_array(np.full((6, 2), 60.0, np.float32), "v")
    path = saved(tmp_path / "m.onnx", nodes, (6,), [huge, initializer("v2", 2, 2)])
    x = torch.zeros(20, 6)
    x[15] = 1.0
    with pytest.raises(NonFiniteError, match=r"The output of m\.onnx is not finite at row 15 \(output"):
        measure(load(path), x, check=False)


def test_a_gemm_whose_weight_is_a_vector_is_no_layer(tmp_path):
    """Found by mutations of valid files; the raw error of a shape that is not there."""
    file = saved(tmp_path / "m.onnx", [node("Gemm", "x w")], (3,), [initializer("w", 3)])
    with pytest.raises(IsthmusError, match="multiplies matrices, and its inputs have 2 and 1 dimensions"):
        measure(load(file), rows(3))


def test_an_input_whose_dimensions_are_not_declared_takes_rows(tmp_path):
    file = saved(tmp_path / "m.onnx", [node("Relu", "x")], (3,))
    model = onnx.load(file)
    del model.graph.input[0].type.tensor_type.shape.dim[:]
    onnx.save(model, file)
    x = rows(3)
    torch.testing.assert_close(load(file)(x), x.relu())
