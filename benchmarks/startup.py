"""Claim: help, and what a command refuses of options, files or columns, take under half a second of processor time.

torch alone takes one or two to import; `tests/cli/test_light.py` holds that none of this imports it. Median of nine
fresh processes each.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from _environment import keep

COMMANDS = {
    "help": ["--help"],
    "help of fit": ["fit", "--help"],
    "no such file": ["fit", "none.csv"],
    "a wrong column": ["fit", "t.csv", "--target", "z"],
    "an option of the first edition": ["fit", "t.csv", "--folds", "3"],
    "no such run": ["report", "none"],
}
RUN = "from isthmus.cli.main import main; main()"
TIMES = 9


def spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds(code: str, arguments: list[str], folder: Path) -> float:
    before = spent()
    subprocess.run([sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, check=False)
    return spent() - before


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "t.csv").write_text("a,b\n" + "1,2\n3,4\n" * 20)
        asked = {**{what: (RUN, arguments) for what, arguments in COMMANDS.items()}, "torch": ("import torch", [])}
        found = {what: round(median(seconds(*each, folder) for _ in range(TIMES)), 3) for what, each in asked.items()}
    for what, value in found.items():
        print(f"{what:32} {value:6.3f} s")
    keep("startup", str(__doc__).partition("\n")[0].removeprefix("Claim: "), {"seconds of processor time": found})


if __name__ == "__main__":
    main()
