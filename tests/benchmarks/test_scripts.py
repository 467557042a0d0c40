import json
import subprocess
import sys

# Packages of the extra `bench` that scripts import at the top; the others are imported where they are used.
EXTRA = {"skdim", "sklearn", "mlxtend", "scipy"}
IMPORT_EACH = """
import importlib, json, sys
missing = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as absent:
        missing[name] = absent.name
print(json.dumps(missing))
"""


def test_every_script_finds_what_it_imports(benchmarks):
    names = [path.stem for path in sorted(benchmarks.glob("[a-z]*.py"))]
    assert "rank_decision" in names
    command = [sys.executable, "-c", IMPORT_EACH, *names]
    done = subprocess.run(command, cwd=benchmarks, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    missing = json.loads(done.stdout)
    assert {package.split(".")[0] for package in missing.values()} <= EXTRA, missing
