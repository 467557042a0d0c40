"""`isthmus window`: one real search, and what is printed, drawn and refused."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from commands import call
from isthmus.costs import DepthWindow, RankLine, window_search
from isthmus.reports.windows import depths_in_words
from isthmus.selection import SelectionConfig

KEYS = {
    "rank",
    "shallowest",
    "deepest",
    "reasons",
    "ridge",
    "searched",
    "is_complete",
    "ranges",
    "ranks",
    "depths",
    "objectives",
    "seconds",
}


def line(rank, depth, error, constant):
    return RankLine(rank, depth, error, constant + rank * depth)


LINES = (line(0, 1, 6.0, 0.0), line(1, 3, 0.0, 80.0), line(2, 3, 0.0, 40.0), line(3, 3, 0.0, 20.0))


@pytest.fixture
def found(monkeypatch):
    """A window that is known without a search: L + 80, 2 L + 40 and 3 L + 20 cross at 20 and 40."""
    given = {}

    def made(x, y, **options):
        given.update(options, rows=len(x), y=y)
        reasons = ("Rank 2 has [the] lowest objective at depth 12.", "Because.")
        return DepthWindow(2, 20, 39, reasons, LINES, 0.1, (3, 6, 12))

    def selected(x, y, **options):
        given["selection"] = {**options, "rows": len(x), "y": y}
        return SimpleNamespace(rank=2)

    monkeypatch.setattr("isthmus.costs.depth_window", made)
    monkeypatch.setattr("isthmus.selection.select_rank", selected)
    return given


def test_a_search_from_data_to_json(here, capsys, monkeypatch):
    """The curve as an autoencoder: rank 2 is cheaper where the network is shallow, rank 1 from about 10 on.

    Two searches are enough for this; the real command has three and closes in between them.
    """
    monkeypatch.setattr(window_search, "_DEPTHS", (5, 14))
    monkeypatch.setattr(window_search, "_SHARES", (0.4, 0.9))
    monkeypatch.setattr(window_search, "_FOLLOWED", (36,))
    quick = ["--width", "8", "--ridge", "0.002", "--standardize", "none", "--n-init", "1", "--rank", "1"]
    status, out, err = call(capsys, "window", "curve:n=40", *quick, "--json")
    assert (status, err) == (0, "")
    record = json.loads(out)
    assert set(record) >= KEYS
    assert (record["kind"], record["name"], record["rank"]) == ("window", "curve:n=40", 1)
    assert 7 <= record["shallowest"] <= 14
    assert record["deepest"] is None
    constants = {row["rank"]: row["constant"] for row in record["ranks"]}
    # The identity on the plane costs 2 L and a little; a curve straightened and bent again costs far more once.
    assert constants[2] < 4 < 8 < constants[1] < 20
    assert record["ranges"][0]["rank"] == 2


def test_people_get_a_table_and_the_reasons(here, capsys, found):
    status, out, err = call(capsys, "window", "teacher:k=2,n=50,d=4,width=9", "--report", "w.html", "--out", "w.svg")
    assert (status, err) == (0, "")
    assert "The best network has rank 2 at depths 20 to 39." in out
    assert "Rank 2 has [the] lowest objective at depth 12. Because." in " ".join(out.split())
    rows = [row.split() for row in out.splitlines()]
    assert ["→", "2", "0", "40.0", "20", "to", "39"] in rows
    assert ["1", "0", "80.0", "from", "40", "on"] in rows
    assert ["3", "0", "20.0", "3", "to", "19"] in rows
    assert ["0", "6", "0.0", "none"] in rows
    assert (found["rows"], found["task"], found["config"].standardize) == (50, "regression", "global")
    assert (found["config"].n_init, found["config"].width, found["config"].ridge) == (4, 100, None)
    page = Path("w.html").read_text()
    assert "The best network has rank 2 at depths 20 to 39." in page
    assert 'id="window"' in page
    drawing = ET.parse("w.svg").getroot()
    texts = ["".join(t.itertext()) for t in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"rank 1", "rank 2", "rank 3", "depth L", "20", "32"} <= set(texts)
    assert "rank 0" not in texts


def test_the_objectives_drawn_are_those_of_the_lines(here, capsys, found):
    _, out, _ = call(capsys, "window", "curve", "--json")
    record = json.loads(out)
    assert (found["y"], found["task"], found["rank"]) == (None, "autoencoder", 2)
    assert {3, 20, 39} <= set(record["depths"])
    for rank, constant in ((1, 80.0), (2, 40.0), (3, 20.0)):
        expected = [0.1 * (rank + constant / depth) for depth in record["depths"]]
        assert record["objectives"][str(rank)] == pytest.approx(expected)
    assert record["ranges"] == [
        {"rank": 3, "shallowest": 3, "deepest": 19},
        {"rank": 2, "shallowest": 20, "deepest": 39},
        {"rank": 1, "shallowest": 40, "deepest": None},
    ]


def test_the_rank_is_that_of_select_rank_unless_it_is_given(here, capsys, found):
    call(capsys, "window", "curve", "--rank", "1")
    assert (found["rank"], "selection" in found) == (1, False)
    call(capsys, "window", "curve", "--seed", "5", "--tolerance", "0.2", "--standardize", "columns")
    asked = found["selection"]
    assert (found["rank"], found["seed"], found["tolerance"].relative) == (2, 5, 0.2)
    assert (asked["rows"], asked["y"], asked["task"], asked["random_state"]) == (found["rows"], None, "autoencoder", 5)
    assert asked["config"] == SelectionConfig(tolerance=0.2, standardize="columns")
    assert found["config"].standardize == "columns"


def test_data_in_which_nothing_depends_on_anything_have_no_window(here, capsys, found, monkeypatch):
    monkeypatch.setattr("isthmus.selection.select_rank", lambda *_, **__: SimpleNamespace(rank=0))
    status, out, err = call(capsys, "window", "curve")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "no dependence was found. Give --rank" in err


@pytest.mark.parametrize(
    ("shallowest", "deepest", "words"),
    [
        (None, None, "At no depth does the best network have rank 2."),
        (7, 7, "The best network has rank 2 at depth 7 only."),
        (7, None, "The best network has rank 2 at depths 7 and more."),
    ],
)
def test_windows_in_words(shallowest, deepest, words):
    assert depths_in_words({"rank": 2, "shallowest": shallowest, "deepest": deepest}) == words


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.csv"], "There is no nowhere.csv"),
        (["curve", "--rank", "3"], r"rank is 3 but must be between 1 and 2"),
        (["curve", "--rank", "0"], "--rank is 0 but must be at least 1"),
        (["curve", "--ridge", "0"], "--ridge is 0.0 but must be positive: without it no depth prefers a rank"),
        (["curve", "--width", "0"], "width is 0 but must be at least 1"),
        (["curve", "--n-jobs", "0"], "--n-jobs is 0 but must be a whole number of workers"),
        (["curve", "--out", "w.png"], "must be a file whose name ends in .svg"),
        (["curve", "--tolerance", "2"], "tolerance is 2.0"),
        (["curve", "--seed", "-1"], "--seed is -1"),
        (["curve", "--device", "abacus"], "--device is 'abacus'"),
        (["curve", "--depth", "3"], "No such option"),
        (["one.npz"], "has 1 row"),
        (["constant.npz"], "its rank is 0"),
        (["weighted.npz"], "DATA is 'weighted.npz' but must be without sample_weight"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(here, capsys, arguments, message):
    rng = np.random.default_rng(0)
    np.savez("one.npz", x=rng.standard_normal((1, 2)), y=rng.standard_normal((1, 2)))
    np.savez("constant.npz", x=rng.standard_normal((40, 2)), y=np.ones((40, 2)))
    x = rng.standard_normal((40, 2))
    np.savez("weighted.npz", x=x, y=x, sample_weight=np.arange(40.0))
    status, out, err = call(capsys, "window", *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert err.startswith("isthmus: ")
    assert err.count("\n") == 1
