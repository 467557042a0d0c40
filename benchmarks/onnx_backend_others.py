"""Claim: on onnx's own tests, what other loaders of ONNX into torch compute wrongly, and what they do not load.

The tests of `onnx_backend.py`, values only, by onnx2torch and onnx2pytorch where they are installed. "not loaded" is an
error while converting or running, which says nothing wrong; "wrong" are other numbers or shapes, without a word.
"""

from __future__ import annotations

import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from _environment import keep
from isthmus.formats import load
from onnx_backend import difference, models, node_tests


def by_onnx2torch(path: Path) -> Any:
    from onnx2torch import convert

    return convert(str(path)).eval()


def by_onnx2pytorch(path: Path) -> Any:
    from onnx2pytorch import ConvertModel

    return ConvertModel(onnx.load(path), experimental=True).eval()


LOADERS: dict[str, Callable[[Path], Any]] = {
    "isthmus": load,
    "onnx2torch": by_onnx2torch,
    "onnx2pytorch": by_onnx2pytorch,
}


def outcome(loader: Callable[[Path], Any], path: Path, x: np.ndarray, expected: list[Any], names: list[str]) -> str:
    try:
        with torch.no_grad():
            model = loader(path)
            found = getattr(model, "inner", model)(torch.from_numpy(np.array(x)))
        if isinstance(found, tuple | list):
            found = dict(zip(names, found, strict=False))
        return "wrong" if difference(found, expected, names) else "right"
    except Exception:  # whatever a loader raises
        return "not loaded"


def main() -> None:
    warnings.simplefilter("ignore")
    counts: dict[str, dict[str, Counter[str]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, _, (_, x, expected, names, *_) in chain(node_tests(Path(folder)), models(Path(folder))):
            for name, loader in LOADERS.items():
                if name != "isthmus" and find_spec(name) is None:
                    continue
                found = outcome(loader, Path(folder) / "m.onnx", x, expected, names)
                counts.setdefault(kind, {}).setdefault(name, Counter())[found] += 1
    figures: dict[str, Any] = {kind: {name: dict(each) for name, each in by.items()} for kind, by in counts.items()}
    figures["versions"] = {name: version(name) for name in LOADERS if name != "isthmus" and find_spec(name) is not None}
    print(figures)
    keep("onnx_backend_others", str(__doc__).partition("\n")[0].removeprefix("Claim: "), figures)


if __name__ == "__main__":
    main()
