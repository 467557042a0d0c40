"""Claims on `isthmus measure`: faster than what people write today, with the same numbers, in bounded memory.

Each row runs both sides in this process, one after the other, on the threads the environment gives (state them: the
result file does). Times are the best of a few runs after a first one, except where one run takes most of a minute.
Peak memory is the growth of the resident set while a side runs.

`vmap(jacrev)` is timed twice: on the module as it is built or loaded, whose weights require gradients (`ratio`: what
people run), and after `requires_grad_(False)` (`ratio_frozen`), which makes it faster and which few write.
"""

from __future__ import annotations

import gc
import logging
import sys
import time
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import jacrev, vmap

from _environment import keep
from isthmus.denormals import flushed_denormals
from isthmus.functions import from_torch, to_torch
from isthmus.functions.rowwise import row_function
from isthmus.ranks import jacobian_spectra, layer_spectra
from isthmus.ranks.gram import singular_values
from isthmus.ranks.local import local_spectra
from isthmus.training import Plan, fit


def peak_of(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds, megabytes by which the resident set grew at most, and the result."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = _status("VmRSS")
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, (_status("VmHWM") - before) / 1e3, result


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(name)))


def best_of(work: Callable[[], Any], runs: int) -> tuple[float, float, Any]:
    work()
    found = [peak_of(work) for _ in range(runs)]
    return min(f[0] for f in found), max(f[1] for f in found), found[-1][2]


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


def row(
    name: str, wanted: float, theirs: tuple[float, float, Any], ours: tuple[float, float, Any], **more: Any
) -> dict:
    found = {
        "work": name,
        "wanted": wanted,
        "ratio": theirs[0] / ours[0],
        "seconds_theirs": theirs[0],
        "seconds_ours": ours[0],
        "memory_ratio": theirs[1] / max(ours[1], 1.0),
        "megabytes_theirs": theirs[1],
        "megabytes_ours": ours[1],
        **more,
    }
    print(
        f"{name}: {found['ratio']:.1f} × (wanted {wanted:g}), {theirs[0]:.3g} s against {ours[0]:.3g} s; "
        f"memory {theirs[1]:.0f} MB against {ours[1]:.0f} MB; {more}",
        flush=True,
    )
    return found


def autoencoder(name: str, wanted: float, model: nn.Module, x: Tensor) -> dict:
    network = from_torch(model)
    ours = best_of(lambda: jacobian_spectra(network, x).singular_values, 3)
    error = relative_error(ours[2][:16], oracle(model, x[:16]), 1e-9)
    theirs = peak_of(lambda: naive(model, x))
    with flushed_denormals():
        kinder = peak_of(lambda: frozen(model, x))
    return row(name, wanted, theirs, ours, error_above_1e_9=error, ratio_frozen_and_flushed=kinder[0] / ours[0])


def trained() -> tuple[nn.Module, Tensor]:
    """An autoencoder of points on a five-dimensional surface in R^784, trained until it passes five numbers."""
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(1000, 5, generator=generator)
    bend, spread = torch.randn(5, 60, generator=generator), torch.randn(60, 784, generator=generator)
    x = torch.tanh(0.5 * z @ bend) @ spread / 60**0.5
    plan = Plan(steps=600, rounds=2)
    fitted = fit(x, x, depth=11, width=200, ridge=0.05, standardize="global", seed=0, plan=plan)
    model = to_torch(fitted.network).eval()
    return model, fitted.inputs.forward(x[:256]).float()


def mlp() -> list[dict]:
    model, x = chain([50, *[100] * 12, 50], 0), torch.randn(500, 50)
    network = from_torch(model)
    theirs = best_of(lambda: naive(model, x), 5)
    kinder = best_of(lambda: frozen(model, x), 5)
    expected = oracle(model, x)
    found = []
    for name, dtype, floor in (("float64", torch.float64, 1e-9), ("float32 products", torch.float32, 1e-2)):
        ours = best_of(lambda dtype=dtype: jacobian_spectra(network, x, dtype=dtype).singular_values, 5)
        error = relative_error(ours[2], expected, floor)
        more = {"error": error, "error_above": floor, "ratio_frozen": kinder[0] / ours[0]}
        found.append(row(f"MLP 50-100×12-50, N = 500, warm, {name}", 4, theirs, ours, **more))
    return found


def weights() -> dict:
    import weightwatcher

    logging.disable(logging.CRITICAL)
    torch.manual_seed(0)
    model = nn.Sequential(*[nn.Linear(1024, 1024) for _ in range(13)]).requires_grad_(False)
    ours = best_of(lambda: [singular_values(layer.weight) for layer in model], 3)
    watcher = weightwatcher.WeightWatcher(model=model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = best_of(watcher.analyze, 2)
    table = theirs[2]
    stable = torch.tensor([float((s / s[0]).square().sum()) for s in ours[2]], dtype=torch.float64)
    norms = torch.tensor([float(s[0]) for s in ours[2]], dtype=torch.float64)
    their_stable = torch.tensor(table["stable_rank"].to_numpy())
    their_norms = torch.tensor(table["sv_max"].to_numpy())
    agreement = {
        "stable_rank_difference": float((stable / their_stable - 1).abs().max()),
        "spectral_norm_difference": float((norms / their_norms - 1).abs().max()),
    }
    return row("weight spectra, 13 layers of width 1,024, against WeightWatcher", 5, theirs, ours, **agreement)


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
    x = torch.randn(64, 3, 32, 32)
    model.eval()
    memory = 1 << 29
    function = row_function(model, x)
    cold_ours = peak_of(lambda: local_spectra(function, x, memory=memory))
    ours = best_of(lambda: local_spectra(function, x, memory=memory).singular_values, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cold_theirs = peak_of(lambda: naive(model, x))
        theirs = best_of(lambda: naive(model, x), 2)
        kinder = best_of(lambda: frozen(model, x), 2)
        error = relative_error(ours[2][:4], oracle(model, x[:4]), 1e-3)
    more = {"error_above_1e_3": error, "budget_megabytes": memory / 1e6, "ratio_frozen": kinder[0] / ours[0]}
    more["ratio_of_first_calls"] = cold_theirs[0] / cold_ours[0]
    return row(f"{name}, N = 64 at 32×32×3", 3, theirs, ours, **more)


def real_network() -> dict:
    """A text-direction classifier that a package on the index ships as ONNX, on rendered lines of text."""
    from importlib.util import find_spec

    import numpy as np
    import onnxruntime
    from PIL import Image, ImageDraw

    from isthmus import load, measure

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
    model = load(path)
    session = onnxruntime.InferenceSession(str(path))
    difference = float(
        np.abs(
            session.run(None, {session.get_inputs()[0].name: x})[0] - model(torch.from_numpy(x)).detach().numpy()
        ).max()
    )
    seconds, megabytes, profile = peak_of(lambda: measure(model, x, points=50))
    found = {
        "work": "rapidocr-onnxruntime, ch_ppocr_mobile_v2.0_cls, 100 rendered lines",
        "difference_to_onnxruntime": difference,
        "seconds": seconds,
        "megabytes": megabytes,
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

    seconds, megabytes, _ = peak_of(lambda: layer_spectra(network, chunks()))
    found = {
        "work": f"streaming, {rows} rows through 10 layers of width 1,000",
        "seconds": seconds,
        "megabytes": megabytes,
    }
    print(found, flush=True)
    return found


def main(names: list[str]) -> None:
    works: dict[str, Callable[[], Any]] = {
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
    if names == ["million"]:  # a quarter of an hour
        keep("measure_million", "layer spectra of a million rows take no more memory than of few", streaming(1_000_000))
        return
    torch.manual_seed(0)
    figures = {name: work() for name, work in works.items() if not names or name in names}
    if not names:
        keep("measure", "measure beats vmap(jacrev) + svdvals and WeightWatcher at the same accuracy", figures)


if __name__ == "__main__":
    main(sys.argv[1:])
