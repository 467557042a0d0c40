"""A command as a person runs it, in an empty folder."""

import re

import pytest

from isthmus.cli.main import run

_PROGRESS = re.compile(r"(?!isthmus: ).*: \d+%( |$)")  # a line now and then of what takes longer than two seconds


def call(capsys, *arguments):
    """Run a command: its exit status, what was printed, and what was said beside it but for progress."""
    capsys.readouterr()
    status = run([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    said = [line for line in printed.err.splitlines(keepends=True) if not _PROGRESS.match(line)]
    return status, printed.out, "".join(said)


@pytest.fixture
def command(capsys):
    """`call` with what it reads from."""
    return lambda *arguments: call(capsys, *arguments)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
