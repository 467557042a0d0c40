#!/bin/sh
# pyarrow 26.0.1: ParquetFile.iter_batches needs memory that grows with the file, unless it is opened otherwise.
#
# Expected: reading a file some rows at a time, row group after row group, and letting go of each batch, takes the memory
# of a row group, however long the file is; that is what it is called for, and what 24.0.0 does.
# Seen: from 25.0.0 on the column chunks that are read ahead (pre_buffer=True, the default) are held until the iterator
# ends, so that peak memory is about the size of the file. With pre_buffer=False it is that of a row group, and with a
# buffer_size as well less than that. A buffer_size alone, beside the default pre_buffer, changes nothing.
#
# Seen on CPython 3.11, Linux x86_64, Arrow's own count of its peak, megabytes, files of random doubles (24.0.0: 11 in all):
#   file of 34 MB: default 40, buffer_size alone 40, pre_buffer=False and buffer_size 11
#   file of 134 MB: default 141, buffer_size alone 141, pre_buffer=False and buffer_size 11
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1 numpy==2.4.6
cat >"$work/peak.py" <<'PY'
import sys

import pyarrow as pa
from pyarrow.parquet import ParquetFile

how = {
    "default": {},
    "buffer_size alone": {"buffer_size": 1 << 20},
    "pre_buffer=False and buffer_size": {"pre_buffer": False, "buffer_size": 1 << 20},
}
with ParquetFile(sys.argv[1], **how[sys.argv[2]]) as file:
    rows = sum(batch.num_rows for batch in file.iter_batches(65_536, use_threads=False))
assert rows == int(sys.argv[3])
print(round(pa.default_memory_pool().max_memory() / 1e6))
PY
"$work/env/bin/python" - "$work" <<'PY'
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow.parquet import ParquetWriter

work, peaks = Path(sys.argv[1]), {}
schema = pa.schema([(name, pa.float64()) for name in "abcd"])
for groups in (8, 32):
    path, draw = work / f"{groups}.parquet", np.random.default_rng(0)
    with ParquetWriter(path, schema, use_dictionary=False) as writer:
        for _ in range(groups):
            columns = [pa.array(draw.standard_normal(131_072)) for _ in schema.names]
            writer.write_table(pa.table(columns, schema=schema))
    for how in ("default", "buffer_size alone", "pre_buffer=False and buffer_size"):
        command = [sys.executable, str(work / "peak.py"), str(path), how, str(groups * 131_072)]
        peaks[groups, how] = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    size = round(path.stat().st_size / 1e6)
    print(f"file of {size} MB:", ", ".join(f"{how} {peak}" for (of, how), peak in peaks.items() if of == groups))
grown = {how: peaks[32, how] / peaks[8, how] for _, how in peaks}
sys.exit(0 if grown["default"] > 2.5 and grown["pre_buffer=False and buffer_size"] < 1.5 else 1)
PY
