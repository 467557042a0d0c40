"""What became of the columns of a table: a row a use, on the page and in the terminal, whatever they are called."""

import io
from contextlib import redirect_stdout

from isthmus.cli.output import print_summary
from isthmus.reports import column_table, write_report
from isthmus.runs.record_parts import ColumnRow
from reports.records import fit_record

HOSTILE = "<img src=x onerror=document.title='seized'>"
USES = [
    ("a", "number", ""),
    ("site", "left out", "constant"),
    ("p", "number", "without its unit '%'"),
    (HOSTILE, "categories", "2: <b>x</b>, [red]y"),
    ("empty", "left out", "empty"),
    ("place", "left out", "constant"),
    ("y", "target", "number"),
]


def record(uses=USES, **changes):
    found = fit_record(4, **changes)
    columns = [ColumnRow(name=name, kind=kind, detail=detail) for name, kind, detail in uses]
    return found.model_copy(
        update={"data": found.data.model_copy(update={"columns": columns, "warnings": ["Watch a."]})}
    )


def test_each_use_is_a_row_and_what_was_left_out_comes_last():
    assert column_table.rows(record().data) == [
        ("number", "a, p (without its unit '%')"),
        ("categories", f"{HOSTILE[:39]}… (2: <b>x</b>, [red]y)"),
        ("target", "y (number)"),
        ("left out: constant", "site, place"),
        ("left out: empty", "empty"),
    ]


def test_many_columns_are_counted():
    (row,) = column_table.rows(record([(f"g{i}", "number", "") for i in range(20_000)]).data)
    assert row == ("number", "g0, g1, g2, g3, g4, g5, … g19999: 20000 in all")


def test_the_page_shows_them_as_text(tmp_path):
    page = write_report([record()], tmp_path / "r.html").read_text()
    assert "left out: constant" in page
    assert "site, place" in page
    assert "Watch a." in page
    assert HOSTILE[:10] not in page
    assert "<b>x</b>" not in page


def test_the_terminal_shows_them_as_text():
    with redirect_stdout(io.StringIO()) as printed:
        print_summary(record())
    said = " ".join(printed.getvalue().split())
    for part in ("left out: constant site, place", "[red]y", "Watch a."):
        assert part in said
