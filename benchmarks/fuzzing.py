"""Claim: no damaged file makes a reader raise anything but an error of isthmus, hang, or write beside it.

Valid files of each kind (tables as text, ONNX graphs, pt2 archives, safetensors, run records) are mutated at random:
bits turned, bytes replaced, pieces cut, repeated and moved, digits exchanged, ends cut off. A worker of each kind reads
them in turn; a reading that takes 10 seconds or ends its process is written down, and the next worker goes on after it.

`python benchmarks/fuzzing.py [SECONDS [SEED [KIND ...]]]` of wall time a kind, by default 30, from a seed on. No input
is kept: what is found is said in words, with the place in our code that it came from; the seed makes it again.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import selectors
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from _environment import keep
from isthmus import RankRegressor, fit, load_run
from isthmus.data import dataset_from_arrays, load_dataset
from isthmus.errors import IsthmusError
from isthmus.formats import load, save
from isthmus.runs import RunOptions, run_fit
from isthmus.selection import SelectionConfig
from isthmus.training import Schedule, TrainingConfig

HANG, LARGEST = 10.0, 8
KINDS = ("csv", "onnx", "pt2", "safetensors", "record", "estimator")


def originals(kind: str, folder: Path) -> list[Path]:
    """Valid files of a kind."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 3))
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    schedule = Schedule(steps=10, rounds=1, evaluations=5)
    if kind == "csv":
        rows = [
            "length,kind,day,target",
            *(f"{a:.3f},{'ab'[i % 2]},2024-01-{i % 28 + 1:02d},{b:.4g}" for i, (a, b, _) in enumerate(x)),
        ]
        texts = [
            "\n".join(rows),
            "\n".join(row.replace(",", ";").replace(".", ",") for row in rows),
            "# by hand\n" + "\n".join(rows),
        ]
        files = [folder / f"{i}.csv" for i in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            file.write_text(text + "\n")
    elif kind == "onnx":
        files = [folder / "a.onnx"]
        with contextlib.redirect_stdout(io.StringIO()):
            torch.onnx.export(module, (torch.zeros(1, 3),), str(files[0]), dynamo=False)
    elif kind == "pt2":
        files = [folder / "a.pt2"]
        torch.export.save(torch.export.export(module, (torch.zeros(2, 3),)), files[0])
    elif kind == "safetensors":
        files = [folder / "a.safetensors"]
        save(fit(x, x[:, :2], config=TrainingConfig(depth=2, width=4, schedule=schedule)), files[0])
    elif kind == "record":
        config = SelectionConfig(depth=2, ridge=0.01, width=4, schedule=schedule)
        run_fit(dataset_from_arrays(x, x[:, :2]), RunOptions(config, cv=2), folder / "run")
        files = [folder / "run" / "run.json"]
    else:
        files = [folder / "a.safetensors"]
        RankRegressor(depth=2, ridge=0.01, width=4, schedule=schedule, cv=2).fit(x, x[:, :2]).save(files[0])
    return files


READERS: dict[str, Callable[[Path], Any]] = {
    "csv": lambda path: load_dataset(path, target="target", missing="drop"),
    "onnx": load,
    "pt2": load,
    "safetensors": load,
    "record": lambda path: load_run(path.parent),
    "estimator": RankRegressor.load,
}


def mutated(content: bytes, rng: random.Random) -> bytes:
    """One change mostly, at most eight: what is still nearly whole is read furthest."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4, LARGEST))):
        at, size = rng.randrange(len(changed) + 1), rng.choice((1, 1, 2, 4, 8, 32, 200))
        piece = changed[at : at + size]
        change = rng.randrange(8)
        if change == 0 and piece:
            changed[at] ^= 1 << rng.randrange(8)
        elif change == 1:
            changed[at : at + size] = rng.randbytes(len(piece))
        elif change == 2:
            del changed[at : at + size]
        elif change == 3:
            changed[at:at] = piece * rng.choice((1, 1, 3, 50))
        elif change == 4:
            changed[at : at + size] = rng.choice(
                (b"\x00", b"\xff", b"\n", b'"', b",", b"-1", b"1e999", b"NaN", b"{", b"[")
            ) * len(piece)
        elif change == 5:
            changed[at : at + 400] = re.sub(rb"\d", lambda _: b"%d" % rng.randrange(10), bytes(changed[at : at + 400]))
        elif change == 6:
            other = rng.randrange(len(changed) + 1)
            changed[other:other] = piece
        elif rng.random() < 0.2:
            del changed[at:]
        if not changed:
            break
    return bytes(changed)


def repacked(content: bytes, rng: random.Random) -> bytes:
    """An archive one of whose entries is mutated, with a right check sum."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = {each.filename: archive.read(each) for each in archive.infolist()}
    name = rng.choice(sorted(entries))
    entries[name] = mutated(entries[name], rng)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for each, kept in entries.items():
            archive.writestr(each, kept)
    return packed.getvalue()


def read_all(kind: str, seed: int, seconds: float) -> None:
    """Read mutations from `seed` on, and say of each what became of it: number, place."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = originals(kind, folder)
        contents = [file.read_bytes() for file in files]
        there, end = sorted(folder.rglob("*")), time.monotonic() + seconds
        while time.monotonic() < end:
            rng = random.Random(seed)
            place = rng.randrange(len(files))
            print(seed, end=" ", flush=True)
            change = repacked if kind == "pt2" and rng.random() < 0.8 else mutated
            files[place].write_bytes(change(contents[place], rng))
            said = outcome(READERS[kind], files[place])
            files[place].write_bytes(contents[place])
            left = [path.name for path in sorted(folder.rglob("*")) if path not in there]
            print(said if not left else f"raw: files were left beside it: {left}", flush=True)
            seed += 1


def outcome(reader: Callable[[Path], Any], path: Path) -> str:
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            reader(path)
    except IsthmusError as refused:
        return f"refused {type(refused).__name__}"
    except Exception as raw:
        ours = [
            frame
            for frame in traceback.extract_tb(raw.__traceback__)
            if "isthmus" in frame.filename and "benchmarks" not in frame.filename
        ]
        place = f"{Path(ours[-1].filename).name}:{ours[-1].name}" if ours else "outside"
        return f"raw: {type(raw).__name__} in {place}: {str(raw)[:100]!r}"
    return "read"


def fuzzed(kind: str, seconds: float, seed: int) -> dict[str, Any]:
    """How many readings ended how, and what was raw, a crash or a hang."""
    counts: Counter[str] = Counter()
    found: dict[str, int] = {}
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 1:
        command = [sys.executable, __file__, "--worker", kind, str(seed), str(left)]
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        lines = _lines(worker, left)
        for line in lines:
            number, _, said = line.partition(" ")
            seed = int(number) + 1
            counts[said.split(":")[0].split()[0] if said else "crash or hang"] += 1
            if said.startswith("raw") or not said:
                found.setdefault(said or f"ended its process or took over {HANG:g} s", int(number))
        if not lines:
            break
    print(kind, dict(counts), *found.items(), sep="\n  ", flush=True)
    return {"readings": sum(counts.values()), **counts, "found": found}


def _lines(worker: subprocess.Popen[str], seconds: float) -> list[str]:
    """What a worker said until it ended, or was silent for too long."""
    assert worker.stdout is not None
    selector, text, begin = selectors.DefaultSelector(), "", float("inf")
    selector.register(worker.stdout, selectors.EVENT_READ)
    while selector.select(HANG if text else seconds + 60):
        piece = worker.stdout.buffer.read1(65536)  # type: ignore[attr-defined]
        if not piece:
            break
        text, begin = text + piece.decode(errors="replace"), min(begin, time.monotonic())  # now it reads
        if time.monotonic() - begin > seconds + HANG:
            break
    is_over = time.monotonic() - begin > seconds
    worker.kill()
    worker.wait()
    lines = [line for line in text.splitlines() if line[:1].isdigit()]
    return lines[:-1] if is_over and not text.endswith("\n") else lines  # the last was not given its time


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        read_all(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
    else:
        seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
        first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
        figures = {kind: fuzzed(kind, seconds, first) for kind in sys.argv[3:] or KINDS}
        if len(sys.argv) <= 3:
            keep("fuzzing", "Damaged files are read or refused by an error of isthmus, within seconds.", figures)
        print(json.dumps(figures, indent=1))
