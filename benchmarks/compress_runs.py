"""Claim: runs of `isthmus fit` do not fold exactly, and within 10⁻⁵ of f's spread hardly either.

Runs on teachers of rank 1, 2, 4 and 8, of depth 6 and 13 (ridge 0.05, 300 rows). Ways to fewer numbers, of which the
first four do not train: exact folds; matrices of the rank at which the coordinates that are left out carry a share ε of
f's spread, to first order, with the covariance of what they read and the sensitivity of the outputs; without neurons
that the others of their layer explain to ε on the rows; both. And `compress` within 0.01 and 0.03. Errors are on fresh
rows.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor

from _environment import keep, recorded
from isthmus import compress, load_dataset
from isthmus.compression.affine_runs import multiplied_out
from isthmus.compression.layer_statistics import layer_statistics
from isthmus.compression.narrowing import neuron_orders
from isthmus.compression.refitting import relative_error
from isthmus.compression.weighted_rank import weighted_svds, with_ranks
from isthmus.formats import load
from isthmus.foundation.tolerance import Tolerance
from isthmus.networks.chain import Chain
from isthmus.networks.chain_conversion import chain_of
from isthmus.runs import RunOptions, run_fit
from isthmus.selection import SelectionConfig

DEPTHS, RANKS = (6, 13), (1, 2, 4, 8)
SHARES = (1e-5, 1e-4, 1e-3, 1e-2)


def fitted(depth: int, k: int, folder: Path) -> Any:
    run = folder / f"run-{depth}-{k}"
    if not run.exists():
        dataset = load_dataset(f"teacher:k={k},n=300", seed=k)
        run_fit(dataset, RunOptions(SelectionConfig(depth=depth, ridge=0.05, max_folds=2), seed=0), run)
    return load(run)


def spread(chain: Chain, x: Tensor) -> float:
    y = chain(x)
    return float((y - y.mean(0)).square().sum(1).mean().sqrt())


def kept(values: Tensor, allowed: float) -> int:
    """How many of descending values are kept if the norm of the rest is at most so large; at least one."""
    rest = values.square().flip(0).cumsum(0).sqrt().flip(0)
    return max(1, int((rest > allowed).sum()))


def of_low_rank(chain: Chain, x: Tensor, share: float) -> Chain:
    chain = multiplied_out(chain)
    svds = weighted_svds(chain, layer_statistics(chain, x, torch.Generator().manual_seed(0)))
    allowed = share * spread(chain, x) / chain.depth**0.5
    ranks = [kept(svd.values, allowed) for svd in svds]
    return with_ranks(svds, [rank if rank <= svd.most else None for rank, svd in zip(ranks, svds, strict=True)])


def without_explained(chain: Chain, x: Tensor, share: float) -> Chain:
    """Neurons in the greedy order of `narrowing`, as many as leave the share unexplained."""
    allowed = share * spread(chain, x) / chain.depth**0.5
    for number in range(chain.depth - 1):
        order = neuron_orders(chain, layer_statistics(chain, x, torch.Generator().manual_seed(0)))[number]
        if order is None:
            continue
        count = kept(order.gains.clamp_min(0.0).sqrt(), allowed)
        layers = list(chain.layers)
        layers[number], layers[number + 1] = order.kept(layers[number], layers[number + 1], count)
        chain = Chain(tuple(layers))
    return chain


def rows(seed: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((2000, 50)))


def of_run(depth: int, k: int, folder: Path) -> dict[str, Any]:
    model = fitted(depth, k, folder)
    chain, x, fresh = chain_of(model), rows(k + 50), rows(k + 90)
    wanted = chain(fresh)
    found: dict[str, Any] = {"depth": depth, "k": k, "parameters": chain.parameter_count, "widths": chain.widths}

    def told(name: str, small: Chain, seconds: float) -> None:
        error = relative_error(small(fresh).double(), wanted)
        fewer = chain.parameter_count / small.parameter_count
        found[name] = {"times_fewer": fewer, "error": error, "seconds": seconds}
        print(depth, k, name, found[name], flush=True)

    begin = time.process_time()
    exact = compress(model, x).chain  # type: ignore[attr-defined]
    told("exact folds", exact, time.process_time() - begin)
    exact = exact.to(torch.float64)
    for share in SHARES:
        begin = time.process_time()
        low = of_low_rank(exact, x, share)
        told(f"low rank, {share:g}", low, time.process_time() - begin)
        begin = time.process_time()
        narrow = without_explained(exact, x, share)
        told(f"explained neurons, {share:g}", narrow, time.process_time() - begin)
        both = of_low_rank(narrow, x, share)
        told(f"both, {share:g}", both, time.process_time() - begin)
    for tolerance in (0.01, 0.03):
        begin = time.process_time()
        small = compress(model, x, tolerance=Tolerance(tolerance)).chain  # type: ignore[attr-defined]
        told(f"compress, {tolerance:g}", small, time.process_time() - begin)
    return found


def medians(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    names = [name for name, value in runs[0].items() if isinstance(value, dict)]
    return {
        name: {key: median(run[name][key] for run in runs) for key in ("times_fewer", "error", "seconds")}
        for name in names
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=Path, help="folder in which fitted runs are kept; a new one if none is given")
    parser.add_argument("depths", nargs="*", type=int, default=DEPTHS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    runs = [run for run in recorded("compress_runs").get("runs", []) if run["depth"] not in given.depths]
    with tempfile.TemporaryDirectory() as name:
        for depth in given.depths:
            runs += [of_run(depth, k, given.runs or Path(name)) for k in RANKS]
            figures = {"runs": runs, "medians": medians(runs)}
            keep("compress_runs", "runs of `isthmus fit` do not fold exactly", figures)


if __name__ == "__main__":
    main()
