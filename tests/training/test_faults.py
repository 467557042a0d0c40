"""What goes wrong during training: divergence, a full device, kills and Ctrl-C in every phase."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from isthmus.errors import DeviceMemoryError, DivergenceError
from isthmus.training import Objective, Schedule, TrainingConfig, fit
from isthmus.training import checkpoint as checkpoint_module
from isthmus.training import loop as loop_module


def pairs(n=80, d=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, np.maximum(x @ rng.standard_normal((d, 3)), 0)


X, Y = pairs()


@pytest.mark.parametrize("n_init", [1, 2])
@pytest.mark.parametrize("batch_size", [None, 16])
@pytest.mark.parametrize(
    ("schedule", "options", "cause"),
    [
        ({"learning_rate": 1e12}, {}, "learning rate"),
        ({"learning_rate": 1e30}, {}, "learning rate"),
        ({"learning_rate": 1e12, "reduce_norm_every": 1}, {}, "learning rate"),
        ({}, {"ridge": 1e30}, "λ"),
        ({}, {"ridge": 1e38}, "λ"),
        ({"learning_rate": 1e12}, {"ridge": 1e30}, "λ"),
    ],
)
def test_divergence_names_its_cause_and_spares_the_checkpoint(
    tmp_path, monkeypatch, n_init, batch_size, schedule, options, cause
):
    monkeypatch.setattr(loop_module, "_SAVE_EVERY", -1.0)
    path = tmp_path / "c.safetensors"
    fit(X, Y, config=TrainingConfig(depth=6, width=4, schedule=Schedule(steps=3, rounds=0)), checkpoint=path, key="a")
    with pytest.raises(DivergenceError) as raised:
        fit(
            X,
            Y,
            config=TrainingConfig(
                depth=6,
                width=4,
                n_init=n_init,
                schedule=Schedule(steps=60, batch_size=batch_size, **schedule),
                **options,
            ),
            checkpoint=path,
            key="b",
        )
    assert raised.value.cause == cause
    keys = [checkpoint_module.load_checkpoint(path, key=key) for key in "ab"]
    (left,) = [progress for progress in keys if progress is not None]
    assert torch.isfinite(left.vector).all()


@pytest.mark.parametrize("ridge", [1e3, 1e8, 1e12])
def test_a_large_ridge_that_fits_is_no_divergence(ridge):
    assert np.isfinite(
        fit(X, Y, config=TrainingConfig(depth=6, width=4, ridge=ridge, schedule=Schedule(steps=60, rounds=1))).value
    )


def test_data_too_large_to_square_their_gradient_are_the_cause():
    with pytest.raises(DivergenceError, match="standardised data"):
        fit(
            X * 1e11,
            Y * 1e11,
            config=TrainingConfig(depth=6, width=4, standardize="none", ridge=0.0, schedule=Schedule(steps=60)),
        )


@pytest.mark.parametrize(("batch_size", "remedy"), [(None, "--batch-size 40"), (16, "--batch-size 8"), (1, "--width")])
def test_a_full_device_names_the_batch_size(monkeypatch, batch_size, remedy):
    calls = iter(range(1000))
    original = Objective.gradient

    def fails_once(self, *args):
        if next(calls) == 7:
            raise torch.OutOfMemoryError("no memory")
        return original(self, *args)

    monkeypatch.setattr(Objective, "gradient", fails_once)
    with pytest.raises(DeviceMemoryError, match=remedy) as raised:
        fit(X, Y, config=TrainingConfig(depth=3, width=4, schedule=Schedule(steps=60, batch_size=batch_size)))
    assert isinstance(raised.value.__cause__, torch.OutOfMemoryError)


# Of 80 steps with eliminations after 20, 40 and 60, neurons pruned from 45 on, and two rounds.
SCHEDULE = Schedule(steps=80, rounds=2, evaluations=20, reduce_norm_every=5, precision=0.0, prune_tolerance=0.05)


@pytest.mark.parametrize("batch_size", [None, 16])
@pytest.mark.parametrize("n_init", [1, 4])
def test_a_fit_killed_in_any_phase_resumes_to_the_same_network(tmp_path, monkeypatch, n_init, batch_size):
    schedule = replace(SCHEDULE, batch_size=batch_size)
    config = TrainingConfig(depth=3, width=60, n_init=n_init, schedule=schedule)
    whole = fit(X, Y, config=config)
    shapes = []

    def watching(self):
        shapes.append((self.parameters.count, self.parameters.widths))

    monkeypatch.setattr(loop_module.Training, "_save_sometimes", watching)
    fit(X, Y, config=config)
    changes = [i for i in range(1, len(shapes)) if shapes[i] != shapes[i - 1]]
    assert any(shapes[i][1] != shapes[i - 1][1] for i in changes if i < 80), "no neuron was pruned on the way"
    assert {s[0] for s in shapes} == ({4, 2, 1} if n_init == 4 else {1})
    deaths = sorted({19, 80, 81, *(i + shift for i in changes for shift in (0, 1, 2))} & set(range(1, len(shapes) + 1)))
    for death in deaths:
        seen = iter(range(1, 1000))

        def dying(self, seen=seen, death=death):
            if next(seen) == death:  # what was saved before would be overwritten
                self._save_now()
                raise SystemExit  # stands for SIGKILL: nothing after it runs

        monkeypatch.setattr(loop_module.Training, "_save_sometimes", dying)
        path = tmp_path / f"{death}.safetensors"
        with pytest.raises(SystemExit):
            fit(X, Y, config=config, checkpoint=path, key="a")
        monkeypatch.setattr(loop_module.Training, "_save_sometimes", lambda self: None)
        resumed = fit(X, Y, config=config, checkpoint=path, key="a")
        assert resumed.value == pytest.approx(whole.value, rel=1e-6), death
        assert resumed.history[-1].step == whole.history[-1].step


@pytest.mark.parametrize("n_init", [1, 4])
@pytest.mark.parametrize("at", [1, 19, 21, 47, 79, 90, 110])
def test_ctrl_c_at_any_gradient_leaves_a_usable_network(monkeypatch, n_init, at):
    calls = iter(range(1, 10_000))
    original = Objective.gradient

    def interrupted(self, *args):
        if next(calls) == at:
            raise KeyboardInterrupt
        return original(self, *args)

    monkeypatch.setattr(Objective, "gradient", interrupted)
    fitted = fit(X, Y, config=TrainingConfig(depth=3, width=24, n_init=n_init, schedule=SCHEDULE))
    assert fitted.stopped == "interrupted"
    assert np.isfinite(fitted.value)
    assert fitted.value <= fitted.history[0].objective * (1 + 1e-6)
    assert torch.isfinite(fitted(torch.from_numpy(X))).all()


def test_ctrl_c_waits_for_a_change_to_be_whole():
    import signal

    from isthmus.training.interrupts import uninterrupted

    # A shell's background job ignores Ctrl-C from the start; here it is to be heard.
    kept = signal.signal(signal.SIGINT, signal.default_int_handler)
    before, done = signal.getsignal(signal.SIGINT), []

    def change():
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            done.append(True)
        done.append("not reached")

    with pytest.raises(KeyboardInterrupt):
        change()
    assert done == [True]
    assert signal.getsignal(signal.SIGINT) is before
    signal.signal(signal.SIGINT, kept)
