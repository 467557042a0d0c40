"""Claim: what exporters write is loaded with the numbers of the runtime, or is refused by name.

Small models of each exporter that is installed (torch with both of its exporters, torch.export, skl2onnx, keras,
hummingbird, tf2onnx), exported here, loaded, and compared with onnxruntime (torch.export: with the module itself) on
rows of its own kind; the comparison is written out here and shares nothing with the one that `measure` makes. Then
`measure` must end in a profile. `exporters.py NAME …` runs those exporters alone, for they do not all live in one
environment (tf2onnx wants KERAS_BACKEND=tensorflow), and leaves the others recorded.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import torch
from torch import nn

from _environment import RESULTS, keep
from isthmus import measure
from isthmus.errors import IsthmusError
from isthmus.formats import load

Case = tuple[str, Path, np.ndarray]


def rows(*shape: int, n: int = 60) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((n, *shape)).astype(np.float32)


def torch_models() -> dict[str, tuple[nn.Module, tuple[int, ...]]]:
    torch.manual_seed(0)
    block = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.0)

    class Recurrent(nn.Module):
        def __init__(self, kind: type[nn.RNNBase]) -> None:
            super().__init__()
            self.net, self.head = kind(4, 6, batch_first=True), nn.Linear(6, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.net(x)[0][:, -1])

    picture = (
        *(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 4, 3)),
        *(nn.Hardswish(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)),
    )
    return {
        "chain": (nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 4)), (6,)),
        "GELU and LayerNorm": (nn.Sequential(nn.Linear(6, 9), nn.LayerNorm(9), nn.GELU(), nn.Linear(9, 4)), (6,)),
        "convolutions": (nn.Sequential(*picture), (3, 8, 8)),
        "transformer": (nn.Sequential(block, nn.Flatten(), nn.Linear(80, 3)), (5, 16)),
        "LSTM": (Recurrent(nn.LSTM), (5, 4)),
        "GRU": (Recurrent(nn.GRU), (5, 4)),
        "upsampling": (nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(1, 2, 3)), (1, 4, 4)),
    }


def from_torch(folder: Path, *, dynamo: bool) -> Iterator[Case]:
    for name, (module, shape) in torch_models().items():
        path, example = folder / "model.onnx", torch.from_numpy(rows(*shape, n=2))
        how: dict[str, Any] = {"dynamo": False, "input_names": ["x"], "dynamic_axes": {"x": {0: "rows"}}}
        if dynamo:
            how = {"dynamo": True, "dynamic_shapes": ({0: torch.export.Dim("rows")},), "verbose": False}
        torch.onnx.export(module.eval(), (example,), path, **how)
        yield name, path, rows(*shape)


def from_torch_export(folder: Path) -> Iterator[Case]:
    for name, (module, shape) in torch_models().items():
        path, example = folder / "model.pt2", torch.from_numpy(rows(*shape, n=2))
        torch.export.save(
            torch.export.export(module.eval(), (example,), dynamic_shapes=({0: torch.export.Dim("rows")},)), path
        )
        yield name, path, rows(*shape)


def from_scikit_learn(folder: Path) -> Iterator[Case]:
    from skl2onnx import to_onnx
    from sklearn.decomposition import PCA
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, Normalizer, StandardScaler
    from sklearn.svm import SVC

    x = rows(5)
    y, classes = np.tanh(x @ rows(3, n=5)), np.array(["a", "b", "c"])[(x[:, 0] > 0).astype(int) + (x[:, 1] > 0.5)]
    perceptron = {"hidden_layer_sizes": (8, 6), "max_iter": 60, "random_state": 0}
    models = {
        "Ridge": Ridge().fit(x, y),
        "MLPRegressor": MLPRegressor(**perceptron).fit(x, y[:, 0]),
        "MLPRegressor of three targets": MLPRegressor(**perceptron).fit(x, y),
        "MLPClassifier": MLPClassifier(**perceptron).fit(x, classes),
        "LogisticRegression": LogisticRegression().fit(x, classes),
        "scaler, PCA, MLP": make_pipeline(StandardScaler(), PCA(3), MLPClassifier(**perceptron)).fit(x, classes),
        "scaler, normalizer, classifier": make_pipeline(MinMaxScaler(), Normalizer(), LogisticRegression()).fit(
            x, classes
        ),
        "SVC": SVC(probability=True).fit(x, classes),
        "RandomForestClassifier": RandomForestClassifier(5, random_state=0).fit(x, classes),
    }
    for name, model in models.items():
        path = folder / "model.onnx"
        path.write_bytes(to_onnx(model, x[:1]).SerializeToString())
        yield name, path, x


def _keras_models() -> Iterator[tuple[str, Any, tuple[int, ...]]]:
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    yield "dense", keras.Sequential([layers.Input((6,)), layers.Dense(9, "relu"), layers.Dense(4)]), (6,)
    picture = [
        *(layers.Input((8, 8, 3)), layers.Conv2D(8, 3, padding="same"), layers.BatchNormalization(), layers.ReLU()),
        *(layers.MaxPooling2D(), layers.Flatten(), layers.Dense(5, "softmax")),
    ]
    yield "convolutions", keras.Sequential(picture), (8, 8, 3)
    yield "LSTM", keras.Sequential([layers.Input((5, 4)), layers.LSTM(6), layers.Dense(3)]), (5, 4)
    yield "gelu", keras.Sequential([layers.Input((6,)), layers.Dense(9, "gelu"), layers.Dense(4)]), (6,)


def from_keras(folder: Path) -> Iterator[Case]:
    for name, model, shape in _keras_models():
        model(rows(*shape, n=2))
        model.export(folder / "model.onnx", format="onnx", verbose=False)
        yield name, folder / "model.onnx", rows(*shape)


def from_tf2onnx(folder: Path) -> Iterator[Case]:
    import tensorflow
    import tf2onnx

    for name, model, shape in _keras_models():
        signature = [tensorflow.TensorSpec((None, *shape), tensorflow.float32, name="x")]
        function = tensorflow.function(lambda x, model=model: model(x), input_signature=signature)
        tf2onnx.convert.from_function(function, signature, opset=17, output_path=str(folder / "model.onnx"))
        yield name, folder / "model.onnx", rows(*shape)


def from_hummingbird(folder: Path) -> Iterator[Case]:
    from hummingbird.ml import convert
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x = rows(5)
    classes = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0.5)
    models = {
        "LogisticRegression": LogisticRegression().fit(x, classes),
        "MLPClassifier": MLPClassifier((8,), max_iter=60, random_state=0).fit(x, classes),
        "scaler, classifier": make_pipeline(StandardScaler(), LogisticRegression()).fit(x, classes),
    }
    for name, model in models.items():
        made = convert(model, "torch", x).model.eval()
        torch.onnx.export(made, (torch.from_numpy(x[:2]),), folder / "model.onnx", dynamo=False, **_RENAMED)
        yield name, folder / "model.onnx", x


_RENAMED: dict[str, Any] = {"input_names": ["x"], "dynamic_axes": {"x": {0: "rows"}}}
EXPORTERS: dict[str, tuple[str, Callable[[Path], Iterator[Case]]]] = {
    "torch.onnx (TorchScript)": ("torch", lambda folder: from_torch(folder, dynamo=False)),
    "torch.onnx (dynamo)": ("onnxscript", lambda folder: from_torch(folder, dynamo=True)),
    "torch.export": ("torch", from_torch_export),
    "skl2onnx": ("skl2onnx", from_scikit_learn),
    "keras": ("keras", from_keras),
    "tf2onnx": ("tf2onnx", from_tf2onnx),
    "hummingbird-ml": ("hummingbird", from_hummingbird),
}


def in_runtime(path: Path, x: np.ndarray) -> list[np.ndarray]:
    """The real outputs by the runtime of the file, called directly."""
    if path.suffix == ".pt2":
        result = torch.export.load(path).module()(torch.from_numpy(x))
        return [result.detach().numpy()]
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: x})
    # Of a classifier: labels, and probabilities as one dictionary a row.
    found = [np.array([list(row.values()) for row in each]) if isinstance(each, list) else each for each in found]
    return [each for each in found if isinstance(each, np.ndarray) and each.dtype.kind == "f"]


def told(path: Path, x: np.ndarray) -> dict[str, Any]:
    """What became of one file."""
    try:
        model = load(path)
        result = model(torch.from_numpy(x))
        ours = [each.detach().numpy() for each in (result.values() if isinstance(result, dict) else [result])]
        output = None if not isinstance(result, dict) else list(result)[-1]
        profile = measure(model, x, output=output, points=30, check=False)
    except IsthmusError as refused:
        return {"refused": str(refused).split(". ")[0]}
    theirs = in_runtime(path, x)
    assert len(ours) == len(theirs)
    difference = max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(ours, theirs, strict=True))
    return {
        "difference": float(f"{difference:.1e}"),
        "method": profile.method,
        "jacobian_rank": [profile.jacobian_rank.lower, profile.jacobian_rank.upper],
    }


def main(names: list[str]) -> None:
    recorded = RESULTS / "exporters.json"
    figures: dict[str, Any] = json.loads(recorded.read_text())["figures"] if recorded.is_file() else {}
    for name, (needs, cases) in EXPORTERS.items():
        if (names and name not in names) or find_spec(needs) is None:
            print(f"{name}: left as it is")
            continue
        figures[name] = {}
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for case, path, x in cases(Path(folder)):
                figures[name][case] = told(path, x)
                print(name, case, figures[name][case], flush=True)
    keep("exporters", str(__doc__).partition("\n")[0].removeprefix("Claim: "), figures)


if __name__ == "__main__":
    main(sys.argv[1:])
