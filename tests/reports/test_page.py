"""Laws of the page: complete, alone, small, safe and whole, whatever the record."""

import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from isthmus.reports import headline, write_report
from isthmus.reports.figure import drawings
from isthmus.reports.wording import number
from reports.records import curve_record, fit_record, folds_record, images_record, measure_record

RECORDS = {
    **{f"rank {k}": fit_record(k) for k in (0, 1, 2, 3, 4, 7)},
    "folds": folds_record(),
    "path alone": {**folds_record(2), "cross_decision": None},
    "images": images_record(),
    "many images": images_record(7),
    "curve": curve_record(),
    "unsettled": fit_record(2, rank_upper=50, stopped="interrupted"),
    "classification": fit_record(
        2, task="classification", error_name="misclassified fraction", test_error=0.03, whole_error=0.0
    ),
    "measure": measure_record(),
    "measure of all keys": measure_record(bottleneck_changes=[1.0, 0.5, 0.2, 0.02], jacobian_evidence="it was sampled"),
}
VOID = {"meta", "link", "br", "path"}


class Reading(HTMLParser):
    """Text outside scripts, attributes that load something, scripts, and whether elements nest."""

    def __init__(self, html):
        super().__init__()
        self.open, self.text, self.addresses, self.elements, self.scripts = [], [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.addresses += [value for name, value in attributes if name in ("src", "href", "action", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        inside = self.open[-1] if self.open else ""
        if inside == "script":
            self.scripts.append(data)
        elif inside != "style":
            self.text.append(data)

    def figures(self):
        return json.loads(next(s for s in self.scripts if s.startswith('{"figure-')))


@pytest.fixture
def page(tmp_path):
    def write(*records):
        path = tmp_path / "report.html"
        assert write_report(records, path) == path
        return path.read_text(encoding="utf-8")

    return write


@pytest.fixture(scope="module", params=RECORDS.values(), ids=RECORDS.keys())
def written(request, tmp_path_factory):
    """A record, its page and what a parser makes of it: read once for all tests, since plotly.js makes it long."""
    path = write_report([request.param], tmp_path_factory.mktemp("page") / "report.html")
    html = path.read_text(encoding="utf-8")
    return request.param, html, Reading(html)


def test_a_page_stands_alone_and_is_small(written):
    record, html, read = written
    assert len(html.encode()) < 6e6
    assert all(address.startswith(("#", "data:")) for address in read.addresses)
    assert "url(" not in html[: html.index("</style>")]
    assert "default-src 'none'" in html  # what no test can find, the browser refuses
    assert headline(record) in "".join(read.text)


def test_every_figure_has_its_place_and_its_words(written):
    record, _, read = written
    places = [attributes for tag, attributes in read.elements if "plot" in attributes.get("class", "").split()]
    assert [place["id"] for place in places] == [f"figure-1-{d.name}" for d in drawings(record)]
    assert set(read.figures()) == {place["id"] for place in places}
    assert all(len(place["aria-label"]) > 20 for place in places)


def test_every_key_number_is_on_the_page(page):
    record = fit_record(4, rank_upper=5)
    text = "".join(Reading(page(record)).text)
    names = (
        *("objective", "train_error", "test_error", "norm_per_depth", "whole_error", "network_test_error_at_rank"),
        *("tolerance", "ridge", "depth", "width", "whole_standard_error"),
    )
    assert [name for name in names if number(record[name]) not in text] == []
    for part in (record["data"]["sha256"], "57.7 s", "4 to 5", "23.23", "6 of 13", *record["rank_evidence"]):
        assert part in text
    for row in record["error_curve"]:
        assert number(row["projected"]) in text
    for row in record["layers"][:-1]:
        assert number(row["nonlinearity_impact"]) in text
    for part in ("data", "options", "versions"):
        assert all(f"{part} · {name}" in text for name in record[part])


def test_a_measurement_has_its_numbers_and_no_training(page):
    html = page(measure_record(3, bottleneck_changes=[1.0, 0.41, 0.2, 0.02]))
    text = "".join(Reading(html).text)
    assert [v for v in ("9.804", "5.891", "2.2%", "41.0%", "≥ 3", "6 of 13") if v not in text] == []
    assert "figure-1-history" not in html
    assert "figure-1-narrowing" in html


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`$title&amp;${x}<!--"


def _poisoned(value):
    """The same record with every text that a user chooses replaced."""
    record = json.loads(json.dumps(value))
    record.update(name=HOSTILE, created=HOSTILE)
    record["versions"] = {HOSTILE: HOSTILE}
    if "data" in record:
        record["data"].update(source=HOSTILE, notes=[HOSTILE], output_names=[HOSTILE])
        record["options"] = {HOSTILE: HOSTILE, "deeper": {HOSTILE: [HOSTILE]}}
        record.update(error_name=HOSTILE, warnings=[HOSTILE], rank_evidence=[HOSTILE], stopped=HOSTILE, task=HOSTILE)
        record["baselines"][0]["name"] = HOSTILE
        if record["latent"]:
            record["latent"].update(color=[HOSTILE] * 300, color_name=HOSTILE)
            record["attribution"]["inputs"] = [HOSTILE] * 50
        if record["reconstructions"]:
            record["reconstructions"]["baseline_name"] = HOSTILE
    return record


def test_texts_of_a_record_stay_texts(written, page):
    record, _, clean = written
    hostile = Reading(page(_poisoned(record)))
    scripts = [tag for tag, _ in clean.elements].count("script")
    assert [tag for tag, _ in hostile.elements].count("script") == scripts
    assert not any(tag == "img" or any(n.startswith("on") for n in a) for tag, a in hostile.elements)
    assert HOSTILE in "".join(hostile.text)
    # plotly reads tags in labels: none may reach it.
    assert "<script" not in json.dumps(hostile.figures())
    assert "<img" not in json.dumps(hostile.figures())


def test_several_records_have_an_overview_that_leads_to_them(page):
    records = [fit_record(4), measure_record(), images_record()]
    html = page(*records)
    read = Reading(html)
    links = [a["href"] for tag, a in read.elements if tag == "a"]
    assert links == ["#record-1", "#record-2", "#record-3"]
    assert [a["id"] for tag, a in read.elements if tag == "section" and "id" in a] == [link[1:] for link in links]
    assert html.count("plotly.js v") == 1
    assert len(html.encode()) < 6e6


def test_identities_are_unique_and_headings_descend(page):
    html = page(fit_record(4), fit_record(3))
    identities = [a["id"] for _, a in Reading(html).elements if "id" in a]
    assert len(identities) == len(set(identities))
    levels = [int(level) for level in re.findall(r"<h([1-6])", html[html.index("<main>") : html.index("</main>")])]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_a_failed_write_leaves_the_old_page_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def fail(self, target):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_report([fit_record()], path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_coordinates_beyond_three_are_drawn_in_pairs_and_said():
    by_name = {d.name: d for d in drawings(fit_record(7))}
    assert "first 3 of 7 coordinates" in by_name["latent"].caption
    assert len(by_name["latent"].figure.data) == 3
    assert drawings(fit_record(3))[1].figure.data[0].type == "scatter3d"
    assert "latent" not in {d.name for d in drawings(fit_record(0))}


def test_the_inputs_with_the_largest_effects_are_shown():
    for k, kind in ((2, "bar"), (4, "heatmap")):
        drawing = next(d for d in drawings(fit_record(k)) if d.name == "attribution")
        assert "The 30 of 50 inputs" in drawing.caption
        names = drawing.figure.layout.xaxis.ticktext
        assert (drawing.figure.data[0].type, len(names)) == (kind, 30)
        # coordinate i has its effects around input 3i
        assert set(names[:k]) == {f"x{3 * i}" for i in range(k)}
    assert "attribution" not in {d.name for d in drawings(fit_record(0))}


def test_the_probabilities_stand_under_the_curve_and_in_the_table(page):
    record = fit_record(4)
    bars = next(trace for trace in drawings(record)[0].figure.data if trace.type == "bar")
    assert dict(zip(bars.x, bars.y, strict=True)) == {0: 0, 1: 0, 2: 0, 3: 0, 4: 0.93, 5: 0.07, 6: 0}
    text = "".join(Reading(page(record)).text)
    assert "probability" in text
    assert "93.0%" in text
    older = {name: value for name, value in record.items() if name != "rank_probabilities"}
    assert not [trace for trace in drawings(older)[0].figure.data if trace.type == "bar"]
    assert "probability" not in "".join(Reading(page(older)).text)


def test_by_folds_one_picture_and_its_table_stand_for_the_curve(page):
    record = folds_record(3)
    drawn = {drawing.name: drawing for drawing in drawings(record)}
    assert "error" not in drawn
    assert (len(drawn["evidence"].figure.data), drawn["evidence"].height > 600) == (9, True)
    html = page(record)
    text = "".join(Reading(html).text)
    found = record["cross_decision"]
    said = [*map(number, (*found["errors"], *found["objectives"])), "bend", "90.0%", "longest step is marked"]
    assert [each for each in said if each not in text] == []
    assert f'style="height:{drawn["evidence"].height}px"' in html
    alone = {drawing.name: drawing for drawing in drawings({**record, "cross_decision": None})}
    assert (alone["path"].quantity, alone["path"].height) == ("rank", None)
    assert "error" in alone


def test_the_curve_holds_the_records_own_numbers():
    record = fit_record(4)
    traces = {trace.name: trace for trace in drawings(record)[0].figure.data}
    assert list(traces["projected"].y) == [row["projected"] for row in record["error_curve"]]
    assert list(traces["refitted"].x) == [3, 4, 5]
    assert list(traces["reduced-rank regression"].y) == list(record["baselines"][0]["errors"].values())
