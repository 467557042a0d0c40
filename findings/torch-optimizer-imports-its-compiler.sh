#!/bin/sh
# torch 2.13.0: making the first optimiser imports the compiler.
#
# Expected: torch.optim.LBFGS([parameter]) makes an object; nothing is compiled, so nothing of torch.compile is needed.
# Seen: the constructor of any torch.optim.Optimizer imports torch._dynamo, some hundreds of modules, which takes about
# as long as importing torch itself; later ones are cheap. A short training pays it once a process, so every fresh worker
# of a pool does, and a profile shows it inside the first fit. `import torch.optim` alone does not.
#
# Seen on CPython 3.11, Linux x86_64:
#   modules of torch._dynamo before: 0
#   modules of torch._dynamo after the first optimiser: more than 50
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.2
"$work/env/bin/python" - <<'PY'
import sys
import time

import torch
import torch.optim

count = lambda: sum(name.startswith("torch._dynamo") for name in sys.modules)
before = count()
print("modules of torch._dynamo before:", before)
begin = time.process_time()
torch.optim.LBFGS([torch.nn.Parameter(torch.zeros(3))])
first = time.process_time() - begin
after = count()
begin = time.process_time()
torch.optim.LBFGS([torch.nn.Parameter(torch.zeros(3))])
second = time.process_time() - begin
print("modules of torch._dynamo after the first optimiser:", after)
print(f"processor seconds of the first and of the second: {first:.3f}, {second:.5f}")
sys.exit(0 if before == 0 and after > 50 and first > 20 * second else 1)
PY
