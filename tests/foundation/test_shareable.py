"""Paths in records."""

from pathlib import Path

import pytest

from isthmus.foundation.files import shareable


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("{home}/work/x.csv", "x.csv"),
        ("--out={home}/work/runs/a", "--out=runs/a"),
        ("{home}/x.csv", "~/x.csv"),
        ("mnist:folder={home}/faces", "mnist:folder=~/faces"),
        ("/srv{home}/x.csv", "/srv{home}/x.csv"),  # another folder, which only ends alike
        ("{home}er/x.csv", "{home}er/x.csv"),
        ("/srv/x.csv", "/srv/x.csv"),
        ("x.csv", "x.csv"),
        ("teacher:k=2", "teacher:k=2"),
    ],
)
def test_no_record_names_the_home_of_its_user(typed, kept, tmp_path, monkeypatch):
    home = tmp_path / "ann"
    (home / "work").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home / "work")
    assert shareable(typed.format(home=home)) == kept.format(home=home)


def test_the_root_of_the_file_system_is_no_place_to_leave_out(monkeypatch):
    monkeypatch.setenv("HOME", "/")
    monkeypatch.chdir("/")
    assert shareable("/srv/x.csv") == "/srv/x.csv"
    monkeypatch.delenv("HOME")
    assert shareable(str(Path("x") / "y.csv")) == str(Path("x") / "y.csv")
