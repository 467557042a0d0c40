"""New rows for a network that was fitted on a table: the same encoding, without the targets, or a refusal by name."""

import numpy as np
import pandas as pd
import pytest

from isthmus.data import encode_as, load_dataset, load_inputs
from isthmus.errors import ColumnError

RNG = np.random.default_rng(0)
N = 60
FRAME = pd.DataFrame(
    {
        "when": pd.date_range("2024-01-01", periods=N).strftime("%Y-%m-%d"),
        "code": RNG.choice(["1", "03", "X", "Y", "Z"], N),
        "is_new": RNG.choice([True, False], N),
        "share": [f"{v}%" for v in RNG.integers(1, 9, N)],
        "size": RNG.standard_normal(N).round(3),
        "y": RNG.standard_normal(N).round(3),
    }
)


@pytest.fixture
def fitted(tmp_path):
    FRAME.to_csv(tmp_path / "fit.csv", index=False)
    return load_dataset(str(tmp_path / "fit.csv"), target="y")


def inputs(folder, frame, names, form="csv", **options):
    path = folder / f"new.{form}"
    if form == "csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return load_inputs(str(path), input_names=names, **options)


def test_the_names_of_a_fit_say_how_to_encode(fitted):
    assert fitted.input_names == (
        "when [days]",
        "code=03",
        "code=1",
        "code=X",
        "code=Y",
        "code=Z",
        "is_new",
        "share [%]",
        "size",
    )


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("kinds", [["1"], ["03"], ["1", "03"], ["X"], ["1", "X"], ["1", "03", "X", "Y"]])
def test_rows_without_targets_and_with_few_of_the_categories(tmp_path, fitted, kinds, form):
    """A column of "1" and "03" alone looks like numbers in a text file, and holds none."""
    is_kept = FRAME["code"].isin(kinds).to_numpy()
    frame = FRAME[is_kept].drop(columns="y")
    assert np.array_equal(inputs(tmp_path, frame, fitted.input_names, form), fitted.x[is_kept])


def test_one_row_with_other_columns_in_another_order(tmp_path, fitted):
    frame = FRAME[:1].drop(columns="y").assign(remark="free text")[["remark", *FRAME.columns[:-1][::-1]]]
    assert np.array_equal(inputs(tmp_path, frame, fitted.input_names), fitted.x[:1])


def test_gaps_in_other_columns_do_not_matter(tmp_path, fitted):
    frame = FRAME.assign(y=None, remark=None)
    assert np.array_equal(inputs(tmp_path, frame, fitted.input_names), fitted.x)
    frame = FRAME.assign(code=FRAME["code"].where(np.arange(N) != 5))
    with pytest.raises(ColumnError, match=r"'code' has 1 missing value \(first in row 6\)"):
        inputs(tmp_path, frame, fitted.input_names)
    assert np.array_equal(inputs(tmp_path, frame, fitted.input_names, missing="drop"), np.delete(fitted.x, 5, 0))
    numbers = FRAME[FRAME["code"].isin(["1", "03"])].reset_index(drop=True)
    gap = numbers.assign(code=numbers["code"].where(numbers.index != 3))
    expected = inputs(tmp_path, numbers.drop(index=3), fitted.input_names)
    assert np.array_equal(inputs(tmp_path, gap, fitted.input_names, missing="drop"), expected)


@pytest.mark.parametrize("form", [{}, {"sep": ";", "decimal": ","}, {"sep": "\t"}])
def test_another_dialect_gives_the_same_numbers(tmp_path, fitted, form):
    path = tmp_path / "other.csv"
    for frame, rows in ((FRAME, fitted.x), (FRAME[FRAME["code"] == "1"], fitted.x[FRAME["code"] == "1"])):
        frame.to_csv(path, index=False, **form)
        assert np.array_equal(load_inputs(str(path), input_names=fitted.input_names), rows)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"code": ["A", *FRAME["code"][1:]]},
            "'code' holds 'A' in row 1, .*never seen. It knows '03', '1', 'X', 'Y', 'Z'",
        ),
        ({"code": "4"}, "'code' holds '4' in row 1, which the network has never seen"),
        ({"when": "01.02.2024"}, "'when' holds '01.02.2024' in row 1, where the network takes dates as YYYY-MM-DD"),
        ({"when": 19000}, "'when' holds '19000' in row 1, where the network takes dates"),
        ({"share": 0.05}, "'share' holds '0.05' in row 1, where the network takes numbers with the unit '%'"),
        ({"share": [*FRAME["share"][:-1], "5‰"]}, f"'share' holds '5‰' in row {N}, where the network takes numbers"),
        ({"share": "5‰"}, "'share' holds '5‰' in row 1, where the network takes numbers with the unit '%'"),
        ({"size": "large"}, "'size' holds 'large', where the network takes numbers"),
        ({"size": ["n.a.", *FRAME["size"][1:]]}, "'size' holds numbers, but 'n.a.' in row 1"),
    ],
)
def test_what_a_fit_did_not_hold_is_refused_by_name(tmp_path, fitted, change, message):
    with pytest.raises(ColumnError, match=message):
        inputs(tmp_path, FRAME.assign(**change), fitted.input_names)


@pytest.mark.parametrize("name", ["when", "code", "share", "size"])
def test_a_column_that_is_missing_is_named(tmp_path, fitted, name):
    with pytest.raises(ColumnError, match=f"Column '{name}.*' is an input of the network and is not in the data"):
        inputs(tmp_path, FRAME.drop(columns=name), fitted.input_names)


def test_a_frame_that_python_holds_is_encoded_as_a_file_is(fitted):
    frame = FRAME.drop(columns="y").assign(code=FRAME["code"].astype("category"), size=FRAME["size"].astype("Float64"))
    assert np.array_equal(encode_as(frame, fitted.input_names), fitted.x)
    frame["when"] = pd.to_datetime(frame["when"])
    assert np.array_equal(encode_as(frame, fitted.input_names), fitted.x)
    frame.loc[4, "size"] = pd.NA
    with pytest.raises(ColumnError, match=r"'size' holds a missing value \(row 5\)"):
        encode_as(frame, fitted.input_names)
    numbered = pd.DataFrame({0: [1.0, 2.0], 1: [True, False]})
    assert encode_as(numbered, ["1", "0"]).tolist() == [[1.0, 1.0], [0.0, 2.0]]


def test_names_with_signs_of_their_own_are_told_apart():
    frame = pd.DataFrame({"a": ["b", "b=c", "x"] * 10, "a=b": ["c", "d", "d"] * 10, "a [m]": [*"pqr"] * 10})
    names = ["a=b=d", "a=b=c", "a [m]=p", "a [m]=q", "a [m]=r"]
    expected = np.tile([[0, 1, 1, 0, 0], [1, 0, 0, 1, 0], [1, 0, 0, 0, 1]], (10, 1))
    assert np.array_equal(encode_as(frame, names), expected)


def test_matrices_with_and_without_their_targets(tmp_path):
    x = RNG.standard_normal((N, 4))
    np.save(tmp_path / "all.npy", x)
    names = load_dataset(str(tmp_path / "all.npy"), target="1").input_names
    assert names == ("x0", "x2", "x3")
    assert np.array_equal(load_inputs(str(tmp_path / "all.npy"), input_names=names), x[:, [0, 2, 3]])
    np.save(tmp_path / "inputs.npy", x[:3, [0, 2, 3]])
    assert np.array_equal(load_inputs(str(tmp_path / "inputs.npy"), input_names=names), x[:3, [0, 2, 3]])
    np.savez(tmp_path / "inputs.npz", x=x[:2], z=np.array([None]))
    assert np.array_equal(load_inputs(str(tmp_path / "inputs.npz"), input_names=["x0", "x1", "x2", "x3"]), x[:2])
