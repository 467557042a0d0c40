"""Claim: of ONNX's own backend tests none is computed wrongly and none ends in a raw error; the rest is refused.

Every node test with an input of real numbers, as it is and as the standard expands it, and every model that onnx
ships: the first such input varies, the others become weights. Outputs are compared with those that the test brings,
derivatives with central differences in double precision (but of the models whose weights are made up and whose
activations explode). Random operators are left out.
`onnx_backend.py NAME …` runs those tests alone and says more.
"""

from __future__ import annotations

import math
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch

from _environment import keep
from isthmus.errors import IsthmusError, MixedRowsError, RowCountError
from isthmus.formats import load

TOLERANCES = {"float16": 1e-2, "float32": 1e-3, "float64": 1e-5}
SLOPE = 1e-3
STEP, SMOOTH, JUMP = 1e-6, 1e-3, 1e4
RANDOM = ("bernoulli", "dropout_random", "training_dropout", "random_uniform", "random_normal")


def is_real(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim > 0 and value.size > 0


def prepared(model: Any, inputs: list[Any], path: Path) -> np.ndarray | None:
    """The model at `path` with all but its first real input as weights, and that input; None where it cannot be."""
    import onnx
    from onnx import numpy_helper

    chosen = next(i for i, value in enumerate(inputs) if is_real(value))
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    weights = {each.name for each in copy.graph.initializer}
    names = [each.name for each in copy.graph.input if each.name not in weights]
    for i, (name, value) in enumerate(zip(names, inputs, strict=False)):
        if i != chosen:
            if not isinstance(value, np.ndarray):
                return None
            copy.graph.initializer.append(numpy_helper.from_array(value, name))
    copy.ir_version = max(copy.ir_version, 4)  # before, every weight is an input as well
    kept = next(each for each in copy.graph.input if each.name == names[chosen])
    del copy.graph.input[:]
    copy.graph.input.append(kept)
    onnx.save(copy, path)
    return inputs[chosen]


def difference(found: Any, expected: list[Any], names: list[str]) -> str:
    """How the outputs differ; empty where they do not. Beside real outputs those of other kinds are left out."""
    real = [i for i, value in enumerate(expected) if getattr(getattr(value, "dtype", None), "kind", "") == "f"]
    if real:
        names, expected = [names[i] for i in real], [expected[i] for i in real]
    results = found if isinstance(found, dict) else {names[0]: found}
    for name, value in zip(names, expected, strict=False):
        if not isinstance(value, np.ndarray | np.generic):
            return f"{name} is no tensor"
        right = np.asarray(value)
        given = results[name].detach().numpy()
        if given.shape != right.shape:
            return f"{name} has shape {given.shape}, not {right.shape}"
        limit = TOLERANCES.get(right.dtype.name, 1e-3)
        if right.dtype.kind != "b" and not np.allclose(given, right.astype(given.dtype), limit, limit, equal_nan=True):
            return f"{name} is off by {np.abs(given - right).max():.2g}"
        if right.dtype.kind == "b" and not np.array_equal(given, right):
            return f"{name} differs"
    return ""


def derivative_error(model: Any, x: torch.Tensor) -> float:
    """Autograd against differences in double precision along one direction, relative to the larger.

    0 where the differences ahead and behind disagree or are huge, at a kink or a jump: there is no derivative. NaN
    where torch has none, which `measure` refuses by name.
    """
    generator = torch.Generator().manual_seed(0)
    point = x.double().requires_grad_()
    direction = torch.randn(x.shape, generator=generator, dtype=torch.float64)

    def value(at: torch.Tensor) -> torch.Tensor:
        result = model(at)
        parts = result.values() if isinstance(result, dict) else [result]
        real = [part.reshape(-1) for part in parts if part.is_floating_point()]
        return torch.cat(real) if real else torch.zeros(1, dtype=torch.float64)

    weights = torch.randn(value(point).shape, generator=generator, dtype=torch.float64)
    output = (value(point) * weights).sum()
    with torch.no_grad():
        ahead, behind = (float((value(point + h * direction) * weights).sum()) for h in (STEP, -STEP))
    sides = (ahead - float(output)) / STEP, (float(output) - behind) / STEP
    largest = max(map(abs, sides))
    if not abs(sides[0] - sides[1]) <= SMOOTH * largest + SLOPE or largest > JUMP:
        return 0.0
    slope = torch.zeros_like(point)
    if output.requires_grad:
        (slope,) = torch.autograd.grad(output, point, materialize_grads=True)
    exact, differences = float((slope * direction).sum()), (ahead - behind) / (2 * STEP)
    terms = max((value(point).detach() * weights).abs().flatten().tolist(), default=0.0)
    rounding = 1e3 * torch.finfo(torch.float64).eps * max(terms, abs(float(output))) / STEP
    return max(abs(differences - exact) - rounding, 0.0) / max(abs(differences), abs(exact), SLOPE)


def outcome(
    load_model: Any, x: np.ndarray, expected: list[Any], names: list[str], slope: bool = True
) -> tuple[str, str]:
    """One of right (also where rows are not apart), refused, wrong, raw error; and why."""
    as_what, rows = "right", torch.from_numpy(np.array(x))
    try:
        with torch.no_grad():
            model = load_model()
            try:
                found = model(rows)
            except (
                MixedRowsError,
                RowCountError,
            ):  # refused as a function of rows; what the whole graph computes is still compared
                model, as_what = model.inner, "right, refused as a function of rows"
                found = model(rows)
        why = difference(found, expected, names)
        if slope and not why:
            error = derivative_error(model.double(), rows)
            if math.isnan(error):
                as_what = "right, refused for want of a derivative"
            elif error > SLOPE:
                why = f"its derivative is off by {error:.2g}"
    except IsthmusError as refused:
        return "refused", str(refused)
    except Exception as raw:
        return "raw error", f"{type(raw).__name__}: {raw}"
    return ("wrong", why) if why else (as_what, "")


def node_tests(folder: Path) -> Iterator[tuple[str, str, Any]]:
    """Kind, name and outcome of each node test with a real input."""
    from onnx.backend.test.case.node import collect_testcases

    for case in collect_testcases(None):
        inputs, expected = case.data_sets[0]
        if not any(is_real(value) for value in inputs) or any(word in case.name for word in RANDOM):
            continue
        kind = "operators as the standard expands them" if "expanded" in case.name else "operators"
        x = prepared(case.model, inputs, folder / "m.onnx")
        if x is not None:
            names = [each.name for each in case.model.graph.output]
            operator = case.model.graph.node[0].op_type
            yield kind, f"{case.name} {operator}", (lambda: load(folder / "m.onnx"), x, list(expected), names)


def read(file: Path) -> np.ndarray:
    import onnx

    return onnx.numpy_helper.to_array(onnx.load_tensor(str(file)))


def ramp(model: Any) -> np.ndarray:
    """The input that onnx gives to models without one of their own."""
    weights = {each.name for each in model.graph.initializer}
    free = next(each for each in model.graph.input if each.name not in weights)
    sizes = [d.dim_value or 1 for d in free.type.tensor_type.shape.dim]
    return (np.arange(np.prod(sizes)).reshape(sizes) / np.prod(sizes)).astype(np.float32)


def models(folder: Path) -> Iterator[tuple[str, str, Any]]:
    """The same for the models that onnx ships."""
    import onnx

    root = Path(onnx.__file__).parent / "backend" / "test" / "data"
    for kind in ("simple", "pytorch-operator", "pytorch-converted", "light"):
        for path in sorted((root / kind).rglob("*.onnx")):
            proto = onnx.load(path)
            places = {"input": path.parent.glob("*/input_*.pb"), "output": path.parent.glob("*/output_*.pb")}
            if kind == "light":  # the input is made by a rule, the output lies beside the model
                places = {"input": [], "output": path.parent.glob(f"{path.stem}_output_*.pb")}
            inputs, outputs = [[read(file) for file in sorted(files)] for files in places.values()]
            inputs = inputs or [ramp(proto)]
            if any(is_real(value) for value in inputs) and outputs:
                x = prepared(proto, inputs, folder / "m.onnx")
                names = [each.name for each in proto.graph.output]
                name = path.parent.name if kind != "light" else path.stem
                yield kind, name, (lambda: load(folder / "m.onnx"), x, outputs, names, kind != "light")


def main(chosen: list[str]) -> None:
    warnings.simplefilter("ignore")
    counts: dict[str, Counter[str]] = {}
    refused: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for kind, test, what in chain(node_tests(Path(folder)), models(Path(folder))):
            if chosen and not any(word in test for word in chosen):
                continue
            found, why = outcome(*what)
            counts.setdefault(kind, Counter())[found] += 1
            if chosen or found in ("wrong", "raw error"):
                print(f"{test:60} {found:10} {why[:250]}", flush=True)
            if found == "refused" and kind == "operators":
                refused[test.partition(" ")[2]] += 1
    figures = {"outcomes": {kind: dict(found) for kind, found in counts.items()}, "refused operators": dict(refused)}
    print(figures)
    if not chosen:
        keep("onnx_backend", str(__doc__).partition("\n")[0].removeprefix("Claim: "), figures)


if __name__ == "__main__":
    main(sys.argv[1:])
