"""Independent pieces of linear algebra, side by side on the threads that torch is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

from isthmus.foundation.denormals import is_flushing

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(work: Callable[[T], R], pieces: Sequence[T]) -> Iterator[R]:
    """`work(piece)` for each of the `pieces`, in order, on up to `torch.get_num_threads()` threads.

    LAPACK's decompositions are sequential for the most part: one of them on two threads takes longer than on one,
    and where other programs compute as well their barriers wait for threads that do not run. Two of them on a thread
    each take half the time. Torch lets go of the interpreter while it computes. Every thread computes with one
    thread of its own, so results do not depend on how many there are, and with gradients and denormals as the caller
    does. A single piece is worked on in the calling thread with all of its threads.
    """
    allowed = torch.get_num_threads()
    workers = min(allowed, len(pieces))
    if workers <= 1:
        yield from map(work, pieces)
        return
    flushes, has_gradients = is_flushing(), torch.is_grad_enabled()

    def prepare() -> None:
        torch.set_num_threads(1)
        torch.set_flush_denormal(flushes)
        torch.set_grad_enabled(has_gradients)

    pool = ThreadPoolExecutor(workers, initializer=prepare)
    try:
        yield from pool.map(work, pieces)
    finally:
        pool.shutdown(cancel_futures=True)
        # Torch gives new threads the number that was set last, wherever: put back the caller's.
        torch.set_num_threads(allowed)


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch computes with one thread inside, so that results do not depend on how many it is allowed."""
    allowed = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(allowed)
