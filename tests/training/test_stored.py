"""Memory maps that stay in their file: the same checks, standardisation, batches and networks as in memory."""

import numpy as np
import pytest
import torch

from isthmus.errors import (
    ConstantOutputError,
    DtypeError,
    NonFiniteError,
    ScaleError,
    ShapeError,
)
from isthmus.networks import ColumnMoments, standardization, standardization_of
from isthmus.training import Schedule, StoredRows, TrainingConfig, fit
from isthmus.training import loop as loop_module
from isthmus.training import objective as objective_module
from isthmus.training import stored as stored_module

SCHEDULE = Schedule(steps=60, rounds=1, evaluations=20, batch_size=48)


@pytest.fixture(autouse=True)
def _everything_is_streamed(monkeypatch):
    monkeypatch.setattr(stored_module, "STREAMED_FROM", 0)
    monkeypatch.setattr(stored_module, "_PIECE", 8 * 6 * 16)  # pieces of 16 rows of six numbers


def mapped(tmp_path, array, name="x", mode="r"):
    np.save(tmp_path / f"{name}.npy", array)
    return np.load(tmp_path / f"{name}.npy", mmap_mode=mode)


def data(n=200, d=6, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d)) * 10.0 ** np.arange(d) + 1000.0
    return x, np.maximum(rng.standard_normal((n, 2)) + x[:, :2] / 100, 0)


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">f8", "<f2", "<i4", ">i8", "u1"])
def test_the_network_is_the_same_streamed_and_loaded(tmp_path, dtype):
    x, y = data()
    x = (x % 97).astype(dtype)
    streamed = fit(
        mapped(tmp_path, x), mapped(tmp_path, y, "y"), config=TrainingConfig(depth=3, width=12, schedule=SCHEDULE)
    )
    loaded = fit(x, y, config=TrainingConfig(depth=3, width=12, schedule=SCHEDULE))
    assert isinstance(streamed.objective.x, StoredRows)
    assert isinstance(streamed.objective.y, StoredRows)
    assert isinstance(loaded.objective.x, torch.Tensor)
    assert streamed.value == pytest.approx(loaded.value, rel=1e-4)
    assert streamed.stationarity == pytest.approx(loaded.stationarity, rel=0.05)
    at = torch.from_numpy(x.astype(np.float64))
    torch.testing.assert_close(streamed(at), loaded(at), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("task", ["autoencoder", "classification"])
def test_other_tasks_stream_too(tmp_path, task):
    x, y = data()
    labels = None if task == "autoencoder" else (y[:, 0] > 10).astype(np.int64) * 7 - 2
    kept = None if labels is None else mapped(tmp_path, labels, "y")
    options = {"task": task, "config": TrainingConfig(depth=3, width=12, schedule=SCHEDULE)}
    streamed, loaded = fit(mapped(tmp_path, x), kept, **options), fit(x, labels, **options)
    assert streamed.value == pytest.approx(loaded.value, rel=1e-4)
    assert streamed.ridge == pytest.approx(loaded.ridge, rel=1e-12)
    if labels is not None:
        assert streamed.classes.tolist() == [-2, 5]


@pytest.mark.parametrize("scaling", ["columns", "global", "none"])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_streamed_standardisation_is_the_one_in_memory(tmp_path, scaling, offset):
    x = np.concatenate([data()[0], np.full((200, 1), 3.7)], 1) + offset
    x = x[np.argsort(x[:, 0])]  # the mean drifts from chunk to chunk
    rows = torch.from_numpy(x)
    expected = standardization(rows, scaling)
    found = standardization_of(ColumnMoments.of(rows.split(13)), scaling)
    torch.testing.assert_close(found.mean, expected.mean, rtol=1e-12, atol=0)
    torch.testing.assert_close(found.scale, expected.scale, rtol=1e-12, atol=0)
    stored = StoredRows(mapped(tmp_path, x), expected, "cpu", "x")
    for index in (slice(None), slice(3, 90), slice(1, None, 7), torch.tensor([5, 199, 0, 64])):
        assert torch.equal(stored[index], expected.forward(rows).float()[index])


def test_a_bad_entry_is_named_before_any_training(tmp_path, monkeypatch):
    x, y = data()
    monkeypatch.setattr(loop_module.Training, "run", lambda self: pytest.fail("training has begun"))
    x[157, 4] = np.nan
    y[31, 1] = np.inf
    for good in (x.astype(np.float32), x.astype(">f8")):
        with pytest.raises(NonFiniteError, match=r"x holds NaN or infinity .first at row 157, column 4"):
            fit(mapped(tmp_path, good), data()[1], config=TrainingConfig(depth=3))
    with pytest.raises(NonFiniteError, match=r"x holds NaN or infinity .first at row 157, column 4"):
        fit(x, data()[1], config=TrainingConfig(depth=3))
    for what in (y, mapped(tmp_path, y, "y")):
        with pytest.raises(NonFiniteError, match=r"y holds NaN or infinity .first at row 31, column 1"):
            fit(mapped(tmp_path, data()[0]), what, config=TrainingConfig(depth=3))


def test_what_is_refused_in_memory_is_refused_in_a_file(tmp_path):
    x, y = data()
    kept = mapped(tmp_path, x)
    with pytest.raises(ConstantOutputError):
        fit(kept, mapped(tmp_path, np.ones((200, 1)), "y"))
    with pytest.raises(ScaleError, match="y reaches"):
        fit(kept, mapped(tmp_path, y * 1e30, "y"), config=TrainingConfig(standardize="none"))
    with pytest.raises(ScaleError, match="x reaches"):
        fit(mapped(tmp_path, -x * 1e30), y, config=TrainingConfig(standardize="none"))
    with pytest.raises(ShapeError, match="x has 200 rows but y has 199"):
        fit(mapped(tmp_path, x), mapped(tmp_path, y[1:], "y"))
    with pytest.raises(DtypeError, match="integer label"):
        fit(mapped(tmp_path, x), mapped(tmp_path, y[:, 0], "y"), task="classification")
    with pytest.raises(ShapeError, match=r"reshape"):
        fit(mapped(tmp_path, x.reshape(50, 4, 6)), y)


def test_small_maps_and_arrays_are_loaded_and_views_of_maps_streamed(tmp_path, monkeypatch):
    x = mapped(tmp_path, data()[0])
    assert stored_module.is_streamed(x[10:][:, ::-1])
    assert stored_module.is_streamed(np.asarray(x))
    assert not stored_module.is_streamed(np.array(x))
    monkeypatch.setattr(stored_module, "STREAMED_FROM", x.nbytes)
    assert not stored_module.is_streamed(x)


def test_changes_to_a_copy_on_write_map_survive(tmp_path):
    x = mapped(tmp_path, data()[0], mode="c")
    x[3] = 5.0
    rows = StoredRows(x, standardization(torch.zeros(1, 6), "none"), "cpu", "x")
    assert torch.equal(rows[2:4][1], torch.full((6,), 5.0))
    assert x[3].tolist() == [5.0] * 6


def test_every_row_is_in_one_batch_of_an_epoch():
    x, y = data(n=100)
    training = loop_module.Training(
        [fit(x, y, config=TrainingConfig(depth=2, width=4, schedule=Schedule(steps=0, rounds=0))).network],
        fit(x, y, config=TrainingConfig(depth=2, width=4, schedule=Schedule(steps=0, rounds=0))).objective,
        Schedule(batch_size=30),
        seed=0,
        save=lambda progress: None,
        report=lambda fraction, state: None,
    )
    batches = [training._rows(step) for step in range(4)]
    assert torch.cat(batches).sort()[0].tolist() == list(range(100))
    assert not torch.equal(batches[0], training._rows(4))


def test_many_rows_get_no_rounds_unless_the_schedule_asks(monkeypatch):
    monkeypatch.setattr(loop_module, "_RECORD_ROWS", 50)
    x, y = data()
    few = fit(
        x,
        y,
        config=TrainingConfig(
            depth=3, width=12, schedule=Schedule(steps=50, rounds=2, evaluations=10, rounds_up_to=199)
        ),
    )
    many = fit(
        x,
        y,
        config=TrainingConfig(
            depth=3, width=12, schedule=Schedule(steps=50, rounds=2, evaluations=10, rounds_up_to=200)
        ),
    )
    assert (few.stopped, few.history[-1].step) == ("budget", 50)
    assert many.history[-1].step > 50
    assert few.history[-1].error == pytest.approx(few.objective.error(few.network, every=4), rel=1e-2)
    assert few.error == pytest.approx(float((few.network(few.objective.x) - few.objective.y).square().sum(1).mean()))


def test_the_sample_of_stored_rows_is_small_and_that_of_a_tensor_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(objective_module, "_CHUNK", 64)
    x, y = data()
    streamed = fit(
        mapped(tmp_path, x), y, config=TrainingConfig(depth=2, width=4, schedule=Schedule(steps=1, rounds=0))
    ).objective
    loaded = fit(x, y, config=TrainingConfig(depth=2, width=4, schedule=Schedule(steps=1, rounds=0))).objective
    assert torch.equal(streamed.sample(50)[0], loaded.x[::4])
    assert torch.equal(streamed.sample(50)[1], loaded.y[::4])
    assert len(loaded.sample(50)[0]) == 200
