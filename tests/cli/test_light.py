"""Help and what is refused come before torch, which takes seconds to import."""

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

COMMANDS = ["fit", "predict", "measure", "compress", "cost", "regions", "report", "reproduce", "sweep", "window"]
SAID = {
    "help": (["--help"], 0),
    "nothing": ([], 2),
    "version": (["--version"], 0),
    **{f"{name} --help": ([name, "--help"], 0) for name in COMMANDS},
    "unknown command": (["fti"], 2),
    "unknown option": (["fit", "teacher", "--depht", "3"], 2),
    "an option of the first edition": (["fit", "teacher", "--folds", "3"], 2),
    "no such file": (["fit", "none.csv"], 2),
    "a wrong column": (["fit", "t.csv", "--target", "z"], 2),
    "a damaged table": (["fit", "ragged.csv", "--target", "a"], 2),
    "wrong depths": (["fit", "t.csv", "--target", "a", "--depth", "deep"], 2),
    "a wrong share": (["fit", "t.csv", "--target", "a", "--test", "0.9"], 2),
    "too few rows": (["fit", "t.csv", "--target", "a"], 2),
    "no such run": (["predict", "none", "--data", "t.csv", "--out", "p.csv"], 2),
    "no such kind of table": (["predict", ".", "--data", "t.csv", "--out", "p.txt"], 2),
    "no such model": (["measure", "none.onnx", "--data", "t.csv"], 2),
    "a wrong tolerance": (["measure", "none.onnx", "--data", "t.csv", "--tolerance", "2"], 2),
    "a target of no kind": (["compress", "t.csv", "--data", "t.csv", "--out", "s.pth"], 2),
    "a target that is there": (["compress", "t.csv", "--data", "t.csv", "--out", "t.onnx"], 2),
    "nothing to report": (["report", "none"], 2),
    "no such specification": (["sweep", "none.toml", "--out", "s"], 2),
    "no workers": (["sweep", "t.csv", "--out", "s", "--n-jobs", "0"], 2),
    "a window of no file": (["window", "none.csv"], 2),
    "a window into the wrong file": (["window", "t.csv", "--out", "w.png"], 2),
}
SCRIPT = """
import contextlib, io, json, sys
from isthmus.cli.main import run
found = {}
for name, arguments in json.loads(sys.argv[1]).items():
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run(arguments)
    heavy = [module for module in ("torch", "plotly", "sklearn", "scipy") if module in sys.modules]
    found[name] = [status, out.getvalue(), err.getvalue(), heavy]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Status, both outputs and the heavy modules that were there by then, of each command in one fresh process."""
    folder = tmp_path_factory.mktemp("light")
    (folder / "t.csv").write_text("a,b\n" + "1,2\n3,4\n" * 3)
    (folder / "t.onnx").touch()
    (folder / "ragged.csv").write_text("a,b\n1,2\n3,4,5\n")
    asked = json.dumps({name: arguments for name, (arguments, _) in SAID.items()})
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, asked], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", SAID)
def test_it_is_said_without_torch(answers, name):
    status, out, err, heavy = answers[name]
    assert status == SAID[name][1]
    assert heavy == []
    assert "Traceback" not in err
    if status == 0 or name == "nothing":
        assert out
        assert err == ""
    else:
        assert out == ""
        assert err.startswith("isthmus: ")
        assert err.count("\n") == 1


def test_help_names_every_command(answers):
    assert [name for name in COMMANDS if name not in answers["help"][1]] == []
    assert answers["nothing"][1] == answers["help"][1]


@pytest.mark.parametrize("arguments", [["--version"], ["fit", "--help"]])
def test_a_closed_pipe_ends_a_command_without_a_word(arguments):
    code = "from isthmus.cli.main import main; main()"
    asked = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as command:
        command.stdout.close()
        said = command.stderr.read()
    assert (command.returncode, said) == (141, b"")


def test_python_runs_the_package_as_the_command():
    asked = [sys.executable, "-m", "isthmus", "--version"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert done.stdout == f"isthmus {version('isthmus')}\n"
