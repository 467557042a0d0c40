#!/bin/sh
# safetensors 0.8.0: saving the same tensors with the same metadata twice gives files of other bytes.
#
# Expected: a format made for weights, with tensors in a fixed order, writes equal bytes for equal content; so that a
# digest of the file names its content (a cache key, a lock file, a check after copying, a test that compares files).
# Seen: tensors are in a fixed order, but the entries of the metadata are in an order that changes from call to call, also
# within one process, as soon as there are two. Nothing is lost, and all readers agree on the content. With one entry or
# none the bytes are always equal. The metadata as one JSON text under one name, or the header sorted after saving,
# avoids it.
#
# Seen on CPython 3.11, Linux x86_64:
#   different files of 64 saves: no metadata 1, one entry 1, three entries 6
#   same tensors and metadata in all of them: True
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check safetensors==0.8.0 numpy==2.4.2
"$work/env/bin/python" - "$work" <<'PY'
import sys

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

tensors = {"weight": np.arange(6.0).reshape(2, 3), "bias": np.zeros(2)}
three = {"format": "a", "version": "1", "activation": "relu"}
kinds = {"no metadata": None, "one entry": {"format": "a"}, "three entries": three}
files = {kind: {save(tensors, metadata) for _ in range(64)} for kind, metadata in kinds.items()}
print("different files of 64 saves:", ", ".join(f"{kind} {len(each)}" for kind, each in files.items()))
alike = True
for number, content in enumerate(files["three entries"]):
    path = f"{sys.argv[1]}/{number}.safetensors"
    with open(path, "wb") as file:
        file.write(content)
    with safe_open(path, "np") as file:
        alike &= file.metadata() == three and all((file.get_tensor(name) == tensors[name]).all() for name in tensors)
print("same tensors and metadata in all of them:", alike)
counts = [len(each) for each in files.values()]
sys.exit(0 if alike and counts[:2] == [1, 1] and counts[2] > 1 else 1)
PY
