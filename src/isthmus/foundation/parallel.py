"""Independent jobs side by side through joblib: on processes, on threads, or on a cluster."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from multiprocessing import current_process, resource_tracker
from numbers import Integral
from typing import Any, Generic, TypeVar

import torch

from isthmus.errors import ClusterLostError, OptionError, WorkerError
from isthmus.foundation.denormals import flushed_denormals
from isthmus.foundation.progress import Report, part, silent
from isthmus.foundation.threads import one_thread

J = TypeVar("J")
R = TypeVar("R")

_PROCESS = "LokyProcess"  # how joblib names its processes, which are children of the caller
_GLANCE = 0.3  # seconds between two looks at whether the caller is there
_ends_with: set[int] = set()
_is_in_worker: ContextVar[bool] = ContextVar("_is_in_worker", default=False)


def in_parallel(
    function: Callable[[J, Report], R],
    jobs: Sequence[J],
    *,
    n_jobs: int | None = None,
    is_ordered: bool = True,
    is_apart: bool = False,
    report: Report = silent,
) -> Generator[R, None, None]:
    """`function(job, report)` for each of the `jobs`, on as many workers as `n_jobs` says.

    Where the jobs run does not show in the results: each computes with one thread of torch, denormals flushed,
    gradients on, and the caller's default precision, also where it runs in the calling thread. Of jobs within jobs
    only the outermost are spread over workers, so that there are never more threads than workers. With one worker
    joblib is not even imported.

    Args:
        function: Called with a job and where to report its progress, which in a worker is nowhere. It and the jobs
            must be picklable for backends of processes; functions of a `__main__` and lambdas are.
        jobs: What to work on.
        n_jobs: In scikit-learn's sense: None is 1 unless a `joblib.parallel_config` says otherwise, -1 all processors,
            -2 all but one.
        is_ordered: Whether results come in the order of the jobs, or as they are ready.
        is_apart: Whether a single job goes to a worker as well, so that its death is not that of this process.
        report: Told the fraction of jobs done.

    Returns:
        The results, each as soon as it is there. To close it early ends the workers.

    Raises:
        OptionError: If `n_jobs` is 0 or no whole number, or the backend cannot give results one by one; before
            anything is computed.
        WorkerError: If a worker dies.
        ClusterLostError: If the scheduler of a cluster does.
        KeyboardInterrupt: Once, after Ctrl-C; the processes are gone by then.
        Whatever a job raises, as soon as it does; the other jobs are given up.
    """
    workers = workers_of(n_jobs)
    alone = _Alone(function, torch.get_default_dtype(), torch.get_float32_matmul_precision(), os.getpid())
    if workers == 1 or not jobs or (len(jobs) == 1 and not is_apart):
        return _one_by_one(alone, jobs, report)
    return _in_order(_on_workers(alone, jobs, n_jobs, report), is_ordered)


def workers_of(n_jobs: int | None) -> int:
    """How many workers `n_jobs` stands for here.

    Raises:
        OptionError: If it stands for none.
    """
    if n_jobs is not None and not _is_count(n_jobs):
        raise OptionError("n_jobs", n_jobs, "a whole number of workers, -1 for all processors, or None for one")
    is_configured = "joblib" in sys.modules  # nobody can have chosen a backend otherwise
    if n_jobs == 1 or _is_in_worker.get() or (n_jobs is None and not is_configured):
        return 1
    import joblib

    backend, _ = joblib.parallel.get_active_backend()
    workers: int = joblib.effective_n_jobs(n_jobs)
    if workers > 1 and not backend.supports_return_generator:
        raise OptionError("the joblib backend", type(backend).__name__, "loky, threading or dask")
    return workers


def _is_count(n_jobs: object) -> bool:
    return not isinstance(n_jobs, bool) and isinstance(n_jobs, Integral) and n_jobs != 0


@dataclass(frozen=True)
class _Alone(Generic[J, R]):
    """A job as it computes anywhere."""

    function: Callable[[J, Report], R]
    dtype: torch.dtype
    precision: str
    caller: int

    def here(self, job: J, report: Report) -> R:
        with one_thread(), flushed_denormals(), torch.enable_grad():
            return self.function(job, report)

    def in_worker(self, index: int, job: J) -> tuple[int, R]:
        inside = _is_in_worker.set(True)
        _end_with(self.caller)
        if torch.get_default_dtype() != self.dtype:
            torch.set_default_dtype(self.dtype)
        if torch.get_float32_matmul_precision() != self.precision:
            torch.set_float32_matmul_precision(self.precision)
        try:
            return index, self.here(job, silent)
        finally:
            _is_in_worker.reset(inside)


def _end_with(caller: int) -> None:
    """End this process soon after the one that started it, which `kill -9` leaves no time to say so.

    Otherwise it would work on, and beside the same work begun again.
    """
    if caller in _ends_with:
        return
    if os.getppid() != caller:
        if current_process().name.startswith(_PROCESS):
            os._exit(1)  # killed while this process was still importing what the job needs
        return
    _ends_with.add(caller)

    def watch() -> None:
        while os.getppid() == caller:
            time.sleep(_GLANCE)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _one_by_one(alone: _Alone[J, R], jobs: Sequence[J], report: Report) -> Generator[R, None, None]:
    for index, job in enumerate(jobs):
        yield alone.here(job, part(report, index / len(jobs), (index + 1) / len(jobs)))
        report((index + 1) / len(jobs), _state(index + 1, len(jobs)))


def _on_workers(
    alone: _Alone[J, R], jobs: Sequence[J], n_jobs: int | None, report: Report
) -> Generator[tuple[int, R], None, None]:
    import joblib

    allowed, done = torch.get_num_threads(), 0
    # Arrays are sent as they are: joblib would make large ones memory maps that cannot be written to, and what is a
    # memory map is fitted by other code.
    work = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered", batch_size=1, max_nbytes=None)
    try:
        with _interrupts_blocked():
            results = work(joblib.delayed(alone.in_worker)(index, job) for index, job in enumerate(jobs))
        with _closed_quietly(results):
            for result in results:
                done += 1
                report(done / len(jobs), _state(done, len(jobs)))
                yield result
    except BrokenExecutor as died:
        raise WorkerError(done, len(jobs)) from died
    except CancelledError as lost:  # nobody cancels a job but Dask, of a scheduler that has gone
        raise ClusterLostError(done, len(jobs)) from lost
    finally:
        torch.set_num_threads(allowed)  # new threads get the number that was set last, and jobs on threads set 1


def _in_order(found: Generator[tuple[int, R], None, None], is_ordered: bool) -> Generator[R, None, None]:
    waiting: dict[int, R] = {}
    following = 0
    with closing(found):
        for index, result in found:
            if not is_ordered:
                yield result
                continue
            waiting[index] = result
            while following in waiting:
                yield waiting.pop(following)
                following += 1


def _state(done: int, total: int) -> str:
    return f"{done} of {total}"


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Processes that start inside never see a Ctrl-C, which a terminal sends to all: this process ends them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # a helper of the processes, whose start would let the signal through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)  # one that came meanwhile takes effect here


@contextmanager
def _closed_quietly(results: Generator[Any, None, None]) -> Iterator[None]:
    """Close at the end; joblib warns of results that nobody waits for, which is meant where somebody stops early."""
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            results.close()
