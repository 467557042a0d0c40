"""Claim: a chain of 500 MB is compressed within four times its size (wanted: 2 GB).

Twelve layers of 3,300 neurons in single precision, of which every third is affine and four have rank 600, are written
as safetensors and compressed through the command line in a process of its own. Its largest resident memory is what the
kernel counts; the chain's own size and what the command line needs before torch is loaded are told beside it.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from _child import child_peak
from _environment import keep
from isthmus.formats import load
from isthmus.formats.chain_files import write_chain
from isthmus.networks import IDENTITY, RELU
from isthmus.networks.chain import Chain, Layer

WIDTH, DEPTH, RANK = 3300, 12, 600


def layer(number: int) -> Layer:
    generator = torch.Generator().manual_seed(number)
    weight = torch.randn(WIDTH, WIDTH, generator=generator) / WIDTH**0.5
    if number % 3 == 0:
        inner = torch.randn(RANK, WIDTH, generator=generator) / WIDTH**0.5
        weight = (torch.randn(WIDTH, RANK, generator=generator) / RANK**0.5) @ inner
    return Layer(weight, torch.zeros(WIDTH), IDENTITY if number % 3 == 1 else RELU)


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        model, data, out = (Path(folder, name) for name in ("given.safetensors", "x.npy", "small.safetensors"))
        write_chain(Chain(tuple(layer(number) for number in range(DEPTH))), model)
        np.save(data, np.random.default_rng(0).standard_normal((200, WIDTH), dtype=np.float32))
        base, _ = child_peak()
        start = time.perf_counter()
        peak, seconds = child_peak("compress", str(model), "--data", str(data), "--out", str(out))
        sizes = {name: path.stat().st_size for name, path in (("given", model), ("written", out))}
        first, second = (load(path) for path in (model, out))
        x = torch.from_numpy(np.load(data))[:50]
        with torch.no_grad():
            wanted, found = first(x), second(x)
        figures = {
            "bytes": sizes,
            "peak_bytes": {"command line alone": base, "compress": peak},
            "peak_over_size": peak / sizes["given"],
            "change": float((wanted - found).abs().max() / wanted.abs().max()),
            "processor_seconds": seconds,
            "seconds": time.perf_counter() - start,
        }
    print(figures)
    keep("compress_memory", "a chain of 500 MB is compressed within four times its size", figures)


if __name__ == "__main__":
    main()
