"""The compiled loops stay inside their arrays: once more with bounds checking, in a process and cache of their own."""

import os
import subprocess
import sys
from pathlib import Path

CHECK = """
from conftest import random_layers
from regions.nets import default_init
from isthmus.networks import ABSOLUTE, RELU
from isthmus.regions import enumerate_regions

regions = enumerate_regions(default_init((2, 32, 32, 32, 3), scale=2.0), (-1, 1))
regions.decision_boundary(), regions.count_pieces(), regions.jacobian_rank(), regions.bottleneck_rank()
for seed in range(12):
    for d in (1, 2, 3):
        net = random_layers((d, 3 + seed, 70 if seed == 5 else 5, 3), (RELU, ABSOLUTE)[seed % 2], seed)
        found = enumerate_regions(net, (-2, 2))
        found.neighbours, found.jacobian_rank()
        enumerate_regions(net, (-2, 2), budget=5, partial=True).neighbours
print("inside")
"""


def test_with_bounds_checking(tmp_path):
    tests = Path(__file__).parent.parent
    path = os.pathsep.join([str(tests), *filter(None, [os.environ.get("PYTHONPATH")])])
    settings = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": path}
    done = subprocess.run(  # noqa: PLW1510 - its status is what is tested
        [sys.executable, "-c", CHECK], env={**os.environ, **settings}, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "inside"
