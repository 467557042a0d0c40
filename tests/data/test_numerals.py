"""Numbers that are written as texts are numbers, or are refused: they are no categories."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.data import load_dataset, load_inputs
from isthmus.data.column_use import ColumnUse
from isthmus.data.numerals import quantities
from isthmus.errors import ColumnError

RNG = np.random.default_rng(0)
N = 60
A = RNG.uniform(1.0, 9.0, N).round(3)
LEVEL = RNG.integers(1, 6, N)


def comma(value):
    return f"{value:.3f}".replace(".", ",")


def written(folder, header, rows, name="t.csv"):
    (folder / name).write_text("\n".join([header, *rows]) + "\n")
    return str(folder / name)


def test_points_part_thousands_where_commas_are_decimal(tmp_path):
    """pola-rs/polars#18797: 1.500 means 1500 beside decimal commas."""
    price = RNG.choice([950, 1500, 2500, 10000, 12500, 1234567], N)
    dotted = [f"{p:,}".replace(",", ".") for p in price]
    path = written(tmp_path, "a;price;y", [f"{comma(a)};{d};{comma(2 * a)}" for a, d in zip(A, dotted, strict=True)])
    data = load_dataset(path, target="y")
    assert data.input_names == ("a", "price")
    assert np.array_equal(data.x, np.c_[A, price])
    assert "Points in column 'price' were read as thousands separators, as commas are decimal." in data.notes
    assert np.array_equal(load_inputs(path), np.c_[A, price, (2 * A).round(3)])


def test_thousands_and_decimals_together(tmp_path):
    values = (1000 * A).round(1)
    texts = [f"{v:,.1f}".replace(",", "x").replace(".", ",").replace("x", ".") for v in values]
    path = written(tmp_path, "a;b;y", [f"{t};-{t};{comma(a)}" for t, a in zip(texts, A, strict=True)])
    assert np.array_equal(load_dataset(path, target="y").x, np.c_[values, -values])


@pytest.mark.parametrize("unit", ["%", " %", "‰", "€", " kg", "°C", " µg/mL"])
@pytest.mark.parametrize("separator", [",", ";"])
def test_numbers_with_one_unit_are_numbers(tmp_path, unit, separator):
    write = str if separator == "," else comma
    read = float if separator == "," else (lambda v: float(f"{v:.3f}"))
    shares = LEVEL * 2.5
    rows = [separator.join([f"{write(s)}{unit}", write(a), write(a)]) for s, a in zip(shares, A, strict=True)]
    path = written(tmp_path, separator.join(["share", "a", "y"]), rows)
    data = load_dataset(path, target="y")
    name = f"share [{unit.strip()}]"
    assert data.input_names == (name, "a")
    assert data.x[:, 0].tolist() == [read(s) for s in shares]
    assert ColumnUse("share", "number", f"without its unit {unit.strip()!r}") in data.columns
    assert np.array_equal(load_inputs(path, input_names=data.input_names), data.x)
    target = load_dataset(path, target="share")
    assert (target.task, target.output_names) == ("regression", (name,))
    assert target.y[:, 0].tolist() == data.x[:, 0].tolist()


def test_a_currency_may_stand_in_front(tmp_path):
    signs = ["-" if i % 3 else "" for i in range(N)]
    path = written(tmp_path, "p,b,y", [f"{s}${v},{a},{a}" for s, v, a in zip(signs, LEVEL, A, strict=True)])
    data = load_dataset(path, target="y")
    assert data.input_names == ("p [$]", "b")
    assert np.array_equal(data.x[:, 0], np.where(np.arange(N) % 3, -LEVEL, LEVEL))


def test_numbers_above_a_total_are_numbers(tmp_path):
    rows = [f"{v},{a}" for v, a in zip(LEVEL, A, strict=True)]
    path = written(tmp_path, "level,a", [*rows, f"Total,{A.sum():.3f}"])
    data = load_dataset(path, target="level")
    assert data.input_names == ("a",)
    assert np.array_equal(np.c_[data.y, data.x], np.c_[LEVEL, A])
    assert data.notes[0] == f"Row {N + 1} is called 'Total', a summary of the others: left out."
    path = written(tmp_path, "level,a,y", [f"{row},{v}" for row, v in zip(rows, A, strict=True)] + ["Total,,99.5"])
    data = load_dataset(path, target="y")
    assert data.input_names == ("level", "a")
    assert np.array_equal(data.x, np.c_[LEVEL, A])
    assert np.array_equal(load_inputs(path, input_names=data.input_names), data.x)


REFUSED = {
    "decimal points among decimal commas": (
        [f"{v}.5" for v in LEVEL],
        ";",
        r"'b' holds '\d\.5' in row 1, in a table whose decimal sign is the comma\. Write all numbers in one way",
    ),
    "a dash among decimal commas": ([*map(comma, A[1:]), "-"], ";", f"'b' holds numbers, but '-' in row {N}"),
    "a dash among percentages": ([*(f"{v}%" for v in LEVEL[1:]), "-"], ",", f"'b' holds numbers, but '-' in row {N}"),
    "a bare number among percentages": (
        ["0.05", *(f"{v}%" for v in LEVEL[1:])],
        ",",
        "'b' holds numbers, but '0.05' in row 1",
    ),
    "thousands with a unit": (
        [f'"{v},500 kg"' for v in LEVEL],
        ",",
        r"'b' holds numbers, but '\d,500 kg' in row 1\. Write numbers with a decimal point and without thousands",
    ),
    "decimal commas in quotes": (
        [f'"{v},5"' for v in LEVEL],
        ",",
        r"'b' holds numbers, but '\d,5' in row 1\. Write numbers with a decimal point and without thousands",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_numbers_that_could_be_read_in_two_ways_are_refused(tmp_path, name):
    values, separator, message = REFUSED[name]
    write = (lambda a: f"{a:.2f}".replace(".", ",")) if separator == ";" else str
    rows = [separator.join([v, write(a), write(a)]) for v, a in zip(values, A, strict=True)]
    with pytest.raises(ColumnError, match=message):
        load_dataset(written(tmp_path, separator.join("bay"), rows), target="y")


@pytest.mark.parametrize(
    "kinds",
    [["1A", "1B", "2A"], ["007a", "012a"], ["1st", "2nd"], ["<5", "5-10", ">10"], ["small", "5%"], ["1.2.3", "1.2.4"]],
)
def test_categories_with_digits_stay_categories(tmp_path, kinds):
    path = written(tmp_path, "kind,a,y", [f"{kinds[i % len(kinds)]},{a},{a}" for i, a in enumerate(A)])
    data = load_dataset(path, target="y")
    assert data.input_names == (*(f"kind={kind}" for kind in sorted(kinds)), "a")
    assert load_dataset(path, target="kind").task == "classification"


def test_texts_by_type_stay_texts(tmp_path):
    path = str(tmp_path / "t.parquet")
    pd.DataFrame({"code": [f"00{v}" for v in LEVEL], "a": A, "y": A}).to_parquet(path)
    data = load_dataset(path, target="y")
    assert data.input_names == (*(f"code=00{v}" for v in range(1, 6)), "a")
    assert np.array_equal(load_inputs(path, input_names=data.input_names), data.x)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(st.floats(-1e12, 1e12, allow_subnormal=False), min_size=1, max_size=5),
    st.sampled_from(["%", "kg", "m/s²", "x"]),
)
def test_any_numbers_with_a_unit_are_read_exactly(numbers, unit):
    found = quantities([f"{number!r} {unit}" for number in numbers])
    assert found is not None
    assert found[0].tolist() == numbers
    assert found[1] == unit
    assert quantities([*(f"{number!r}{unit}" for number in numbers), "5 h"]) is None
    assert quantities([*(f"{number!r}{unit}" for number in numbers), "5"]) is None


@pytest.mark.parametrize("space", ["\x1e", "\u2003", " "])
def test_every_kind_of_space_around_a_number_is_one(tmp_path, space):
    """Found by mutations: what Python strips and pandas does not."""
    rows = [f"{space}{a}{space},{level}" for a, level in zip(A, LEVEL, strict=True)]
    data = load_dataset(written(tmp_path, "a,level", rows), target="level")
    np.testing.assert_array_equal(data.x[:, 0], A)
