"""What a command of the command line takes, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

_MEASURED = """
import sys, time
from isthmus.cli.main import run
if sys.argv[1:]:
    sys.stdout = sys.stderr
    assert run(sys.argv[1:]) == 0
    sys.stdout = sys.__stdout__
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) * 1024, time.process_time())
"""


def child_peak(*arguments: str) -> tuple[int, float]:
    """Largest resident memory in bytes of a process that runs a command, and its processor seconds.

    It asks the kernel itself: what is counted of a child from outside holds the memory that its parent had at the fork.
    """
    done = subprocess.run([sys.executable, "-c", _MEASURED, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    peak, seconds = done.stdout.split()
    return int(peak), float(seconds)
