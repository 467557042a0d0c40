"""Laws of the page: complete, alone, small, safe and whole, whatever the record."""

import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from isthmus.errors import OptionError
from isthmus.reports import evidence_table, headline, profiles, rank_evidence, write_report
from isthmus.reports.answer import answer_of
from isthmus.reports.figure import drawings
from isthmus.reports.wording import number
from reports.records import curve_record, fit_record, images_record, measure_record, path_record

UNSURE = fit_record(2).verdict.model_copy(update={"level": "do not rely", "sentence": "Do not rely on this rank: why."})
ALL_ROWS = fit_record(2).data.model_copy(update={"train": 2000, "test": 0})
RECORDS = {
    **{f"rank {k}": fit_record(k) for k in (0, 1, 2, 3, 4, 7)},
    "path": path_record(),
    "no rows set aside": fit_record(2, data=ALL_ROWS, test=None),
    "no probabilities": fit_record(2, rank_probabilities=None),
    "images": images_record(),
    "many images": images_record(7),
    "curve": curve_record(),
    "unsettled": fit_record(2, rank_upper=50, stopped="interrupted", not_done=["3 of 5 folds"], verdict=UNSURE),
    "classification": fit_record(2, task="classification"),
    "measure": measure_record(),
    "measure over k": measure_record(bottleneck_changes=[1.0, 0.5, 0.2, 0.02], bottleneck_change_ranks=[0, 1, 2, 3]),
}
IN_THE_BUNDLE = {"scatter", "bar", "pie"}  # what plotly.js-basic draws
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
    assert len(html.encode()) < 1.5e6
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
    assert {trace["type"] for figure in read.figures().values() for trace in figure["data"]} <= IN_THE_BUNDLE


def words(html):
    return "".join(Reading(html).text)


def test_every_key_number_is_on_the_page(page):
    record = fit_record(4, rank_upper=5)
    text = words(page(record))
    own = ("objective", "train_error", "norm_per_depth", "tolerance", "ridge", "depth", "width", "cost_lower")
    assert [name for name in own if number(getattr(record, name)) not in text] == []
    assert number(record.evidence.whole_error) in text
    assert number(record.test.at_rank) in text
    for part in (record.data.sha256, "57.7 s", "4 to 5", "6 of 13", record.hyperparameters.reason):
        assert part in text
    assert [said for said in record.rank_evidence if said not in text] == []
    for row in record.layers[:-1]:
        assert number(row.nonlinearity_impact) in text
    for part in ("data", "options", "versions"):
        found = getattr(record, part)
        found = (
            found if isinstance(found, dict) else found.model_dump(exclude={"notes", "warnings", "columns", "fills"})
        )
        assert [name for name in found if f"{part} · {name}" not in text] == []
    assert [note for note in record.data.notes if note not in text] == []
    assert "options · schedule · rounds" in text
    assert "isthmus fit teacher --seed 7" in text


def test_the_verdict_stands_at_the_top(written):
    record, _, read = written
    shown = [a["class"] for tag, a in read.elements if tag == "p" and a.get("class", "").startswith("verdict")]
    if record.kind == "measure":
        assert shown == []
        return
    assert shown == [f"verdict {record.verdict.level.replace(' ', '-')}"]
    text = "".join(read.text)
    assert text.index(record.verdict.sentence) < text.index(headline(record), text.index(record.verdict.sentence))
    assert record.verdict.sentence in text[: text.index("How many numbers are needed")]


@pytest.mark.parametrize("record", [fit_record(4), path_record(3), fit_record(2, task="classification")])
def test_the_evidence_is_drawn_and_tabled_with_its_legend(page, record):
    answer, reasons = (drawing for drawing in drawings(record) if drawing.name in ("answer", "evidence"))
    whole = rank_evidence.evidence(answer_of(record), record.rank_path)
    assert len(answer.figure.data) + len(reasons.figure.data) == len(whole.data)
    assert answer.quantity == f"held-out {record.evidence.error_name}"
    html = page(record)
    assert f'style="height:{answer.height}px"' in html
    assert html.index('id="figure-1-answer"') < html.index('class="lead"') < html.index('id="figure-1-evidence"')
    text = words(html)
    found = record.evidence
    said = [*map(number, (*found.errors, *found.objectives)), "90.0%", evidence_table.legend(answer_of(record))]
    linear = [*map(number, found.linear_errors)] if record.task != "classification" else []
    assert [each for each in (*said, *linear) if each not in text] == []
    assert ("longest step is marked" in text) == (record.rank_path is not None)


def test_probabilities_that_are_not_known_leave_nothing_behind(page):
    def bars(record):
        return [trace for trace in drawings(record)[0].figure.data if trace.type == "bar"]

    known, unknown = fit_record(4), RECORDS["no probabilities"]
    assert len(bars(known)) - len(bars(unknown)) == 1
    assert list(bars(known)[0].y) == list(known.rank_probabilities.values())
    assert "probably" in drawings(known)[0].caption
    assert "probab" not in drawings(unknown)[0].caption
    verdict = unknown.verdict.model_copy(update={"accuracy": ""})
    assert "probab" not in words(page(unknown.model_copy(update={"verdict": verdict, "index": None})))


def table(html, head):
    """The cells of the one table with this head in its first column."""
    found = []
    for part in html.split("<table>")[1:]:
        rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in part.split("</table>")[0].split("<tr")[1:]]
        if rows and rows[0][0] == head:
            found.append(rows)
    (rows,) = found
    return rows


def test_simpler_methods_stand_beside_the_network(page):
    record = fit_record(4)
    head, network, mean, linear, kernel, whole = table(page(record), record.verdict.error_name)
    assert head[1:] == ["held-out rows", "more than the network", "rows set aside"]
    assert network == ["network through 4", "0.0128", "", "16.88"]
    assert mean == ["the mean", "49", "+49 ± 0.37", "49"]
    assert linear == ["reduced-rank regression through 4 numbers", "2.375", "+2.4 ± 0.37", "23.23"]
    assert kernel == ["kernel ridge regression", "3.875", "+3.9 ± 0.37", "24.73"]
    assert whole == ["whole network", "", "", "16.95"]


def test_methods_are_found_on_the_rows_set_aside_by_their_names(page):
    record = fit_record(4)
    test = record.test.model_copy(update={"comparisons": record.test.comparisons[:0:-1]})
    rows = table(page(record.model_copy(update={"test": test})), record.verdict.error_name)
    assert [row[3] for row in rows[1:]] == ["16.88", "–", "23.23", "24.73", "16.95"]


def test_without_rows_set_aside_there_is_no_column_for_them(page):
    record = RECORDS["no rows set aside"]
    rows = table(page(record), record.verdict.error_name)
    assert {len(row) for row in rows} == {3}
    assert "whole network" not in {row[0] for row in rows}


def test_whether_the_rows_drawn_were_trained_on_is_said():
    for record, said in ((fit_record(2), "not trained on"), (RECORDS["no rows set aside"], "trained on, as none were")):
        latent = next(drawing for drawing in drawings(record) if drawing.name == "latent")
        assert f"for rows that were {said}" in latent.caption
    pictures = next(drawing for drawing in drawings(images_record()) if drawing.name == "pictures")
    assert "Images that were not trained on" in pictures.caption


def test_a_measurement_has_its_numbers_and_no_training(page):
    html = page(RECORDS["measure over k"])
    text = words(html)
    assert [v for v in ("9.804", "5.891", "2.2%", "50.0%", "≥ 3", "6 of 13") if v not in text] == []
    assert "figure-1-history" not in html
    assert "figure-1-narrowing" in html
    assert "figure-1-narrowing" not in page(measure_record())


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`$title&amp;${x}<!--"
CHOSEN_BY_US = {"format", "kind", "task", "level", "stopped"}  # of a few words that the record's type allows


def _poisoned(record):
    """The same record with every text in it replaced, keys of options and versions too."""

    def replaced(name, value):
        if isinstance(value, dict):
            keeps = name not in ("options", "versions", "schedule")
            items = enumerate(value.items())
            return {key if keeps else f"{HOSTILE}{i}": replaced(key, each) for i, (key, each) in items}
        if isinstance(value, list):
            return [replaced(name, each) for each in value]
        return HOSTILE if isinstance(value, str) and name not in CHOSEN_BY_US else value

    return type(record).model_validate(replaced(None, record.model_dump()))


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


def test_texts_stay_texts_beside_each_other_and_in_notebooks(page):
    records = [_poisoned(fit_record(2)), _poisoned(measure_record())]
    read = Reading(page(*records))
    assert [tag for tag, _ in read.elements].count("img") == 0
    for text in (evidence_table.fragment(answer_of(records[0])), profiles.fragment(records[1])):
        assert [tag for tag, _ in Reading(text).elements if tag in ("script", "img")] == []


def test_several_records_have_an_overview_that_leads_to_them(page):
    records = [fit_record(4), measure_record(), images_record()]
    html = page(*records)
    read = Reading(html)
    links = [a["href"] for tag, a in read.elements if tag == "a"]
    assert links == ["#record-1", "#record-2", "#record-3"]
    assert [a["id"] for tag, a in read.elements if tag == "section" and "id" in a] == [link[1:] for link in links]
    assert html.count("plotly.js (basic - minified) v") == 1
    assert len(html.encode()) < 1.5e6


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


def test_a_page_of_no_record_is_not_written(tmp_path):
    with pytest.raises(OptionError, match="at least 1"):
        write_report([], tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_coordinates_beyond_three_are_drawn_in_pairs_and_said():
    by_name = {d.name: d for d in drawings(fit_record(7))}
    assert "first 3 of 7 coordinates" in by_name["latent"].caption
    assert len(by_name["latent"].figure.data) == 3
    assert len({d.name: d for d in drawings(fit_record(3))}["latent"].figure.data) == 3
    assert "latent" not in {d.name for d in drawings(fit_record(0))}


def test_the_inputs_with_the_largest_effects_are_shown():
    for k, traces in ((2, 2), (4, 1)):
        drawing = next(d for d in drawings(fit_record(k)) if d.name == "attribution")
        assert "The 30 of 50 inputs" in drawing.caption
        names = drawing.figure.layout.xaxis.ticktext
        assert (len(drawing.figure.data), len(names)) == (traces, 30)
        # coordinate i has its effects around input 3i
        assert set(names[:k]) == {f"x{3 * i}" for i in range(k)}
    assert "attribution" not in {d.name for d in drawings(fit_record(0))}


def test_images_show_what_each_number_changes_and_reads(page):
    by_name = {d.name: d for d in drawings(images_record(3))}
    assert next(iter(by_name)) == "pictures"
    # 8 × 8 pixels with one between: seven in a row of each number, one picture for each number
    assert by_name["traversals"].proportion == pytest.approx((7 * 9 - 1) / (3 * 9 - 1))
    assert by_name["attribution"].proportion == pytest.approx((3 * 9 - 1) / 8)
    assert list(by_name["traversals"].figure.layout.yaxis.ticktext) == ["z1", "z2", "z3"]
    assert "x27" not in page(images_record(3)).partition("Which pixels they depend on")[2].partition("<h2>")[0]


def test_images_of_another_shape_are_told_by_their_columns():
    record = images_record(3)
    shown = {
        part: getattr(record, part).model_copy(update={"shape": [4, 4, 4]})
        for part in ("reconstructions", "traversals")
    }
    data = record.data.model_copy(update={"image_shape": [4, 4, 4]})
    names = {d.name: d.title for d in drawings(record.model_copy(update={**shown, "data": data}))}
    assert {"pictures", "traversals"}.isdisjoint(names)
    assert names["attribution"] == "Which inputs they depend on"
