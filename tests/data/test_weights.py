"""How much rows count: from a column, from an array, or refused by name."""

import numpy as np
import pytest

from isthmus.data import Split, dataset_from_arrays, load_dataset
from isthmus.errors import (
    ColumnError,
    ConstantOutputError,
    IsthmusError,
    NonFiniteError,
    OptionError,
    RareClassError,
    ShapeError,
    TooFewRowsError,
)

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((60, 2)).round(3), RNG.standard_normal(60).round(3)
WEIGHTS = RNG.integers(0, 5, 60) / 4.0


def table(folder, weights, name="t.csv"):
    lines = [f"{a},{w},{b},{y}\n" for (a, b), w, y in zip(X, weights, Y, strict=True)]
    (folder / name).write_text("a,w,b,y\n" + "".join(lines))
    return str(folder / name)


def test_a_column_of_weights_is_no_input(tmp_path):
    path = table(tmp_path, WEIGHTS)
    data = load_dataset(path, target="y", weights="w")
    assert data.input_names == ("a", "b")
    assert np.array_equal(data.x, X)
    assert np.array_equal(data.y[:, 0], Y)
    assert data.weights.dtype == np.float64
    assert np.array_equal(data.weights, WEIGHTS)
    without = load_dataset(path, target="y", drop="w")
    assert without.weights is None
    assert without.sha256 != data.sha256
    assert load_dataset(path, target="y", weights=" w ").sha256 == data.sha256
    doubled = load_dataset(table(tmp_path, 2 * WEIGHTS, "double.csv"), target="y", weights="w")
    assert doubled.sha256 != data.sha256
    assert load_dataset(path, task="autoencoder", weights="w").input_names == ("a", "b", "y")


def test_weights_of_rows_that_are_dropped_go_with_them(tmp_path):
    weights = ["" if row in (3, 8) else f"{w}" for row, w in enumerate(WEIGHTS)]
    path = table(tmp_path, weights)
    with pytest.raises(ColumnError, match=r"Column 'w' has 2 missing values \(first in row 4\)"):
        load_dataset(path, target="y", weights="w")
    data = load_dataset(path, target="y", weights="w", missing="drop")
    assert np.array_equal(data.weights, np.delete(WEIGHTS, [3, 8]))
    assert np.array_equal(data.x, np.delete(X, [3, 8], 0))


def one(row, value):
    return [value if number == row else w for number, w in enumerate(WEIGHTS)]


@pytest.mark.parametrize(
    ("weights", "options", "error", "message"),
    [
        (one(4, -0.5), {}, ColumnError, r"Column 'w' holds the weight -0.5 in row 5\. Weights are finite numbers"),
        (one(4, "inf"), {}, ColumnError, r"Column 'w' holds the weight inf in row 5"),
        (one(4, "heavy"), {}, ColumnError, "Column 'w' holds numbers, but 'heavy' in row 5"),
        (["heavy"] * 60, {}, ColumnError, "Column 'w' holds 'heavy' in row 1, where a row needs its weight"),
        ([0] * 60, {}, ColumnError, "Column 'w' holds the weight 0 in every row"),
        (WEIGHTS, {"weights": "v"}, OptionError, "--weights is 'v' but must be among the columns: a, w, b, y"),
        (WEIGHTS, {"weights": "y"}, OptionError, "--weights is 'y' but must be a column that is neither in --target"),
        (WEIGHTS, {"drop": "w"}, OptionError, "--weights is 'w' but must be a column that is neither in --target"),
        (np.repeat([0, 1], [41, 19]), {}, TooFewRowsError, "19 rows; at least 20"),
    ],
)
def test_weights_that_cannot_be_used_are_refused_by_name(tmp_path, weights, options, error, message):
    path = table(tmp_path, weights)
    with pytest.raises(error, match=message):
        load_dataset(path, **{"target": "y", "weights": "w", **options})


def test_an_archive_names_its_weights_sample_weight(tmp_path):
    path = str(tmp_path / "a.npz")
    np.savez(path, x=X, y=Y, sample_weight=WEIGHTS.astype(np.float32))
    data = load_dataset(path)
    assert data.weights.dtype == np.float64
    assert np.array_equal(data.weights, WEIGHTS)
    with pytest.raises(OptionError, match=r"--weights is 'w' .*left out for \.npz files, whose array sample_weight"):
        load_dataset(path, weights="w")
    for wrong, error, message in (
        (WEIGHTS[:-1], ShapeError, r"sample_weight has shape \(59,\); one weight a row"),
        (-WEIGHTS, OptionError, r"sample_weight\[\d+\] is -\d\.\d+ but must be at least 0"),
        (WEIGHTS * np.nan, NonFiniteError, "sample_weight holds NaN"),
        (0 * WEIGHTS, OptionError, "sample_weight is 'zero everywhere'"),
        (WEIGHTS.astype(str), IsthmusError, "sample_weight has dtype .*, not real numbers"),
    ):
        np.savez(path, x=X, y=Y, sample_weight=wrong)
        with pytest.raises(error, match=message):
            load_dataset(path)


def test_other_kinds_of_data_have_no_weights(tmp_path):
    np.save(tmp_path / "a.npy", X)
    (tmp_path / "folder").mkdir()
    for source, what in (("a.npy", r"a \.npy file; a \.npz file may hold"), ("folder", "a folder of images")):
        with pytest.raises(OptionError, match=f"--weights is 'w' but must be left out for {what}"):
            load_dataset(str(tmp_path / source), weights="w")


def test_rows_of_weight_zero_do_not_exist_for_the_checks():
    counts = (np.arange(60) < 30).astype(float)
    labels = np.where(np.arange(60) < 30, np.arange(60) % 2, 2)
    with pytest.raises(RareClassError, match="Class '2' has 0 rows"):
        dataset_from_arrays(X, labels, task="classification", weights=counts)
    with pytest.raises(ConstantOutputError):
        dataset_from_arrays(X, np.where(np.arange(60) < 30, 1.0, Y), weights=counts)
    data = dataset_from_arrays(X, Y, weights=counts, test=0.2)
    assert len(data.split.test) == 6
    assert data.split.test.max() < 30
    assert len(data.split.train) == 54


def test_a_split_that_comes_with_the_data_may_have_weights():
    split = Split(np.arange(50), np.arange(50, 60))
    data = dataset_from_arrays(X, Y, weights=WEIGHTS.tolist(), split=split)
    assert np.array_equal(data.weights[data.split.train], WEIGHTS[:50])
    with pytest.raises(ShapeError, match=r"weights has shape \(3,\)"):
        dataset_from_arrays(X, Y, weights=[1, 2, 3])
