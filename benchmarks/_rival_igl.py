"""Intrinsic Green learning: the effective dimension of its regressor. Imports nothing of ours.

`intrinsic-green-learning` 0.14.1 of PyPI, which needs Python 3.13: that of Debian 13 (`python3.13-venv`,
`python3-torch`, `libopenblas0-pthread`) with scikit-learn 1.9.1 and narwhals. As it comes, but for the largest
dimension, 12. `-c` of this text reads x and y, standardised, from standard input as `.npz` and prints one line of JSON.
"""

import io
import json
import sys
import warnings

import igl
import numpy as np
import torch

MOST = 12

if __name__ == "__main__":
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    given = np.load(io.BytesIO(sys.stdin.buffer.read()))
    found = igl.IGLRegressor(max_dim=MOST, random_state=0).fit(given["x"], given["y"])
    print(json.dumps({"rank": int(found.effective_dimension_)}))
