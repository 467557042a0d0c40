#!/bin/sh
# skl2onnx 1.20.0 with scikit-learn 1.8.0: a network of several targets returns more rows than it was given.
#
# Expected: an exported MLPRegressor that was fitted on y of shape (n, 3) returns (n, 3), as its predict does.
# Seen: the graph ends in a Reshape to (-1, 1), so 10 rows come back as 30 rows of one column. The numbers are right, row
# after row; what reads "one row out for each row in" (a metric, a rank, a batch loop) is wrong or refuses. The declared
# shape of the output is that of one target.
#
# Seen: predict (10, 3), onnx (30, 1), declared [None, 1], equal after a reshape: True
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check skl2onnx==1.20.0 scikit-learn==1.8.0 onnx==1.20.1 onnxruntime==1.24.1 numpy==2.4.2
"$work/env/bin/python" - <<'PY'
import sys
import warnings

import numpy as np
import onnxruntime
from skl2onnx import to_onnx
from sklearn.neural_network import MLPRegressor

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
x = rng.normal(size=(60, 4)).astype(np.float32)
y = rng.normal(size=(60, 3)).astype(np.float32)
model = MLPRegressor(hidden_layer_sizes=(8,), max_iter=50, random_state=0).fit(x, y)
session = onnxruntime.InferenceSession(to_onnx(model, x[:1]).SerializeToString(), providers=["CPUExecutionProvider"])
(found,) = session.run(None, {session.get_inputs()[0].name: x[:10]})
expected = model.predict(x[:10])
same = bool(np.allclose(found.reshape(expected.shape), expected, atol=1e-4)) if found.size == expected.size else False
declared = session.get_outputs()[0].shape
print(f"predict {expected.shape}, onnx {found.shape}, declared {declared}, equal after a reshape: {same}")
sys.exit(0 if expected.shape == (10, 3) and found.shape == (30, 1) and same else 1)
PY
