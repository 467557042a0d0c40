"""Claim: whatever ends a command, the earlier result is whole, and the same command again ends at the same bits.

`fit`, `fit --overwrite` (over an earlier fit), `reproduce --overwrite`, `sweep`, `compress` and `report` (over an
earlier page) are killed at random moments, terminated, run on a full disk and in a folder that nobody may write to.
After each, what can be read is the earlier result or the new one (of a sweep: cells that are those of the whole), and
what is run again ends at the bits of a run that nothing ended. A full disk is a file system in memory, of random
size; one that nobody may write to is remounted read-only; both need the right to mount.

`python benchmarks/hardening.py [KILLS TERMS DISKS FOLDERS]`, by default 100 20 20 20.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open

from _environment import keep

PROGRAM = [sys.executable, "-c", "from isthmus.cli.main import main; main()"]
TIMES = {"created", "seconds", "training_seconds", "history", "command", "name", "waited"}
FIT = [
    *(
        "--target",
        "y,z",
        "--depth",
        "3",
        "--width",
        "8",
        "--steps",
        "150",
        "--rounds",
        "1",
        "--cv",
        "3",
    ),
    *("--ridge", "0.01,0.03", "--overwrite", "--out", "r"),
]
TRIES = 6  # kills of one command before it may end
WAITS = 200.0  # seconds, after which a command hangs


@dataclass(frozen=True)
class Job:
    """A command, what it leaves and how that is read, and the commands that came before it."""

    name: str
    command: list[str]
    read: Callable[[Path], Any]
    before: tuple[list[str], ...] = ()
    in_parts: bool = False  # a result may hold some of its parts, each as in the whole one
    refuses: bool = False  # to run again once its result is there
    pages: int = 60  # of room, at most, on a full disk


def run_folder(folder: Path) -> dict[str, Any] | None:
    """All numbers of a RUN folder, after the look that ends a move that was cut short."""
    from isthmus.errors import IsthmusError
    from isthmus.runs import RunFolder

    try:
        RunFolder(folder / "r").read()
    except (IsthmusError, OSError):
        return None
    return content(folder / "r")


def experiment(folder: Path) -> dict[str, Any] | None:
    return content(folder / "r") if (folder / "r").is_dir() else None


def cells(folder: Path) -> dict[str, Any]:
    """What a store of a sweep says of each cell that is done."""
    if not (folder / "r" / "cells.sqlite").is_file():
        return {}
    database = sqlite3.connect(f"file:{folder / 'r' / 'cells.sqlite'}?mode=ro", uri=True)
    with closing(database) as connection:
        connection.row_factory = sqlite3.Row
        try:
            rows = connection.execute("SELECT * FROM cells WHERE status = 'done'").fetchall()
        except sqlite3.OperationalError:  # killed before there was a table
            return {}
    return {row["settings"]: {name: row[name] for name in row.keys() if name != "seconds"} for row in rows}  # noqa: SIM118


def page(folder: Path) -> str | None:
    path = folder / "page.html"
    return re.sub(r"[0-9.]+ (m?s|min)\b", "", path.read_text()) if path.is_file() else None


def network(folder: Path) -> bytes | None:
    path = folder / "small.safetensors"
    return path.read_bytes() if path.is_file() else None


JOBS = [
    Job("fit", ["fit", "t.csv", *FIT], run_folder),
    Job("fit --overwrite", ["fit", "t.csv", *FIT], run_folder, (["fit", "t.csv", *FIT, "--seed", "1"],)),
    Job(
        "reproduce --overwrite",
        ["reproduce", "linear-networks", "--n-jobs", "1", "--overwrite", "--out", "r"],
        experiment,
        (["reproduce", "linear-networks", "--n-jobs", "1", "--out", "r"],),
    ),
    Job("sweep", ["sweep", "grid.toml", "--out", "r"], cells, in_parts=True),
    Job(
        "compress",
        ["compress", "r", "--data", "t.csv", "--drop", "y,z", "--tolerance", "0.1", "--out", "small.safetensors"],
        network,
        (["fit", "t.csv", *FIT],),
        refuses=True,
        pages=1,
    ),
    Job(
        "report",
        ["report", "r", "--out", "page.html"],
        page,
        (["fit", "t.csv", *FIT], ["report", "r", "--out", "page.html"], ["fit", "t.csv", *FIT, "--seed", "1"]),
    ),
]
GRID = """
data = "t.csv"
target = "y,z"
seeds = [0, 1, 2]
[options]
cv = 2
depth = [[2], [3]]
width = 6
ridge = 0.03
schedule.steps = 60
"""


def run(job: list[str], folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*PROGRAM, *job], cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip


def ended(job: list[str], folder: Path) -> tuple[int, str]:
    with run(job, folder) as process:
        _, said = process.communicate(timeout=WAITS)
        return process.returncode, said


def content(folder: Path) -> dict[str, Any] | None:
    """All numbers that can be read in a result; None where there is no result."""
    records = sorted(path for path in folder.glob("*.json") if not path.name.startswith("."))
    if not records:
        return None
    found: dict[str, Any] = {path.name: without_times(json.loads(path.read_text())) for path in records}
    if "run.json" in found:
        for path in sorted(folder.glob("*.safetensors")):
            with safe_open(path, "np") as file:
                found[path.name] = {name: file.get_tensor(name).tobytes() for name in file.keys()}  # noqa: SIM118
    return found


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_times(each) for name, each in value.items() if name not in TIMES}
    return [without_times(each) for each in value] if isinstance(value, list) else value


def fresh(folder: Path, earlier: Path | None) -> None:
    """The table, the grid, and what commands before left."""
    shutil.copy(TABLE, folder / "t.csv")
    (folder / "grid.toml").write_text(GRID)
    if earlier is not None:
        shutil.copytree(earlier, folder, dirs_exist_ok=True)


def whole(job: Job, found: Any, known: Prepared) -> bool:
    """Whether a reader finds the earlier result, the new one, or, where it comes in parts, some of its parts."""
    if job.in_parts:
        return all(known.new.get(name) == part for name, part in found.items())
    return found in (known.old, known.new)


def interrupted(job: Job, how: signal.Signals, prepared: Prepared, rng: random.Random) -> str:
    """Kill a command at random moments until it ends or has been killed often enough; then let it end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fresh(folder, prepared.earlier)
        for _ in range(rng.randint(1, TRIES)):
            process = run(job.command, folder)
            time.sleep(rng.uniform(0.3, prepared.seconds))
            os.killpg(process.pid, how)
            process.communicate(timeout=WAITS)
            if not whole(job, found := job.read(folder), prepared):
                return f"neither the earlier nor the new result: {str(found)[:200]}"
            if job.refuses and found is not None:
                break
        else:
            return same(job, folder, prepared)
        return "as it should be"


def same(job: Job, folder: Path, prepared: Prepared) -> str:
    status, said = ended(job.command, folder)
    if status != 0:
        return f"exit {status}: {said[-200:]}"
    return "as it should be" if job.read(folder) == prepared.new else "other numbers"


def full(job: Job, prepared: Prepared, rng: random.Random) -> str:
    room = 4096 * rng.randint(0, job.pages)
    with file_system(prepared.size + room) as folder:
        fresh(folder, prepared.earlier)
        status, said = ended(job.command, folder)
        if status == 0:
            return "there was room"
        if refused := unclear(status, said):
            return refused
        if not whole(job, job.read(folder), prepared):
            return "the earlier result is lost"
        subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
        return same(job, folder, prepared)


def read_only(job: Job, prepared: Prepared, rng: random.Random) -> str:
    with file_system(1 << 26) as folder:
        fresh(folder, prepared.earlier)
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        status, said = ended(job.command, folder)
        if status == 0:
            return "it wrote to what nobody may write to"
        if refused := unclear(status, said):
            return refused
        return "as it should be" if whole(job, job.read(folder), prepared) else "the earlier result is lost"


def unclear(status: int, said: str) -> str:
    sentences = [line for line in said.splitlines() if line.startswith("isthmus: ")]
    return "" if status == 2 and len(sentences) == 1 and "Traceback" not in said else f"exit {status}: {said[-300:]}"


@contextmanager
def file_system(size: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", name], check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", name], check=True)


@dataclass(frozen=True)
class Prepared:
    """The results that may be read, how long a run takes, and the size of what is there before."""

    earlier: Path | None
    old: Any
    new: Any
    seconds: float
    size: int


def prepared(job: Job, place: Path) -> Prepared:
    before = place / f"{job.name}-before"
    before.mkdir()
    fresh(before, None)
    for command in job.before:
        status, said = ended(command, before)
        assert status == 0, said
    old = job.read(before)
    folder = place / f"{job.name}-new"
    shutil.copytree(before, folder)
    begin = time.monotonic()
    status, said = ended(job.command, folder)
    assert status == 0, said
    seconds = time.monotonic() - begin
    size = sum(-(-file.stat().st_size // 4096) * 4096 for file in before.rglob("*") if file.is_file())
    return Prepared(before, old, job.read(folder), seconds, size)


def main(counts: list[int]) -> None:
    kinds: list[tuple[str, int, Callable[[Job, Prepared, random.Random], str]]] = [
        ("kill -9", counts[0], lambda job, known, rng: interrupted(job, signal.SIGKILL, known, rng)),
        ("SIGTERM", counts[1], lambda job, known, rng: interrupted(job, signal.SIGTERM, known, rng)),
        ("full disk", counts[2], full),
        ("read-only folder", counts[3], read_only),
    ]
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        known = {job.name: prepared(job, Path(name)) for job in JOBS}
        for kind, count, tried in kinds:
            for job in JOBS:
                rng, found = random.Random(f"{kind} {job.name}"), Counter[str]()
                for _ in range(-(-count // len(JOBS))):
                    found[tried(job, known[job.name], rng)] += 1
                figures[f"{kind}: {job.name}"] = dict(found)
                print(kind, job.name, dict(found), flush=True)
    keep("hardening", __doc__.split("\n", 1)[0], figures)


def write_table(path: Path) -> Path:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 3))
    y = np.c_[np.tanh(x[:, 0] + x[:, 1]), np.abs(x[:, 2])]
    lines = [",".join(f"{v:.4f}" for v in row) for row in np.c_[x, y]]
    path.write_text("\n".join(["a,b,c,y,z", *lines]) + "\n")
    return path


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        TABLE = write_table(Path(place) / "t.csv")
        main([int(count) for count in sys.argv[1:5]] or [100, 20, 20, 20])
