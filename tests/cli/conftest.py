"""A command as a person runs it, in an empty folder."""

import pytest

from isthmus.cli.main import run


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(capsys):
    """Runs a command: exit status, what was printed, and what was said beside it but for the progress of long work."""

    def called(*arguments):
        capsys.readouterr()
        status = run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        said = [line for line in printed.err.splitlines(keepends=True) if not line.startswith("fitting ")]
        return status, printed.out, "".join(said)

    return called
