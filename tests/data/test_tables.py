"""Tables as people have them: used correctly, or refused with a sentence that names the column."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from isthmus.data import load_dataset, load_inputs
from isthmus.data.column_use import ColumnUse
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
    assert data.columns == (
        ColumnUse("when", "date", "days since 1970-01-01"),
        ColumnUse("colour", "categories", "3: deep blue, green, red"),
        ColumnUse("is_new", "number"),
        ColumnUse("site", "left out", "constant"),
        ColumnUse("age", "number"),
        ColumnUse("size, cm", "number"),
        ColumnUse("price", "target", "number"),
        ColumnUse("grade", "left out", "--drop"),
    )


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


def test_columns_that_a_fit_used_cannot_be_left_out_of_new_rows(tmp_path):
    frame = pd.DataFrame({"age": np.arange(30.0), "size": np.arange(30.0) % 7, "y": np.arange(30.0) ** 2})
    path = written(tmp_path, frame, "t.csv")
    names = load_dataset(path, target="y").input_names
    assert load_inputs(path, input_names=names, drop="y").shape == (30, 2)
    with pytest.raises(OptionError, match="--drop is 'age' but must be left out for columns that the network was"):
        load_inputs(path, input_names=names, drop="age,y")


@pytest.mark.parametrize(
    "options",
    [
        {"sep": ";"},
        {"sep": "\t"},
        {"sep": ";", "decimal": ","},
        {"sep": "\t", "decimal": ","},
        {"sep": "|"},
        {"encoding": "utf-8-sig"},
        {"lineterminator": "\r\n"},
        {"quoting": 1},
    ],
)
def test_dialects_of_csv_give_the_same_numbers(tmp_path, options):
    frame = messy()
    plain = load_dataset(written(tmp_path, frame, "a.csv"), target=["price"], drop=["grade"])
    other = load_dataset(written(tmp_path, frame, "b.csv", **options), target=["price"], drop=["grade"])
    assert np.array_equal(plain.x, other.x)
    assert np.array_equal(plain.y, other.y)


def test_decimal_commas_are_said_to_be_read(tmp_path):
    path = written(tmp_path, messy(), sep=";", decimal=",")
    assert (
        "Commas in numbers were read as decimal commas." in load_dataset(path, target=["price"], drop=["grade"]).notes
    )


def test_columns_without_names_that_hold_nothing_are_left_out(tmp_path):
    frame = messy()[["age", "price"]]
    frame.to_csv(tmp_path / "index.csv")  # pandas writes the row numbers under an empty name
    data = load_dataset(str(tmp_path / "index.csv"), target=["price"])
    assert data.input_names == ("age",)
    assert ColumnUse("column 1", "left out", "no name, counts the rows") in data.columns
    assert np.allclose(load_inputs(str(tmp_path / "index.csv"), input_names=["age"]), data.x)
    lines = "".join(f"{i},{i * i % 17},\n" for i in range(30))
    (tmp_path / "comma.csv").write_text("\n\na,y,\n" + lines)  # blank lines before, a comma at each end
    data = load_dataset(str(tmp_path / "comma.csv"), target=["y"])
    assert data.input_names == ("a",)
    assert data.y[:3, 0].tolist() == [0.0, 1.0, 4.0]


def test_booleans_with_gaps_stay_booleans(tmp_path):
    frame = messy()
    whole = load_dataset(written(tmp_path, frame, "whole.csv"), target=["price"], drop=["grade"])
    frame["is_new"] = frame["is_new"].astype(object)
    frame.loc[4, "is_new"] = None
    path = written(tmp_path, frame, "gap.csv")
    data = load_dataset(path, target=["price"], drop=["grade"], missing="drop")
    assert data.input_names == whole.input_names
    assert np.array_equal(data.x, np.delete(whole.x, 4, axis=0))
    assert "1 row with missing values was left out." in data.notes
    assert np.array_equal(load_inputs(path, input_names=whole.input_names, missing="drop"), data.x)


def test_a_date_can_be_predicted(tmp_path):
    data = load_dataset(written(tmp_path, messy()), target=["when"], drop=["grade"])
    assert (data.task, data.output_names) == ("regression", ("when [days]",))
    assert np.array_equal(np.diff(data.y[:, 0]), np.ones(119))


def test_types_of_parquet_become_numbers(tmp_path):
    frame = pd.DataFrame(
        {
            "cents": [decimal.Decimal(i) / 100 for i in range(60)],
            "count": pd.array(np.arange(60) % 7, dtype="Int64"),
            "kind": pd.Categorical(["u", "v"] * 30),
            "grade": pd.Categorical([10, 20] * 30),  # what is a category there is no number here
            "code": [f"00{i % 3}" for i in range(60)],
            "time": pd.date_range("1970-01-02", periods=60, tz="UTC"),
            "y": np.arange(60.0),
        }
    )
    frame.to_parquet(tmp_path / "t.parquet")
    data = load_dataset(str(tmp_path / "t.parquet"), target=["y"])
    names = (
        "cents",
        "count",
        "kind=u",
        "kind=v",
        "grade=10",
        "grade=20",
        "code=000",
        "code=001",
        "code=002",
        "time [days]",
    )
    assert data.input_names == names
    assert np.allclose(data.x[5], [0.05, 5.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 6.0])
    frame[["y"]].assign(x=frame["y"] + 1).astype(np.float32).to_parquet(tmp_path / "single.parquet")
    assert load_dataset(str(tmp_path / "single.parquet"), target=["y"]).x.dtype == np.float32


def test_measuring_refuses_what_the_network_has_never_seen(tmp_path):
    frame = messy()
    names = load_dataset(written(tmp_path, frame), target=["price"], drop=["grade"]).input_names
    frame.loc[3, "colour"] = "violet"
    message = "'colour' holds 'violet' in row 4, .*knows 'deep blue', 'green', 'red'"
    with pytest.raises(ColumnError, match=message):
        load_inputs(written(tmp_path, frame, "new.csv"), input_names=names)


def test_measuring_without_names_takes_every_column_or_refuses_it_by_name(tmp_path):
    """A column that were left out unsaid would give its place to the next one."""
    frame = messy()
    path = written(tmp_path, frame)
    for drop, message in (
        ([], "'when' holds '2024-01-01', where a network that does not name its inputs takes numbers"),
        (["when,colour"], "'site' holds 'north'.*use --drop 'site'"),
    ):
        with pytest.raises(ColumnError, match=message):
            load_inputs(path, drop=drop)
    x = load_inputs(path, drop=["when,colour", "site", "grade"])
    assert np.allclose(x, frame[["is_new", "age", "size, cm", "price"]].astype(float))
    with pytest.raises(OptionError, match="every column was dropped"):
        load_inputs(path, drop=list(frame.columns))
    with pytest.raises(OptionError, match="--drop is 'cost' but must be among the columns: when, colour"):
        load_inputs(path, drop="cost")


def test_thousands_apart_do_not_move_the_columns_that_follow(tmp_path):
    """pandas-dev/pandas#22584, tidyverse/readr#799: thousands separators make a column text."""
    numbers = np.random.default_rng(0).standard_normal((40, 4))
    lines = [f'{a:.4f},{b:.4f},"{4000 + 900 * v:,.2f}",{t:.4f}\n' for a, b, v, t in numbers]
    (tmp_path / "grouped.csv").write_text("a,b,volume,yield\n" + "".join(lines))
    with pytest.raises(ColumnError, match=r"'volume' holds numbers, but '\d,\d+\.\d\d' in row 1\. Write numbers with"):
        load_inputs(str(tmp_path / "grouped.csv"))


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
    part[data.split.test] = 1
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
    "unknown drop": (changed(), {"drop": ["cost"]}, OptionError, "--drop is 'cost' but must be among the columns"),
    "unknown weights": (changed(), {"weights": "cost"}, OptionError, "--weights is 'cost' but must be among the col"),
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
    "all with thousands": (
        changed(size=lambda f: [f"{1 + i % 9},{i:03}.5" for i in range(len(f))]),
        {},
        ColumnError,
        "'size' holds numbers, but '1,000.5' in row 1. Write numbers with a decimal point",
    ),
    "units": (
        changed(size=lambda f: [f"{i / 8} {'kg' if i % 2 == 0 else 'lb'}" for i in range(len(f))]),
        {},
        ColumnError,
        "'size' holds numbers that are written as texts, such as '0.0 kg'",
    ),
    "dashes": (
        with_value("age", 8, "-"),
        {},
        ColumnError,
        "'age' holds numbers, but '-' in row 9.*--missing drop, or use --drop 'age'",
    ),
    "target twice": (changed(), {"target": ["price", "price"]}, OptionError, "different columns"),
    "target dropped": (changed(), {"drop": ["price", "grade"]}, OptionError, "none of them also in --drop"),
    "unknown policy": (
        changed(),
        {"missing": "guess"},
        OptionError,
        "--missing is 'guess' but must be refuse, drop or indicate",
    ),
    "names that meet": (
        lambda f: f.assign(**{"colour=red": f["age"]}),
        {},
        ColumnError,
        "'colour=red' would be the name of two inputs",
    ),
    "nothing left": (
        changed(
            age=lambda f: [i if i % 2 else None for i in range(len(f))],
            old=lambda f: [None if i % 2 else i for i in range(len(f))],
        ),
        {"missing": "drop"},
        ColumnError,
        "'age' has so many missing values that no row is complete. Use --missing indicate, or --drop 'age'",
    ),
    "a target without values": (
        changed(price=None),
        {},
        ColumnError,
        "'price' holds no value at all",
    ),
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
    "ragged.csv": (b"a,b\n1,2\n3,4,5\n", FileFormatError, "row 2 has 3 fields where line 1 has 2 names of columns"),
    "late ragged.csv": (
        b"#x\na,b\n" + b"1,2\n" * 40000 + b"3,4,5\n",
        FileFormatError,
        "line 40003 has 3 fields where the header has 2",
    ),
    "long.csv": (b"a,b\n1,2,3\n4,5,6\n", FileFormatError, r"row 1 has 3 fields where line 1 has 2 names .*'a', 'b'"),
    "latin.csv": ("größe,y\n1,2\n".encode("latin-1"), FileFormatError, "not UTF-8"),
    "binary.csv": (b"\x00\x01\x02\x00", FileFormatError, "binary"),
    "nameless.csv": (b"a,,b\n1,2,3\n4,9,6\n", ColumnError, r"\(number 2\) has no name"),
    "utf16.csv": ("a,b\n1,2\n".encode("utf-16-le"), FileFormatError, "binary"),
    "late.csv": (
        b"a,b\n" + b"1,2\n" * 40000 + b"\xe9,3\n",
        FileFormatError,
        r"not UTF-8 text \(byte 0xE9 in line 40002\). Use --encoding, cp1252",
    ),
    "blank.csv": (b"\n\n\n", FileFormatError, "it is empty"),
    "empty.parquet": (b"", FileFormatError, "Cannot read"),
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


def test_parquet_that_is_cut_or_holds_lists_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    messy().to_parquet(path)
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(FileFormatError, match=r"Cannot read .*t\.parquet.*Save the table again"):
        load_dataset(str(path), target=["price"])
    messy().assign(pair=[[i, i] for i in range(120)]).to_parquet(path)
    with pytest.raises(ColumnError, match="'pair' holds a ndarray in each row"):
        load_dataset(str(path), target=["price"])
    messy().assign(text=[str(i) for i in range(120)]).to_parquet(path)
    with pytest.raises(ColumnError, match="'text' holds numbers that are written as texts"):
        load_dataset(str(path), target=["price"])
    pq.write_table(pa.table([range(30), range(30), range(30)], names=["a", "a", "y"]), path)
    with pytest.raises(ColumnError, match="'a' stands in the header more than once"):
        load_dataset(str(path), target=["y"])
