"""Columns as users name them, and what is said where there is none of that name."""

import re

import numpy as np
import pytest

from isthmus.data import column_names, load_dataset
from isthmus.errors import OptionError

COLUMNS = ["a", "b", "c, d", "e,f", "e"]
MANY = [f"sensor {i:03} [V]" for i in range(400)] + ["Yield", "purity"]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ([], ()),
        ("", ()),
        (["", " , "], ()),
        ("a", ("a",)),
        (["a", "b"], ("a", "b")),
        (["a,b"], ("a", "b")),
        ([" b , a "], ("b", "a")),
        (["c, d"], ("c, d",)),
        ([" c, d "], ("c, d",)),
        (["c, d", "a,b"], ("c, d", "a", "b")),
        (["e,f"], ("e,f",)),
        (["a,e"], ("a", "e")),
        (["b", "b,a"], ("b", "b", "a")),
    ],
)
def test_an_entry_is_a_column_or_names_between_commas(given, named):
    assert column_names(given, COLUMNS) == named


@pytest.mark.parametrize(
    ("given", "columns", "message"),
    [
        ("cost", COLUMNS, "the column is 'cost' but must be among the columns: a, b, c, d, e,f, e."),
        ("a,cost", COLUMNS, "the column is 'cost' but must be among the columns: a, b, c, d, e,f, e."),
        (
            "a,c, d",
            COLUMNS,
            "the column is 'c' but must be among the columns: a, b, c, d, e,f, e "
            "(give 'c, d' as an option of its own, as it holds a comma).",
        ),
        ("c", COLUMNS, "the column is 'c' but must be among the columns: a, b, c, d, e,f, e."),
        (
            "sensor 399",
            MANY,
            "the column is 'sensor 399' but must be among the 402 columns; nearest are 'sensor 399 [V]', "
            "'sensor 398 [V]', 'sensor 397 [V]'.",
        ),
    ],
)
def test_a_wrong_name_is_answered_with_what_is_there(given, columns, message):
    with pytest.raises(OptionError) as refused:
        column_names(given, columns)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("slip", "meant"),
    [("yield", "Yield"), ("YIELD", "Yield"), ("Yeild", "Yield"), ("PURITY", "purity")],
)
def test_the_column_that_was_meant_is_the_nearest(slip, meant):
    with pytest.raises(
        OptionError, match=rf"--target is .* among the 402 columns; nearest are {re.escape(repr(meant))}"
    ):
        column_names(slip, MANY, option="--target")


def test_options_of_a_table_are_resolved_by_its_header(tmp_path):
    rows = np.random.default_rng(0).standard_normal((40, 4)).round(3)
    lines = [",".join(map(str, row)) + "\n" for row in rows]
    path = tmp_path / "t.csv"
    path.write_text('"Temp, C","Press, bar",a,y\n' + "".join(lines))
    data = load_dataset(str(path), target=["Temp, C", "y"], drop="a")
    assert (data.output_names, data.input_names) == (("Temp, C", "y"), ("Press, bar",))
    assert np.array_equal(data.y, rows[:, [0, 3]])
    data = load_dataset(str(path), target="a,y", drop=["Temp, C", "Press, bar"][:1])
    assert (data.output_names, data.input_names) == (("a", "y"), ("Press, bar",))
    with pytest.raises(OptionError, match=r"--drop is 'Press' .*\(give 'Press, bar' as an option of its own"):
        load_dataset(str(path), target="y", drop=["a,Press, bar"])
    with pytest.raises(OptionError, match=r"--target is missing\. Name one or more of the columns Temp, C, Press, bar"):
        load_dataset(str(path))


def test_a_wide_table_is_not_listed(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text(",".join(MANY) + "\n" + (",".join(["1"] * 402) + "\n") * 30)
    with pytest.raises(OptionError, match="among the 402 columns; nearest are 'Yield', ") as refused:
        load_dataset(str(path), target="yields")
    assert len(str(refused.value)) < 200
    message = r"one or more of the 402 columns, from 'sensor 000 \[V\]', .* to 'purity'; or use --task autoencoder"
    with pytest.raises(OptionError, match=message) as refused:
        load_dataset(str(path))
    assert len(str(refused.value)) < 200


def test_a_wrong_name_is_told_before_the_rows_are_read(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,y\n" + b"1,2\n" * 40000 + b"\xe9\n")
    with pytest.raises(OptionError, match="--target is 'z' but must be among the columns: a, y"):
        load_dataset(str(path), target="z")
