"""A sweep on a Dask cluster: the same rows, also where a worker is killed; and clusters that are none."""

import os
import signal
import socket
import time

import pytest

from isthmus.errors import OptionError
from isthmus.sweeps import cluster as clusters
from isthmus.sweeps import dask_cluster, sweep, sweeping
from sweep_grids import deadly, grid, timeless

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


def test_a_cluster_without_workers_or_with_another_version_is_refused(cluster, monkeypatch):
    monkeypatch.setattr(clusters, "_PATIENCE", 1)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as empty,
        pytest.raises(OptionError, match="that of a scheduler with workers; start `dask worker`"),
        dask_cluster(empty.scheduler_address),
    ):
        raise AssertionError
    monkeypatch.setattr(clusters, "_version", lambda: "0.0.1")
    with (
        pytest.raises(OptionError, match=r"whose workers have isthmus 0\.0\.1, not "),
        dask_cluster(cluster.scheduler_address),
    ):
        raise AssertionError
