"""The picture and the table of the evidence hold its numbers, panel by panel and column by column."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest
import torch

from isthmus.foundation.tolerance import Tolerance
from isthmus.reports import evidence_table
from isthmus.reports import rank_evidence as evidence
from isthmus.reports.answer import answer_of
from isthmus.reports.figure import drawings
from isthmus.runs.record_parts import EvidenceRow, RankPathRow, RidgePointRow
from isthmus.selection import RankEvidence, RankSelection
from isthmus.selection.canonical_correlations import NOTHING_LEFT
from isthmus.selection.verdict import Verdict
from reports.records import evidence_row, fit_record

EVIDENCE = EvidenceRow(
    weighed=[0.0, 0.1, 0.9, 0.0],
    errors=[4.0, 0.6, 0.1, 0.12],
    standard_errors=[0.3, 0.1, 0.0, 0.01],
    objectives=[1.0, 0.9, 0.5, 0.48],
    sensitivities=[1.0, 0.4, 0.02, 0.0],
    redundancies=[0.0, 0.1, 0.8, 0.0],
    correlations=[0.9, 0.5, 0.1, 0.0],
    linear=[30.0, 6.5, 0.3, NOTHING_LEFT],
    residual_lines=[9.0, 4.2, 0.3, -0.1],
    shared_slopes=[1.0, 0.2, 0.001, 0.0],
    label_scores=[20.0, 6.0, 0.1, 0.0],
    network_errors=[4.0, 0.6, 0.1, 0.12],
    linear_errors=[4.1, 2.3, 1.7, 1.6],
    whole_error=0.11,
    whole_standard_error=0.02,
    folds=5,
    rows=100,
    error_name="mean squared error (standardised units)",
)
RANKS = (3, 2, 2, 2, 1, 0)
PATH = RankPathRow(
    points=[
        RidgePointRow(ridge=0.01 * 2**i, value=1.0 + i, error=0.5, sizes=[1.0] * rank, rank=rank)
        for i, rank in enumerate(RANKS)
    ],
    plateau=2,
)
LINES = ["k", "error", "linear", "more than best", "probability"]
REST = ["objective", "next matters", "next is a bend", "lines see more"]


def found(task="regression", **changes):
    probabilities = {str(k): p for k, p in enumerate(EVIDENCE.weighed)}
    known = {"rank_lower": 1, "evidence": EVIDENCE, "rank_probabilities": probabilities}
    return answer_of(fit_record(2, task=task, **{**known, **changes}))


@pytest.mark.parametrize(("task", "is_drawn"), [("regression", True), ("classification", False)])
def test_the_caption_names_the_linear_method_where_it_is_drawn(task, is_drawn):
    answer = next(each for each in drawings(fit_record(2, task=task)) if each.title == "How many numbers are needed")
    assert ("a linear method" in answer.caption) == is_drawn
    assert len(of_axis(answer.figure, "y")) == 2 + is_drawn


def of_axis(figure, axis):
    return [trace for trace in figure.data if (trace.yaxis or "y") == axis]


def titles(figure):
    return [note.text for note in figure.layout.annotations]


def test_every_panel_holds_its_numbers():
    figure = evidence.evidence(found(), PATH)
    whole, errors, linear = of_axis(figure, "y")
    assert set(whole.y) == {0.11}
    assert (list(errors.y), list(errors.error_y.array)) == ([4.0, 0.6, 0.1, 0.12], [0.3, 0.1, 0.0, 0.01])
    assert (list(linear.y), linear.name) == ([4.1, 2.3, 1.7, 1.6], "reduced-rank regression")
    (bars,) = of_axis(figure, "y2")
    assert (bars.type, list(bars.y)) == ("bar", [0.0, 0.1, 0.9, 0.0])
    (objectives,) = of_axis(figure, "y3")
    assert (list(objectives.x), list(objectives.y)) == ([0, 1, 2, 3], [1.0, 0.9, 0.5, 0.48])
    epsilon, effects = of_axis(figure, "y4")
    assert set(epsilon.y) == {0.1}
    assert list(effects.y) == [1.0, 0.4, 0.02, 1e-6]  # a logarithmic axis has no zero
    assert figure.layout.yaxis4.type == "log"
    (redundancies,) = of_axis(figure, "y5")
    assert (redundancies.type, list(redundancies.y)) == ("bar", [0.0, 0.1, 0.8, 0.0])
    stairs, plateau = of_axis(figure, "y6")
    assert list(stairs.x) == pytest.approx([0.01, 0.02, 0.04, 0.08, 0.16, 0.32])
    assert (list(stairs.y), set(plateau.y)) == (list(RANKS), {2})
    assert (stairs.xaxis, figure.layout.xaxis2.type) == ("x2", "log")


def test_by_itself_the_figure_says_what_its_first_axis_measures():
    drawn = evidence.figure(found())
    assert drawn.layout.yaxis.title.text == "held-out mean squared error (standardised units)"
    assert drawn.layout.height == evidence.height(found())


def test_the_linear_method_is_named_for_the_task_and_drawn_where_its_errors_are_losses():
    assert "PCA" in [trace.name for trace in evidence.evidence(found("autoencoder")).data]
    classes = found("classification")
    assert [trace.name for trace in of_axis(evidence.evidence(classes), "y")] == ["whole network", "through k numbers"]
    # Misclassified shares and −log p have no axis in common, and no column.
    assert "linear" not in evidence_table.columns(classes)
    assert "Linear" not in evidence_table.legend(classes)
    assert evidence_table.legend(found("autoencoder")).startswith("Linear: the same error of PCA through k numbers.")


def test_of_classes_the_table_has_what_is_weighed_of_them():
    classes = found("classification")
    assert evidence_table.columns(classes)[-2:] == ["labels ask", "lines need more"]
    asked = [row[-2] for _, row in evidence_table.rows(classes)]
    assert asked == ["20 σ", "6 σ", "0.1 σ", "–"]
    assert "Labels ask: by how many standard deviations" in evidence_table.legend(classes)
    assert "bend" not in evidence_table.legend(classes)


def test_the_answer_is_marked_and_what_the_rows_allow_is_shaded_in_every_panel_over_k():
    figure = evidence.evidence(found(), PATH)
    lines = [shape for shape in figure.layout.shapes if shape.type == "line"]
    bands = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert [(line.x0, line.x1) for line in lines] == [(2, 2)] * 4  # beside them the answer's bar
    assert [(band.x0, band.x1) for band in bands] == [(pytest.approx(0.7), pytest.approx(2.3))] * 5
    assert "k = 2" in titles(figure)


@pytest.mark.parametrize(("probabilities", "path", "count"), [(1, None, 5), (1, PATH, 6), (0, None, 4), (0, PATH, 5)])
def test_panels_without_numbers_are_left_out_and_the_others_do_not_overlap(probabilities, path, count):
    answer = found() if probabilities else found(rank_probabilities=None)
    figure = evidence.evidence(answer, path)
    domains = [figure.layout[name].domain for name in ("yaxis", *(f"yaxis{i}" for i in range(2, count + 1)))]
    assert domains[0][1] == 1.0
    assert domains[-1][0] == pytest.approx(0.0)
    assert all(upper[0] > lower[1] for upper, lower in pairwise(domains))
    assert f"yaxis{count + 1}" not in figure.layout
    assert ("probability that k is the answer" in titles(figure)) == bool(probabilities)


def test_a_path_alone_can_be_drawn():
    alone = evidence.evidence(None, PATH)
    assert [trace.xaxis for trace in alone.data] == ["x", "x"]
    assert alone.layout.xaxis.type == "log"


def test_a_certain_rank_shades_nothing_and_rank_zero_can_be_drawn():
    zero = answer_of(fit_record(0))
    assert [shape.type for shape in evidence.evidence(zero).layout.shapes] == ["line"] * 4
    assert evidence_table.answer(zero).startswith("Through 0 numbers, with probability 90.0%. Rely on 0")


def test_the_table_has_a_row_for_each_k_and_marks_the_answer():
    assert evidence_table.columns(found()) == [*LINES, *REST]
    rows = evidence_table.rows(found())
    assert [is_answer for is_answer, _ in rows] == [False, False, True, False]
    assert rows[1][1] == ["1", "0.6", "2.3", "0.5 ± 0.1", "10.0%", "0.9", "40.0%", "10.0%", "4.2 σ"]
    assert rows[2][1] == ["2", "0.1", "1.7", "–", "90.0%", "0.5", "2.0%", "80.0%", "0.3 σ"]
    # Of the last k there is no number k + 1.
    assert rows[3][1] == ["3", "0.12", "1.6", "0.02 ± 0.01", "0.0%", "0.48", "–", "–", "−0.1 σ"]


def test_of_classes_the_lines_of_the_classes_are_shown_and_of_an_autoencoder_none():
    of_classes, of_copies = found(task="classification"), found(task="autoencoder")
    assert evidence_table.columns(of_classes)[-1] == "lines need more"
    assert [cells[-1] for _, cells in evidence_table.rows(of_classes)] == ["30 σ", "6.5 σ", "0.3 σ", "–"]
    assert [cells[-1] for _, cells in evidence_table.rows(of_copies)] == ["–"] * 4


def test_every_column_but_k_is_explained_in_the_legend():
    for task in ("regression", "classification"):
        said = evidence_table.legend(found(task=task)).lower()
        for column in evidence_table.columns(found(task=task)):
            assert column in ("k", "probability") or f"{column}:" in said


def test_without_probabilities_their_column_and_words_vanish():
    unknown = found(rank_probabilities=None)
    assert evidence_table.columns(unknown) == [*LINES[:-1], *REST]
    assert all(len(cells) == 8 for _, cells in evidence_table.rows(unknown))
    assert "probability" not in evidence_table.answer(unknown)
    assert "%" not in evidence_table.answer(unknown)


def test_a_notebook_shows_verdict_and_table_without_a_script():
    tree = ElementTree.fromstring(evidence_table.fragment(found()))
    said = tree.find("p").text
    assert said.startswith("Through 2 numbers, with probability 90.0%; the rows allow 1 to 2. Rely on 2: ")
    assert said.endswith(fit_record(2).verdict.sentence)
    rows = [["".join(cell.itertext()) for cell in row] for row in tree.iter("tr")]
    assert rows[0] == evidence_table.columns(found())
    assert rows[1:] == [cells for _, cells in evidence_table.rows(found())]
    weights = [row.get("style") for row in tree.iter("tr")][1:]
    assert [("bold" in weight) for weight in weights] == [False, False, True, False]
    assert "".join(tree.find(".//small").itertext()) == evidence_table.legend(found())
    assert not list(tree.iter("script"))


def selection_of(record):
    """The selection that a record was written from, as far as pages read it."""
    plain = record.evidence.model_dump(exclude={"error_name"})
    said = record.verdict.model_dump() | {"comparisons": ()}
    return RankSelection(
        rank=record.rank,
        lower=record.rank_lower,
        upper=record.rank_upper,
        is_calibrated=record.rank_probabilities is not None,
        evidence=RankEvidence(**{name: tuple(v) if isinstance(v, list) else v for name, v in plain.items()}),
        verdict=Verdict(**said),
        tolerance=Tolerance(record.tolerance),
        task=record.task,
        hyperparameters=None,
        network=None,
        factorization=None,
        constant=torch.zeros(1),
        n_evaluations=0,
    )


@pytest.mark.parametrize("record", [fit_record(2), fit_record(3, task="classification", rank_probabilities=None)])
def test_a_selection_and_its_record_show_the_same(record):
    selection = selection_of(record)
    of_selection, of_record = answer_of(selection), answer_of(record)
    assert evidence_table.fragment(of_selection) == evidence_table.fragment(of_record)
    assert selection._repr_html_() == evidence_table.fragment(of_record)
    assert selection.plot().to_json() == evidence.figure(of_record).to_json()


def test_large_errors_get_a_logarithmic_axis():
    wide = evidence_row(3).model_copy(update={"errors": [500.0, 20.0, 3.0, 0.4, 0.41, 0.42]})
    assert evidence.evidence(answer_of(fit_record(3, evidence=wide))).layout.yaxis.type == "log"
    assert evidence.evidence(answer_of(fit_record(1))).layout.yaxis.type is None
