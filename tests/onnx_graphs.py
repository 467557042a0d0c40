"""Small ONNX graphs, written out node by node."""

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper


def rows(*shape, n=5):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(0))


def initializer(name, *shape, seed=0):
    values = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return numpy_helper.from_array(values, name)


def saved(path, nodes, shape, weights=(), outputs=("y",), batch="n", version=20, kind=TensorProto.FLOAT, more=()):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, [batch, *shape])],
        [helper.make_tensor_value_info(name, kind, []) for name in outputs],
        list(weights),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version), *more], ir_version=10)
    onnx.save(model, path)
    return path


def node(kind, inputs, outputs="y", **attributes):
    return helper.make_node(kind, inputs.split(" "), outputs.split(" "), **attributes)


def ints(name, *values):
    return numpy_helper.from_array(np.array(values, dtype=np.int64), name)


def scalar(name, value):
    return numpy_helper.from_array(np.array(value, dtype=np.float32), name)
