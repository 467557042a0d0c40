"""Claim: of the halves of a trained network, ½(‖Jg‖² + ‖Jh‖²) is at least ‖Jf‖_*, and the half that bends is told.

Functions of two numbers of which one half is linear and the other bends, either way round, or both bend: networks are
trained, taken apart (`factor`) and measured (`Factorization.regularity`): the slack, Lipschitz constants between the
steepest row and the product of the norms, and the encoder's share of the difficulty, an indicator made of upper bounds.

`python benchmarks/halves.py [FIRST SEEDS]`; the record is of three seeds; depth and λ were chosen on another.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from _environment import keep
from isthmus import factor, fit
from isthmus.training import TrainingConfig

FIRST, SEEDS = 300, 3
KINDS = ("decoder bends", "encoder bends", "both bend")
SIDES, K, ROWS, BEND = 6, 2, 300, 2.5


def planted(kind: str, seed: int) -> tuple[Any, Any]:
    """Rows of x and of f = h ∘ g, g to two numbers; a half bends by a sine of its argument."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    x = rng.standard_normal((ROWS, SIDES))
    inner, outer = rng.standard_normal((SIDES, K)) / SIDES**0.5, rng.standard_normal((K, SIDES)) / K**0.5
    z = x @ inner
    z = z if kind == "decoder bends" else np.sin(BEND * z)
    y = z @ outer
    return x, y if kind == "encoder bends" else np.sin(BEND * y)


def measured(kind: str, seed: int) -> dict[str, Any]:
    x, y = planted(kind, seed)
    begin = time.process_time()
    config = TrainingConfig(depth=8, width=40, ridge=0.05, standardize="none")
    network = fit(x, y, config=config, seed=seed).network
    found = factor(network, x, rank=K)
    halves = found.regularity(x)
    left = np.square(np.asarray(found.decode(found.encode(x))) - y).mean() / y.var(0).mean()
    return {
        "kind": kind,
        "seed": seed,
        "left": round(float(left), 4),
        "slack": round(halves.slack, 4),
        "lipschitz": [
            [round(half.lipschitz_lower, 3), round(half.lipschitz_upper, 3)]
            for half in (halves.encoder, halves.decoder)
        ],
        "encoder_share": round(halves.encoder_share, 3),
        "seconds": round(time.process_time() - begin, 1),
    }


def main() -> None:
    first, seeds = (int(word) for word in sys.argv[1:3]) if sys.argv[2:] else (FIRST, SEEDS)
    rows = [measured(kind, seed) for seed in range(first, first + seeds) for kind in KINDS]
    for row in rows:
        print(row)
    shares = {kind: [row["encoder_share"] for row in rows if row["kind"] == kind] for kind in KINDS}
    if (first, seeds) == (FIRST, SEEDS):
        keep("halves", __doc__.splitlines()[0], {"shares": shares, "rows": rows}, in_lines=True)


if __name__ == "__main__":
    main()
