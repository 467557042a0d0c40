"""Long tables, read some rows at a time: the same as when they are held, and as when they are short."""

import datetime
import decimal
from collections import Counter
from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest

from isthmus.data import columnar, load_dataset, load_inputs, numpy_files, row_draw
from isthmus.errors import ColumnError, IsthmusError

N = 600


@pytest.fixture
def long(monkeypatch):
    """600 rows are many, and are read 37 at a time."""
    monkeypatch.setattr(row_draw, "MOST_ROWS", 60)
    monkeypatch.setattr(columnar, "_BATCH", 37)


def people(n=N, seed=0):
    """Columns of every kind; gaps, rare values and whatever else decides are in few rows, late ones mostly."""
    rng = np.random.default_rng(seed)
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=int(i)) for i in rng.integers(0, 900, n)]
    frame = pd.DataFrame(
        {
            "number": rng.normal(size=n),
            "whole": rng.integers(-5, 5, n),
            "single": rng.normal(size=n).astype(np.float32),
            "is_new": rng.choice([True, False], n),
            "when": [day.isoformat() for day in days],
            "day": days,
            "moment": pd.Timestamp("2020-01-01", tz="Europe/Berlin") + pd.to_timedelta(rng.integers(0, 10**6, n), "s"),
            "took": pd.to_timedelta(rng.integers(0, 10**4, n), "s"),
            "length": [f"{value:.1f} kg" for value in rng.normal(size=n)],
            "colour": rng.choice(["red", "green", "blue"], n),
            "kind": pd.Categorical(rng.choice(["a", "b"], n)),
            "price": [decimal.Decimal(int(value)) / 4 for value in rng.integers(0, 100, n)],
            "site": "north",
            "empty": pd.Series([None] * n, dtype=object),
            "almost": np.zeros(n),
            "gaps": rng.normal(size=n),
            "switch": rng.choice([True, False], n).astype(object),
            "y": rng.normal(size=n),
        }
    )
    frame["grade"] = pd.Categorical(rng.choice([10, 20, 30], n))
    frame.loc[n - 9, "colour"] = "ultramarine"
    frame.loc[n - 8, "almost"] = 1.0
    frame.loc[[n - 90, n - 3], "gaps"] = np.nan
    frame.loc[n - 60, "switch"] = None
    frame.loc[n - 4, "y"] = np.nan
    return frame


def ways(frame, folder):
    frame.to_parquet(folder / "t.parquet", row_group_size=100)
    frame.to_feather(folder / "t.feather", chunksize=90)
    return [frame, str(folder / "t.parquet"), str(folder / "t.feather")]


def facts(data):
    """All that a data set holds, but for its name."""
    arrays = (data.x, data.y, data.split.train, data.split.test, data.weights if data.weights is not None else ())
    blocks = None if data.blocks is None else (data.blocks.of_row.tolist(), data.blocks.is_forward)
    said = (data.input_names, data.output_names, data.task, data.notes, data.warnings, data.columns, dict(data.fills))
    return [np.asarray(each).tolist() for each in arrays], [each.dtype for each in arrays[:2]], blocks, said


@pytest.mark.parametrize("missing", ["drop", "indicate"])
@pytest.mark.parametrize("seed", range(2))
def test_a_table_in_blocks_is_the_table_that_is_held(tmp_path, long, missing, seed):
    held, *filed = (
        load_dataset(each, target="y", missing=missing, seed=seed) for each in ways(people(seed=seed), tmp_path)
    )
    assert len(held.x) == 60
    assert all(facts(each) == facts(held) for each in filed)
    assert len({held.sha256, *(each.sha256 for each in filed)}) == 1


@pytest.mark.parametrize("missing", ["drop", "indicate"])
def test_columns_are_read_as_those_of_all_rows(tmp_path, monkeypatch, missing):
    whole = load_dataset(people(), target="y", missing=missing)
    path = ways(people(), tmp_path)[1]
    monkeypatch.setattr(row_draw, "MOST_ROWS", 60)
    monkeypatch.setattr(columnar, "_BATCH", 37)
    drawn = load_dataset(path, target="y", missing=missing)
    rows = int((people()[["y"] if missing == "indicate" else ["y", "gaps", "switch"]].notna().all(axis=1)).sum())
    said = f"Of {rows} rows 60 different ones were drawn, by a hash of what they hold; each counts as often as"
    assert drawn.notes == (*whole.notes, f"{said} it is there. How columns are read was decided by all rows.")
    assert drawn.input_names == whole.input_names
    assert "colour=ultramarine" in drawn.input_names  # of one row, whether it was drawn or not
    assert "almost" in drawn.input_names
    of_rows = {(*x, *y) for x, y in zip(whole.x.tolist(), whole.y.tolist(), strict=True)}
    if missing == "drop":
        assert drawn.columns == whole.columns
        assert {(*x, *y) for x, y in zip(drawn.x.tolist(), drawn.y.tolist(), strict=True)} <= of_rows
    else:  # the median is that of fewer rows
        texts = [each.detail.partition(" and filled")[0] for each in drawn.columns]
        assert texts == [each.detail.partition(" and filled")[0] for each in whole.columns]
        assert "2 missing" in next(each.detail for each in drawn.columns if each.name == "gaps")


BAD = {
    "a gap": ({"number": (500, None)}, "'number' has 1 missing value .first in row 501"),
    "infinite": ({"number": (500, np.inf)}, "'number' holds an infinite value .row 501"),
    "another date": ({"when": (500, "unknown")}, "'when' holds .* different texts"),
    "another unit": ({"length": (500, "1.0 mg")}, "'length' holds numbers"),
    "no unit": ({"length": (500, "n/a")}, "'length' holds"),
    "an empty target": ({"y": (slice(None), np.nan)}, "'y' holds no value at all"),
    "a constant target": ({"y": (slice(None), 1.0)}, "'y' is constant"),
    "a large whole number": ({"whole": (500, 2**53 + 1)}, "'whole' holds whole numbers such as 9007199254740993"),
    "a negative weight": (
        {"whole": (slice(None), 1), "single": (500, -1.0)},
        "'single' holds the weight -1 in row 501",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused_of_a_short_table_is_refused_of_a_long_one(tmp_path, long, name):
    changes, message = BAD[name]
    frame = people().drop(columns=["gaps", "switch", "day", "price", "empty"])
    frame["single"] = frame["single"].abs()
    frame = frame.dropna()
    for column, (row, value) in changes.items():
        frame.loc[row, column] = value
    weights = "single" if "weight" in name else None
    said = set()
    for each in ways(frame.reset_index(drop=True), tmp_path):
        with pytest.raises(IsthmusError, match=message) as refused:
            load_dataset(each, target="y", weights=weights)
        said.add(str(refused.value))
    assert len(said) == 1


def test_lists_and_too_many_texts_are_refused(tmp_path, long):
    frame = people().dropna(subset="y")[["number", "y"]].reset_index(drop=True)
    for column, message in (
        ([[1, 2]] * len(frame), "'z' holds a"),
        ([f"t{i}" for i in range(len(frame))], "'z' holds .* different texts"),
        ([f"t{i % 21}" for i in range(len(frame))], "'z' holds 21 different texts"),
    ):
        for each in ways(frame.assign(z=column), tmp_path):
            with pytest.raises(ColumnError, match=message):
                load_dataset(each, target="y")


def test_objects_of_several_kinds_are_read_by_what_they_are_written_as(long):
    frame = people().dropna(subset="y")[["number", "y"]].reset_index(drop=True)
    mixed = ["a", 1, datetime.date(2024, 1, 1), None] * len(frame)
    data = load_dataset(frame.assign(z=mixed[: len(frame)]), target="y", missing="indicate")
    assert data.input_names == ("number", "z=1", "z=2024-01-01", "z=a", "z is missing")
    late = [*(["a", "b"] * len(frame))[1 : len(frame)], [1, 2]]
    assert load_dataset(frame.assign(z=late), target="y").input_names == ("number", "z=[1, 2]", "z=a", "z=b")


def test_rows_that_repeat_are_one_that_counts_more(tmp_path, long):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {"a": rng.integers(0, 12, 2000), "b": rng.integers(0, 12, 2000), "y": rng.integers(0, 2, 2000)}
    )
    counts = Counter(map(tuple, frame.to_numpy().tolist()))
    assert len(counts) > 200
    for each in ways(frame, tmp_path):
        data = load_dataset(each, target="y", test=0)
        rows = np.concatenate([data.x, data.y], 1).astype(int)
        assert len(rows) == 60 == len(set(map(tuple, rows.tolist())))
        assert data.weights.tolist() == [counts[tuple(row)] for row in rows.tolist()]
    few = frame.assign(a=frame["a"] % 5, b=frame["b"] % 5)
    counts = Counter(map(tuple, few.to_numpy().tolist()))
    data = load_dataset(ways(few, tmp_path)[1], target="y", test=0)
    assert sorted(data.weights.tolist()) == sorted(map(float, counts.values()))
    assert any(note.startswith("2,000 rows hold 50 different ones;") for note in data.notes)


def test_no_class_is_lost_and_the_order_of_rows_does_not_matter(tmp_path, long):
    frame = people(2000).dropna(subset="y")[["number", "whole", "y"]].assign(label="often").reset_index(drop=True)
    frame.loc[[5, 705, 1505], "label"] = "rare"
    frame.loc[::100, "label"] = "seldom"
    drawn = []
    for each in (frame, frame.sample(frac=1.0, random_state=0)):
        data = load_dataset(ways(each.reset_index(drop=True), tmp_path)[1], target="label", test=0)
        assert data.output_names == ("often", "rare", "seldom")
        counts = np.bincount(data.y)
        assert counts[1] == 3
        assert counts[2] == 10
        drawn.append({(*row, label) for row, label in zip(data.x.tolist(), data.y.tolist(), strict=True)})
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("rows", [50, N])
def test_a_class_has_as_many_rows_as_the_table_has(tmp_path, long, rows):
    frame = people()[["number", "whole"]].head(rows).assign(label="often")
    frame.loc[:9, "label"] = "seldom"
    frame.loc[10:12] = (0.5, 1, "equal")  # three rows of a class that hold the same
    np.savez(tmp_path / "t.npz", x=frame[["number", "whole"]].to_numpy(), y=frame["label"].to_numpy(str))
    for each in (*ways(frame, tmp_path), str(tmp_path / "t.npz")):
        data = load_dataset(each, target=[] if str(each).endswith("npz") else "label", task="classification", test=0)
        assert data.output_names == ("equal", "often", "seldom")
    frame.loc[12, "label"] = "often"
    for each in ways(frame, tmp_path):
        with pytest.raises(IsthmusError, match="Class 'equal' has 2 rows; each class needs at least 3"):
            load_dataset(each, target="label", test=0)


def test_refusals_count_the_rows_of_the_table_and_not_those_drawn(tmp_path, long):
    few = pd.DataFrame({"a": np.arange(N) % 12, "text": [f"t{i % 12}" for i in range(N)], "y": np.arange(N) % 12 // 3})
    several = pd.DataFrame({"a": np.arange(N), "text": [f"t{i % 40}" for i in range(N)], "y": np.arange(N) % 7})
    for frame, message in (
        (few, "The data, equal inputs counted once, has 12 rows"),
        (several, "'text' holds more than 20 different texts in 600 rows"),
    ):
        for each in ways(frame, tmp_path):
            with pytest.raises(IsthmusError, match=message):
                load_dataset(each, target="y")


def test_more_classes_than_are_drawn_from_are_refused(long):
    labels = np.where(np.arange(4000) < 3300, np.arange(4000) // 3, -1)
    with pytest.raises(IsthmusError, match="number of classes is '1100 or more' but must be at most 1000"):
        load_dataset(pd.DataFrame({"a": np.arange(4000.0), "y": np.char.add("c", labels.astype(str))}), target="y")


@pytest.mark.parametrize("apart", ["group", "time", "weights"])
def test_columns_that_say_something_of_rows(tmp_path, long, apart):
    frame = people().dropna(subset="y")[["number", "whole", "y"]].reset_index(drop=True)
    frame["c"] = np.arange(len(frame)) // 5 + 1
    held, *filed = (load_dataset(each, target="y", **{apart: "c"}) for each in ways(frame, tmp_path))
    assert all(facts(each) == facts(held) for each in filed)
    of_row = {(a, b): c for a, b, c in frame[["number", "whole", "c"]].to_numpy().tolist()}
    wanted = np.array([of_row[tuple(row)] for row in held.x.tolist()])
    wanted = wanted.astype(str) if apart == "group" else wanted
    found = held.weights if apart == "weights" else held.blocks.of_row
    np.testing.assert_array_equal(np.unique(wanted, return_inverse=True)[1], np.unique(found, return_inverse=True)[1])


def test_new_rows_are_read_in_blocks_as_whole(tmp_path, monkeypatch):
    fitted = load_dataset(people(), target="y", missing="indicate")
    options = {"input_names": fitted.input_names, "fills": fitted.fills, "missing": "indicate"}
    whole = load_inputs(people(), **options)
    plain = people()[["number", "whole", "is_new"]]
    monkeypatch.setattr(row_draw, "MOST_ROWS", 60)
    monkeypatch.setattr(columnar, "_BATCH", 37)
    for each in ways(people(), tmp_path)[1:]:
        np.testing.assert_array_equal(load_inputs(each, **options), whole)
    for each in ways(plain, tmp_path)[1:]:
        np.testing.assert_array_equal(load_inputs(each), plain.to_numpy(float))


def test_an_index_that_was_written_as_a_column_is_left_out(tmp_path, long):
    frame = people().dropna(subset="y")[["number", "y"]].reset_index(drop=True)
    frame.insert(0, "Unnamed: 0", np.arange(len(frame)))
    for each in ways(frame, tmp_path):
        data = load_dataset(each, target="y")
        assert data.input_names == ("number",)
        assert ("Unnamed: 0", "left out", "an index, counts the rows") in map(astuple, data.columns)
    frame["Unnamed: 0"] = frame["Unnamed: 0"].mask(frame["Unnamed: 0"] == 400, 5)
    assert load_dataset(ways(frame, tmp_path)[1], target="y").input_names == ("Unnamed: 0", "number")


@pytest.mark.parametrize("rows", [50, N])
def test_columns_without_a_name_are_read_as_those_of_a_text(tmp_path, long, rows):
    frame = people().head(rows).dropna(subset="y")[["number", "y"]].reset_index(drop=True)
    frame.insert(1, "", np.arange(len(frame)))
    for each in ways(frame, tmp_path):
        data = load_dataset(each, target="y")
        assert data.input_names == ("number",)
        assert ("column 2", "left out", "no name, counts the rows") in map(astuple, data.columns)
    frame[""] = frame[""].mask(frame[""] == 40, 5)
    for each in ways(frame, tmp_path):
        with pytest.raises(ColumnError, match=r"'' .number 2. has no name. Give it a name;"):
            load_dataset(each, target="y")
    frame[""] = None
    assert load_dataset(ways(frame, tmp_path)[2], target="y").input_names == ("number",)


def test_numbers_that_are_many_categories_by_type_are_refused_by_that(tmp_path):
    frame = pd.DataFrame({"a": np.arange(90.0), "code": pd.Categorical(np.arange(90) % 30)})
    for each in ways(frame, tmp_path):
        with pytest.raises(ColumnError, match="'code' holds numbers that its type makes categories"):
            load_dataset(each, target="a")


def test_names_that_repeat_are_refused_by_name(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import feather, parquet

    table = pa.Table.from_arrays([pa.array(np.arange(40.0))] * 3, names=["a", "b", "b"])
    parquet.write_table(table, tmp_path / "t.parquet")
    feather.write_feather(table, tmp_path / "t.feather")
    for name in ("t.parquet", "t.feather"):
        with pytest.raises(ColumnError, match="'b' stands in the header more than once"):
            load_dataset(str(tmp_path / name), target="a")


def test_identifiers_are_warned_of(tmp_path, long):
    frame = people().dropna(subset="y")[["number", "y"]].reset_index(drop=True)
    frame["row"] = np.random.default_rng(0).permutation(len(frame))
    for each in ways(frame, tmp_path):
        assert any(
            "'row' holds a number that counts the rows" in said for said in load_dataset(each, target="y").warnings
        )


def test_arrays_in_files_are_drawn_from_as_tables(tmp_path, long):
    frame = people(2000).dropna(subset="y")[["number", "whole", "y"]].reset_index(drop=True)
    frame = pd.concat([frame, frame[:50]], ignore_index=True)  # some rows count twice
    table = load_dataset(ways(frame, tmp_path)[1], target="y", seed=3)
    np.savez(tmp_path / "a.npz", x=frame[["number", "whole"]].to_numpy(float), y=frame["y"].to_numpy())
    np.save(tmp_path / "a.npy", frame.to_numpy(float))
    for data in (
        load_dataset(str(tmp_path / "a.npz"), seed=3),
        load_dataset(str(tmp_path / "a.npy"), target="2", seed=3),
    ):
        assert facts(data)[:3] == facts(table)[:3]
        assert data.notes[0] == table.notes[0].partition(" How columns")[0]
    assert len(table.x) == 60 == len(load_dataset(str(tmp_path / "a.npy")).x)
    labels = np.where(np.arange(len(frame)) % 100, "often", "seldom")
    np.savez(tmp_path / "c.npz", x=frame[["number", "whole"]].to_numpy(float), y=labels)
    data = load_dataset(str(tmp_path / "c.npz"), task="classification", test=0)
    assert data.output_names == ("often", "seldom")
    assert np.bincount(data.y)[1] == 10
    np.savez(tmp_path / "b.npz", x=frame[["number"]].to_numpy(float), y=np.zeros(7))
    with pytest.raises(IsthmusError, match="x has 2049 rows but y has 7"):
        load_dataset(str(tmp_path / "b.npz"))


def test_a_large_array_stays_in_its_file(tmp_path, long, monkeypatch):
    monkeypatch.setattr(numpy_files, "_MAPPED_FROM", 0)
    np.save(tmp_path / "a.npy", people(2000)[["number", "whole", "single"]].to_numpy(float))
    opened = numpy_files._mapped_npy(tmp_path / "a.npy")
    assert isinstance(opened, np.memmap)
    assert len(load_dataset(str(tmp_path / "a.npy"), target="0").x) == 60


@pytest.mark.parametrize("seed", range(4))
def test_one_value_with_another_unit_is_refused_whether_it_was_drawn_or_not(tmp_path, long, seed):
    frame = people(seed=seed)
    frame.loc[N - 5, "length"] = "12.3 lb"
    for each in ways(frame, tmp_path):
        with pytest.raises(ColumnError, match="'length'"):
            load_dataset(each, target="y", missing="drop", seed=seed)


def test_a_gap_is_filled_with_the_median_of_rows_as_often_as_they_are_there(tmp_path, long):
    rng = np.random.default_rng(0)
    few = pd.DataFrame({"a": rng.normal(size=50), "z": 10.0 + 0.01 * rng.normal(size=50), "y": rng.normal(size=50)})
    many = pd.DataFrame({"a": [0.0] * 400, "z": [0.0] * 400, "y": [1.0] * 400})
    frame = pd.concat([few, many], ignore_index=True)
    frame.loc[3, "z"] = np.nan
    found = [load_dataset(each, target="y", missing="indicate") for each in ways(frame, tmp_path)]
    assert [each.fills["z"] for each in found] == [0.0] * 3  # that of different rows is near 10


@pytest.mark.parametrize("rows", [50, N])
def test_labels_that_are_no_texts_are_read_as_they_are_written(tmp_path, long, rows):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(rows, 3)))
    for each in ways(frame, tmp_path)[1:]:
        assert load_dataset(each, target="2").input_names == ("0", "1")
        assert load_inputs(each).shape == (rows, 3)


@pytest.mark.parametrize("rows", [50, N])
@pytest.mark.parametrize("missing", ["drop", "indicate"])
def test_whole_numbers_beyond_double_precision_are_refused_beside_a_gap_too(tmp_path, long, rows, missing):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=rows), "y": rng.normal(size=rows)})
    frame["number"] = pd.array([2**53 + 1 + i for i in range(rows)], dtype="Int64")
    frame.loc[7, "number"] = pd.NA
    for each in ways(frame, tmp_path):
        with pytest.raises(ColumnError, match="'number'"):
            load_dataset(each, target="y", missing=missing)


@pytest.mark.parametrize("rows", [50, N])
def test_an_index_column_that_does_not_count_is_an_input(tmp_path, long, rows):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"Unnamed: 0": (np.arange(rows) + 240).astype(np.uint8), "a": rng.normal(size=rows)})
    frame["y"] = rng.normal(size=rows)
    for each in ways(frame, tmp_path):
        assert load_dataset(each, target="y").input_names == ("Unnamed: 0", "a")
    frame["Unnamed: 0"] = [f"{i % 3}x" for i in range(rows)]
    for each in ways(frame, tmp_path):
        assert load_dataset(each, target="y").input_names == ("Unnamed: 0 [x]", "a")
