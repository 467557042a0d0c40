"""Claim: a .parquet table of 10^7 x 11 numbers is fitted in 1.5 GB, and one of twice as many rows in no more.

Ten normal inputs, a target that goes through two numbers of them, written a piece at a time to a temporary folder and
fitted by `isthmus fit --quick` in a process of its own. Its largest resident memory is what the kernel counts. Reading
alone (`load_dataset`, as `isthmus window` and Python do) is told beside it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from _child import child_peak
from _environment import keep

PIECE, SIZES = 500_000, (1_000_000, 10_000_000, 20_000_000)
_READING = """
import sys, time
from isthmus.data import load_dataset
assert len(load_dataset(sys.argv[1], target="y").x) == 50_000
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) * 1024, time.process_time())
"""


def write(path: Path, rows: int) -> None:
    schema = pa.schema([(name, pa.float64()) for name in (*(f"x{i}" for i in range(10)), "y")])
    with pq.ParquetWriter(path, schema, use_dictionary=False) as writer:
        for piece in range(rows // PIECE):
            rng = np.random.default_rng(piece)
            x = rng.normal(size=(PIECE, 10))
            y = np.sin(x[:, 0] + x[:, 1]) + np.abs(x[:, 2]) + 0.1 * rng.normal(size=PIECE)
            writer.write_table(pa.table([*x.T, y], schema=schema))


def main() -> None:
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for rows in SIZES:
            path = Path(folder, f"{rows}.parquet")
            write(path, rows)
            read = subprocess.run([sys.executable, "-c", _READING, str(path)], check=True, stdout=subprocess.PIPE)
            peak, seconds = map(float, read.stdout.split())
            figures[f"{rows} rows, reading"] = {"peak_bytes": int(peak), "processor_seconds": round(seconds, 1)}
            out = str(Path(folder, f"run-{rows}"))
            peak, seconds = child_peak("fit", str(path), "--target", "y", "--quick", "--out", out)
            figures[f"{rows} rows, fit"] = {"peak_bytes": peak, "processor_seconds": round(seconds, 1)}
            figures[f"{rows} rows, fit"]["file_bytes"] = path.stat().st_size
            path.unlink()
            print(rows, figures, flush=True)
    keep("long_tables", __doc__.splitlines()[0].removeprefix("Claim: "), figures)


if __name__ == "__main__":
    main()
