"""Wheel and sdist in new environments, with the lowest and the newest versions of the dependencies that may be had.

Builds both, checks them with twine, and for every Python that is found and either end of the dependencies: resolves
them with uv, installs the wheel with all extras by pip, and does in an empty folder what docs/start.md says and what
the examples of all public names say. `--torch VERSION` pins torch where its build is on this machine: others bring 3 GB
of CUDA.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from _environment import RESULTS, keep

CLAIM = "The wheel installs and does what docs/start.md says at either end of its dependencies."
ROOT = Path(__file__).resolve().parents[1]
START = ROOT / "docs" / "start.md"
ENDS = {"lowest": "lowest-direct", "newest": "highest"}
SHOWN = ("torch", "numpy", "scikit-learn", "pandas", "onnx", "pydantic", "plotly")
EXAMPLES = """
import doctest, isthmus
failed = 0
for name in sorted({*isthmus.__all__, *isthmus._HOME}):
    found = getattr(isthmus, name)
    test = doctest.DocTestParser().get_doctest(found.__doc__, {}, name, None, 0)
    failed += doctest.DocTestRunner().run(test).failed
    assert test.examples, name
raise SystemExit(failed)
"""


def start_steps(text):
    """("save", file) or ("run", command) for all that the page tells its reader to do, in order."""
    for kind, argument in re.findall(r"```\{(literalinclude|program-output|command-output)\} (.+)", text):
        yield ("save", argument) if kind == "literalinclude" else ("run", argument.replace("../", ""))


def pythons():
    """The interpreters of 3.11 and later on this machine, one a minor version."""
    found = {}
    for minor in range(11, 15):
        name = f"python3.{minor}"
        places = [*Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/{name}"), *filter(None, [shutil.which(name)])]
        found.update({f"3.{minor}": str(place) for place in places[:1]})
    return found


def built(folder):
    """The wheel, built from the sdist, after twine has looked at both."""
    subprocess.run([sys.executable, "-m", "build", "--outdir", folder, ROOT], check=True, stdout=subprocess.DEVNULL)
    files = sorted(Path(folder).iterdir())
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *files], check=True)
    return next(path for path in files if path.suffix == ".whl"), {path.name: path.stat().st_size for path in files}


def resolved(python, end, torch, target):
    """Pins of all dependencies at that end, as uv resolves them for that Python."""
    limits = target.with_suffix(".limits")
    limits.write_text(f"torch=={torch}\n" if torch else "")
    arguments = ["--resolution", ENDS[end], "--python-version", python, "--extra", "all", "-c", limits, "-o", target]
    uv = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    subprocess.run([*uv, ROOT / "pyproject.toml", *arguments], check=True, stdout=subprocess.DEVNULL)
    return dict(line.split("==") for line in target.read_text().splitlines() if "==" in line)


def tried(bin_folder, work):
    """What `Start` says, word by word in an empty folder, and the examples of all public names."""
    variables = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    variables.pop("PYTHONPATH", None)
    for kind, what in start_steps(START.read_text()):
        if kind == "save":
            shutil.copy(START.parent / what, work)
        else:
            subprocess.run(what, shell=True, check=True, cwd=work, env=variables, stdout=subprocess.DEVNULL)
    subprocess.run([bin_folder / "python", "-c", EXAMPLES], check=True, cwd=work, env=variables)


def installed(interpreter, python, end, wheel, torch, folder):
    """Make an environment, install and try; returns the versions that were there."""
    folder.mkdir()
    pins = resolved(python, end, torch, folder / "pins.txt")
    subprocess.run([interpreter, "-m", "venv", folder / "env"], check=True)
    pip = [folder / "env" / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "-c", folder / "pins.txt", f"{wheel}[all]"], check=True)
    subprocess.run([*pip, "check"], check=True)
    (folder / "work").mkdir()
    tried(folder / "env" / "bin", folder / "work")
    return {"python": python, "end": end, **{name: pins[name] for name in SHOWN}}


def earlier(pythons, ends):
    """What is on record of other environments than those that are tried now."""
    kept = RESULTS / "installation.json"
    rows = json.loads(kept.read_text())["figures"]["tried"] if kept.exists() else []
    return [row for row in rows if not (row["python"] in pythons and row["end"] in ends)]


def main():
    known = pythons()
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--python", action="append", choices=known, help="which; default: all that are found")
    asked.add_argument("--end", action="append", choices=ENDS, help="which; default: both")
    asked.add_argument("--torch", help="the version of torch to take, whatever the end")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wheel, sizes = built(f"{folder}/dist")
        rows = earlier(options.python or known, options.end or ENDS)
        for python in options.python or known:
            for end in options.end or ENDS:
                where = Path(folder) / f"{python}-{end}"
                rows.append(installed(known[python], python, end, wheel, options.torch, where))
                print(rows[-1], flush=True)
                shutil.rmtree(where)
    keep("installation", CLAIM, {"bytes": sizes, "tried": rows})


if __name__ == "__main__":
    main()
