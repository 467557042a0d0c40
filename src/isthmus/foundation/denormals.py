"""Compute with denormal numbers flushed to zero, and leave every thread as it was."""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Treat denormals as zero inside the block, in the calling thread and in torch's workers.

    Weights that the ridge drives to zero become denormal on the way, and a CPU then takes several times as long for
    each step; nothing else in a fit is as expensive. The processor's flag belongs to a thread, and torch sets it for
    the calling thread only: workers that were started before keep computing with denormals. See
    `docs/decisions/0006-denormals-in-every-thread.md`.
    """
    before: dict[int, bool] = {}

    def flush() -> None:
        before[threading.get_ident()] = is_flushing()
        torch.set_flush_denormal(True)

    def restore() -> None:
        torch.set_flush_denormal(before.get(threading.get_ident(), False))

    _in_every_thread(flush)
    try:
        yield
    finally:
        _in_every_thread(restore)


def is_flushing() -> bool:
    """Whether the calling thread treats denormals as zero."""
    # torch can set the flag and not read it: a product that is denormal tells.
    single = torch.tensor([1e-30, 1e-9], dtype=torch.float32)  # whatever the default is: in double it is no denormal
    return float(single[0] * single[1]) == 0.0


def _in_every_thread(action: Callable[[], None]) -> None:
    """Run `action` in each thread of the OpenMP team that computes for the calling thread, or only in the latter."""
    library = _openmp()
    if library is None:
        action()
        return
    body = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: action())
    library.GOMP_parallel(body, None, ctypes.c_uint(torch.get_num_threads()), ctypes.c_uint(0))


@functools.cache
def _openmp() -> ctypes.CDLL | None:
    """GNU's OpenMP runtime as torch has loaded it (Linux wheels), or None."""
    for path in (Path(torch.__file__).parent / "lib").glob("libgomp*"):
        library = ctypes.CDLL(str(path))
        if hasattr(library, "GOMP_parallel"):
            return library
    return None
