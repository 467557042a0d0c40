"""Claim: regions are enumerated exactly, several times faster and in a fraction of the memory of today's tools.

The networks are torch's initial weights, seed 0, on the box [-1, 1]^d; "x2" doubles the weight matrices and keeps the
biases. Tools run in turn in one process, one thread each; the smallest of several times is kept. Competitors:
regioncam (plane), affinitree and relucent (n-D), from the extra `bench`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from _environment import keep
from isthmus.networks import FullyConnected
from isthmus.regions import enumerate_regions
from isthmus.training import TrainingConfig

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

PLANAR = {
    "2-32-32-32-1": ((2, 32, 32, 32, 1), 1.0, 1_180),
    "2-32-32-32-1 x2": ((2, 32, 32, 32, 1), 2.0, 3_996),
    "2-64x4-4": ((2, 64, 64, 64, 64, 4), 1.0, 7_920),
    "2-64x4-4 x2": ((2, 64, 64, 64, 64, 4), 2.0, 19_505),
    "2-100x12-4": ((2, *[100] * 12, 4), 1.0, 23_004),
}
DEEP_DOUBLED = ((2, *[100] * 12, 4), 2.0, 317_995)
SPATIAL = {
    "3-16-16-1": ((3, 16, 16, 1), 1.0, 1_276),
    "4-16-16-1": ((4, 16, 16, 1), 1.0, 6_658),
    "6-10-10-2": ((6, 10, 10, 2), 1.0, 4_951),
    "6-10-10-2 x2": ((6, 10, 10, 2), 2.0, 18_371),
}


def network(widths: tuple[int, ...], scale: float) -> FullyConnected:
    torch.manual_seed(0)
    layers = [nn.Linear(i, o) for i, o in pairwise(widths)]
    return FullyConnected(
        tuple(scale * layer.weight.double() for layer in layers), tuple(layer.bias.double() for layer in layers)
    )


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def by_regioncam(net: FullyConnected) -> Any:
    import regioncam

    camera = regioncam.Regioncam(size=1.0)
    for layer, (w, b) in enumerate(zip(net.weights, net.biases, strict=True), start=1):
        camera.linear(np.ascontiguousarray(w.T.numpy(), np.float32), b.numpy().astype(np.float32))
        if layer < net.depth:
            camera.relu()
    return camera


def by_affinitree(net: FullyConnected) -> Any:
    import affinitree

    architecture = affinitree.Architecture(net.d_in)
    for layer, (w, b) in enumerate(zip(net.weights, net.biases, strict=True), start=1):
        architecture.linear(affinitree.AffFunc.from_mats(w.numpy(), b.numpy()))
        if layer < net.depth:
            architecture.relu()
    box = affinitree.Polytope.hyperrectangle(net.d_in, [(-1.0, 1.0)] * net.d_in)
    inside = affinitree.AffTree.from_poly(box, affinitree.AffFunc.identity(net.d_in))
    return affinitree.builder.from_layers(architecture, precondition=inside)


def by_relucent(net: FullyConnected, most: int) -> int:
    """Regions per run of relucent's search in the cube, at most `most` of them."""
    import relucent

    from isthmus.networks import to_torch

    found = relucent.Complex(to_torch(net.to(dtype=torch.float32)))
    found.bfs(bound=1.0, cube_radius=1.0, cube_mode="clipped", max_polys=most, nworkers=1, verify=False, verbose=0)
    return len(found)


def alternating(work: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """The smallest time of each, taken in turn."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(repeats):
        for name, job in work.items():
            times[name].append(seconds(job))
    return {name: min(values) for name, values in times.items()}


def in_space(repeats: int) -> list[dict[str, Any]]:
    rows = []
    for name, (widths, scale, known) in SPATIAL.items():
        net = network(widths, scale)
        best = alternating(
            {
                "isthmus": partial(lambda n: enumerate_regions(n, (-1, 1)).neighbours, net),
                "affinitree": partial(by_affinitree, net),
            },
            repeats,
        )
        row = {
            "net": name,
            "known": known,
            "regions": len(enumerate_regions(net, (-1, 1))),
            "affinitree": by_affinitree(net).num_terminals(),
            "seconds_with_adjacency": best["isthmus"],
            "seconds_affinitree": best["affinitree"],
            "ratio": best["affinitree"] / best["isthmus"],
        }
        rows.append(row)
        print(
            f"{name:18} {row['regions']:7} ({row['affinitree']}, known {known})  {1e3 * best['isthmus']:8.2f} ms  "
            f"{row['ratio']:5.1f}x affinitree",
            flush=True,
        )
    return rows


def _jacobians_by_regioncam(net: FullyConnected) -> Any:
    return np.linalg.svd(np.asarray(by_regioncam(net).face_outputs)[:, :2], compute_uv=False)


def in_the_plane(repeats: int) -> list[dict[str, Any]]:
    rows = []
    for name, (widths, scale, known) in PLANAR.items():
        net = network(widths, scale)
        best = alternating(
            {
                "ours": partial(enumerate_regions, net, (-1, 1)),
                "ours_j": partial(lambda n: enumerate_regions(n, (-1, 1)).singular_values, net),
                "theirs": partial(by_regioncam, net),
                "theirs_j": partial(_jacobians_by_regioncam, net),
            },
            max(5, repeats if known < 10_000 else repeats // 4),
        )
        row = {
            "net": name,
            "known": known,
            "regions": len(enumerate_regions(net, (-1, 1))),
            "regioncam": by_regioncam(net).num_faces,
            "seconds": best["ours"],
            "seconds_regioncam": best["theirs"],
            "ratio": best["theirs"] / best["ours"],
            "seconds_with_jacobians": best["ours_j"],
            "seconds_with_jacobians_regioncam": best["theirs_j"],
            "ratio_with_jacobians": best["theirs_j"] / best["ours_j"],
        }
        rows.append(row)
        print(
            f"{name:18} {row['regions']:7} ({row['regioncam']}, known {known})  {1e3 * best['ours']:8.2f} ms  "
            f"{row['ratio']:5.1f}x regioncam   with Jacobians {1e3 * best['ours_j']:8.2f} ms  "
            f"{row['ratio_with_jacobians']:5.1f}x",
            flush=True,
        )
    return rows


def peak_memory() -> dict[str, float]:
    """Peak memory above what the imports take, in MB, each tool in a process of its own on the deep net."""
    figures = {}
    for tool in ("isthmus", "regioncam"):
        output = subprocess.run([sys.executable, __file__, "--peak", tool], check=True, capture_output=True, text=True)
        figures[tool] = float(output.stdout)
    figures["share"] = figures["isthmus"] / figures["regioncam"]
    print(
        f"peak memory on 2-100x12-4: {figures['isthmus']:.0f} MB, regioncam {figures['regioncam']:.0f} MB", flush=True
    )
    return figures


def _peak(tool: str) -> None:
    work = (lambda n: enumerate_regions(n, (-1, 1))) if tool == "isthmus" else by_regioncam
    work(network((2, 3, 3, 1), 1.0))  # loads compiled code
    net = network(*PLANAR["2-100x12-4"][:2])
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew, below what imports once took
    result = work(net)
    print(_status("VmHWM") - before)
    del result


def _status(name: str) -> float:
    """A figure of this process in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def deep_doubled(limit: float) -> dict[str, Any]:
    """The doubled deep net: ours in this process, regioncam in one that is stopped after `limit` seconds."""
    widths, scale, known = DEEP_DOUBLED
    net = network(widths, scale)
    start = time.perf_counter()
    regions = enumerate_regions(net, (-1, 1))
    ours = time.perf_counter() - start
    distinct = len(np.unique(regions.patterns, axis=0))
    try:
        start = time.perf_counter()
        subprocess.run([sys.executable, __file__, "--deep"], check=True, capture_output=True, timeout=limit)
        theirs: float | None = time.perf_counter() - start
    except subprocess.TimeoutExpired:
        theirs = None
    row = {
        "regions": len(regions),
        "known": known,
        "distinct_patterns": distinct,
        "seconds": ours,
        "seconds_regioncam": theirs,
        "regioncam_stopped_after": limit,
        **certified(regions),
    }
    print("2-100x12-4 x2:", row, flush=True)
    return row


def certified(regions: Any) -> dict[str, int]:
    """How many regions are proved: at a point of each, every sign of its pattern holds beyond all rounding.

    First in float64 with a running bound of all rounding errors; what that leaves open in 80-bit floats; what is still
    open, up to 2,000 regions, in rational arithmetic. Distinct patterns with a point each are distinct regions.
    """
    stages: dict[str, int] = {}
    open_ = np.arange(len(regions))
    for name, kind in (("proved_in_float64", np.float64), ("proved_in_80_bit", np.longdouble)):
        proved = np.concatenate(
            [_proved(regions, part, kind) for part in np.array_split(open_, 1 + len(open_) // 20_000)]
        )
        stages[name] = int(proved.sum())
        open_ = open_[~proved]
    tried = open_[:2_000]
    proved_exactly = sum(_holds(regions, i) for i in tried)
    return {
        **stages,
        "proved_in_rationals": proved_exactly,
        "disproved": len(tried) - proved_exactly,
        "open": len(open_) - len(tried),
    }


def _proved(regions: Any, chosen: np.ndarray, kind: type) -> np.ndarray:
    """Where every sign of the pattern exceeds the bound of its rounding error, in arithmetic of the given kind."""
    eps = float(np.finfo(kind).eps)
    net, a = regions.network, regions.interior_points[chosen].astype(kind)
    error = np.zeros(a.shape)
    sure = np.ones(len(chosen), bool)
    word = 0
    for w, b in zip(net.weights[:-1], net.biases[:-1], strict=True):
        w, b = w.numpy(), b.numpy()
        z = a @ w.T.astype(kind) + b.astype(kind)
        # Errors so far times |W|, and n + 2 roundings of every term; a little more for computing the bound itself.
        error = 1.001 * (
            error @ np.abs(w).T + (w.shape[1] + 2) * eps * ((np.abs(a).astype(float) + error) @ np.abs(w).T + np.abs(b))
        )
        words = (len(b) + 63) // 64
        packed = np.ascontiguousarray(regions.patterns[chosen][:, word : word + words]).view(np.uint8)
        bits = np.unpackbits(packed, axis=1, bitorder="little")[:, : len(b)].astype(bool)
        sure &= ((np.abs(z).astype(float) > error) & ((z > 0) == bits)).all(axis=1)
        word += words
        a = np.where(z > 0, z, kind(0))
        error = np.where(z > 0, error, np.where(np.abs(z).astype(float) > error, 0.0, error))
    return sure


def _holds(regions: Any, i: int) -> bool:
    """The pattern of region i at its interior point in rational arithmetic."""
    from flint import fmpq, fmpq_mat

    def rational(v: float) -> Any:
        return fmpq(*float(v).as_integer_ratio())

    column = [rational(v) for v in regions.interior_points[i]]
    for w, b, pattern in zip(
        regions.network.weights[:-1], regions.network.biases[:-1], regions.pattern(i), strict=True
    ):
        z = fmpq_mat([[rational(v) for v in row] for row in w.tolist()]) * fmpq_mat([[v] for v in column])
        column = [z[k, 0] + rational(float(b[k])) for k in range(len(b))]
        if any((v > 0) != bool(p) or v == 0 for v, p in zip(column, pattern, strict=True)):
            return False
        column = [max(v, fmpq(0)) for v in column]
    return True


def jacobians_against_autograd() -> dict[str, Any]:
    """Every region's Jacobian on the deep net against autograd in float64 at an interior point."""
    net = network(*PLANAR["2-100x12-4"][:2])
    regions = enumerate_regions(net, (-1, 1))

    def worst(points: np.ndarray, found: np.ndarray) -> np.ndarray:
        expected = torch.func.vmap(torch.func.jacrev(lambda v: net(v[None])[0]), chunk_size=2048)(
            torch.from_numpy(points)
        )
        size = expected.abs().amax((1, 2)).numpy()
        return np.asarray(np.abs(found - expected.numpy()).max(axis=(1, 2)) / size)

    ours = worst(regions.interior_points, regions.jacobians())
    camera = by_regioncam(net)
    middles = np.array([np.mean([v.inputs for v in face.vertices], axis=0) for face in camera.faces], np.float64)
    theirs = worst(middles, np.asarray(camera.face_outputs, np.float64)[:, :2].transpose(0, 2, 1))
    row = {
        "largest_relative_error": float(ours.max()),
        "off_by_over_one_per_cent": int((ours > 0.01).sum()),
        "regioncam_largest_relative_error": float(theirs.max()),
        "regioncam_off_by_over_one_per_cent": int((theirs > 0.01).sum()),
    }
    print("Jacobians on 2-100x12-4:", row, flush=True)
    return row


def degenerate() -> list[dict[str, Any]]:
    """Seven degenerate families, five seeds each, against exact rational arithmetic."""
    from oracles.degenerate_nets import DEGENERATE_NETS
    from oracles.rational_regions import activation_region_count, rational_regions

    rows = []
    for name, build in DEGENERATE_NETS.items():
        row: dict[str, Any] = {"family": name, "truth": [], "isthmus": [], "regioncam": []}
        for seed in range(10, 15):
            net = build(seed)
            row["truth"].append(activation_region_count(rational_regions(net)))
            row["isthmus"].append(len(enumerate_regions(net, (-1, 1))))
            row["regioncam"].append(by_regioncam(net).num_faces)
        rows.append(row)
        print(f"{name:28} truth {row['truth']}  ours {row['isthmus']}  regioncam {row['regioncam']}", flush=True)
    return rows


def trained() -> list[dict[str, Any]]:
    """13-layer networks of the main job through random slices: faces and distinct patterns."""
    from isthmus import fit, load_dataset
    from isthmus.regions import Plane

    rows = []
    for seed in (0, 1):
        data = load_dataset(f"teacher:k={4 - 2 * seed}", seed=seed)
        fitted = fit(*training_rows(data), config=TrainingConfig(depth=13, width=100), seed=seed)
        for draw in range(3):
            points = np.random.default_rng(draw).standard_normal((3, 50))
            regions = enumerate_regions(fitted, (-5, 5), plane=Plane.through(points))
            estimate = regions.jacobian_rank()
            row = {
                "true_rank": 4 - 2 * seed,
                "seed": seed,
                "slice": draw,
                "regions": len(regions),
                "distinct_patterns": len(np.unique(regions.patterns, axis=0)),
                "smallest_inner_radius": float(regions.inner_radii.min()),
                "jacobian_rank": [estimate.lower, estimate.upper],
            }
            rows.append(row)
            print("trained:", row, flush=True)
    return rows


def training_rows(data: Any) -> tuple[Any, Any]:
    return data.x[data.split.train], data.y[data.split.train]


def tripoints() -> dict[str, Any]:
    """50 random classifiers against an adaptive grid that knows nothing of regions."""
    from oracles.random_classifiers import random_classifier
    from oracles.tripoint_grid import grid_tripoints

    agree = total = clear = 0
    for seed in range(50):
        net = random_classifier(seed, hidden=(16, 16), classes=3 + seed % 4)
        grid = grid_tripoints(net)
        found = enumerate_regions(net, (-1, 1)).decision_boundary()
        clear += grid.is_clear()
        agree += len(grid.tripoints) == len(found.tripoints)
        total += len(found.tripoints)
    row = {"classifiers": 50, "clear_to_the_grid": clear, "equal_counts": agree, "tripoints": total}
    print("tripoints:", row, flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--peak", choices=["isthmus", "regioncam"])
    parser.add_argument("--deep", action="store_true")
    parser.add_argument("--repeats", type=int, default=40)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.peak:
        _peak(options.peak)
    elif options.deep:
        by_regioncam(network(*DEEP_DOUBLED[:2]))
    else:
        figures = {
            "plane": in_the_plane(options.repeats),
            "space": in_space(5),
            "memory_mb": peak_memory(),
            "jacobians": jacobians_against_autograd(),
            "degenerate": degenerate(),
            "tripoints": tripoints(),
            "trained": trained(),
            "deep_doubled": deep_doubled(60.0),
        }
        keep("regions", "regions are exact, and faster and smaller than today's tools", figures)


if __name__ == "__main__":
    main()
