"""Synthetic records with the shapes and sizes of real ones, for any rank."""

from __future__ import annotations

import json

import numpy as np

_DEPTH, _WIDTH = 13, 100


def fit_record(k=4, *, seed=0, task="regression", **changes):
    """The record of a fit that found rank k; `changes` replace entries."""
    rng = np.random.default_rng(seed)
    constant, whole = 49.0, 16.83
    curve = [_curve_row(j, k, constant, whole, rng) for j in range(k + 3)]
    record = {
        "format": "isthmus-run",
        "version": 1,
        "kind": "fit",
        "name": "teacher",
        "task": task,
        "created": "2026-11-23T14:00:00Z",
        "options": {"data": "teacher", "depth": _DEPTH, "width": _WIDTH, "seed": 7, "schedule": {"rounds": 8}},
        "versions": {"isthmus": "0.1.0", "torch": "2.13.0", "numpy": "2.4.6", "python": "3.11.7", "device": "cpu"},
        "data": {
            "source": "teacher",
            "sha256": "a6b726077467d6beefe392d2c533413414002e2e9b4902c64586e2ad4089bb80",
            "rows": 2000,
            "train": 500,
            "validation": 501,
            "test": 999,
            "inputs": 50,
            "outputs": 40,
            "notes": ["The outputs are those of a random teacher."],
            "image_shape": None,
            "output_names": [f"y{i}" for i in range(40)],
        },
        "rank": k,
        "rank_lower": k,
        "rank_upper": k,
        "rank_probabilities": {str(j): 0.93 if j == k else 0.07 if j == k + 1 else 0.0 for j in range(k + 3)},
        "rank_is_undecided": False,
        "tolerance": 0.1,
        "bottleneck_layer": 6,
        "depth": _DEPTH,
        "width": _WIDTH,
        "ridge": 0.0512,
        "rank_evidence": [f"A function through {k} numbers has held-out error 16.78.", "The Jacobian was sampled."],
        "warnings": [],
        "error_name": "mean squared error (standardised units)",
        "objective": 0.5688,
        "train_error": 0.07861,
        "validation_error": whole,
        "test_error": 16.95,
        "norm_per_depth": 9.804,
        "cost_lower": 5.891,
        "seconds": 57.7,
        "stopped": "converged",
        "jacobian_rank": {"lower": k, "upper": 40, "evidence": "sampled at 500 points"},
        "layers": _layers(k, rng),
        "jacobian": _jacobian(k),
        "error_curve": curve,
        "whole_error": whole,
        "whole_standard_error": 0.62,
        "constant_error": constant,
        "next_direction": {"jacobian": 0.0366, "activation": 0.251, "error_gain": 0.0112} if k else None,
        "baselines": [_baseline(k, constant)],
        "network_test_error_at_rank": 16.88 if k else None,
        "history": _history(),
        "attribution": _attribution(k) if k else None,
        "latent": _latent(k, rng) if k else None,
        "reconstructions": None,
        "arrows": None,
    }
    return json.loads(json.dumps({**record, **changes}, allow_nan=False))


def folds_record(k=3, **changes):
    """A fit whose rank was decided by rows held out in turn, and followed over λ; errors halve up to k."""
    last = k + 2
    errors = [8.0 * 0.2 ** min(j, k) + 0.01 * max(0, j - k) for j in range(last + 1)]
    cross = {
        "folds": 5,
        "rows": 1001,
        "error_name": "mean squared error (standardised units)",
        "rank": k,
        "lower": k,
        "upper": k + 1,
        "probabilities": [0.0] * k + [0.9, 0.1, 0.0],
        "errors": errors,
        "standard_errors": [0.1 * e for e in errors],
        "objectives": [0.5 ** min(j, k) for j in range(last + 1)],
        "effects": [0.9**j if j < k else 0.01 * 0.3 ** (j - k) for j in range(last + 1)],
        "dependences": [0.05 if j < k else 0.8 for j in range(last + 1)],
        "correlations": [0.9 - 0.8 * min(j, k) / max(k, 1) for j in range(last + 1)],
        "linear_share": 0.8,
        "linear": [20.0 - 19.0 * j / max(k, 1) if j <= k else -2.0 for j in range(last + 1)],
        "whole_error": errors[-1],
        "tolerance": 0.1,
    }
    ranks = [k + 1, k, k, k, k, max(k - 1, 0), 0]
    points = [
        {"ridge": 0.05 * 2**i, "value": 1.0 + i, "error": 0.5 + i, "sizes": [1.0] * rank, "rank": rank}
        for i, rank in enumerate(ranks)
    ]
    curve = [
        {"rank": j, "projected": None if j else e, "refitted": e if j else None, "standard_error": 0.1 * e}
        for j, e in enumerate(errors)
    ]
    same = {"rank_probabilities": {str(j): p for j, p in enumerate(cross["probabilities"])}, "error_curve": curve}
    found = {"rank_upper": k + 1, "whole_error": errors[-1], "constant_error": errors[0], **same}
    path = {"points": points, "plateau": k}
    return fit_record(k, cross_decision=cross, rank_path=path, **{**found, **changes})


def images_record(k=3):
    """A fit of an autoencoder of images, with classes to colour by."""
    rng = np.random.default_rng(3)
    i, j = np.mgrid[0:8, 0:8]
    centres = rng.uniform(2, 5, (10, 2))
    disc = [np.exp(-((i - a) ** 2 + (j - b) ** 2) / 4.0) for a, b in centres]
    noisy = [np.clip(d + 0.15 * rng.normal(size=d.shape), 0, 1) for d in disc]
    blurred = [0.6 * d + 0.1 for d in disc]
    latent = {**_latent(k, rng), "color": [f"digit {n % 5}" for n in range(300)], "color_name": "class"}
    pictures = {"originals": noisy, "outputs": disc, "baseline": blurred}
    flat = {name: [[round(float(v), 4) for v in image.ravel()] for image in row] for name, row in pictures.items()}
    shown = {"shape": [8, 8], "baseline_name": f"PCA, {k} numbers", **flat}
    return fit_record(k, name="digits", task="autoencoder", latent=latent, reconstructions=shown)


def curve_record():
    """A fit of an autoencoder of a curve in the plane."""
    rng = np.random.default_rng(4)
    t = np.linspace(0, 1, 200)
    data = np.stack([2 * t - 1, np.sin(4 * t)], 1)
    start = rng.uniform(-1.3, 1.3, (60, 2))
    nearest = data[np.argmin(((start[:, None] - data) ** 2).sum(2), 1)]
    arrows = {"from": start.tolist(), "to": nearest.tolist(), "data": data.tolist()}
    return fit_record(1, name="curve", task="autoencoder", arrows=arrows)


def measure_record(k=3, **changes):
    """The record of a measurement with the keys that every one has, and no others."""
    rng = np.random.default_rng(5)
    record = {
        "format": "isthmus-run",
        "version": 1,
        "kind": "measure",
        "name": "model.safetensors",
        "created": "2026-11-23T14:00:00Z",
        "versions": {"isthmus": "0.1.0", "torch": "2.13.0"},
        "layers": _layers(k, rng),
        "jacobian": _jacobian(k),
        "jacobian_rank": k,
        "bottleneck_rank": k,
        "bottleneck_layer": 6,
        "bottleneck_error": 0.0222,
        "norm_per_depth": 9.804,
        "cost_lower": 5.891,
        "tolerance": 0.1,
    }
    return json.loads(json.dumps({**record, **changes}, allow_nan=False))


def _curve_row(j, k, constant, whole, rng):
    error = whole + (constant - whole) * max(1 - j / max(k, 1), 0) ** 1.3 * (k > 0)
    near = abs(j - k) <= 1 and j > 0
    return {
        "rank": j,
        "projected": round(error + 0.4 * (j <= k) * float(rng.random()), 4),
        "refitted": round(error - 0.05, 4) if near else None,
        "standard_error": 0.9 if j < k else 0.04,
    }


def _layers(k, rng):
    layers = []
    for layer in range(1, _DEPTH + 1):
        bulk = 0.6 * np.exp(-min(layer - 1, _DEPTH - layer) * 1.1) * np.linspace(1.2, 0.9, 20)
        weights = np.concatenate([1.45 - 0.02 * np.arange(k) + 0.02 * rng.normal(size=k), bulk])
        activations = np.concatenate([(1 + 0.6 * layer) * np.linspace(1, 0.8, k), bulk])
        bend = 0.65 * np.exp(-min(layer - 1, _DEPTH - 1 - layer) * 1.6)
        layers.append(
            {
                "layer": layer,
                "weight_singular_values": sorted(weights.tolist(), reverse=True),
                "activation_singular_values": sorted(activations.tolist(), reverse=True),
                "nonlinearity_impact": float(bend) if layer < _DEPTH else None,
            }
        )
    return layers


def _jacobian(k):
    median = [1.0 * 0.85**i if i < k else 0.03 * 0.2 ** (i - k) for i in range(40)]
    return {
        "points": 500,
        "median": median,
        "low": [0.7 * v if i else 1.0 for i, v in enumerate(median)],
        "high": [min(1.5 * v, 1.0) for v in median],
        "rank_counts": {str(k): 493, str(k + 1): 7},
    }


def _baseline(k, constant):
    errors = {str(j): constant - (constant - 23.85) * min(j / max(k, 1), 1) * (k > 0) for j in range(k + 3)}
    return {"name": "reduced-rank regression", "errors": errors, "test_error_at_rank": 23.23}


def _history():
    steps = np.arange(0, 3300, 60)
    error, norm = 50 * np.exp(-steps / 250) + 0.08, 9.8 + 130 * np.exp(-steps / 300)
    return [
        {
            "step": int(s),
            "seconds": float(s) / 60,
            "objective": float(e + 0.05 * n),
            "error": float(e),
            "norm_per_depth": float(n),
        }
        for s, e, n in zip(steps, error, norm, strict=True)
    ]


def _attribution(k):
    """Input j has the effect 1 / (1 + (j − 3i)²) on coordinate i."""
    effects = [[round(1.0 / (1 + (j - 3 * i) ** 2), 5) for j in range(50)] for i in range(k)]
    return {"inputs": [f"x{j}" for j in range(50)], "effects": effects}


def _latent(k, rng):
    z = rng.normal(size=(300, k))
    return {"coordinates": z.round(4).tolist(), "color": np.tanh(z.sum(1)).round(4).tolist(), "color_name": "y0"}
