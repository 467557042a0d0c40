"""Claim: most of a deep network can be taken out; what is exact is proved, and what is not is ahead at every size.

In one run on one thread: (1) 784-100×11-784 with ten linear middle layers, and with ten ReLUs that are always active on
the box, beside onnxslim, onnxsim and onnxruntime's own optimiser, which run in another interpreter that `--tools` names
(pip install onnxslim==0.1.59 onnxsim==0.8.1 onnxruntime==1.22.1 onnx==1.18.0 ml_dtypes); (2) networks of the digits at
2 to 16 times fewer parameters, beside the singular value decomposition of each weight, that of each weight times the
root of its inputs' covariance (SVD-LLM; the principal components of the layer's outputs give the same matrix), ranks
allocated by energy, and neurons by the norms of their weights, all as published and with the refit that ours has; int8
by onnxruntime; (3) networks trained with ℓ1 and ℓ2 on digits and mnist: the neurons that are stable on the box [0, 1].
Errors are relative to the spread of f, on rows that no method has seen. Runs, convolutions, mnist and memory have
scripts of their own (`compress_*.py`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from _environment import RESULTS, keep
from isthmus import compress, load_dataset
from isthmus.compression.latency import run_seconds
from isthmus.compression.layer_statistics import LayerStatistics, layer_statistics
from isthmus.compression.path import Step, smaller_and_smaller, smaller_chains
from isthmus.compression.refitting import Targets, refitted, relative_error
from isthmus.compression.weighted_rank import allocated_ranks, weighted_svds, with_ranks
from isthmus.formats import load
from isthmus.formats.chain_files import write_chain
from isthmus.networks.chain import Chain
from isthmus.networks.chain_conversion import chain_of

POINTS = 100_000
RATIOS = (2, 4, 8, 16)
TOOLS = {
    "onnxslim": "import onnx, onnxslim; onnx.save(onnxslim.slim(onnx.load({0!r})), {1!r})",
    "onnxsim": "import onnx, onnxsim; onnx.save(onnxsim.simplify(onnx.load({0!r}))[0], {1!r})",
    "onnxruntime": (
        "import onnxruntime as o; s = o.SessionOptions(); s.graph_optimization_level = "
        "o.GraphOptimizationLevel.ORT_ENABLE_ALL; s.optimized_model_filepath = {1!r}; "
        "o.InferenceSession({0!r}, s, providers=['CPUExecutionProvider'])"
    ),
}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def deep_network(kind: str) -> nn.Sequential:
    """784-100×11-784 of rank 5 in the middle, its ten middle layers linear or always active."""
    torch.manual_seed(0)
    parts: list[nn.Module] = [nn.Linear(784, 100), nn.ReLU()]
    with torch.no_grad():
        for number in range(10):
            layer = nn.Linear(100, 100)
            frame = torch.linalg.qr(torch.randn(100, 100)).Q
            layer.weight.copy_(frame[:, :5] @ frame[:5] if number == 4 else frame)
            if kind == "active":
                parts += [layer, nn.ReLU()]
                lift_above_zero(nn.Sequential(*parts[:-1]), layer)
            else:
                parts.append(layer)
    return nn.Sequential(*parts, nn.Linear(100, 784)).eval()


def lift_above_zero(until: nn.Sequential, layer: nn.Linear) -> None:
    """Raise the biases so that no pre-activation is negative on [0, 1], by bounds of what the first layer gives."""
    first = until[0]
    above = (first.weight.clamp_min(0).sum(1) + first.bias).clamp_min(0)
    weight, bias = torch.eye(100), torch.zeros(100)
    for part in list(until)[2:]:
        if isinstance(part, nn.Linear):
            weight, bias = part.weight @ weight, part.weight @ bias + part.bias
    layer.bias.add_((-(weight.clamp_max(0) @ above + bias)).clamp_min(0) + 1e-3)


def file_figures(path: Path, rows: np.ndarray) -> dict[str, Any]:
    gemms = sum(node.op_type in ("Gemm", "MatMul", "FusedGemm") for node in onnx.load(path).graph.node)
    seconds = {f"us_{batch}": 1e6 * run_seconds(path, rows[:batch]) for batch in (1, 256)}
    return {"bytes": path.stat().st_size, "gemms": gemms, **seconds}


def deep_networks(tools: str | None, folder: Path) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    x = torch.rand(500, 784, generator=seeded(1))
    for kind in ("linear", "active"):
        model = deep_network(kind)
        given = write_chain(chain_of(model), folder / f"{kind}.onnx")
        start = time.process_time()
        found = compress(load(given), x, box=(0.0, 1.0))
        seconds = time.process_time() - start
        ours = found.save(folder / f"{kind}-small.onnx")
        files = {"as given": given, "isthmus": ours}
        for name, code in TOOLS.items() if tools else ():
            target = folder / f"{kind}-{name}.onnx"
            subprocess.run([tools, "-c", code.format(str(given), str(target))], check=True, capture_output=True, env={})
            files[name] = target
        rows = torch.rand(256, 784, generator=seeded(2)).numpy()
        figures[kind] = {name: file_figures(path, rows) for name, path in files.items()}
        figures[kind] |= {
            "widths": found.after.widths,
            "compress_seconds": seconds,
            "largest_change": change_on_box(chain_of(model), found.chain, 0.0, 1.0),
            "proofs": sorted({fold.proof for fold in found.folds if fold.neurons}),
        }
        print(kind, figures[kind], flush=True)
    return figures


def change_on_box(given: Chain, small: Chain, low: float, high: float) -> float:
    """Largest change of an output over 10^5 points of the box, relative to the largest output."""
    exact, off, size = given.to(torch.float64), 0.0, 0.0
    for seed in range(POINTS // 10_000):
        x = low + (high - low) * torch.rand(10_000, given.d_in, generator=seeded(100 + seed), dtype=torch.float64)
        wanted = exact(x)
        off = max(off, float((small(x).double() - wanted).abs().max()))
        size = max(size, float(wanted.abs().max()))
    return off / size


def trained(parts: Sequence[nn.Module], x: Tensor, y: Tensor | None, steps: int, l1: float, l2: float) -> nn.Sequential:
    """A classifier of x into y, or an autoencoder of x, by Adam; `l1` and `l2` weigh the weights' norms."""
    model = nn.Sequential(*parts)
    weights = [p for p in model.parameters() if p.ndim == 2]
    optimiser = torch.optim.Adam(model.parameters(), 1e-3)
    draws = seeded(0)
    for _ in range(steps):
        rows = torch.randint(0, len(x), (128,), generator=draws)
        out = model(x[rows])
        loss = nn.functional.mse_loss(out, x[rows]) if y is None else nn.functional.cross_entropy(out, y[rows])
        loss = loss + sum(l1 * w.abs().sum() + l2 * w.square().sum() for w in weights)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval()


def images(name: str) -> tuple[Tensor, Tensor]:
    """Pixels in [0, 1] and labels, in random order."""
    data = load_dataset(name, task="classification", test=0.0, seed=0)
    x = torch.as_tensor(np.asarray(data.x), dtype=torch.float32)
    order = torch.randperm(len(x), generator=seeded(0))
    return (x / x.max())[order], torch.as_tensor(np.asarray(data.y)).long()[order]


def mlp(*widths: int) -> list[nn.Module]:
    torch.manual_seed(0)
    parts: list[nn.Module] = []
    for n, m in pairwise(widths):
        parts += [nn.Linear(n, m), nn.ReLU()]
    return parts[:-1]


def curves(folder: Path) -> dict[str, Any]:
    x, y = images("digits")
    cases = {
        "classifier 64-128-128-10": (trained(mlp(64, 128, 128, 10), x[:1400], y[:1400], 1500, 0.0, 0.0), y),
        "autoencoder 64-128-32-128-64": (trained(mlp(64, 128, 32, 128, 64), x[:1400], None, 3000, 0.0, 0.0), None),
    }
    return {name: curve(name, model, x, labels, folder) for name, (model, labels) in cases.items()}


def curve(name: str, model: nn.Sequential, x: Tensor, labels: Tensor | None, folder: Path) -> dict[str, Any]:
    chain = chain_of(model).to(torch.float64)
    test, short = x[1400:].double(), name[:4]
    wanted = chain(test)
    targets = Targets.of(chain, x[:1400].double(), seeded(0))
    rows: dict[str, Any] = {}

    def told(key: str, small: Chain, **more: Any) -> None:
        out = small(test)
        rows[key] = {"parameters": small.parameter_count, "error": relative_error(out, wanted), **more}
        if labels is not None:
            rows[key]["accuracy"] = float((out.argmax(1) == labels[1400:]).double().mean())
        print(name, key, rows[key], flush=True)

    told("as given", chain)
    rows["int8"] = quantised(write_chain(chain.to(torch.float32), folder / f"{short}.onnx"), test, wanted)
    statistics = layer_statistics(chain, targets.x, seeded(0))
    for label in ("svd", "whitened svd"):
        svds = weighted_svds(chain, [unweighted(each, label == "svd") for each in statistics])
        for ratio in RATIOS:
            start = time.process_time()
            small = with_ranks(svds, allocated_ranks(svds, chain.parameter_count // ratio))
            told(f"{label}, 1/{ratio}", small)
            fitted, _ = refitted(small, targets, torch.float32, 1000)
            told(f"{label}, refitted, 1/{ratio}", fitted, seconds=time.process_time() - start)
    for ratio in RATIOS:
        start = time.process_time()
        small = by_magnitude(chain, ratio)
        fitted, _ = refitted(small, targets, torch.float32, 1000)
        told(f"neurons by magnitude, refitted, 1/{ratio}", fitted, seconds=time.process_time() - start)
    start, left = time.process_time(), list(RATIOS)
    for step in smaller_and_smaller(Step(chain, "as given", 0.0), targets, torch.float32, seeded(0), smaller_chains):
        while left and step.chain.parameter_count <= chain.parameter_count / left[0]:
            fitted, _ = refitted(step.chain, targets, torch.float32, 1000)
            told(f"isthmus, 1/{left[0]}", fitted, seconds=time.process_time() - start)
            path = write_chain(fitted.to(torch.float32), folder / f"{short}-{left[0]}.onnx")
            rows[f"isthmus and int8, 1/{left.pop(0)}"] = quantised(path, test, wanted)
        if not left:
            break
    return rows


def unweighted(statistics: LayerStatistics, is_plain: bool) -> LayerStatistics:
    """As if all outputs of a layer mattered alike; and, where it is plain, as if all its inputs varied alike.

    With the inputs' covariance this is SVD-LLM's truncation and the principal components of the layer's outputs, which
    are the same matrix: the left singular vectors of $W C^{1/2}$ are the eigenvectors of $W C W^T$.
    """
    inputs = statistics.inputs
    if is_plain:
        inputs = replace(inputs, covariance=torch.eye(len(inputs.mean), dtype=torch.float64))
    return LayerStatistics(inputs, torch.eye(len(statistics.sensitivity), dtype=torch.float64))


def by_magnitude(chain: Chain, ratio: int) -> Chain:
    """The same share of each hidden layer's neurons, those of the largest incoming and outgoing weights.

    The largest share with which the chain is small enough.
    """
    layers = list(chain.layers)
    scores = [layer.weight.square().sum(1) + after.weight.square().sum(0) for layer, after in pairwise(chain.layers)]
    for percent in range(100, 0, -1):
        layers = list(chain.layers)
        for number, score in enumerate(scores):
            kept = score.topk(max(1, len(score) * percent // 100)).indices
            layer, after = layers[number], layers[number + 1]
            layers[number] = replace(layer, weight=layer.weight[kept], bias=layer.bias[kept])
            layers[number + 1] = replace(after, weight=after.weight[:, kept])
        if Chain(tuple(layers)).parameter_count <= chain.parameter_count / ratio:
            break
    return Chain(tuple(layers))


def quantised(path: Path, test: Tensor, wanted: Tensor) -> dict[str, Any]:
    """Weights in int8 by onnxruntime's dynamic quantisation: bytes and error."""
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic

    target = path.with_suffix(".int8.onnx")
    quantize_dynamic(path, target, weight_type=QuantType.QInt8)
    session = onnxruntime.InferenceSession(target, providers=["CPUExecutionProvider"])
    (out,) = session.run(None, {session.get_inputs()[0].name: test.float().numpy()})
    return {"bytes": target.stat().st_size, "error": relative_error(torch.from_numpy(out).double(), wanted)}


def stable_neurons() -> list[dict[str, Any]]:
    rows = []
    digits, mnist = images("digits"), images("mnist")
    cases = [
        ("digits 5 × 100", digits, (64, *[100] * 5, 10), 2000, l1, l2)
        for l1, l2 in ((0.0, 0.0), (1e-4, 0.0), (1.5e-4, 0.0), (0.0, 1e-3))
    ]
    cases += [("mnist 2 × 800", mnist, (784, 800, 800, 10), 300, l1, 0.0) for l1 in (0.0, 1e-4)]
    for name, (x, y), widths, steps, l1, l2 in cases:
        size = int(0.8 * len(x))
        model = trained(mlp(*widths), x[:size], y[:size], steps, l1, l2)
        accuracy = float((model(x[size:]).argmax(1) == y[size:]).double().mean())
        start = time.process_time()
        found = compress(model, x, box=(0.0, 1.0))
        seconds = time.process_time() - start
        names = ("always inactive", "always active", "shared", "unread", "constant", "proportional")
        kinds = {kind: sum(len(fold.neurons) for fold in found.folds if fold.kind == kind) for kind in names}
        proofs: dict[str, int] = {}
        for fold in found.folds:
            if fold.kind.startswith("always"):
                proofs[fold.proof] = proofs.get(fold.proof, 0) + len(fold.neurons)
        rows.append(
            {
                "network": name,
                "l1": l1,
                "l2": l2,
                "accuracy": accuracy,
                "share_of_parameters_removed": 1 - found.after.parameters / found.before.parameters,
                "neurons": kinds,
                "proofs": proofs,
                "widths_after": found.after.widths,
                "largest_change": change_on_box(chain_of(model), found.chain, 0.0, 1.0),
                "seconds": seconds,
            }
        )
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", help="interpreter that has onnxslim, onnxsim and onnxruntime")
    parser.add_argument("parts", nargs="*", help="some of the parts; the others are kept as they were")
    given = parser.parse_args()
    tools = given.tools
    torch.set_num_threads(1)
    record = RESULTS / "compress.json"
    figures: dict[str, Any] = json.loads(record.read_text())["figures"] if record.exists() and given.parts else {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = {
            "deep_networks": lambda: deep_networks(tools, folder),
            "curves": lambda: curves(folder),
            "stable_neurons": stable_neurons,
        }
        for part, work in parts.items():
            if given.parts and part not in given.parts:
                continue
            figures[part] = work()
            keep("compress", "most of a deep network can be taken out, with proofs or within a tolerance", figures)


if __name__ == "__main__":
    main()
