"""Tables as people have them: used correctly, or refused with a sentence that names the column."""

import datetime

import numpy as np
import pandas as pd
import pytest

from isthmus.datasets import load_dataset, load_inputs
from isthmus.errors import (
    ColumnError,
    FileFormatError,
    FileMissingError,
    OptionError,
    RareClassError,
    TooFewRowsError,
)


def messy(n=120, seed=0):
    """A table that no one prepared."""
    rng = np.random.default_rng(seed)
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=int(i)) for i in range(n)]
    return pd.DataFrame(
        {
            "when": [d.isoformat() for d in days],
            "colour": rng.choice(["red", "green", "deep blue"], n),
            "is_new": rng.choice([True, False], n),
            "site": "north",
            "age": rng.integers(20, 70, n),
            "size, cm": rng.normal(5.0, 2.0, n).round(3),
            "price": rng.normal(100.0, 20.0, n),
            "grade": rng.choice(["good", "bad"], n),
        }
    )


def written(tmp_path, frame, name="t.csv", **options):
    path = tmp_path / name
    frame.to_csv(path, index=False, **options)
    return str(path)


def test_a_messy_table_is_encoded_as_it_says(tmp_path):
    frame = messy()
    data = load_dataset(written(tmp_path, frame), target=["price"], drop=["grade"])
    assert data.task == "regression"
    assert data.output_names == ("price",)
    assert data.input_names == (
        "when [days]",
        "colour=deep blue",
        "colour=green",
        "colour=red",
        "is_new",
        "age",
        "size, cm",
    )
    columns = dict(zip(data.input_names, data.x.T, strict=True))
    assert columns["when [days]"][0] == (datetime.date(2024, 1, 1) - datetime.date(1970, 1, 1)).days
    assert np.array_equal(columns["colour=green"], frame["colour"] == "green")
    assert np.array_equal(columns["is_new"], frame["is_new"])
    assert np.allclose(data.y[:, 0], frame["price"])
    notes = " ".join(data.notes)
    for said in ("'site' is constant", "'when' holds dates", "'colour' holds 3 different texts"):
        assert said in notes


def test_measuring_repeats_the_encoding_of_the_fit(tmp_path):
    frame = messy()
    data = load_dataset(written(tmp_path, frame), target=["price"], drop=["grade"])
    shuffled = frame[frame["colour"] != "red"][[*frame.columns[::-1]]]
    x = load_inputs(written(tmp_path, shuffled, "other.csv"), input_names=data.input_names)
    assert np.allclose(x, data.x[(frame["colour"] != "red").to_numpy()])
    frame.loc[[2, 9], "age"] = np.nan
    frame.loc[30, "price"] = np.nan  # a target that is missing does not matter here
    gaps = written(tmp_path, frame, "gaps.csv")
    with pytest.raises(ColumnError, match="'age' has 2 missing values"):
        load_inputs(gaps, input_names=data.input_names)
    assert np.allclose(
        load_inputs(gaps, input_names=data.input_names, missing="drop"), np.delete(data.x, [2, 9], axis=0)
    )
    with pytest.raises(ColumnError, match="'age' is an input of the network and is not in the data"):
        load_inputs(written(tmp_path, frame.drop(columns="age"), "less.csv"), input_names=data.input_names)


@pytest.mark.parametrize(
    "options", [{"sep": ";"}, {"sep": "\t"}, {"sep": ";", "decimal": ","}, {"encoding": "utf-8-sig"}]
)
def test_dialects_of_csv_give_the_same_numbers(tmp_path, options):
    frame = messy()
    plain = load_dataset(written(tmp_path, frame, "a.csv"), target=["price"], drop=["grade"])
    other = load_dataset(written(tmp_path, frame, "b.csv", **options), target=["price"], drop=["grade"])
    assert np.array_equal(plain.x, other.x)
    assert np.array_equal(plain.y, other.y)


def test_parquet_gives_the_same_numbers(tmp_path):
    frame = messy()
    frame.to_parquet(tmp_path / "t.parquet")
    plain = load_dataset(written(tmp_path, frame), target=["price"], drop=["grade"])
    other = load_dataset(str(tmp_path / "t.parquet"), target=["price"], drop=["grade"])
    assert np.array_equal(plain.x, other.x)


def test_rows_with_missing_values_are_dropped_on_request(tmp_path):
    frame = messy()
    frame.loc[[3, 10], "age"] = np.nan
    frame.loc[[10, 50], "colour"] = None
    data = load_dataset(written(tmp_path, frame), target=["price"], drop=["grade"], missing="drop")
    assert len(data.x) == 117
    assert "3 rows with missing values were left out." in data.notes


def test_a_text_target_is_a_classification(tmp_path):
    data = load_dataset(written(tmp_path, messy()), target=["grade"])
    assert data.task == "classification"
    assert data.output_names == ("bad", "good")
    assert set(np.unique(data.y)) == {0, 1}


def test_duplicate_rows_stay_in_one_part(tmp_path):
    frame = messy(60)
    data = load_dataset(written(tmp_path, pd.concat([frame, frame])), target=["price"], drop=["grade"])
    part = np.zeros(120, int)
    part[data.split.validation], part[data.split.test] = 1, 2
    assert np.array_equal(part[:60], part[60:])
    assert any("60 rows repeat" in note for note in data.notes)


def changed(**columns):
    def change(frame):
        for name, values in columns.items():
            frame[name] = values(frame) if callable(values) else values
        return frame

    return change


def with_value(column, row, value):
    def change(frame):
        frame[column] = frame[column].astype(object)
        frame.loc[row, column] = value
        return frame

    return change


BAD_TABLES = {
    "missing value": (
        with_value("age", 6, None),
        {},
        ColumnError,
        r"Column 'age' has 1 missing value \(first in row 7\)",
    ),
    "text among numbers": (
        with_value("age", 4, "unknown"),
        {},
        ColumnError,
        "'age' holds numbers, but 'unknown' in row 5",
    ),
    "thousands": (with_value("price", 0, "1,234.5"), {}, ColumnError, "'price' holds numbers, but '1,234.5' in row 1"),
    "infinity": (with_value("age", 2, float("inf")), {}, ColumnError, r"'age' holds an infinite value \(row 3\)"),
    "identifiers": (
        changed(code=lambda f: [f"id-{i}x" for i in range(len(f))]),
        {},
        ColumnError,
        "'code' holds 120 different texts",
    ),
    "local dates": (
        changed(day=lambda f: [f"{1 + i % 28:02}/03/2024" for i in range(len(f))]),
        {},
        ColumnError,
        "YYYY-MM-DD",
    ),
    "constant target": (changed(price=1.0), {}, ColumnError, "'price' is constant: there is nothing to predict"),
    "unknown target": (
        changed(),
        {"target": ["cost"]},
        OptionError,
        "'cost' but must be among the columns: when, colour",
    ),
    "unknown drop": (changed(), {"drop": ["cost"]}, OptionError, "--drop is 'cost'"),
    "no target": (changed(), {"target": []}, OptionError, "one or more of the columns when, colour"),
    "target of an autoencoder": (changed(), {"task": "autoencoder"}, OptionError, "left out for an autoencoder"),
    "text for a regression": (
        changed(),
        {"target": ["grade"], "drop": [], "task": "regression"},
        ColumnError,
        "regression cannot predict",
    ),
    "number for a classification": (changed(), {"task": "classification"}, OptionError, "use --task regression"),
    "two class columns": (
        changed(),
        {"target": ["grade", "colour"], "drop": [], "task": "classification"},
        OptionError,
        "one column",
    ),
    "rare class": (
        with_value("grade", 0, "unheard"),
        {"target": ["grade"], "drop": []},
        RareClassError,
        "'unheard' has 1 row;",
    ),
    "few rows": (lambda f: f[:10], {"drop": ["grade", "colour"]}, TooFewRowsError, "10 rows; at least 20"),
    "only constants": (
        lambda f: f[["site", "price"]],
        {"drop": []},
        OptionError,
        "every input column is constant",
    ),
    "share": (changed(), {"test": 0.9}, OptionError, "--test is 0.9"),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_bad_tables_are_refused_with_the_column(tmp_path, name):
    change, options, error, message = BAD_TABLES[name]
    path = written(tmp_path, change(messy()))
    with pytest.raises(error, match=message):
        load_dataset(path, **{"target": ["price"], "drop": ["grade"], **options})


BAD_FILES = {
    "empty.csv": (b"", FileFormatError, "it is empty"),
    "header.csv": (b"a,b,c\n", FileFormatError, "3 columns and no rows"),
    "ragged.csv": (b"a,b\n1,2\n3,4,5\n", FileFormatError, "Expected 2 fields in line 3, saw 3"),
    "long.csv": (b"a,b\n1,2,3\n4,5,6\n", FileFormatError, "Length of header|Expected 2 fields"),
    "latin.csv": ("größe,y\n1,2\n".encode("latin-1"), FileFormatError, "not UTF-8"),
    "binary.csv": (b"\x00\x01\x02\x00", FileFormatError, "binary"),
    "twice.csv": (b"a,b,a\n1,2,3\n", ColumnError, "'a' stands in the header more than once"),
    "broken.parquet": (b"PAR1 and no more", FileFormatError, "Cannot read"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_damaged_tables_are_refused(tmp_path, name):
    content, error, message = BAD_FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=message):
        load_dataset(str(tmp_path / name), target=["b"])


def test_a_missing_file_is_named_and_a_slip_corrected(tmp_path):
    with pytest.raises(FileMissingError, match=r"There is no .*none\.csv"):
        load_dataset(str(tmp_path / "none.csv"))
    with pytest.raises(FileMissingError, match="Did you mean teacher"):
        load_dataset("techer")
