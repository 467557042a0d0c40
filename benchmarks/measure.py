"""Claims on `isthmus measure`: faster than what people write today, with the same numbers, in bounded memory.

Every row runs its sides in one process, in turn, so that other programs on the machine reach all of them. Times are the
best of a few turns after a first one, except where one turn takes most of a minute. Two settings: one thread, and
the threads that torch takes by itself, for the rows that can be finished with them. `ratio` is of seconds on the clock,
`ratio_cpu` of processor seconds, which other programs change least (with one thread; threads that wait count as
working). Peak memory is the growth of the resident set while a side runs.

`vmap(jacrev)` is timed twice: on the module as it is built or loaded, whose weights require gradients (`ratio`: what
people run), and after `requires_grad_(False)` (`ratio_frozen`), which makes it faster and which few write.

    measure.py                  both settings, kept
    measure.py mlp weights …    some rows, printed only
    measure.py million          a million rows streamed, kept
"""

from __future__ import annotations

import gc
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import jacrev, vmap

from _environment import keep
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.threads import side_by_side
from isthmus.foundation.tolerance import DEFAULT_TOLERANCE
from isthmus.networks import from_torch, to_torch
from isthmus.networks.rowwise import row_function
from isthmus.spectra import jacobian_spectra, layer_spectra
from isthmus.spectra.gram import singular_values
from isthmus.spectra.local import local_spectra
from isthmus.spectra.mixed_precision import confirmed_spectra
from isthmus.training import Schedule, TrainingConfig, fit


@dataclass(frozen=True)
class Side:
    """Seconds on the clock, seconds of processors, megabytes by which the resident set grew, the result."""

    seconds: float
    cpu: float
    megabytes: float
    result: Any


def once(work: Callable[[], Any]) -> Side:
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = _status("VmRSS")
    begin, cpu = time.perf_counter(), time.process_time()
    result = work()
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    return Side(seconds, cpu, (_status("VmHWM") - before) / 1e3, result)


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(name)))


def in_turn(sides: dict[str, Callable[[], Any]], turns: int) -> dict[str, Side]:
    """The best of some turns for each of the sides, after a first one."""
    for work in sides.values():
        work()
    found: dict[str, list[Side]] = {name: [] for name in sides}
    for _ in range(turns):
        for name, work in sides.items():
            found[name].append(once(work))
    return {
        name: Side(
            min(s.seconds for s in each), min(s.cpu for s in each), max(s.megabytes for s in each), each[-1].result
        )
        for name, each in found.items()
    }


def chain(widths: list[int], seed: int) -> nn.Sequential:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for i, o in pairwise(widths):
        linear = nn.Linear(i, o)
        nn.init.kaiming_normal_(linear.weight)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1]).eval()


def naive(model: nn.Module, x: Tensor) -> Tensor:
    return torch.linalg.svdvals(vmap(jacrev(lambda row: model(row[None])[0]))(x).flatten(2)).detach()


def frozen(model: nn.Module, x: Tensor) -> Tensor:
    model.requires_grad_(False)
    try:
        return naive(model, x)
    finally:
        model.requires_grad_(True)


def oracle(model: nn.Module, x: Tensor) -> Tensor:
    """The same in float64, one row at a time."""
    exact = model.double()
    try:
        rows = [jacrev(lambda row: exact(row[None])[0])(row.double()).flatten(1).detach() for row in x]
        return torch.stack([torch.linalg.svdvals(row) for row in rows])
    finally:
        model.float()


def relative_error(found: Tensor, expected: Tensor, floor: float) -> float:
    """Largest relative error among the values above `floor` of the first."""
    expected = expected[:, : found.shape[1]]
    seen = expected > floor * expected[:, :1]
    return float(((found - expected).abs() / expected)[seen].max())


def row(name: str, wanted: float, sides: dict[str, Side], **more: Any) -> dict:
    """`theirs` against `ours`; every other side as well."""
    theirs, ours = sides["theirs"], sides["ours"]
    found = {"work": name, "wanted": wanted, "ratio": theirs.seconds / ours.seconds, "ratio_cpu": theirs.cpu / ours.cpu}
    if "frozen" in sides:
        frozen = sides["frozen"]
        found |= {"ratio_frozen": frozen.seconds / ours.seconds, "ratio_frozen_cpu": frozen.cpu / ours.cpu}
    found["memory_ratio"] = theirs.megabytes / max(ours.megabytes, 1.0)
    for side, each in sides.items():
        found[side] = {"seconds": each.seconds, "seconds_cpu": each.cpu, "megabytes": each.megabytes}
    found |= more
    print(json.dumps(found, ensure_ascii=False), flush=True)
    return found


def autoencoder(name: str, wanted: float, model: nn.Module, x: Tensor) -> dict:
    network = from_torch(model)
    ours = in_turn({"ours": lambda: jacobian_spectra(network, x).singular_values}, 3)
    error = relative_error(ours["ours"].result[:16], oracle(model, x[:16]), 1e-9)
    theirs = once(lambda: naive(model, x))
    with flushed_denormals():
        kinder = once(lambda: frozen(model, x))
    return row(name, wanted, {"theirs": theirs, **ours, "frozen": kinder}, error_above_1e_9=error)


def trained() -> tuple[nn.Module, Tensor]:
    """An autoencoder of points on a five-dimensional surface in R^784, trained until it passes five numbers."""
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(1000, 5, generator=generator)
    bend, spread = torch.randn(5, 60, generator=generator), torch.randn(60, 784, generator=generator)
    x = torch.tanh(0.5 * z @ bend) @ spread / 60**0.5
    schedule = Schedule(steps=600, rounds=2)
    fitted = fit(
        x, x, config=TrainingConfig(depth=11, width=200, ridge=0.05, standardize="global", schedule=schedule), seed=0
    )
    model = to_torch(fitted.network).eval()
    return model, fitted.inputs.forward(x[:256]).float()


def mlp() -> list[dict]:
    model, x = chain([50, *[100] * 12, 50], 0), torch.randn(500, 50)
    network = from_torch(model)
    expected = oracle(model, x)
    found = []
    for name, dtype, floor in (("float64", torch.float64, 1e-9), ("float32 products", torch.float32, 1e-2)):
        sides = in_turn(
            {
                "theirs": lambda: naive(model, x),
                "frozen": lambda: frozen(model, x),
                "ours": lambda dtype=dtype: jacobian_spectra(network, x, dtype=dtype).singular_values,
            },
            5,
        )
        error = relative_error(sides["ours"].result, expected, floor)
        found.append(row(f"MLP 50-100×12-50, N = 500, warm, {name}", 4, sides, error=error, error_above=floor))
    return found


def weights() -> dict:
    import weightwatcher

    logging.disable(logging.CRITICAL)
    torch.manual_seed(0)
    model = nn.Sequential(*[nn.Linear(1024, 1024) for _ in range(13)]).requires_grad_(False)
    watcher = weightwatcher.WeightWatcher(model=model)
    matrices = [layer.weight for layer in model]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sides = in_turn({"theirs": watcher.analyze, "ours": lambda: list(side_by_side(singular_values, matrices))}, 2)
    table, spectra = sides["theirs"].result, sides["ours"].result
    stable = torch.tensor([float((s / s[0]).square().sum()) for s in spectra], dtype=torch.float64)
    norms = torch.tensor([float(s[0]) for s in spectra], dtype=torch.float64)
    agreement = {
        "stable_rank_difference": float((stable / torch.tensor(table["stable_rank"].to_numpy()) - 1).abs().max()),
        "spectral_norm_difference": float((norms / torch.tensor(table["sv_max"].to_numpy()) - 1).abs().max()),
    }
    return row("weight spectra, 13 layers of width 1,024, against WeightWatcher", 5, sides, **agreement)


class Residual(nn.Module):
    """A residual block of two convolutions."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.skip = nn.Identity() if (inputs, stride) == (outputs, 1) else nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return torch.relu(self.body(x) + self.skip(x))


class Transformer(nn.Module):
    """A small vision transformer: patches of 4 × 4 pixels, a mean over the tokens, ten classes."""

    def __init__(self, width: int = 64, depth: int = 4) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.places = nn.Parameter(0.02 * torch.randn(1, 64, width))
        block = nn.TransformerEncoderLayer(width, 4, 2 * width, activation="gelu", batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(block, depth, enable_nested_tensor=False)
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        tokens = self.patches(x).flatten(2).transpose(1, 2) + self.places
        return self.head(self.body(tokens).mean(1))


def black_box(name: str, model: nn.Module) -> dict:
    """What `measure` does (`ours`), and what its confirmation in double precision costs and saves."""
    x = torch.randn(64, 3, 32, 32)
    model.eval()
    memory = 1 << 29
    function = row_function(model, x)
    exact = function.in_double(x)

    def confirmed() -> Tensor:
        return confirmed_spectra(function, x, tolerance=DEFAULT_TOLERANCE, memory=memory).singular_values

    cold_ours = once(confirmed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cold_theirs = once(lambda: naive(model, x))
        sides = in_turn(
            {
                "theirs": lambda: naive(model, x),
                "frozen": lambda: frozen(model, x),
                "ours": confirmed,
                "unconfirmed": lambda: local_spectra(function.in_channels_last(x), x, memory=memory),
                "double": lambda: local_spectra(exact, x, memory=memory),
            },
            3,
        )
        error = relative_error(sides["ours"].result[:4], oracle(model, x[:4]), 1e-3)
    more = {"error_above_1e_3": error, "budget_megabytes": memory / 1e6}
    more["ratio_of_first_calls"] = cold_theirs.seconds / cold_ours.seconds
    return row(f"{name}, N = 64 at 32×32×3", 3, sides, **more)


def real_network() -> dict:
    """A text-direction classifier that a package on the index ships as ONNX, on rendered lines of text."""
    from importlib.util import find_spec

    import numpy as np
    import onnxruntime
    from PIL import Image, ImageDraw

    from isthmus import load_network, measure

    package = find_spec("rapidocr_onnxruntime")
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).parent / "models" / "ch_ppocr_mobile_v2.0_cls_infer.onnx"
    rng = np.random.default_rng(0)
    lines = []
    for index in range(100):
        image = Image.new("RGB", (192, 48), (255, 255, 255))
        text = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz0123456789"), 12))
        ImageDraw.Draw(image).text((4, 8), text, fill=(0, 0, 0), font_size=24)
        lines.append(np.asarray(image.rotate(180 * (index % 2)), dtype=np.float32) / 127.5 - 1.0)
    x = np.ascontiguousarray(np.stack(lines).transpose(0, 3, 1, 2))
    model = load_network(path)
    session = onnxruntime.InferenceSession(str(path))
    difference = float(
        np.abs(
            session.run(None, {session.get_inputs()[0].name: x})[0] - model(torch.from_numpy(x)).detach().numpy()
        ).max()
    )
    side = once(lambda: measure(model, x, points=50))
    profile = side.result
    found = {
        "work": "rapidocr-onnxruntime, ch_ppocr_mobile_v2.0_cls, 100 rendered lines",
        "difference_to_onnxruntime": difference,
        "seconds": side.seconds,
        "megabytes": side.megabytes,
        "jacobian_rank": [profile.jacobian_rank.lower, profile.jacobian_rank.upper],
        "bottleneck_rank": [profile.bottleneck_rank.lower, profile.bottleneck_rank.upper],
        "layers": len(profile.layers),
        "why": "two probabilities sum to one, so its Jacobian has rank 1 everywhere",
    }
    print(found, flush=True)
    return found


def streaming(rows: int) -> dict:
    """Layer spectra of a 10-layer net of width 1,000, the rows made chunk by chunk."""
    model = chain([1000] * 11, 0)
    network = from_torch(model)

    def chunks():
        generator = torch.Generator().manual_seed(0)
        for begin in range(0, rows, 2000):
            yield torch.randn(min(2000, rows - begin), 1000, generator=generator)

    side = once(lambda: layer_spectra(network, chunks()))
    found = {
        "work": f"streaming, {rows} rows through 10 layers of width 1,000",
        "seconds": side.seconds,
        "megabytes": side.megabytes,
    }
    print(found, flush=True)
    return found


WORKS: dict[str, Callable[[], Any]] = {
    "autoencoder": lambda: autoencoder(
        "autoencoder 784-200×10-784, N = 256", 20, chain([784, *[200] * 10, 784], 0), torch.randn(256, 784)
    ),
    "trained": lambda: autoencoder("the same, trained to a bottleneck", 50, *trained()),
    "mlp": mlp,
    "weights": weights,
    "resnet": lambda: black_box(
        "ResNet",
        nn.Sequential(
            nn.Conv2d(3, 16, 3, 1, 1),
            nn.ReLU(),
            Residual(16, 16, 1),
            Residual(16, 32, 2),
            Residual(32, 64, 2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(64, 10),
        ),
    ),
    "vit": lambda: black_box("ViT", Transformer()),
    "real": real_network,
    "streaming": lambda: [streaming(10_000), streaming(50_000)],
}
# On the threads torch takes by itself, vmap(jacrev) of the autoencoders can take hours beside other programs.
SETTINGS: dict[str, list[str]] = {"one_thread": list(WORKS), "default_threads": ["mlp", "weights", "resnet", "vit"]}
CLAIM = "measure beats vmap(jacrev) + svdvals and WeightWatcher at the same accuracy"


def measured(names: list[str]) -> dict[str, Any]:
    torch.manual_seed(0)
    return {name: WORKS[name]() for name in names}


def in_own_process(setting: str) -> dict[str, Any]:
    """The rows of a setting in a process of its own: libraries read the number of threads once, when they start."""
    variables = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    if setting == "one_thread":
        variables["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        into = Path(folder) / "figures.json"
        subprocess.run([sys.executable, __file__, "--into", str(into), *SETTINGS[setting]], env=variables, check=True)
        figures: dict[str, Any] = json.loads(into.read_text())
    return figures


def main(names: list[str]) -> None:
    if names == ["million"]:  # a quarter of an hour
        keep("measure_million", "layer spectra of a million rows take no more memory than of few", streaming(1_000_000))
    elif names[:1] == ["--into"]:
        begin = os.getloadavg()[2]
        figures = measured(names[2:])
        load = {"before": begin, "after": os.getloadavg()[2]}
        figures |= {"threads": torch.get_num_threads(), "processes_waiting_in_15_minutes": load}
        Path(names[1]).write_text(json.dumps(figures))
    elif names:
        measured(names)
    else:
        keep("measure", CLAIM, {setting: in_own_process(setting) for setting in SETTINGS})


if __name__ == "__main__":
    main(sys.argv[1:])
