"""The site's own tools: broken links are found, and Start is read word by word."""

import importlib.util
import operator
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def loaded(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_broken_link_is_found_and_a_whole_one_is_not(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "index.html").write_text('<h1 id="top">b</h1>')
    (tmp_path / "p.svg").write_text("")
    good = '<a href="b/#top">b</a><a href="#here"></a><img id="here" src="p.svg"><a href="https://x.org/none">out</a>'
    bad = '<a href="b/#bottom">b</a><a href="c.html">c</a>'
    (tmp_path / "a.html").write_text(good + bad)
    broken, inside, outside = loaded(ROOT / "docs" / "check_links.py").broken_links(tmp_path)
    assert [address for _, address in broken] == ["b/#bottom", "c.html"]
    assert (inside, outside) == (5, 1)


def test_what_start_says_is_read_in_order(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    steps = list(loaded(ROOT / "benchmarks" / "installation.py").start_steps((ROOT / "docs" / "start.md").read_text()))
    assert steps[0] == ("save", "start/arm.py")
    assert steps[1] == ("run", "python arm.py")
    assert steps[2][1].startswith("isthmus fit arm.csv --target")
    assert [what for kind, what in steps if kind == "run"][-1] == "python python.py"


@pytest.mark.parametrize("name", [path.name for path in (ROOT / "docs" / "gallery").glob("plot_*.py")])
def test_an_example_says_what_to_conclude_and_what_not(name):
    text = (ROOT / "docs" / "gallery" / name).read_text(encoding="utf-8")
    assert "**Conclude" in text
    assert "**Do not conclude**" in text
    assert text.index("figure") < text.index("**Conclude")


def pages_in_toctrees():
    docs = ROOT / "docs"
    for page in docs.rglob("*.md"):
        for block in re.findall(r"```\{toctree\}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in (line for line in block.splitlines() if line and not line.startswith(":")):
                target = re.sub(r".*<(.*)>", r"\1", line)
                yield from (found.relative_to(docs) for found in page.parent.glob(f"{target}.md"))


def test_every_page_stands_in_a_table_of_contents():
    docs = ROOT / "docs"
    found = {
        page.relative_to(docs) for folder in (".", "decisions", "reference") for page in (docs / folder).glob("*.md")
    }
    assert found - set(pages_in_toctrees()) == {Path("index.md")}


def test_every_name_of_the_reference_is_there():
    import isthmus

    text = (ROOT / "docs" / "reference" / "index.md").read_text(encoding="utf-8")
    names = re.findall(r"^   ([\w.]+)$", text, re.MULTILINE)
    assert {"fit", "training.FittedNetwork"} < set(names)
    for name in names:
        operator.attrgetter(name)(isthmus)


def test_every_command_is_in_the_reference():
    import typer.main

    from isthmus.cli.main import app

    text = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    assert set(re.findall(r"isthmus ([a-z-]+) --help", text)) == set(typer.main.get_command(app).commands)
