"""A progress bar on standard error for whatever takes longer than two seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

Report = Callable[[float, str], None]
"""Called with the fraction done in [0, 1] and a few words on the state."""

_PATIENCE = 2.0


def silent(fraction: float, state: str) -> None:
    """Report to nobody."""


def part(report: Report, begin: float, end: float) -> Report:
    """A report for a part of the work, which takes the whole from `begin` to `end`."""
    return lambda fraction, state: report(begin + (end - begin) * fraction, state)


@contextmanager
def progress_bar(title: str, *, shown: bool = True) -> Iterator[Report]:
    """Give a function to report progress to; the bar appears after two seconds and vanishes at the end.

    Nothing is drawn where standard error is not a terminal, so logs and pipes stay clean.
    """
    console = Console(stderr=True)
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
    begin = time.monotonic()
    visible = shown and console.is_terminal

    def report(fraction: float, state: str) -> None:
        if visible and not bar.live.is_started and time.monotonic() - begin > _PATIENCE:
            bar.start()
        bar.update(task, completed=fraction, state=state)

    try:
        yield report
    finally:
        if bar.live.is_started:
            bar.stop()
