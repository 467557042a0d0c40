"""How long onnxruntime takes for a network, on one thread."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.errors import MissingExtraError

_RUNS, _SECONDS = 200, 0.5  # timed at most so many runs, for about so long


def run_seconds(model: Path, rows: NDArray[np.generic]) -> float:
    """Median seconds of a run of an `.onnx` file on some rows, on one thread, its graph optimised by onnxruntime.

    Raises:
        MissingExtraError: If onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as missing:
        raise MissingExtraError("Timing a network", "onnxruntime", "onnx") from missing
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session: Any = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    given = {session.get_inputs()[0].name: rows}
    for _ in range(3):
        session.run(None, given)
    taken: list[float] = []
    while len(taken) < _RUNS and sum(taken) < _SECONDS:
        begin = time.perf_counter()
        session.run(None, given)
        taken.append(time.perf_counter() - begin)
    return median(taken)
