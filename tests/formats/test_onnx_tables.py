"""Pipelines of scikit-learn as ONNX files: the scores are measured, not the labels."""

import numpy as np
import pytest
import torch

from isthmus import measure
from isthmus.errors import UnsupportedOperatorError
from isthmus.formats import load

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper  # noqa: E402

ML = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
X = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
W, B = np.array([[1.0, -2.0, 0.5], [0.3, 0.1, -1.0]]), np.array([0.2, -0.4])


def node(kind, inputs, outputs, **attributes):
    domain = "ai.onnx.ml" if kind not in ("Tanh", "Cast") else ""
    return helper.make_node(kind, inputs.split(), outputs.split(), domain=domain, **attributes)


def saved(path, nodes, outputs):
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])], outputs)
    onnx.save(helper.make_model(graph, opset_imports=ML, ir_version=8), path)
    return path


def real(name):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", None])


def classifier(**more):
    weights = {"coefficients": W.ravel().tolist(), "intercepts": B.tolist(), "classlabels_strings": ["no", "yes"]}
    return node("LinearClassifier", "x", "label scores", **(weights | more))


def scores():
    return X @ torch.tensor(W.T, dtype=torch.float32) + torch.tensor(B, dtype=torch.float32)


def test_a_classifier_is_measured_by_its_scores(tmp_path):
    labels = helper.make_tensor_value_info("label", TensorProto.STRING, ["n"])
    kind = helper.make_sequence_type_proto(
        helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    )
    maps = helper.make_value_info("probabilities", kind)
    nodes = [
        classifier(post_transform="SOFTMAX"),
        node("ZipMap", "scores", "probabilities", classlabels_strings=["no", "yes"]),
    ]
    model = load(saved(tmp_path / "m.onnx", nodes, [labels, maps]))
    torch.testing.assert_close(model(X), scores().softmax(1))
    profile = measure(model, X)
    assert profile.jacobian_rank.lower == 1  # two probabilities sum to one
    assert profile.notes[0] == "Outputs that are no real numbers are left out: label, probabilities."


TWO = {"coefficients": W[0].tolist(), "intercepts": [0.2]}
RIGHT = {
    "scores": (classifier(), scores),
    "logistic": (classifier(post_transform="LOGISTIC"), lambda: scores().sigmoid()),
    "one score for two classes": (
        classifier(**TWO, post_transform="LOGISTIC"),
        lambda: torch.stack([-scores()[:, 0], scores()[:, 0]], 1).sigmoid(),
    ),
    "regressor": (
        node("LinearRegressor", "x", "scores", coefficients=W.ravel().tolist(), intercepts=B.tolist(), targets=2),
        scores,
    ),
    "scaler": (
        node("Scaler", "x", "scores", offset=[1.0, 2.0, 3.0], scale=[2.0, 1.0, 0.5]),
        lambda: (X - torch.tensor([1.0, 2.0, 3.0])) * torch.tensor([2.0, 1.0, 0.5]),
    ),
    "normalizer L1": (node("Normalizer", "x", "scores", norm="L1"), lambda: X / X.abs().sum(1, keepdim=True)),
    "normalizer L2": (node("Normalizer", "x", "scores", norm="L2"), lambda: X / X.norm(dim=1, keepdim=True)),
    "normalizer MAX": (node("Normalizer", "x", "scores", norm="MAX"), lambda: X / X.amax(1, keepdim=True)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_operators_of_tables_are_right_by_hand_and_by_the_runtime(name, tmp_path):
    operator, right = RIGHT[name]
    model = load(saved(tmp_path / "m.onnx", [operator], [real("scores")]))
    torch.testing.assert_close(model(X), right(), rtol=1e-5, atol=1e-6)
    measure(model, X)  # compares it with onnxruntime, where that is installed


def test_trees_are_refused_by_name(tmp_path):
    with pytest.raises(UnsupportedOperatorError, match=r"post_transform 'PROBIT' is not translated"):
        load(saved(tmp_path / "m.onnx", [classifier(post_transform="PROBIT")], [real("scores")]))(X)
