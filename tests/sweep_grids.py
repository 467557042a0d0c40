"""A grid of selections that take a twentieth of a second each."""

from dataclasses import replace

from isthmus.sweeps.specification import specification

OPTIONS = {"width": [4, 8], "depth": 3, "ridge": 0.01, "cv": 2, "schedule": {"steps": 20, "rounds": 0}}


def grid(seeds=3):
    """Of 4 × `seeds` cells."""
    return specification(
        {"data": "curve", "seeds": list(range(seeds)), "parameters": {"n": [20, 30]}, "options": OPTIONS}
    )


def timeless(rows):
    """What must be the same however often and wherever a sweep is run."""
    return [replace(row, seconds=None) for row in rows]


TOML = """
data = "curve"
seeds = {seeds}
[parameters]
n = [20, 30]
[options]
width = [4, 8]
depth = 3
ridge = 0.01
cv = 2
schedule.steps = {steps}
schedule.rounds = 0
"""


def deadly(number):
    """What runs a cell, and dies in that of this number until it is given up."""

    def run(store, each, report):  # goes to other processes as it stands here
        import os
        import signal

        from isthmus.sweeps import cell

        mark = cell.starts_of(store, each.number)
        if each.number == number and cell.deaths(mark) < cell.DEATHS:
            mark.parent.mkdir(exist_ok=True)
            with mark.open("ab") as stream:
                stream.write(b".")
            os.kill(os.getpid(), signal.SIGKILL)
        return cell.run_cell(store, each, report)

    return run
