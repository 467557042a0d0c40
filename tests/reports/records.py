"""A record with every part, made up."""

import math


def spectrum(k, n, size=1.0):
    return [size * (1.0 - 0.1 * i) if i < k else 0.01 * size * math.exp(-i) for i in range(n)]


def fit_record(k=4, *, task="regression", **changes):
    layers = [
        {
            "layer": layer,
            "weight_singular_values": spectrum(k, 20, 1.5),
            "activation_singular_values": spectrum(k + 1, 20),
            "nonlinearity_impact": None if layer == 13 else 0.5 / layer,
        }
        for layer in range(1, 14)
    ]
    curve = [
        {
            "rank": i,
            "layer": 5,
            "projected": 50.0 - 9.0 * min(i, k),
            "refitted": 49.0 - 9.0 * min(i, k) if i else None,
            "standard_error": 0.4,
        }
        for i in range(k + 3)
    ]
    record = {
        "format": "isthmus-run",
        "version": 1,
        "kind": "fit",
        "name": "made up",
        "task": task,
        "created": "2026-01-02T03:04:05Z",
        "key": "k",
        "options": {"data": "made up", "depth": 13, "seed": 7, "plan": {"rounds": 8}},
        "versions": {"isthmus": "0", "torch": "2", "device": "cpu"},
        "data": {
            "source": "made up",
            "sha256": "abc123",
            "rows": 30,
            "train": 20,
            "validation": 5,
            "test": 5,
            "inputs": 4,
            "outputs": 3,
            "notes": ["a note"],
            "image_shape": [2, 2],
            "output_names": ["a", "b"],
            "input_names": [f"x{i}" for i in range(30)],
        },
        "rank": k,
        "rank_lower": max(0, k - 1),
        "rank_upper": k + 1,
        "tolerance": 0.1,
        "bottleneck_layer": 6,
        "depth": 13,
        "width": 100,
        "ridge": 0.05,
        "rank_evidence": ["first sentence", "second sentence"],
        "warnings": ["a warning"],
        "error_name": "mean squared error",
        "objective": 0.5512,
        "train_error": 0.05,
        "validation_error": 14.1,
        "test_error": 14.03,
        "norm_per_depth": 9.913,
        "cost_lower": 4.3,
        "seconds": 41.2,
        "stopped": "budget",
        "jacobian_rank": {"lower": k, "upper": 50, "evidence": "sampled"},
        "layers": layers,
        "jacobian": {
            "points": 500,
            "median": spectrum(k, 30),
            "low": spectrum(k, 30, 0.8),
            "high": spectrum(k, 30),
            "rank_counts": {str(k): 493, str(k + 1): 7},
        },
        "error_curve": curve,
        "whole_error": 50.0 - 9.0 * k,
        "whole_standard_error": 0.4,
        "constant_error": 50.0,
        "margin": 0.3,
        "next_direction": {"jacobian": 0.023, "activation": 0.25, "error_gain": 0.01},
        "history": [
            {
                "step": 25 * i,
                "seconds": i,
                "objective": 10.0 / (i + 1),
                "error": 5.0 / (i + 1),
                "norm_per_depth": 20.0 / (i + 1),
            }
            for i in range(20)
        ],
        "latent": {
            "coordinates": [[0.1 * i * (j + 1) for j in range(k)] for i in range(30)],
            "color": [float(i) for i in range(30)],
            "color_name": "first output",
        }
        if k
        else None,
        "reconstructions": None,
        "arrows": None,
        "baselines": [
            {
                "name": "reduced-rank regression",
                "errors": {str(i): 50.0 - 6.0 * i for i in range(k + 2)},
                "test_error_at_rank": 23.4,
            }
        ],
        "network_test_error_at_rank": 14.2 if k else None,
    }
    return {**record, **changes}


def image_record():
    pictures = [[0.0, 0.5, 1.0, 0.25]] * 10
    return fit_record(
        2,
        task="autoencoder",
        reconstructions={
            "shape": [2, 2],
            "originals": pictures,
            "outputs": pictures,
            "baseline": pictures,
            "baseline_name": "PCA, 2 numbers",
        },
        arrows={"from": [[0.0, 0.0], [1.0, 1.0]], "to": [[0.5, 0.5], [0.6, 0.6]], "data": [[0.1, 0.2]]},
    )


def measure_record():
    whole = fit_record(3)
    kept = (
        "format",
        "version",
        "name",
        "created",
        "versions",
        "layers",
        "jacobian",
        "tolerance",
        "norm_per_depth",
        "cost_lower",
    )
    return {
        **{name: whole[name] for name in kept},
        "kind": "measure",
        "jacobian_rank": 3,
        "jacobian_rank_upper": 50,
        "jacobian_evidence": "counted",
        "bottleneck_rank": 3,
        "bottleneck_rank_lower": 3,
        "bottleneck_evidence": "exhibited",
        "bottleneck_layer": 5,
        "bottleneck_error": 0.021,
        "bottleneck_changes": [1.0, 0.5, 0.3, 0.02],
    }
