"""A progress bar on standard error for whatever takes longer than two seconds."""

from __future__ import annotations

import threading
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
    # By the clock, not at the next report: the first stage of some work is the longest.
    patience = threading.Timer(_PATIENCE, bar.start)
    patience.daemon = True

    def report(fraction: float, state: str) -> None:
        bar.update(task, completed=fraction, state=state)

    if shown and console.is_terminal:
        patience.start()
    try:
        yield report
    finally:
        patience.cancel()
        if patience.ident is not None:
            patience.join()
        if bar.live.is_started:
            bar.stop()
