"""Fits: closed forms for linear networks, repeatability, interruption, resumption, refusals."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cases import through
from isthmus.errors import (
    ConstantOutputError,
    DivergenceError,
    DtypeError,
    FileFormatError,
    NonFiniteError,
    OptionError,
    ScaleError,
    ShapeError,
    TooFewRowsError,
)
from isthmus.networks import IDENTITY
from isthmus.training import Schedule, TrainingConfig, fit
from isthmus.training import loop as loop_module

SHORT = Schedule(steps=60, rounds=2, evaluations=40)


def pairs(n=80, d=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, np.maximum(x @ rng.standard_normal((d, 3)), 0)


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_a_linear_network_reaches_the_closed_form(depth):
    r"""min over A of (1/N)‖XAᵀ − Y‖² + λ Σ sᵢ(A)^{2/L}: with X orthonormal it decouples over singular values."""
    rng = np.random.default_rng(depth)
    x = np.linalg.qr(rng.standard_normal((64, 4)))[0] * 8.0  # (1/N) XᵀX = I
    x = x - x.mean(0)
    x = np.linalg.qr(x)[0] * 8.0
    u, v = np.linalg.qr(rng.standard_normal((3, 3)))[0], np.linalg.qr(rng.standard_normal((4, 3)))[0]
    true = np.array([3.0, 1.5, 0.6])
    y = x @ (u * true @ v.T).T
    ridge, p = 0.05, 2.0 / depth
    grid = np.linspace(0.0, 3.5, 350_001)
    expected = sum(((grid - s) ** 2 + ridge * grid**p).min() for s in true)
    fitted = fit(
        x,
        y,
        config=TrainingConfig(
            depth=depth,
            width=8,
            ridge=ridge,
            standardize="none",
            activation=IDENTITY,
            schedule=Schedule(steps=300, rounds=10, precision=1e-9),
        ),
    )
    assert fitted.value == pytest.approx(expected, rel=2e-3)
    assert fitted.stationarity < 1e-2
    assert fitted.value >= expected * (1 - 1e-5)  # nothing is below the global minimum


def test_the_same_seed_gives_the_same_network_and_another_seed_another():
    x, y = pairs()
    first, again, other = (
        fit(x, y, config=TrainingConfig(depth=3, width=12, schedule=SHORT), seed=s) for s in (1, 1, 2)
    )
    assert all(torch.equal(a, b) for a, b in zip(first.network.weights, again.network.weights, strict=True))
    assert not torch.equal(first.network.weights[0], other.network.weights[0])


@pytest.mark.parametrize("batch_size", [None, 16])
def test_a_killed_fit_resumes_to_the_same_network(tmp_path, monkeypatch, batch_size):
    x, y = pairs()
    schedule = Schedule(steps=60, rounds=2, evaluations=40, batch_size=batch_size)
    whole = fit(x, y, config=TrainingConfig(depth=3, width=12, schedule=schedule))
    monkeypatch.setattr(loop_module, "_SAVE_EVERY", -1.0)  # save after every step
    saves = 0

    def killed_at(n):
        original = loop_module.Training._save_sometimes

        def save_and_die(self):
            nonlocal saves
            original(self)
            saves += 1
            if saves == n:
                raise SystemExit  # stands for SIGKILL: nothing after it runs

        return save_and_die

    path = tmp_path / "checkpoint.safetensors"
    for death in (17, 43, 61):  # twice in the warm-up, once between two rounds
        saves = 0
        monkeypatch.setattr(loop_module.Training, "_save_sometimes", killed_at(death))
        with pytest.raises(SystemExit):
            fit(x, y, config=TrainingConfig(depth=3, width=12, schedule=schedule), checkpoint=path, key="a")
        monkeypatch.undo()
        monkeypatch.setattr(loop_module, "_SAVE_EVERY", -1.0)
        resumed = fit(x, y, config=TrainingConfig(depth=3, width=12, schedule=schedule), checkpoint=path, key="a")
        path.unlink()
        assert all(torch.equal(a, b) for a, b in zip(whole.network.weights, resumed.network.weights, strict=True))
        assert [m.objective for m in resumed.history] == [m.objective for m in whole.history]


def test_a_checkpoint_of_another_fit_is_ignored_and_a_damaged_one_refused(tmp_path, monkeypatch):
    x, y = pairs()
    monkeypatch.setattr(loop_module, "_SAVE_EVERY", -1.0)
    path = tmp_path / "c.safetensors"
    fit(x, y, config=TrainingConfig(depth=3, width=12, schedule=SHORT), checkpoint=path, key="a")
    fresh = fit(x, y, config=TrainingConfig(depth=3, width=12, schedule=SHORT), seed=5)
    other = fit(x, y, config=TrainingConfig(depth=3, width=12, schedule=SHORT), seed=5, checkpoint=path, key="b")
    assert torch.equal(fresh.network.weights[0], other.network.weights[0])
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(FileFormatError, match="Delete it to start the fit from the beginning"):
        fit(x, y, config=TrainingConfig(depth=3, width=12, schedule=SHORT), checkpoint=path, key="a")


@pytest.mark.parametrize("after", [30, 90])
def test_an_interrupted_fit_is_usable(after):
    x, y = pairs()
    is_pending = True

    def interrupt(fraction, state):
        nonlocal is_pending
        if is_pending and fraction >= after / SHORT.total:
            is_pending = False
            raise KeyboardInterrupt

    fitted = fit(x, y, config=TrainingConfig(depth=3, width=12, schedule=SHORT), report=interrupt)
    assert fitted.stopped == "interrupted"
    assert fitted.value < fitted.history[0].objective * 1.0001
    assert torch.isfinite(fitted(torch.from_numpy(x))).all()


def test_of_several_starts_the_best_one_is_finished():
    x, y = pairs()
    one = TrainingConfig(depth=4, width=10, ridge=0.02, schedule=Schedule(steps=100, rounds=1, evaluations=30))
    best = fit(x, y, config=replace(one, n_init=4), seed=0)
    each = [fit(x, y, config=one, seed=s).value for s in range(4)]
    assert best.value <= sorted(each)[1] * 1.01  # never worse than the second best: losers leave early


def test_rank_2_is_learned_from_data():
    teacher = through(2, seed=3, d=6)
    x = torch.randn(300, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    fitted = fit(x, teacher(x), config=TrainingConfig(depth=8, width=30, schedule=Schedule(steps=600, rounds=4)))
    from isthmus.spectra import measure

    profile = measure(fitted, x)
    assert fitted.error < 0.02 * 6
    assert profile.bottleneck_rank.upper == 2


def test_classification_learns_labels_of_any_integer_value():
    rng = np.random.default_rng(0)
    centres = np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 4.0]])
    labels = rng.integers(0, 3, 150)
    x = centres[labels] + 0.3 * rng.standard_normal((150, 2))
    names = np.array([7, -2, 100])
    fitted = fit(x, names[labels], config=TrainingConfig(depth=4, width=16, schedule=SHORT), task="classification")
    predicted = fitted.classes[fitted(torch.from_numpy(x)).argmax(1)].numpy()
    assert (predicted == names[labels]).mean() == 1.0


X, Y = pairs()


@pytest.mark.parametrize(
    ("x", "y", "options", "error", "message"),
    [
        (X, None, {}, ShapeError, "y is missing"),
        (X, Y[:-1], {}, ShapeError, "x has 80 rows but y has 79"),
        (X[:1], Y[:1], {}, TooFewRowsError, "1 row; at least 2"),
        (X[:0], Y[:0], {}, ShapeError, "empty"),
        (X[:, 0], Y, {}, ShapeError, r"shape \(80,\)"),
        (X, np.ones_like(Y), {}, ConstantOutputError, "the function is constant"),
        (np.ones_like(X), None, {"task": "autoencoder"}, ConstantOutputError, "Every row of x"),
        (np.where(X > 2, np.nan, X), Y, {}, NonFiniteError, "x holds NaN"),
        (X, np.where(Y > 2, np.inf, Y), {}, NonFiniteError, "y holds NaN or infinity"),
        (X.astype(complex), Y, {}, DtypeError, "complex"),
        (X, Y.astype(str), {}, DtypeError, "not real numbers"),
        (X, Y[:, 0], {"task": "classification"}, DtypeError, "integer label"),
        (X * 1e30, Y, {"standardize": "none"}, ScaleError, "x reaches .* in magnitude"),
        (X, Y * 1e30, {"standardize": "none"}, ScaleError, "Standardise the data"),
        (X, Y, {"task": "clustering"}, OptionError, "task is 'clustering'"),
        (X, Y, {"depth": 0}, OptionError, "depth is 0"),
        (X, Y, {"width": 0}, OptionError, "width is 0"),
        (X, Y, {"ridge": -1.0}, OptionError, "ridge is -1.0"),
        (X, Y, {"ridge": float("nan")}, OptionError, "ridge is nan"),
        (X, Y, {"standardize": "rows"}, OptionError, "columns, global or none"),
    ],
)
def test_bad_input_is_refused_before_any_work(x, y, options, error, message):
    with pytest.raises(error, match=message):
        learned(x, y, **options)


def learned(x, y, *, task="regression", **options):
    return fit(x, y, config=TrainingConfig(**{"depth": 3, "width": 4, "schedule": SHORT, **options}), task=task)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": -1}, "steps is -1"),
        ({"rounds": -1}, "rounds is -1"),
        ({"evaluations": 0}, "evaluations is 0"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"learning_rate": float("inf")}, "learning_rate is inf"),
        ({"batch_size": 0}, "batch_size is 0"),
    ],
)
def test_a_schedule_has_limits(options, message):
    with pytest.raises(OptionError, match=message):
        Schedule(**options)


def test_divergence_is_an_error_that_says_what_to_do():
    with pytest.raises(DivergenceError, match="smaller --learning-rate"):
        fit(X, Y, config=TrainingConfig(depth=6, width=4, schedule=Schedule(steps=60, learning_rate=1e12)))


def test_duplicate_rows_and_constant_columns_do_no_harm():
    x = np.concatenate([np.repeat(X[:10], 8, 0), np.ones((80, 1))], 1)
    fitted = fit(x, np.repeat(Y[:10], 8, 0), config=TrainingConfig(depth=3, width=12, schedule=SHORT))
    assert np.isfinite(fitted.value)
