"""The combinations of the inputs in words and as a table."""

from isthmus.reports import index_table, tables
from isthmus.reports.sentences import paragraph
from reports.records import fit_record, index_row


def test_what_cannot_be_told_apart_is_named():
    found = index_row(1, 8, dimensions=5, ties=[["x0", "x3"], ["x4"], ["x5", "x6", "x7"]])
    answer, constant, tied = index_table.sentences(found)
    assert answer == found.sentence
    assert constant == "x4 does not vary and can have any weight."
    assert "at any row among x0 and x3; x5, x6 and x7; it is shown spread evenly" in tied


def test_where_ties_are_not_listed_the_directions_are_counted():
    _, said = index_table.sentences(index_row(1, 200, dimensions=39))
    assert said == "They were sought in the 39 of 200 directions of the inputs that the networks read."


def test_the_heaviest_inputs_come_first_by_their_deviations():
    found = index_row(2, 3, deviations=[1.0, 1.0, 100.0])
    assert index_table.columns(found) == ["input", "a1", "a2"]
    rows = [cells for _, cells in index_table.rows(found, inputs=2)]
    assert rows == [["x2", "0.125 ± 0.062", "0.125 ± 0.062"], ["x0", "1 ± 0.062", "0.125 ± 0.062"]]
    assert index_table.caption(found, inputs=2).startswith("The 2 of 3 inputs that weigh most. ")
    assert "1 more are in the record" in index_table.caption(found, inputs=3, most=1)
    without = index_row(1, 2, standard_errors=None)
    assert index_table.rows(without, inputs=1)[0][1] == ["x0", "1"]
    assert "jackknife" in index_table.caption(found, inputs=2)
    assert "two folds or fewer say nothing of standard errors." in index_table.caption(without, inputs=2)


def test_page_and_paragraph_show_them():
    record = fit_record(1)
    assert record.index.sentence in paragraph(record)
    assert "0.125 ± 0.062" in tables.combinations(record)
    assert tables.combinations(fit_record(1, index=index_row(0))) == ""
    assert tables.combinations(fit_record(1, task="classification")) == ""


def test_names_of_columns_stay_texts():
    drawn = tables.combinations(fit_record(1, index=index_row(1, 2).model_copy(update={"inputs": ["<b>", "y"]})))
    assert "&lt;b&gt;" in drawn
    assert "<b>" not in drawn
