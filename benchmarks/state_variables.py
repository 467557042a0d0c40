"""Claim: the rank of the map from what is seen now to what is seen next is the number of state variables.

Four systems (`_state_systems`), simulated here and seen as pictures or fields: the rank that `select_rank` finds of the
map from one moment to the next, with one scale for all columns as pixels ask for, and the dimension of the cloud of
rows (`manifold_dimension`), beside the number that is known. A periodic motion is a closed curve: its dimension is 1,
and its rank 2. Whatever is found is kept.

`python benchmarks/state_variables.py [NAMES]`
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import torch

from _environment import keep
from _state_systems import SYSTEMS
from isthmus import SelectionConfig, manifold_dimension, select_rank

ROWS, SEED = 600, 0


def measured(name: str) -> dict[str, Any]:
    system = SYSTEMS[name]
    x, y = system.rows(ROWS, np.random.default_rng(SEED))
    begin = time.process_time()
    cloud = manifold_dimension(x)
    of_cloud, begin = time.process_time() - begin, time.process_time()
    found = select_rank(x, y, config=SelectionConfig(standardize="global"), random_state=SEED)
    evidence = found.evidence
    return {
        "system": name,
        "state_variables": system.variables,
        "reported": system.literature,
        "columns": [x.shape[1], y.shape[1]],
        "rank": found.rank,
        "interval": list(found.interval),
        "probabilities": {k: round(p, 3) for k, p in enumerate(evidence.weighed) if p >= 0.01},
        "verdict": found.verdict.level,
        "left_by_k": [float(f"{error / evidence.errors[0]:.3g}") for error in evidence.errors],
        "dimension": cloud.dimension,
        "dimension_interval": [cloud.lower, cloud.upper],
        "seconds": {"rank": round(time.process_time() - begin, 1), "dimension": round(of_cloud, 1)},
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    rows = []
    for name in sys.argv[1:] or SYSTEMS:
        rows.append(measured(name))
        print(rows[-1], flush=True)
    if len(sys.argv) == 1:
        keep("state_variables", "The rank of the map to the next moment is the number of state variables.", rows)
