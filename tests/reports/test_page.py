"""The page: complete, self-contained, safe with hostile texts, and alive in a real browser."""

import json
import re
import shutil

import pytest

from isthmus.errors import FileFormatError
from isthmus.reports import headline, summary, write_report
from reports.records import fit_record, image_record, measure_record


def page(tmp_path, *records):
    return write_report(records, tmp_path / "report.html").read_text()


def test_every_key_number_is_on_the_page(tmp_path):
    text = page(tmp_path, fit_record())
    for shown in (
        "This map passes through 4 numbers",
        "3 – 5",
        "14.03",
        "0.5512",
        "9.913",
        "23.4",
        "abc123",
        "a note",
        "first sentence",
        "a warning",
        "reduced-rank regression",
        "options: seed",
    ):
        assert shown in text


def test_nothing_is_loaded_from_elsewhere_and_the_size_is_kept(tmp_path):
    text = page(tmp_path, fit_record(), image_record(), measure_record())
    assert len(text.encode()) < 6_000_000
    ours = re.sub(r"<script>/\*\*.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"""(src|href)\s*=\s*["'](https?:)?//""", ours)


@pytest.mark.parametrize("k", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("task", ["regression", "classification", "autoencoder"])
def test_every_rank_and_task_has_a_page(tmp_path, k, task):
    text = page(tmp_path, fit_record(k, task=task))
    assert text.count('class="plot') == (6 if k == 0 else 7)
    assert headline(fit_record(k, task=task)) in text


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


def test_hostile_texts_stay_texts(tmp_path):
    record = fit_record(2, name=HOSTILE, warnings=[HOSTILE], rank_evidence=[HOSTILE])
    record["data"]["notes"] = [HOSTILE]
    record["latent"]["color"] = [HOSTILE] * 30
    record["latent"]["color_name"] = HOSTILE
    record["baselines"][0]["name"] = HOSTILE
    text = page(tmp_path, record)
    assert HOSTILE not in text
    assert "<img src=x" not in text
    assert text.count("<script") == page(tmp_path, fit_record(2)).count("<script")


def test_figures_are_valid_json_with_the_numbers_of_the_record(tmp_path):
    record = fit_record()
    text = page(tmp_path, record)
    embedded = re.search(r'<script type="application/json" id="figures">(.*?)</script>', text, re.DOTALL).group(1)
    figures = json.loads(embedded)
    weights = figures["figure-1-weights"]["data"]
    assert len(weights) == 10
    assert weights[0]["y"] == [layer["weight_singular_values"][0] for layer in record["layers"]]
    curve = {trace["name"]: trace for trace in figures["figure-1-curve"]["data"]}
    assert curve["projected"]["y"] == [row["projected"] for row in record["error_curve"]]


def test_a_record_without_its_parts_is_refused_and_the_old_page_kept(tmp_path):
    old = page(tmp_path, fit_record())
    broken = fit_record()
    del broken["layers"]
    with pytest.raises(FileFormatError, match="made up has no layers"):
        write_report([broken], tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text() == old


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (fit_record(0), "No dependence was found"),
        (fit_record(1, rank_lower=1, rank_upper=1), "This map passes through 1 number."),
        (fit_record(2), "(the data allow 1 to 3)"),
        (fit_record(2, task="autoencoder"), "These data are described by 2 numbers"),
        (measure_record(), "This network passes through 3 numbers at layer 5"),
    ],
)
def test_headlines(record, expected):
    assert expected in headline(record)


def test_the_summary_says_what_the_next_direction_carries_and_warns():
    said = summary(fit_record())
    assert "Direction 5 carries 2.3% of the first in the Jacobian" in said
    assert "4 at 493, 5 at 7 of 500 points" in said
    assert "a warning" in said
    assert "Proposition 3" in summary(measure_record())


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("no chromium on this machine")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        f"user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driven = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield driven
    driven.quit()


def test_the_page_works_in_a_browser_and_on_a_phone(tmp_path, browser):
    path = write_report([fit_record(2), image_record(), measure_record()], tmp_path / "report.html")
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(f"file://{path}")
    drawn = "return document.querySelectorAll('.js-plotly-plot').length"
    assert browser.execute_script(drawn) == 7 + 9 + 4
    assert browser.execute_script("return document.documentElement.scrollWidth <= 390")
    errors = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert errors == []

    def colours():
        return browser.execute_script(
            "return [getComputedStyle(document.body).backgroundColor,"
            " document.getElementById('figure-1-weights').layout.font.color]"
        )

    before = colours()
    browser.find_element("id", "theme").click()
    assert all(a != b for a, b in zip(before, colours(), strict=True))
