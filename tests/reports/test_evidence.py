"""The picture of the evidence holds the record's numbers, panel by panel, and a notebook gets them as a table."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from isthmus.foundation.tolerance import DEFAULT_TOLERANCE
from isthmus.reports import rank_evidence as evidence
from isthmus.selection import CrossDecision, RankPath, RidgePoint

DECISION = CrossDecision(
    rank=2,
    lower=1,
    upper=2,
    probabilities=(0.0, 0.1, 0.9, 0.0),
    errors=(4.0, 0.6, 0.12, 0.1),
    standard_errors=(0.3, 0.1, 0.01, 0.0),
    objectives=(1.0, 0.9, 0.5, 0.48),
    effects=(1.0, 0.4, 0.02, 0.0),
    dependences=(0.0, 0.1, 0.8, 0.0),
    correlations=(0.9, 0.5, 0.1, 0.0),
    linear=(30.0, 6.5, 0.3, -2.0),
    linear_share=0.8,
    whole_error=0.11,
    tolerance=DEFAULT_TOLERANCE,
)
PATH = RankPath(
    tuple(RidgePoint(0.01 * 2**i, 1.0 + i, 0.5, (1.0,) * rank, rank) for i, rank in enumerate((3, 2, 2, 2, 1, 0))),
    DEFAULT_TOLERANCE,
    True,
)


def of_axis(figure, axis):
    return [trace for trace in figure.data if (trace.yaxis or "y") == axis]


def titles(figure):
    return [note.text for note in figure.layout.annotations]


def test_every_panel_holds_its_numbers():
    figure = DECISION.plot(path=PATH)
    whole, errors = of_axis(figure, "y")
    assert set(whole.y) == {0.11}
    assert (list(errors.y), list(errors.error_y.array)) == ([4.0, 0.6, 0.12, 0.1], [0.3, 0.1, 0.01, 0.0])
    (bars,) = of_axis(figure, "y2")
    assert (bars.type, list(bars.y)) == ("bar", [0.0, 0.1, 0.9, 0.0])
    (objectives,) = of_axis(figure, "y3")
    assert (list(objectives.x), list(objectives.y)) == ([0, 1, 2, 3], [1.0, 0.9, 0.5, 0.48])
    epsilon, effects = of_axis(figure, "y4")
    assert set(epsilon.y) == {0.1}
    assert list(effects.y) == [1.0, 0.4, 0.02, 1e-6]  # a logarithmic axis has no zero
    assert figure.layout.yaxis4.type == "log"
    (dependences,) = of_axis(figure, "y5")
    assert (dependences.type, list(dependences.y)) == ("bar", [0.0, 0.1, 0.8, 0.0])
    stairs, plateau = of_axis(figure, "y6")
    assert list(stairs.x) == pytest.approx([0.01, 0.02, 0.04, 0.08, 0.16, 0.32])
    assert (list(stairs.y), set(plateau.y)) == ([3, 2, 2, 2, 1, 0], {2})
    assert (stairs.xaxis, figure.layout.xaxis2.type) == ("x2", "log")
    assert figure.layout.yaxis.title.text == "held-out error"


def test_the_answer_is_marked_and_what_the_rows_allow_is_shaded_in_every_panel_over_k():
    figure = DECISION.plot(path=PATH)
    lines = [shape for shape in figure.layout.shapes if shape.type == "line"]
    bands = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert [(line.x0, line.x1) for line in lines] == [(2, 2)] * 4  # beside them the answer's bar
    assert [(band.x0, band.x1) for band in bands] == [(pytest.approx(0.7), pytest.approx(2.3))] * 5
    assert "k = 2" in titles(figure)


def test_panels_without_numbers_are_left_out_and_the_others_do_not_overlap():
    for path, count in ((None, 5), (PATH, 6)):
        layout = DECISION.plot(path=path).layout
        domains = [layout[name].domain for name in ("yaxis", *(f"yaxis{i}" for i in range(2, count + 1)))]
        assert domains[0][1] == 1.0
        assert domains[-1][0] == pytest.approx(0.0)
        assert all(upper[0] > lower[1] for upper, lower in pairwise(domains))
        assert f"yaxis{count + 1}" not in layout
    alone = evidence.evidence(None, PATH.record())
    assert [trace.xaxis for trace in alone.data] == ["x", "x"]
    assert alone.layout.xaxis.type == "log"


def test_a_certain_rank_shades_nothing_and_rank_zero_can_be_drawn():
    zero = CrossDecision.without_variation(0.25, DEFAULT_TOLERANCE)
    figure = zero.plot()
    assert [shape.type for shape in figure.layout.shapes] == ["line"] * 4
    assert "Through 0 numbers, with probability 100.0%." in zero._repr_html_()


def test_a_notebook_shows_a_table_without_a_script():
    tree = ElementTree.fromstring(DECISION._repr_html_())
    assert tree.find("p").text == "Through 2 numbers, with probability 90.0%; the rows allow 1 to 2."
    rows = [["".join(cell.itertext()) for cell in row] for row in tree.iter("tr")]
    assert rows[0][:3] == ["k", "held-out error", "s.e."]
    assert rows[3] == ["2", "0.12", "0.01", "90.0%", "0.5", "2.0%", "80.0%", "0.3"]
    assert [row[-1] for row in rows] == ["linear", "30", "6.5", "0.3", "–"]
    assert [row[0] for row in rows[1:]] == ["0", "1", "2", "3"]
