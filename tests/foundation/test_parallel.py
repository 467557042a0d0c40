"""Jobs side by side: the same results wherever they run, errors as they were raised, and an end on demand."""

import inspect
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import joblib
import pytest
import torch

from isthmus import errors
from isthmus.errors import OptionError, RegionBudgetError, WorkerError
from isthmus.foundation.denormals import is_flushing
from isthmus.foundation.parallel import in_parallel, workers_of

# Functions are made inside the tests: those of this module could not be imported by other processes.
BACKENDS = ["inline", "loky", "threading", "dask"]


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as local,
        distributed.Client(local) as client,
    ):
        yield client


@pytest.fixture(params=BACKENDS)
def backend(request):
    """The calling thread, or two workers of a backend."""
    if request.param == "inline":
        yield request.param
        return
    options = {} if request.param == "dask" else {"n_jobs": 2}
    if request.param == "dask":
        request.getfixturevalue("cluster")
    with joblib.parallel_config(backend=request.param, **options):
        yield request.param


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_results_are_the_same_to_the_last_bit_on_every_backend(backend, threads):
    def work(seed, report):
        x = torch.randn(300_001, generator=torch.Generator().manual_seed(seed))
        small = (x[:1000] * 1e-39).sum()  # denormal, unless they are flushed
        return float(x.sum()), float((x.reshape(-1, 1) * x.reshape(-1, 1)).mean()), float(small)

    assert list(in_parallel(work, range(5))) == EXPECTED
    assert torch.get_num_threads() == threads


def _expected():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    drawn = [torch.randn(300_001, generator=torch.Generator().manual_seed(seed)) for seed in range(5)]
    found = [(float(x.sum()), float((x.reshape(-1, 1) * x.reshape(-1, 1)).mean()), 0.0) for x in drawn]
    torch.set_num_threads(before)
    return found


EXPECTED = _expected()


def test_every_job_computes_alone_and_as_the_caller_would(backend, threads):
    def state(job, report):
        return torch.get_num_threads(), is_flushing(), torch.is_grad_enabled(), torch.get_default_dtype()

    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad():
            assert set(in_parallel(state, range(4))) == {(1, True, True, torch.float64)}
            assert not torch.is_grad_enabled()
    finally:
        torch.set_default_dtype(torch.float32)
    assert set(in_parallel(state, range(4))) == {(1, True, True, torch.float32)}
    assert not is_flushing()


def test_new_threads_have_the_callers_number_afterwards(backend, threads):
    list(in_parallel(lambda job, report: job, range(3)))
    seen = []
    other = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert seen == [threads]


def test_the_order_is_that_of_the_jobs_or_of_their_ends(backend):
    def wait(job, report):
        time.sleep(job)
        return job

    told = []
    jobs = [0.6, 0.0, 0.1, 0.0]
    assert list(in_parallel(wait, jobs, report=lambda fraction, state: told.append((fraction, state)))) == jobs
    assert [fraction for fraction, _ in told] == [0.25, 0.5, 0.75, 1.0]
    assert told[-1] == (1.0, "4 of 4")
    first = next(in_parallel(wait, jobs, is_ordered=False))
    assert first == (0.6 if backend == "inline" else 0.0)


def test_a_job_reports_its_own_progress_where_it_runs_in_this_thread():
    told = []

    def work(job, report):
        report(0.5, "half")

    list(in_parallel(work, range(2), report=lambda fraction, state: told.append((fraction, state))))
    assert told == [(0.25, "half"), (0.5, "1 of 2"), (0.75, "half"), (1.0, "2 of 2")]


def test_an_error_arrives_with_its_type_its_words_and_its_attributes(backend):
    raised = RegionBudgetError(5, 4, 1, 2)

    def work(job, report):
        if job == 2:
            raise raised
        return job

    with pytest.raises(RegionBudgetError, match="More than 4 linear regions") as caught:
        list(in_parallel(work, range(6)))
    assert (caught.value.found, caught.value.budget) == (5, 4)
    assert list(in_parallel(lambda job, report: job, range(3))) == [0, 1, 2]  # and it works again


# On a busy machine loky's own thread may meet the result of a job that was given up, and end with a KeyError.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_who_stops_early_ends_the_work_without_a_warning(backend):
    results = in_parallel(lambda job, report: job, range(50))
    assert next(results) == 0
    results.close()
    assert list(in_parallel(lambda job, report: -job, range(3))) == [0, -1, -2]


def test_jobs_within_jobs_stay_where_they_are(backend):
    def outer(job, report):
        def inner(number, report):
            return os.getpid(), threading.get_ident()

        return set(in_parallel(inner, range(3), n_jobs=2)) == {(os.getpid(), threading.get_ident())}

    if backend == "inline":
        return
    assert list(in_parallel(outer, range(3))) == [True] * 3


def test_nothing_to_do_is_no_result_and_one_job_needs_no_worker():
    assert list(in_parallel(lambda job, report: job, [], n_jobs=2)) == []
    assert list(in_parallel(lambda job, report: os.getpid(), [1], n_jobs=2)) == [os.getpid()]


@pytest.mark.parametrize("wrong", [0, 1.5, True, "2"])
def test_a_wrong_number_of_workers_is_refused_before_anything_is_computed(wrong):
    def never(job, report):
        raise AssertionError

    with pytest.raises(OptionError, match=r"n_jobs is .* but must be a whole number of workers, -1 for all"):
        in_parallel(never, [1], n_jobs=wrong)


def test_a_backend_without_single_results_is_refused():
    with (
        joblib.parallel_config(backend="multiprocessing", n_jobs=2),
        pytest.raises(OptionError, match="MultiprocessingBackend' but must be loky, threading or dask"),
    ):
        in_parallel(lambda job, report: job, range(3))


def test_the_number_has_the_meaning_that_it_has_in_scikit_learn():
    assert workers_of(None) == 1
    assert workers_of(3) == 3
    assert workers_of(-1) == joblib.cpu_count()
    assert workers_of(-100) == 1
    with joblib.parallel_config(n_jobs=3):
        assert workers_of(None) == 3
        assert workers_of(1) == 1


def test_one_worker_needs_no_joblib():
    script = (
        "import sys\nfrom isthmus.foundation.parallel import in_parallel\n"
        "print(list(in_parallel(lambda job, report: job, range(3))), 'joblib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[0, 1, 2] False\n"


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_process_that_dies_is_an_error_that_says_so():
    def work(job, report):
        if job == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return job

    with pytest.raises(WorkerError, match=r"A worker process died.* of 6 jobs.*smaller n_jobs"):
        list(in_parallel(work, range(6), n_jobs=2))
    assert list(in_parallel(lambda job, report: job, range(3), n_jobs=2)) == [0, 1, 2]


INTERRUPTED = """
import os, time
from isthmus.foundation.parallel import in_parallel

def work(seconds, report):
    time.sleep(seconds)
    return os.getpid()

for found in in_parallel(work, [0.0, 0.0, 600, 600], n_jobs=2, is_ordered=False):
    print(found, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_the_workers_at_once_and_is_raised_once():
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    workers = {int(process.stdout.readline()) for _ in range(2)}
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers as well
    _, error = process.communicate(timeout=60)
    assert time.monotonic() - began < 10
    assert process.returncode == -signal.SIGINT
    assert error.count("Traceback") == error.count("KeyboardInterrupt") == 1
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_workers_end_soon_after_a_caller_that_was_killed():
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert len({int(process.stdout.readline()) for _ in range(2)}) == 2
    process.kill()
    process.communicate(timeout=60)  # ends when nobody can write to its output any more: not before the workers end


IMPORTING = """
import os, time
from isthmus.foundation.parallel import in_parallel

def imported(seconds):
    os.write(1, b"importing\\n")
    time.sleep(seconds)
    return 600

class Job:
    def __reduce__(self):
        return imported, (3,)

list(in_parallel(lambda seconds, report: time.sleep(seconds), [Job(), Job()], n_jobs=2))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_workers_end_where_the_caller_was_killed_before_they_began():
    process = subprocess.Popen(
        [sys.executable, "-c", IMPORTING], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert [process.stdout.readline() for _ in range(2)] == ["importing\n"] * 2
    process.kill()
    process.communicate(timeout=30)  # not before the workers end


EXAMPLES = {
    "int": 3,
    "float": 0.5,
    "str": "word",
    "Path": Path("place"),
    "tuple[int, ...]": (3, 2),
    "Mapping[str, str]": {"word": "other"},
    "Sequence[str]": ["a", "b"],
    "Sequence[tuple[int, int]]": [(0, 1)],
    "Iterable[str]": ["a", "b"],
    "object": "thing",
    "str | None": None,
    "float | None": 2.5,
    "int | None": 4,
    "int | str": 1,
    "cause": "λ",
}


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_survives_the_way_to_another_process(name):
    kind = getattr(errors, name)
    given = ["what is wrong"]
    if "__init__" in vars(kind):
        parameters = inspect.signature(kind).parameters.values()
        needed = [p for p in parameters if p.default is p.empty]
        given = [EXAMPLES.get(p.name, EXAMPLES[str(p.annotation)]) for p in needed]
    error = kind(*given)
    there = pickle.loads(pickle.dumps(error))  # noqa: S301  (what was written a moment ago)
    assert type(there) is kind
    assert str(there) == str(error)
    assert vars(there) == vars(error)
