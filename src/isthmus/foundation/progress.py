"""A progress bar on standard error for whatever takes longer than two seconds."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

Report = Callable[[float, str], None]
"""Called with the fraction done in [0, 1] and a few words on the state."""

_PATIENCE, _EVERY = 2.0, 10.0  # seconds


def silent(fraction: float, state: str) -> None:
    """Report to nobody."""


def part(report: Report, begin: float, end: float) -> Report:
    """A report for a part of the work, which takes the whole from `begin` to `end`."""
    return lambda fraction, state: report(begin + (end - begin) * fraction, state)


@contextmanager
def progress_bar(title: str, *, shown: bool = True, logs: bool = False) -> Iterator[Report]:
    """Give a function to report progress to; the bar appears after two seconds and vanishes at the end.

    Args:
        title: What is done.
        shown: Whether anything is shown.
        logs: Where standard error is no terminal, whether a line now and then takes the place of the bar.
    """
    console = Console(stderr=True)
    if not shown or (not console.is_terminal and not logs):
        yield silent
    elif not console.is_terminal:
        yield _Lines(title)
    else:
        with _bar(title, console) as report:
            yield report


@contextmanager
def _bar(title: str, console: Console) -> Iterator[Report]:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[state]}"),
        console=console,
        transient=True,
    )
    task = bar.add_task(title, total=1.0, state="")
    # By the clock, not at the next report: the first stage of some work is the longest.
    patience = threading.Timer(_PATIENCE, bar.start)
    patience.daemon = True
    patience.start()
    try:
        yield lambda fraction, state: bar.update(task, completed=fraction, state=state)
    finally:
        patience.cancel()
        patience.join()
        if bar.live.is_started:
            bar.stop()


class _Lines:
    """A line for a log: one after two seconds, then one every ten."""

    def __init__(self, title: str) -> None:
        self._title, self._next = title, time.monotonic() + _PATIENCE

    def __call__(self, fraction: float, state: str) -> None:
        if time.monotonic() >= self._next:
            print(f"{self._title}: {fraction:.0%} {state}".rstrip(), file=sys.stderr, flush=True)
            self._next = time.monotonic() + _EVERY
