"""The compiled loops stay inside their arrays: once more where that is checked, in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECK = """
import sys
from cases import random_layers
from regions.nets import default_init
from isthmus.networks import ABSOLUTE, RELU
from isthmus.regions import enumerate_regions

width, hidden, seeds = map(int, sys.argv[1:])
regions = enumerate_regions(default_init((2, width, width, width, 3), scale=2.0), (-1, 1))
regions.decision_boundary(), regions.count_pieces(), regions.jacobian_rank(), regions.bottleneck_rank()
for seed in range(seeds):
    for d in (1, 2, 3):
        net = random_layers((d, 3 + seed, hidden if seed == 5 else 5, 3), (RELU, ABSOLUTE)[seed % 2], seed)
        found = enumerate_regions(net, (-2, 2))
        found.neighbours, found.jacobian_rank()
        enumerate_regions(net, (-2, 2), budget=5, partial=True).neighbours
print("inside")
"""


@pytest.mark.parametrize(
    ("settings", "sizes"),
    [
        pytest.param({"NUMBA_DISABLE_JIT": "1"}, (8, 10, 6), id="interpreted"),
        pytest.param({"NUMBA_BOUNDSCHECK": "1"}, (32, 70, 12), id="compiled", marks=pytest.mark.exhaustive),
    ],
)
def test_no_index_is_outside(tmp_path, settings, sizes):
    """Interpreted, the loops index numpy's arrays, which check; compiled with checks, they take a while to compile."""
    tests = Path(__file__).parent.parent
    path = os.pathsep.join([str(tests), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, **settings, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": path}
    done = subprocess.run(  # noqa: PLW1510 - its status is what is tested
        [sys.executable, "-c", CHECK, *map(str, sizes)], env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "inside"
