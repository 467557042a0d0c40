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
        with _lines(title) as report:
            yield report
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
    task = bar.add_task(title, total=None, state="")  # it moves to and fro until a fraction is known
    try:
        with _after_patience(bar.start):
            yield lambda fraction, state: bar.update(task, total=1.0, completed=fraction, state=state)
    finally:
        if bar.live.is_started:
            bar.stop()


@contextmanager
def _lines(title: str) -> Iterator[Report]:
    """Lines for a log: one after two seconds, then one every ten when there is something to say."""
    known, following, start = [title], [float("inf")], time.monotonic()

    def begin() -> None:
        print(known[0], file=sys.stderr, flush=True)
        following[0] = time.monotonic() + _EVERY

    def report(fraction: float, state: str) -> None:
        now = time.monotonic()
        left = f"about {(now - start) * (1.0 - fraction) / fraction:.0f} s left" if 0.0 < fraction < 1.0 else ""
        known[0] = ", ".join(filter(None, [f"{title}: {fraction:.0%} {state}".rstrip(), left]))
        if now >= following[0]:
            begin()

    with _after_patience(begin):
        yield report


@contextmanager
def _after_patience(begin: Callable[[], None]) -> Iterator[None]:
    """Call `begin` after two seconds, by the clock and not at the next report: some work says nothing for long."""
    patience = threading.Timer(_PATIENCE, begin)
    patience.daemon = True
    patience.start()
    try:
        yield
    finally:
        patience.cancel()
        patience.join()
