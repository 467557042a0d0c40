"""Text files as instruments and spreadsheets write them: the same numbers, or the cause in a sentence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.data import load_dataset, load_inputs
from isthmus.data.header import are_names
from isthmus.errors import ColumnError, FileFormatError

X = np.random.default_rng(0).uniform(1.0, 9.0, (100, 3)).round(3)
POINT = [",".join(f"{v:.3f}" for v in row) for row in X]
COMMA = [";".join(f"{v:.3f}".replace(".", ",") for v in row) for row in X]
EXPONENT = [";".join(f"{v:.3E}".replace(".", ",") for v in row) for row in X]
SUMMARY = "is called 'Total', a summary of the others: left out."
ABOVE = "1 line above the table was left out ('Exported by LabTool 3.1')."
READ = {
    "a line that names the separator": (["sep=;", "a;b;y", *COMMA], None),
    "the same in quotes": (['"sep=,"', "a,b,y", *POINT], None),
    "a banner": (["Exported by LabTool 3.1", "", "a,b,y", *POINT], ABOVE),
    "a banner filled up": (
        ["Report 7,,", ",,", "a,b,y", *POINT],
        "1 line above the table was left out ('Report 7,,').",
    ),
    "comments": (
        ["# instrument 7", "", "# 2024-01-01", "a,b,y", *POINT],
        "2 lines above the table were left out ('# instrument 7', …).",
    ),
    "comments over another separator": (["# a; b", "a,b,y", *POINT], "1 line above the table was left out ('# a; b')."),
    "names in a comment, as numpy.savetxt writes them": (["# a,b,y", *POINT], None),
    "names in a comment after another": (
        ["# run 3", "# a;b;y", *COMMA],
        "1 line above the table was left out ('# run 3').",
    ),
    "white space": (["a b  y", *(line.replace(",", "   ") for line in POINT)], None),
    "white space and a comment": (["# a b y", *(f"  {line.replace(',', ' ')}" for line in POINT)], None),
    "exponents": (["a;b;y", *EXPONENT], "Commas in numbers were read as decimal commas."),
    "lines that end as on old machines": (["\r".join(["a,b,y", *POINT])], None),
    "a total": (["a,b,y", *POINT, f"Total,,{X[:, 2].sum():.3f}"], f"Row 101 {SUMMARY}"),
    "an end": (["a,b,y", *POINT, "End of file"], "Row 101 at the end holds only 'End of file': left out."),
    "separators at the ends": (
        ["a,b,y", *(f"{line}," for line in POINT)],
        None,
    ),
    "a name in two lines": (['a,"b\n[cm]",y', *POINT], None),
    "a long banner of words, with commas": (["Report, of today", "a;b;y", *COMMA], None),
}


def written(folder, lines, name="t.csv"):
    (folder / name).write_text("\n".join(lines) + "\n", newline="")
    return str(folder / name)


@pytest.mark.parametrize("name", READ)
def test_the_same_numbers_are_read(tmp_path, name):
    lines, note = READ[name]
    data = load_dataset(written(tmp_path, lines), task="autoencoder", missing="drop")
    assert [each.split("\n")[0] for each in data.input_names] == ["a", "b", "y"]
    if name == "exponents":
        assert np.allclose(data.x, X, rtol=5e-4)
    else:
        assert np.array_equal(data.x, X)
    if note is not None:
        assert note in data.notes
    assert np.array_equal(load_inputs(str(tmp_path / "t.csv"), input_names=data.input_names, missing="drop"), data.x)


def test_commas_in_names_do_not_decide_what_separates(tmp_path):
    path = written(tmp_path, ["Temp, C;Press, bar;y, %", *COMMA])
    data = load_dataset(path, target=["y, %"])
    assert data.input_names == ("Temp, C", "Press, bar")
    assert np.array_equal(np.c_[data.x, data.y], X)


def test_separators_in_texts_do_not_decide_either(tmp_path):
    kinds = ["a;b", "c;d", "e|f"]
    path = written(tmp_path, ["kind,v,y", *(f"{kinds[i % 3]},{line[:11]}" for i, line in enumerate(POINT))])
    data = load_dataset(path, target="y")
    assert data.input_names == ("kind=a;b", "kind=c;d", "kind=e|f", "v")


@pytest.mark.parametrize("header", ["#,#b,y", '"#","#b","y"'])
def test_a_number_sign_may_be_a_name(tmp_path, header):
    path = written(tmp_path, [header, *(f"{7 * i % 31},{row[:11]}" for i, row in enumerate(POINT))])
    data = load_dataset(path, target="y")
    assert data.input_names == ("#", "#b")
    assert data.x[:2, 0].tolist() == [0.0, 7.0]


def test_commas_that_part_thousands_are_not_decimal(tmp_path):
    """Of 1,234 beside 5.55 the comma cannot be decimal; alone, or beside 1.234, it is."""
    path = written(tmp_path, ["a\tb", *(f"{v:,.0f}\t{w:.2f}" for v, w in zip(1000 * X[:, 0], X[:, 1], strict=True))])
    with pytest.raises(ColumnError, match=r"'a' holds numbers, but '\d,\d{3}' in row 1\. Write numbers with a decimal"):
        load_inputs(path)
    path = written(
        tmp_path, ["a\tb", *(f"{v:.3f}".replace(".", ",") + f"\t{int(1000 * v):,}".replace(",", ".") for v in X[:, 0])]
    )
    assert np.array_equal(load_inputs(path), np.c_[X[:, 0], (1000 * X[:, 0]).astype(int)])


def test_a_column_alone_may_hold_decimal_commas_or_words(tmp_path):
    path = written(tmp_path, ["y", *(f"{v:.3f}".replace(".", ",") for v in X[:, 0])])
    assert np.array_equal(load_inputs(path), X[:, :1])
    path = written(tmp_path, ["remark", *(f'"all is well, {number}"' for number in range(20)), "New York", "Rome"])
    with pytest.raises(ColumnError, match="'remark' holds 22 different texts in 22 rows"):
        load_dataset(path, task="autoencoder")


REFUSED = {
    "no header": (
        POINT,
        r"line 1 holds data \('.*', '.*', '.*'\) where the names of the columns should be. Use --no-header, or",
    ),
    "no header, with classes": ([f"{line},{'ab'[i % 2]}" for i, line in enumerate(POINT)], "line 1 holds data"),
    "no header, under a banner": (["Report", *POINT], "line 2 holds data"),
    "too few names": (["Report, of today", "a,b,y", *POINT], r"row 1 has 3 fields where line 1 has 2 names .*'Report'"),
    "too few names at first": (["a,b", *POINT], "row 1 has 3 fields where line 1 has 2 names of columns"),
    "a field too many": (["a,b,y", *POINT[:7], "1,2,3,4", *POINT[8:]], "row 8 has 4 fields where line 1 has 3 names"),
    "nothing but comments": (["# a", "", "# b"], "it is empty"),
    "nothing but separators": ([",,", ",,"], "it is empty"),
    "no rows": (["# a", "a,b,y"], "it has 3 columns and no rows"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_said_in_one_sentence(tmp_path, name):
    lines, message = REFUSED[name]
    with pytest.raises(FileFormatError, match=message):
        load_dataset(written(tmp_path, lines), task="autoencoder")


def test_a_line_of_units_is_left_out(tmp_path):
    data = load_dataset(written(tmp_path, ["a,b,y", "mm,kg,s", *POINT]), task="autoencoder")
    assert np.array_equal(data.x, X)
    assert data.notes == ("Row 1 holds units ('mm', 'kg', 's'): left out.",)
    with pytest.raises(ColumnError, match="'a' holds numbers, but '-' in row 1"):  # no units, but gaps
        load_dataset(written(tmp_path, ["a,b,y", "-,-,-", *POINT]), task="autoencoder")
    with pytest.raises(ColumnError, match="'b' holds numbers, but 'low' in row 1"):  # beside a number
        load_dataset(written(tmp_path, ["a,b,y", "1,low,2", *POINT]), task="autoencoder")


@pytest.mark.parametrize(("newline", "count"), [("", 400), ("\n", 400), ("", 1500)])
def test_a_header_longer_than_any_sample_is_read_to_its_end(tmp_path, newline, count):
    """gretelai/gretel-python-client#54, vincentlaucsb/csv-parser#61: columns beyond a sample were lost."""
    words = "How strongly do you agree that the service described on this page was easy to find and quick to use "
    names = ["y", *(f"Q{j:04d}{newline} {words * 2}".strip() for j in range(count))]
    x = np.random.default_rng(0).standard_normal((40, count + 1)).round(4)
    path = tmp_path / "survey.csv"
    header = ",".join(f'"{name}"' for name in names)
    assert len(header) > 200 * count
    path.write_text(header + "\n" + "".join(",".join(map(str, row)) + "\n" for row in x), newline="")
    data = load_dataset(str(path), target="y")
    assert data.input_names == tuple(names[1:])
    assert np.array_equal(data.x, x[:, 1:])


def test_comments_longer_than_any_sample_are_left_out(tmp_path):
    path = written(tmp_path, [*["# what the instrument said of itself"] * 3000, "a,b,y", *POINT])
    assert np.array_equal(load_inputs(path), X)


@pytest.mark.parametrize("long", [0, 90000])
def test_decimal_commas_below_a_long_header_are_seen(tmp_path, long):
    path = written(tmp_path, [f"a;b{'x' * long};y", *COMMA])
    assert np.array_equal(load_inputs(path), X)


@pytest.mark.parametrize(
    ("names", "rows", "are"),
    [
        (["0", "1", "2"], [["5.1", "3.5", "1.4"]], True),  # as pandas names columns
        (["", "0", "1", "2"], [["0", "5.1", "3.5", "1.4"]], True),
        (["2019", "2020", "2021"], [["1", "2", "4"]], True),
        (["1.5", "1.0", "0.5"], [["1", "2", "4"]], True),
        ([str(w) for w in (400.0, 400.4, 400.9, 401.3, 401.7, 402.2, 402.6, 403.0, 403.5, 404.0)], [["1"] * 10], True),
        (["country", "2019", "2021", "2025"], [["peru", "1", "2", "3"]], True),
        (["country", "2019"], [["peru", "1"]], True),
        (["country", "2021", "2020", "2019"], [["peru", "1", "2", "3"]], True),
        (["150", "4", "setosa", "virginica"], [["5.1", "3.5", "1.4", "0"]], False),
        (["a", "b"], [["a", "b"], ["c", "d"]], True),
        (["5.1", "3.5", "1.4", "setosa"], [["4.9", "3.0", "1.4", "setosa"]], False),
        (["39", "State-gov", "77516"], [["50", "Private", "83311"], ["1", "State-gov", "2"]], False),
        (["6.1", "3.2", "1.3"], [["1", "2", "4"]], False),
        (["5", "5"], [["5", "6"]], False),
        (["1,5", "2,5"], [["1,5", "2,0"]], False),
        (["12", "7"], [["5", "6"]], False),
        (["alice", "1.5"], [["bob", "2.5"]], False),
        (["1", "2", "4"], [["5", "6", "7"]], False),
    ],
)
def test_numbers_are_names_if_they_are_in_order(names, rows, are):
    assert are_names(names, rows) == are


fields = st.text(st.sampled_from('ab ,;|\t"#\n=5.-é'), max_size=6)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(fields, min_size=2, max_size=4, unique_by=lambda field: field.strip()), st.integers(0, 3))
def test_what_a_writer_of_csv_has_quoted_is_read_back(tmp_path_factory, names, separator):
    """With each field in quotes nothing can be mistaken: every name comes back, and every number."""
    names = [f"n{name.strip()}" for name in names]
    if len(set(names)) < len(names):
        return
    path = tmp_path_factory.mktemp("quoted") / "t.csv"
    join = ",;\t|"[separator].join
    quote = '"{}"'.format
    lines = [join(quote(str(v).replace('"', '""')) for v in row) for row in [names, *X[:, [0] * len(names)].tolist()]]
    path.write_text("\n".join(lines), newline="")
    data = load_dataset(str(path), task="autoencoder")
    assert data.input_names == tuple(names)
    assert np.array_equal(data.x, X[:, [0] * len(names)])
