"""`isthmus regions` as a person runs it."""

import base64
import json
import re
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import torch

import commands
from cases import random_layers, through
from isthmus.formats import save
from isthmus.networks import RELU, FullyConnected
from isthmus.regions import Plane, enumerate_regions
from oracles.random_classifiers import random_classifier

webdriver = pytest.importorskip("selenium.webdriver")
WebDriverWait = pytest.importorskip("selenium.webdriver.support.ui").WebDriverWait
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

CLASSIFIER = random_classifier(3, hidden=(16, 16), classes=4)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(CLASSIFIER, tmp_path / "net.safetensors")
    save(random_layers((2, 6, 1), RELU, 0), tmp_path / "one.safetensors")
    save(random_layers((2, 6, 2), RELU, 0), tmp_path / "square.safetensors")
    save(random_layers((3, 6, 6, 2), RELU, 0), tmp_path / "space.safetensors")
    save(through(2, 0), tmp_path / "nine.safetensors")
    return tmp_path


def call(capsys, *arguments):
    return commands.call(capsys, "regions", *arguments)


def test_json_holds_what_the_library_finds(here, capsys):
    status, out, err = call(capsys, "net.safetensors", "--box", "-1", "1", "--json")
    assert (status, err) == (0, "")
    record = json.loads(out)
    regions = enumerate_regions(CLASSIFIER, (-1, 1))
    boundary = regions.decision_boundary()
    assert record["regions"] == len(regions)
    assert record["vertices"] == len(regions.vertices)
    assert (record["connected_pieces"], record["distinct_pieces"]) == regions.count_pieces()
    assert record["jacobian_rank"] == regions.jacobian_rank().lower
    assert record["tripoints"] == len(boundary.tripoints) > 0
    assert [p["point"] for p in record["tripoint_points"]] == boundary.tripoints.tolist()
    assert record["area"] == pytest.approx(4.0)
    assert sum(row["share_of_area"] for row in record["rank_counts"]) == pytest.approx(1.0)
    assert sum(row["regions"] for row in record["rank_counts"]) == record["regions"]
    product = sum(a * j.T @ j for a, j in zip(regions.areas / 4.0, regions.jacobians(), strict=True))
    np.testing.assert_allclose(record["gradient_outer_product"], product, rtol=1e-9)
    assert record["index_rank"] == 2


def test_the_summary_is_for_reading(here, capsys):
    status, out, _ = call(capsys, "net.safetensors", "--box", "-1", "1")
    assert status == 0
    assert re.search(r"\d+ linear regions", out)
    for word in ("Jacobian rank", "bottleneck rank", "tripoints", "classes", "seconds"):
        assert word in out


def test_a_box_may_have_a_bound_for_each_axis(here, capsys):
    record = json.loads(call(capsys, "net.safetensors", "--box", "-1,0", "0.5,2", "--json")[1])
    assert (record["lower"], record["upper"]) == ([-1.0, 0.0], [0.5, 2.0])


def test_three_dimensions_are_counted_and_not_drawn(here, capsys):
    record = json.loads(call(capsys, "space.safetensors", "--box", "-1", "1", "--json")[1])
    assert "index_rank" not in record
    assert record["regions"] == len(enumerate_regions(random_layers((3, 6, 6, 2), RELU, 0), (-1, 1)))
    assert record["tripoints"] is None
    status, _, err = call(capsys, "space.safetensors", "--box", "-1", "1", "--out", "p.html")
    assert status == 2
    assert "Regions in 3 dimensions cannot be drawn" in err


@pytest.mark.parametrize("kind", ["npy", "csv", "npz"])
def test_a_plane_from_a_file(here, capsys, kind):
    points = np.random.default_rng(0).standard_normal((3, 9))
    if kind == "npy":
        np.save("plane.npy", points)
    elif kind == "csv":
        np.savetxt("plane.csv", points, delimiter=",")
    else:
        plane = Plane.through(points)
        np.savez("plane.npz", origin=plane.origin, directions=plane.directions)
    record = json.loads(call(capsys, "nine.safetensors", "--plane", f"plane.{kind}", "--box", "-2", "2", "--json")[1])
    expected = enumerate_regions(through(2, 0), (-2, 2), plane=Plane.through(points))
    assert record["is_slice"]
    assert record["regions"] == len(expected)
    assert record["jacobian_rank"] == 2
    around = json.loads(call(capsys, "nine.safetensors", "--plane", f"plane.{kind}", "--json")[1])
    assert around["upper"][0] - around["lower"][0] == pytest.approx(around["upper"][1] - around["lower"][1])


def test_beyond_the_budget(here, capsys):
    status, _, err = call(capsys, "net.safetensors", "--box", "-1", "1", "--budget", "20")
    assert status == 2
    assert re.search(r"More than 20 linear regions: \d+ were found .* Raise the budget", err)
    record = json.loads(call(capsys, "net.safetensors", "--box", "-1", "1", "--budget", "20", "--partial", "--json")[1])
    assert not record["is_complete"]
    assert record["regions"] > 20
    assert record["jacobian_rank"] is None
    assert "partial" in call(capsys, "net.safetensors", "--box", "-1", "1", "--budget", "20", "--partial")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["net.safetensors"], r"--box is missing. Give LO HI, for example --box -1 1"),
        (["net.safetensors", "--box", "1", "-1"], r"empty along dimension 0"),
        (["net.safetensors", "--box", "a", "1"], r"--box is 'a 1' but must be two numbers"),
        (["net.safetensors", "--box", "nan", "1"], r"must be bounded"),
        (["net.safetensors", "--box", "0,0,0", "1"], r"one for each of the 2 dimensions"),
        (["nine.safetensors", "--box", "-1", "1"], r"9 dimensions.*at most 6.*slice"),
        (["nine.safetensors", "--box", "-1", "1", "--plane", "none.npy"], r"There is no none.npy"),
        (["net.safetensors", "--box", "-1", "1", "--out", "p.png"], r"ends in .html or .svg"),
        (
            ["one.safetensors", "--box", "-1", "1", "--out", "p.svg", "--colour", "class"],
            r"one of pattern, rank for this",
        ),
        (["net.safetensors", "--box", "-1", "1", "--out", "p.svg", "--colour", "det"], r"as many outputs as inputs"),
        (["net.safetensors", "--box", "-1", "1", "--tolerance", "2"], r"tolerance is 2.0"),
        (["absent", "--box", "-1", "1"], r"absent"),
    ],
)
def test_every_wrong_input_is_one_sentence(here, capsys, arguments, message):
    status, out, err = call(capsys, *arguments)
    assert status == 2
    assert out == ""
    assert re.search(message, err), err
    assert err.startswith("isthmus: ")
    assert err.count("\n") == 1
    assert not list(here.glob("p.*"))


def test_hostile_and_damaged_plane_files(here, capsys):
    Path("half.npy").write_bytes(b"\x93NUMPY\x01\x00v")
    np.save("objects.npy", np.array([{}, 1, 2], dtype=object), allow_pickle=True)
    Path("words.csv").write_text("a,b\nc,d\n")
    np.savez("two.npz", a=np.eye(3), b=np.eye(3))
    np.save("line.npy", np.outer([0.0, 1.0, 2.0], np.ones(9)))
    np.save("holes.npy", np.full((3, 9), np.nan))
    for name, message in (
        ("half.npy", "damaged"),
        ("objects.npy", "never loaded"),
        ("words.csv", "not a table of numbers"),
        ("two.npz", "holds the arrays a, b"),
        ("line.npy", "lie on one line"),
        ("holes.npy", "NaN or infinity"),
    ):
        status, _, err = call(capsys, "nine.safetensors", "--plane", name)
        assert status == 2
        assert message in err, err


def data_of(page):
    return json.loads(re.search(r'id="figures">(.*?)</script>', page, re.S).group(1))


def unpacked(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


def test_the_page_holds_the_geometry_to_the_last_bit(here, capsys):
    assert call(capsys, "net.safetensors", "--box", "-1", "1", "--out", "p.html", "--colour", "class")[0] == 0
    data = data_of(Path("p.html").read_text())
    regions = enumerate_regions(CLASSIFIER, (-1, 1))
    assert (unpacked(data["vertices"], "<f8").reshape(-1, 2) == regions.vertices).all()
    assert (unpacked(data["offsets"], "<u4") == regions.offsets).all()
    assert (unpacked(data["corners"], "<u4") == regions.corners).all()
    assert [c["label"] for c in data["colourings"]] == ["largest output", "activation pattern", "rank of the Jacobian"]
    codes = unpacked(data["colourings"][1]["codes"], "u1")
    alike = np.mean([codes[a] == codes[b] for a, b in regions.neighbours])
    assert alike < 0.01  # neighbours differ
    territories = data["colourings"][0]
    assert len(unpacked(territories["codes"], "u1")) == len(regions.decision_boundary().owners) > len(regions)


def test_the_drawing_is_valid_and_fills_the_box(here, capsys):
    assert call(capsys, "net.safetensors", "--box", "-1", "1", "--out", "p.svg", "--colour", "class")[0] == 0
    root = ElementTree.parse("p.svg").getroot()
    space = "{http://www.w3.org/2000/svg}"
    total = 0.0
    for polygon in root.iter(f"{space}polygon"):
        p = np.array([[float(v) for v in pair.split(",")] for pair in polygon.get("points").split()])
        q = np.roll(p, -1, axis=0)
        total += abs((p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum()) / 2
    assert total == pytest.approx(900.0**2, rel=1e-3)
    assert len(list(root.iter(f"{space}circle"))) == len(enumerate_regions(CLASSIFIER, (-1, 1)).tripoints())


def test_hostile_names_are_text(here, capsys):
    name = "<script>alert(1)</script>&quot;.safetensors".replace("/", "")
    save(CLASSIFIER, here / name)
    assert call(capsys, name, "--box", "-1", "1", "--out", "p.html")[0] == 0
    assert "<script>alert" not in Path("p.html").read_text()
    assert call(capsys, name, "--box", "-1", "1", "--out", "p.svg")[0] == 0
    ElementTree.parse("p.svg")


@pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs Chromium and chromedriver")
def test_the_page_in_a_browser(here, capsys, tmp_path_factory):
    assert call(capsys, "square.safetensors", "--box", "-1", "1", "--out", "p.html", "--colour", "det")[0] == 0
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    profile = f"--user-data-dir={tmp_path_factory.mktemp('profile')}"
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--window-size=1000,1100", profile):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        browser.get((here / "p.html").as_uri())
        wait = WebDriverWait(browser, 20)
        canvas = browser.find_element("id", "view")
        wait.until(lambda _: canvas.get_attribute("data-scale"))
        before = float(canvas.get_attribute("data-scale"))
        seen = int(canvas.get_attribute("data-seen"))
        assert seen == len(enumerate_regions(random_layers((2, 6, 2), RELU, 0), (-1, 1)))
        browser.find_element("id", "in").click()
        wait.until(lambda _: float(canvas.get_attribute("data-scale")) > 1.5 * before)
        browser.find_element("id", "home").click()
        wait.until(lambda _: float(canvas.get_attribute("data-scale")) == before)
        webdriver.ActionChains(browser).move_to_element(canvas).perform()
        said = browser.find_element("id", "said")
        wait.until(lambda _: "region" in said.text)
        index = int(re.search(r"region (\d+)", said.text).group(1))
        x, y = (float(v) for v in re.search(r"\((\S+), (\S+)\)", said.text).groups())
        net = random_layers((2, 6, 2), RELU, 0)
        signs = (net.pre_activations(torch.tensor([[x, y]], dtype=torch.float64))[0][0] > 0).numpy()
        assert (enumerate_regions(net, (-1, 1)).pattern(index)[0] == signs).all()
        colours = browser.find_element("id", "colouring")
        assert [o.text for o in colours.find_elements("tag name", "option")] == [
            "|det J|", "activation pattern", "rank of the Jacobian", "largest output",
        ]  # fmt: skip
        assert browser.find_elements("css selector", "#legend li")
        assert browser.get_log("browser") == []
    finally:
        browser.quit()


def test_the_index_rank_is_never_below_the_rank_of_the_derivative(here, capsys):
    """(x + 10, relu(y − 1.995)): on 0.1 % of the box two numbers, which a mean passes over."""
    weights = (torch.eye(2), torch.eye(2))
    save(FullyConnected(weights, (torch.tensor([10.0, -1.995]), torch.zeros(2))), "corner.safetensors")
    status, out, _ = call(capsys, "corner.safetensors", "--box", -2, 2, "--json")
    record = json.loads(out)
    assert (status, record["jacobian_rank"], record["index_rank"]) == (0, 2, 2)
