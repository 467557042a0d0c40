"""Claim: at a given size of a trained network ours is the least error, beside pruning of channels and int8.

A classifier of mnist and a convolutional classifier of digits, at 2 to 16 times fewer parameters. Beside ours: the
singular value decomposition of each matrix or kernel in its channels, that of what it gives on the rows (SVD-LLM,
principal components of the outputs), ranks by energy, and torch-pruning (channels and neurons by magnitude over groups,
one ranking for all), which runs in another interpreter that `--pruning` names (pip install torch-pruning==1.6.0). All
are refitted by the same 1,000 steps to the same rows. int8 by onnxruntime, dynamic, and static with these rows. Errors
are relative to the spread of f, all outputs in one unit, on rows that no method has seen.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from torch import nn

from _environment import keep, recorded
from compress import images, mlp, seeded, trained
from isthmus.compression.graphs.approximation import smaller_graphs, stage_statistics, with_stage_ranks
from isthmus.compression.graphs.network import GraphNetwork
from isthmus.compression.layer_statistics import LayerStatistics, layer_statistics
from isthmus.compression.path import Step, smaller_and_smaller, smaller_chains
from isthmus.compression.refitting import Targets, refitted, relative_error
from isthmus.compression.weighted_rank import WeightedSvd, allocated_ranks, weighted_svds, with_ranks
from isthmus.formats.chain_files import write_chain
from isthmus.formats.onnx_from_modules import graph_of
from isthmus.networks.chain import Chain
from isthmus.networks.chain_conversion import chain_of

RATIOS = (2, 4, 8, 16)
STEPS = 1000


def convolutional() -> list[nn.Module]:
    torch.manual_seed(0)
    parts: list[nn.Module] = []
    for d_in, d_out in ((1, 16), (16, 32), (32, 32)):
        parts += [nn.Conv2d(d_in, d_out, 3, padding=1), nn.BatchNorm2d(d_out), nn.ReLU()]
        parts += [nn.MaxPool2d(2)] if d_in > 1 else []
    return [*parts, nn.Flatten(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)]


class Case:
    """A trained network, its rows, and what all methods are judged by."""

    def __init__(self, name: str, folder: Path, tools: str | None) -> None:
        self.name, self.folder, self.tools = name, folder, tools
        self.is_graph = name.startswith("convolutional")
        x, y = images("digits" if self.is_graph else "mnist")
        x = x.reshape(-1, 1, 8, 8) if self.is_graph else x
        count = int(0.8 * len(x))
        parts = convolutional() if self.is_graph else mlp(784, 128, 64, 10)
        self.model = trained(parts, x[:count], y[:count], 600, 0.0, 0.0)
        self.x, self.test, self.labels = x[:count], x[count:], y[count:]
        self.given = self.network(self.model)
        self.targets = Targets.of(self.given, self.x.flatten(1).double(), seeded(0))
        self.wanted = self.given(self.test.flatten(1).double())
        self.figures: dict[str, Any] = {}

    def network(self, model: nn.Module) -> Any:
        """In float64: a chain, or a graph."""
        if not self.is_graph:
            return chain_of(model).to(torch.float64)
        graph = graph_of(model.eval(), (1, 8, 8), {})
        assert graph is not None
        return GraphNetwork(graph, graph.stretches, (1, 8, 8), 0)

    def file(self, network: Any, name: str) -> Path:
        """Written in single precision."""
        path = self.folder / f"{name}.onnx"
        path.unlink(missing_ok=True)
        if isinstance(network, Chain):
            return write_chain(network.to(torch.float32), path)
        proto = network.graph.written(network.to(torch.float32).stretches, torch.float32)
        path.write_bytes(proto.SerializeToString())
        return path

    def told(self, key: str, network: Any, begin: float) -> None:
        """Keep the figures of a network."""
        out = network(self.test.flatten(1).double())
        accuracy = float((out.argmax(1) == self.labels).double().mean())
        self.figures[key] = {
            "parameters": network.parameter_count,
            "error": relative_error(out, self.wanted),
            "accuracy": accuracy,
            "seconds": time.process_time() - begin,
        }
        print(self.name, key, self.figures[key], flush=True)

    def refitted(self, key: str, network: Any, begin: float) -> Any:
        """Train it on, as all methods are, and keep its figures."""
        fitted, _ = refitted(network, self.targets, torch.float32, STEPS)
        self.told(key, fitted, begin)
        return fitted

    def quantised(self, key: str, network: Any) -> None:
        """int8 by onnxruntime, weights only and with activations calibrated on the rows."""
        given, shape = self.file(network, "given"), (-1, 1, 8, 8) if self.is_graph else (-1, 784)
        rows = self.x.reshape(shape).numpy()
        for kind, quantise in (("dynamic", dynamic), ("static", static)):
            target = self.folder / f"{kind}.onnx"
            quantise(given, target, rows)
            session = onnxruntime.InferenceSession(target, providers=["CPUExecutionProvider"])
            (out,) = session.run(None, {"input": self.test.reshape(shape).numpy()})
            found = torch.from_numpy(out).double()
            self.figures[f"{key}, int8 {kind}"] = {
                "bytes": target.stat().st_size,
                "bytes_before": given.stat().st_size,
                "error": relative_error(found, self.wanted),
                "accuracy": float((found.argmax(1) == self.labels).double().mean()),
            }
            print(self.name, key, kind, self.figures[f"{key}, int8 {kind}"], flush=True)


def dynamic(given: Path, target: Path, rows: np.ndarray) -> None:
    del rows
    quantize_dynamic(given, target, weight_type=QuantType.QInt8)


def static(given: Path, target: Path, rows: np.ndarray) -> None:
    quantize_static(given, target, Reader(rows), quant_format=QuantFormat.QDQ, per_channel=True)


class Reader(CalibrationDataReader):
    """Rows to calibrate on, a hundred at a time."""

    def __init__(self, rows: np.ndarray) -> None:
        self._parts: Iterator[np.ndarray] = iter(np.array_split(rows, len(rows) // 100))

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next ones, None at the end."""
        part = next(self._parts, None)
        return None if part is None else {"input": part}


def svds_of(case: Case, is_plain: bool) -> tuple[Any, Callable[[list[int | None]], Any]]:
    """Decompositions that count all outputs of a layer alike, and how the network is made of ranks."""
    if isinstance(case.given, Chain):
        statistics = layer_statistics(case.given, case.targets.x, seeded(0))
        alike = []
        for each in statistics:
            inputs = each.inputs
            if is_plain:
                inputs = replace(inputs, covariance=torch.eye(len(inputs.mean), dtype=torch.float64))
            alike.append(LayerStatistics(inputs, torch.eye(len(each.sensitivity), dtype=torch.float64)))
        chain_svds = weighted_svds(case.given, alike)
        return chain_svds, lambda ranks: with_ranks(chain_svds, ranks)
    network: GraphNetwork = case.given
    found = []
    for layer, each in zip(network.layers, stage_statistics(network, case.targets.x, seeded(0)), strict=True):
        given = replace(each.before, covariance=layer.weight @ layer.weight.T) if is_plain else each.before
        found.append(WeightedSvd.of_outputs(layer, given, torch.eye(len(layer.bias), dtype=torch.float64)))
    return found, lambda ranks: with_stage_ranks(network, found, ranks)


def of(case: Case) -> dict[str, Any]:
    case.told("as given", case.given, time.process_time())
    case.quantised("as given", case.given)
    for label in ("svd", "whitened svd"):
        svds, make = svds_of(case, label == "svd")
        for ratio in RATIOS:
            begin = time.process_time()
            small = make(allocated_ranks(svds, case.given.parameter_count // ratio))
            case.refitted(f"{label}, refitted, 1/{ratio}", small, begin)
    for ratio in RATIOS if case.tools else ():
        begin = time.process_time()
        model, rows, out = (case.folder / name for name in ("model.pt", "rows.pt", "pruned.pt"))
        torch.save(case.model, model)
        torch.save(case.x[:2], rows)
        script = Path(__file__).with_name("_torch_pruning.py")
        subprocess.run([str(each) for each in (case.tools, script, model, rows, out, ratio)], check=True, env={})
        pruned = case.network(torch.load(out, weights_only=False))
        case.refitted(f"torch-pruning, refitted, 1/{ratio}", pruned, begin)
    begin, left = time.process_time(), list(RATIOS)
    proposals: Any = smaller_graphs if case.is_graph else smaller_chains
    start: Step[Any] = Step(case.given, "as given", 0.0)
    for step in smaller_and_smaller(start, case.targets, torch.float32, seeded(0), proposals):
        while left and step.chain.parameter_count <= case.given.parameter_count / left[0]:
            fitted = case.refitted(f"isthmus, 1/{left[0]}", step.chain, begin)
            case.quantised(f"isthmus, 1/{left.pop(0)}", fitted)
        if not left:
            break
    return case.figures


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pruning", help="interpreter that has torch-pruning and torch")
    parser.add_argument("cases", nargs="*", default=["convolutional digits", "classifier mnist 784-128-64-10"])
    given = parser.parse_args()
    torch.set_num_threads(1)
    figures = recorded("compress_rivals")
    for name in given.cases:
        with tempfile.TemporaryDirectory() as folder:
            figures[name] = of(Case(name, Path(folder), given.pruning))
        keep("compress_rivals", "at a given size of a trained network ours is the least error", figures)


if __name__ == "__main__":
    main()
