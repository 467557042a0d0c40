"""Synthetic records with the shapes and sizes of real ones, for any rank."""

from __future__ import annotations

import numpy as np

from isthmus.foundation.likelihood import likelihood_of
from isthmus.runs import FitRecord, MeasureRecord
from isthmus.runs.record_parts import (
    ArrowsRow,
    AttributionRow,
    ComparisonRow,
    DataRow,
    EvidenceRow,
    HistoryRow,
    HyperparametersRow,
    IndexRow,
    JacobianRow,
    LatentRow,
    LayerRow,
    NextDirection,
    RankPathRow,
    RanksRow,
    ReconstructionsRow,
    RidgePointRow,
    TestRow,
    ToleranceCurve,
    TraversalsRow,
    TrialRow,
    VerdictRow,
)
from isthmus.selection.canonical_correlations import NOTHING_LEFT
from isthmus.selection.simple_methods import FULL, LINEAR

_DEPTH, _WIDTH = 13, 100


def fit_record(k=4, *, seed=0, task="regression", **changes):
    """The record of a fit that found rank k; `changes` replace entries, and are validated like the others."""
    rng = np.random.default_rng(seed)
    evidence = evidence_row(k, task)
    record = {
        "name": "teacher",
        "key": "3c1f",
        "command": ["isthmus", "fit", "teacher", "--seed", "7"],
        "task": task,
        "created": "2026-11-23T14:00:00Z",
        "options": {"data": "teacher", "depth": None, "width": _WIDTH, "seed": 7, "schedule": {"rounds": 8}},
        "versions": {"isthmus": "0.2.0", "torch": "2.13.0", "numpy": "2.4.6", "python": "3.11.7", "device": "cpu"},
        "data": _data(),
        "rank": k,
        "rank_lower": k,
        "rank_upper": k,
        "rank_probabilities": {str(j): p for j, p in enumerate(evidence.weighed)},
        "rank_is_undecided": False,
        "tolerance": 0.1,
        "index": index_row(k + 1) if task == "regression" else None,
        "verdict": _verdict(k, task, evidence),
        "evidence": evidence,
        "hyperparameters": _hyperparameters(),
        "rank_evidence": [f"Through {k} numbers the rows have held-out error 16.78.", "The Jacobian was sampled."],
        "warnings": [],
        "not_done": [],
        "bottleneck_layer": 6 if k else 0,
        "depth": _DEPTH,
        "width": _WIDTH,
        "ridge": 0.0512,
        "objective": 0.5688,
        "train_error": 0.07861,
        "test": _set_aside(k, task),
        "constant": [0.25] * 40,
        "norm_per_depth": 9.804,
        "stationarity": 0.0031,
        "cost_lower": 5.891,
        "seconds": 57.7,
        "training_seconds": 9.25,
        "stopped": "converged",
        "jacobian_rank": RanksRow(lower=k, upper=40, evidence="sampled at 500 points"),
        "layers": _layers(k, rng),
        "jacobian": _jacobian(k),
        "next_direction": NextDirection(jacobian=0.0366, activation=0.251, error_gain=0.0112) if k else None,
        "history": _history(),
        "attribution": _attribution(k) if k else None,
        "latent": _latent(k, rng) if k else None,
        "reconstructions": None,
        "arrows": None,
        "rank_path": None,
    }
    return FitRecord.model_validate({**record, **changes})


def evidence_row(k, task="regression"):
    """Evidence for rank k: errors that fall to a fifth with each number up to k, and then rise a little."""
    last = k + 2
    ks = range(last + 1)
    errors = [8.0 * 0.2 ** min(j, k) + 0.01 * max(0, j - k) for j in ks]
    return EvidenceRow(
        weighed=[0.0] * k + [0.9, 0.1, 0.0],
        errors=errors,
        standard_errors=[0.0 if j == k else 0.1 * e for j, e in enumerate(errors)],
        objectives=[0.5 ** min(j, k) for j in ks],
        sensitivities=[0.9**j if j < k else 0.01 * 0.3 ** (j - k) for j in ks],
        redundancies=[0.05 if j < k else 0.8 for j in ks],
        correlations=[0.9 - 0.8 * min(j, k) / max(k, 1) for j in ks],
        linear=[20.0 - 19.0 * j / max(k, 1) if j <= k else NOTHING_LEFT for j in ks],
        residual_lines=[2.5 if j < k else 0.2 for j in ks],
        shared_slopes=[0.3**j if j < k else 0.0 for j in ks],
        label_scores=[20.0 * 0.6**j if j < k else 0.2 for j in ks],
        network_errors=errors if likelihood_of(task).is_quadratic else [0.9 * 0.5 ** min(j, k) for j in ks],
        linear_errors=[8.0 - 1.25 * min(j, k) for j in ks],
        whole_error=errors[-1] + 0.003,
        whole_standard_error=0.0062,
        folds=5,
        rows=1001,
        error_name=likelihood_of(task).loss_name,
    )


def index_row(k, inputs=6, **changes):
    """k combinations of the inputs, the first of which weighs the first input most, and so on."""
    names = [f"x{j}" for j in range(inputs)]
    directions = [[1.0 if i % inputs == j else 0.125 for j in range(inputs)] for i in range(k)]
    found = {
        "rank": k,
        "lower": k,
        "upper": k,
        "probabilities": {str(j): 0.9 if j == k else 0.1 / (k + 1) for j in range(k + 2)},
        "sentence": f"The outputs depend on {k} linear combinations of the {inputs} inputs (probability 90%).",
        "errors": [8.0 * 0.2 ** min(j, k) for j in range(k + 2)],
        "dimensions": inputs,
        "ties": [],
        "inputs": names,
        "deviations": [1.0] * inputs,
        "directions": directions,
        "standard_errors": [[0.0625] * inputs] * k,
    }
    return IndexRow.model_validate({**found, **changes})


def path_record(k=3, **changes):
    """A fit whose rows allow k + 1 too, followed over λ."""
    ranks = [k + 1, k, k, k, k, max(k - 1, 0), 0]
    points = [
        RidgePointRow(ridge=0.05 * 2**i, value=1.0 + i, error=0.5 + i, sizes=[1.0] * rank, rank=rank)
        for i, rank in enumerate(ranks)
    ]
    return fit_record(k, **{"rank_upper": k + 1, "rank_path": RankPathRow(points=points, plateau=k), **changes})


def images_record(k=3):
    """A fit of an autoencoder of images, with classes to colour by."""
    rng = np.random.default_rng(3)
    i, j = np.mgrid[0:8, 0:8]
    centres = rng.uniform(2, 5, (10, 2))
    disc = [np.exp(-((i - a) ** 2 + (j - b) ** 2) / 4.0) for a, b in centres]
    noisy = [np.clip(d + 0.15 * rng.normal(size=d.shape), 0, 1) for d in disc]
    blurred = [0.6 * d + 0.1 for d in disc]
    pictures = {"originals": noisy, "outputs": disc, "baseline": blurred}
    flat = {name: [[round(float(v), 4) for v in image.ravel()] for image in row] for name, row in pictures.items()}
    shown = ReconstructionsRow(shape=[8, 8], baseline_name=f"PCA, {k} numbers", **flat)
    latent = _latent(k, rng).model_copy(update={"color": [f"digit {n % 5}" for n in range(300)], "color_name": "class"})
    shares = [0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95]
    moved = [[(disc[i] * (1 - t) + disc[i + 1] * t).ravel().round(4).tolist() for t in shares] for i in range(k)]
    names = [f"x{j}" for j in range(64)]
    return fit_record(
        k,
        name="digits",
        task="autoencoder",
        latent=latent,
        reconstructions=shown,
        traversals=TraversalsRow(shape=[8, 8], shares=shares, images=moved),
        data=_data().model_copy(update={"image_shape": [8, 8], "inputs": 64, "input_names": names}),
        attribution=AttributionRow(inputs=names, effects=[disc[i].ravel().round(4).tolist() for i in range(k)]),
    )


def curve_record():
    """A fit of an autoencoder of a curve in the plane."""
    rng = np.random.default_rng(4)
    t = np.linspace(0, 1, 200)
    data = np.stack([2 * t - 1, np.sin(4 * t)], 1)
    start = rng.uniform(-1.3, 1.3, (60, 2))
    nearest = data[np.argmin(((start[:, None] - data) ** 2).sum(2), 1)]
    arrows = ArrowsRow(starts=start.tolist(), ends=nearest.tolist(), data=data.tolist())
    return fit_record(1, name="curve", task="autoencoder", arrows=arrows)


def measure_record(k=3, **changes):
    """The record of a measurement of a chain that passes k numbers on."""
    rng = np.random.default_rng(5)
    record = {
        "name": "model.safetensors",
        "created": "2026-11-23T14:00:00Z",
        "versions": {"isthmus": "0.2.0", "torch": "2.13.0"},
        "method": "chain",
        "notes": [],
        "rows": 2000,
        "layers": _layers(k, rng),
        "jacobian": _jacobian(k),
        "jacobian_rank": k,
        "jacobian_rank_upper": 40,
        "jacobian_evidence": "sampled at 500 points",
        "bottleneck_rank": k,
        "bottleneck_rank_lower": k,
        "bottleneck_evidence": f"an affine map of rank {k} at layer 6 in the place of a layer",
        "bottleneck_layer": 6,
        "bottleneck_error": 0.0222,
        "bottleneck_changes": [],
        "bottleneck_change_ranks": [],
        "norm_per_depth": 9.804,
        "cost_lower": 5.891,
        "cost_row": 17,
        "certificate": {
            "row": 17,
            "rank": k + 1,
            "log_pseudo_determinant": 4.0,
            "excess": 29.3,
            "guaranteed_share": 0.0,
        },
        "certified_share": 0.5,
        "kernel_per_depth": 3999.0,
        "tolerance": 0.1,
        "curve": _curve(k),
    }
    # The rank of a measurement is the largest over the points, that of a fit is not.
    record["jacobian"] = record["jacobian"].model_copy(update={"rank_counts": {str(k): 493, str(k - 1): 7}})
    record["curve"] = record["curve"].model_copy(update={"resampled": {str(k): 0.99, str(k - 1): 0.01}})
    return MeasureRecord.model_validate({**record, **changes})


def _data():
    return DataRow(
        source="teacher",
        sha256="a6b726077467d6beefe392d2c533413414002e2e9b4902c64586e2ad4089bb80",
        rows=2000,
        train=1001,
        test=999,
        inputs=50,
        outputs=40,
        is_weighted=False,
        notes=["The outputs are those of a random teacher."],
        image_shape=None,
        input_names=[f"x{i}" for i in range(50)],
        output_names=[f"y{i}" for i in range(40)],
    )


def _verdict(k, task, evidence):
    error = evidence.network_errors[k]
    return VerdictRow(
        level="rely",
        sentence=f"Rely on {k}: the network predicts held-out rows at least as well as simpler methods.",
        accuracy="Of 100 answers about outputs of known rank that were, like this one, more than 95% sure, "
        "98 were right.",
        error_name=likelihood_of(task).error_name,
        error=error,
        comparisons=_comparisons(k, task, error, 2.375),
    )


def _set_aside(k, task):
    at_rank = 16.88
    comparisons = _comparisons(k, task, at_rank, 23.23)
    error_name = likelihood_of(task).error_name
    return TestRow(error_name=error_name, rows=999, whole=16.95, at_rank=at_rank, comparisons=comparisons)


def _comparisons(k, task, error, linear):
    """What stands beside the network through k numbers: of rank 0 no constant, which it is itself."""
    constant = "the most frequent class" if task == "classification" else "the mean"
    shown = k or 2
    methods = {constant: 49.0} if k else {}
    methods |= {f"{LINEAR[task]} through {shown} number{'s' * (shown > 1)}": linear}
    methods |= {name: linear + 1.5 + i for i, name in enumerate(FULL[task])}
    return [
        ComparisonRow(name=name, error=value, difference=value - error, standard_error=0.37)
        for name, value in methods.items()
    ]


def _hyperparameters():
    trials = [TrialRow(depth=_DEPTH, ridge=0.0512 * 3**i, error=17.0 + i) for i in range(3)]
    return HyperparametersRow(
        depth=_DEPTH, ridge=0.0512, ridge_share=0.001, reason="λ = 0.0512 predicts held-out rows best.", trials=trials
    )


def _layers(k, rng):
    layers = []
    for layer in range(1, _DEPTH + 1):
        bulk = 0.6 * np.exp(-min(layer - 1, _DEPTH - layer) * 1.1) * np.linspace(1.2, 0.9, 20)
        weights = np.concatenate([1.45 - 0.02 * np.arange(k) + 0.02 * rng.normal(size=k), bulk])
        activations = np.concatenate([(1 + 0.6 * layer) * np.linspace(1, 0.8, k), bulk])
        bend = 0.65 * np.exp(-min(layer - 1, _DEPTH - 1 - layer) * 1.6)
        layers.append(
            LayerRow(
                layer=layer,
                weight_singular_values=sorted(weights.tolist(), reverse=True),
                activation_singular_values=sorted(activations.tolist(), reverse=True),
                nonlinearity_impact=float(bend) if layer < _DEPTH else None,
                isometry_distance=0.3 + float(bend),
                cost_of_identity=k + 1 + 10 * float(bend) if layer < _DEPTH else None,
                identity_residual=0.1 * float(bend) if layer < _DEPTH else None,
                kinetic_energy=0.5 + 10 * float(bend) if layer < _DEPTH else None,
            )
        )
    return layers


def _jacobian(k):
    median = [1.0 * 0.85**i if i < k else 0.03 * 0.2 ** (i - k) for i in range(40)]
    return JacobianRow(
        points=500,
        low=[0.7 * v if i else 1.0 for i, v in enumerate(median)],
        median=median,
        high=[min(1.5 * v, 1.0) for v in median],
        rank_counts={str(k): 493, str(k + 1): 7},
        is_sketched=False,
    )


def _curve(k):
    tolerances = [10.0 ** (-i / 8) for i in range(1, 49)]
    largest = [k if t > 0.03 else k + 1 for t in tolerances]
    return ToleranceCurve(
        tolerances=tolerances,
        largest=largest,
        median=[k] * len(tolerances),
        plateau_rank=k,
        plateau=(0.031, 0.7),
        gap=12.0,
        next_direction=0.03,
        resampled={str(k): 0.99, str(k + 1): 0.01},
    )


def _history():
    steps = np.arange(0, 3300, 60)
    error, norm = 50 * np.exp(-steps / 250) + 0.08, 9.8 + 130 * np.exp(-steps / 300)
    return [
        HistoryRow(
            step=int(s),
            seconds=float(s) / 60,
            objective=float(e + 0.05 * n),
            error=float(e),
            norm_per_depth=float(n),
        )
        for s, e, n in zip(steps, error, norm, strict=True)
    ]


def _attribution(k):
    """Input j has the effect 1 / (1 + (j − 3i)²) on coordinate i."""
    effects = [[round(1.0 / (1 + (j - 3 * i) ** 2), 5) for j in range(50)] for i in range(k)]
    return AttributionRow(inputs=[f"x{j}" for j in range(50)], effects=effects)


def _latent(k, rng):
    z = rng.normal(size=(300, k))
    return LatentRow(coordinates=z.round(4).tolist(), color=np.tanh(z.sum(1)).round(4).tolist(), color_name="y0")
