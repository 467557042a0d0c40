"""Where nothing more can be written, one sentence is said and the earlier result stays whole.

Killed processes, file systems that are full and folders that are read-only: `benchmarks/hardening.py`.
"""

import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from commands import call
from finished_runs import FLAGS
from isthmus.foundation.files import write_atomically
from isthmus.runs import load_run

resource = pytest.importorskip("resource")
FIT = ["fit", "curve:n=60", *FLAGS, "--ridge", "0.02", "--overwrite", "--out", "r"]


@contextmanager
def largest_file(size):
    """Files cannot grow beyond this: what the system says then is handled as a disk that is full is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
@pytest.mark.parametrize("size", [10, 3000])
def test_a_disk_that_fills_up_leaves_the_earlier_result(tmp_path, monkeypatch, capsys, size):
    monkeypatch.chdir(tmp_path)
    assert call(capsys, *FIT)[0] == 0
    before, folder = content(Path("r")), Path("r")
    with largest_file(size):
        status, out, err = call(capsys, *FIT, "--seed", "1")
    assert (status, out) == (2, "")
    assert err.startswith("isthmus: ")
    assert err.count("\n") == 1
    assert {name: each for name, each in content(folder).items() if not name.startswith("unfinished")} == before
    assert not list(folder.rglob("*.part"))  # nothing half-written is left
    assert call(capsys, *FIT, "--seed", "1")[0] == 0
    assert load_run("r").record.options["seed"] == 1
    assert sorted(content(folder)) == sorted(before)


def test_a_page_that_cannot_be_written_is_missing_and_not_that_of_another_fit(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call(capsys, *FIT)[0] == 0
    with largest_file(200_000):
        assert call(capsys, *FIT, "--seed", "1")[0] == 2
    assert load_run("r").record.options["seed"] == 1
    assert not Path("r/report.html").exists()


def test_a_file_that_cannot_be_written_is_as_it_was(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("earlier")
    with largest_file(100), pytest.raises(OSError, match="large"):
        write_atomically(path, b"x" * 1000)
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]
