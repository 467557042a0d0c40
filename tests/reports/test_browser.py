"""The page in a real browser: it draws, fits a phone, changes its theme, and complains about nothing."""

import shutil

import pytest

from isthmus.reports import write_report
from isthmus.reports.figure import drawings
from isthmus.runs.record_parts import ColumnRow
from reports.records import curve_record, fit_record, images_record, measure_record, path_record

webdriver = pytest.importorskip("selenium.webdriver")
WebDriverWait = pytest.importorskip("selenium.webdriver.support.wait").WebDriverWait
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs Chromium and chromedriver")

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PHONE, DESK = (390, 844), (1400, 900)
# Scrolls through the page as a reader would, since figures are drawn as they come near, and tells when all are there.
READ = """
const done = arguments[arguments.length - 1];
const pause = () => new Promise((resolve) => setTimeout(resolve, 25));
(async () => {
  const seen = [];
  for (const plot of document.querySelectorAll('.plot')) {
    plot.scrollIntoView({ behavior: 'instant' });
    for (let wait = 0; wait < 400 && !plot.querySelector('.main-svg'); wait++) await pause();
    if (plot.querySelector('.main-svg')) seen.push(plot.id);
  }
  window.scrollTo({ top: 0, behavior: 'instant' });
  done(seen);
})();
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.set_script_timeout(30)
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser, tmp_path):
    def show(records, size):
        width, height = size
        emulated = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", emulated)
        browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "light"}]}
        )
        browser.get(write_report(records, tmp_path / "report.html").as_uri())
        return browser

    yield show
    complaints = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert complaints == []


def _style(browser, selector, name):
    script = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
    return browser.execute_script(script, selector, name)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_every_figure_is_drawn_and_the_page_fits(opened, size):
    unsure = fit_record(2, rank_probabilities=None, rank_upper=9, task="classification")
    records = [fit_record(4), unsure, images_record(3), measure_record()]
    records = records if size == PHONE else [path_record(2), curve_record()]
    browser = opened(records, size)
    assert len(browser.execute_async_script(READ)) == sum(len(drawings(record)) for record in records)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= size[0]
    # A plot wider than its card would be cut off rather than scrolled.
    wide = "return [...document.querySelectorAll('.plot')].filter(p => p.scrollWidth > p.clientWidth + 1).length"
    assert browser.execute_script(wide) == 0


def test_the_theme_changes_page_and_plots(opened):
    browser = opened([fit_record(2)], DESK)
    browser.execute_async_script(READ)
    before = _style(browser, "body", "backgroundColor"), _style(browser, ".plot .xtick text", "fill")
    button = browser.find_element("id", "theme")
    assert (button.text, button.get_attribute("aria-pressed")) == ("Dark", "false")
    button.click()
    dark = _style(browser, "body", "backgroundColor"), _style(browser, ".plot .xtick text", "fill")
    assert dark[0] != before[0]
    assert dark[1] != before[1]
    assert (button.text, button.get_attribute("aria-pressed")) == ("Light", "true")
    button.click()
    assert (_style(browser, "body", "backgroundColor"), _style(browser, ".plot .xtick text", "fill")) == before


def test_the_page_follows_the_system_until_the_reader_chooses(opened):
    browser = opened([measure_record()], DESK)
    light = _style(browser, "body", "backgroundColor")
    dark_system = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark_system)
    assert _style(browser, "html", "colorScheme") is not None
    theme = "return document.documentElement.dataset.theme"  # the page hears of it a moment later
    WebDriverWait(browser, 20).until(lambda shown: shown.execute_script(theme) == "dark")
    assert _style(browser, "body", "backgroundColor") != light


def test_hostile_names_run_nothing(opened):
    hostile = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
    clean = fit_record(2)
    colours = clean.latent.model_copy(update={"color": [hostile] * 300, "color_name": hostile})
    verdict = clean.verdict.model_copy(update={"sentence": hostile, "error_name": hostile})
    columns = [ColumnRow(name=hostile[40:], kind=kind, detail=hostile) for kind in ("number", "left out")]
    told = {"source": hostile, "notes": [hostile], "warnings": [hostile], "columns": columns, "input_names": [hostile]}
    data = clean.data.model_copy(update=told)
    record = fit_record(2, name=hostile, warnings=[hostile], latent=colours, verdict=verdict)
    browser = opened([record.model_copy(update={"data": data}), record], DESK)
    browser.execute_async_script(READ)
    assert not browser.title.startswith("taken")
    assert browser.find_elements("css selector", "img") == []
    requests = "return performance.getEntriesByType('resource').map(each => each.name)"
    assert browser.execute_script(requests) == []
