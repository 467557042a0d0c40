"""What a person sees of long work, in a terminal and in a log."""

import time

from isthmus.foundation import progress
from isthmus.foundation.progress import progress_bar


def test_a_log_names_work_that_says_nothing(monkeypatch, capsys):
    monkeypatch.setattr(progress, "_PATIENCE", 0.05)
    with progress_bar("reading a", logs=True):
        time.sleep(0.3)
    assert capsys.readouterr().err == "reading a\n"


def test_a_log_has_a_line_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr(progress, "_PATIENCE", 0.05)
    monkeypatch.setattr(progress, "_EVERY", 0.1)
    with progress_bar("fitting a", logs=True) as report:
        report(0.1, "early")
        time.sleep(0.1)
        report(0.2, "too soon after the first")
        time.sleep(0.15)
        report(0.5, "in time")
    first, *others = capsys.readouterr().err.splitlines()
    assert first.startswith("fitting a: 10% early, about ")
    assert others == ["fitting a: 50% in time, about 0 s left"]  # a quarter of a second


def test_a_log_says_how_long_it_will_take(monkeypatch, capsys):
    moments = iter([100.0, 103.0, 104.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(moments, 200.0))
    monkeypatch.setattr(progress, "_PATIENCE", 0.05)
    with progress_bar("fitting a", logs=True) as report:
        report(0.2, "begun")
        time.sleep(0.2)
    assert capsys.readouterr().err == "fitting a: 20% begun, about 12 s left\n"


def test_what_is_quick_is_not_mentioned(capsys):
    with progress_bar("fitting a", logs=True) as report:
        report(0.5, "half")
    with progress_bar("fitting a", shown=False) as report:
        report(0.5, "half")
    assert capsys.readouterr().err == ""
