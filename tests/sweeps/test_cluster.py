"""A sweep on a Dask cluster: the same rows, also where a worker is killed; and clusters that are none."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from isthmus.errors import OptionError
from isthmus.sweeps import cluster as clusters
from isthmus.sweeps import dask_cluster, sweep, sweeping
from sweep_grids import TOML, deadly, grid, timeless

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as local:
        yield local


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_all_cells_are_there_and_the_same_where_a_worker_is_killed(cluster, tmp_path):
    undisturbed = sweep(grid(), tmp_path / "undisturbed")
    killed = []

    def kill_once(fraction, state):
        if not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    with dask_cluster(cluster.scheduler_address):
        rows = sweep(grid(), tmp_path / "store", report=kill_once)
    assert killed
    assert timeless(rows) == timeless(undisturbed)
    assert list((tmp_path / "store" / "started").iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_cell_in_which_every_worker_dies_is_given_up(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(sweeping, "run_cell", deadly(1))
    with dask_cluster(cluster.scheduler_address):
        rows = sweep(grid(1), tmp_path / "store")
    assert [row.status for row in rows] == ["done", "failed", "done", "done"]
    assert "3 processes died in it" in rows[1].failure


def test_a_scheduler_that_nobody_reaches_is_one_sentence_within_seconds(cluster):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    for wrong in (address, "nonsense", "tcp://127.0.0.1"):
        began = time.monotonic()
        said = r"--scheduler is .* the address at which a Dask scheduler answers"
        with pytest.raises(OptionError, match=said), dask_cluster(wrong):
            raise AssertionError
        assert time.monotonic() - began < 20


@contextmanager
def brief_patience(monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(clusters, "_PATIENCE", 1)
        yield


def test_a_cluster_with_too_few_workers_or_another_version_is_refused(cluster, monkeypatch):
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as empty,
        brief_patience(monkeypatch),  # the clusters below may answer late on a busy machine
        pytest.raises(OptionError, match="that of a scheduler with workers; start `dask worker`"),
        dask_cluster(empty.scheduler_address),
    ):
        raise AssertionError
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as single,
        pytest.raises(OptionError, match="with two worker threads or more; start another"),
        dask_cluster(single.scheduler_address),
    ):
        raise AssertionError
    monkeypatch.setattr(clusters, "_version", lambda: "0.0.1")
    with (
        pytest.raises(OptionError, match=r"whose workers have isthmus 0\.0\.1, not "),
        dask_cluster(cluster.scheduler_address),
    ):
        raise AssertionError


@pytest.fixture
def commands(tmp_path):
    """`dask scheduler` and `dask worker` as a person starts them, on the loopback interface: address and scheduler."""
    known, started = tmp_path / "scheduler.json", []

    def start(name, *more):
        command = [sys.executable, "-m", f"distributed.cli.dask_{name}", "--scheduler-file", known, "--no-dashboard"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        started.append(subprocess.Popen([*command, *more], **quiet))

    start("scheduler", "--host", "127.0.0.1", "--port", "0")
    deadline = time.monotonic() + 60
    while not known.is_file() and time.monotonic() < deadline:
        time.sleep(0.1)
    start("worker", "--nworkers", "2", "--nthreads", "1", "--death-timeout", "5")
    address = json.loads(known.read_text())["address"]
    with distributed.Client(address, timeout=60, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)  # of one alone the sweep would do the work itself
    yield address, started[0]
    for process in started:
        process.terminate()
        process.wait(timeout=60)


def test_a_scheduler_that_is_lost_is_one_sentence_and_the_sweep_goes_on_elsewhere(commands, here, command):
    address, scheduler = commands
    (here / "spec.toml").write_text(TOML.format(seeds=list(range(10)), steps=20))
    ended = []

    def kill_after_some():
        while not ended and not list((here / "store").glob("runs/00003")):
            time.sleep(0.01)
        scheduler.kill()

    killer = threading.Thread(target=kill_after_some)
    killer.start()
    try:
        status, out, error = command("sweep", "spec.toml", "--out", "store", "--scheduler", address)
    finally:
        ended.append(True)
        killer.join()
    assert (status, out) == (2, "")
    assert error.startswith("isthmus: The connection to the cluster was lost after ")
    assert error.count("\n") == 1
    status, out, error = command("sweep", "spec.toml", "--out", "store", "--json")
    assert (status, error) == (0, "")
    assert json.loads(out)["done"] == 40
