"""Every cell is a fit; whatever interrupts a sweep, the store is whole and ends the same."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from dataclasses import replace

import pytest

from isthmus.data import load_dataset
from isthmus.errors import (
    BusyFolderError,
    FileFormatError,
    ForeignFolderError,
    MissingExtraError,
    OptionError,
    StoreConflictError,
)
from isthmus.foundation.locks import locked_folder
from isthmus.runs import load_run
from isthmus.selection import select_rank
from isthmus.sweeps import cell as cells
from isthmus.sweeps import sweep, sweeping
from isthmus.sweeps.specification import specification
from isthmus.sweeps.store import SweepStore
from sweep_grids import OPTIONS, TOML, deadly, grid, timeless

posix = pytest.mark.skipif(os.name != "posix", reason="signals")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed") / "store"
    return out, sweep(grid(), out)


def test_a_cell_is_what_select_rank_says_of_the_same_rows(undisturbed):
    out, rows = undisturbed
    assert [row.number for row in rows] == list(range(12))
    assert {row.status for row in rows} == {"done"}
    for row, each in zip(rows[::5], grid().cells[::5], strict=True):
        dataset = load_dataset(each.source, seed=each.seed)
        config = replace(each.config, standardize="global")  # as both columns share a unit
        own = select_rank(
            dataset.x[dataset.split.train], task="autoencoder", config=config, cv=2, random_state=each.seed
        )
        assert (row.rank, row.lower, row.upper) == (own.rank, *own.interval)
        assert row.errors == own.evidence.errors
        assert row.error == own.evidence.errors[own.rank]
        assert row.verdict == own.verdict.level
        assert row.objective == own.network.value
        assert load_run(out / "runs" / f"{row.number:05d}").record.rank == own.rank


def test_the_rows_are_in_the_database_for_anyone_to_read(undisturbed):
    out, rows = undisturbed
    with closing(sqlite3.connect(out / "cells.sqlite")) as connection:
        found = connection.execute("SELECT number, status, rank, objective FROM cells ORDER BY number").fetchall()
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert found == [(row.number, row.status, row.rank, row.objective) for row in rows]


def test_two_workers_give_the_same_to_the_last_bit(undisturbed, tmp_path):
    assert timeless(sweep(grid(), tmp_path / "store", n_jobs=2)) == timeless(undisturbed[1])


def test_what_is_done_is_not_done_again(undisturbed, monkeypatch):
    out, rows = undisturbed

    def never(*arguments):
        raise AssertionError

    monkeypatch.setattr(sweeping, "run_cell", never)
    told = []
    assert sweep(grid(), out, report=lambda fraction, state: told.append(fraction)) == rows
    assert told == []


def test_a_cell_that_is_refused_is_a_row_and_can_be_tried_again(undisturbed, tmp_path, monkeypatch):
    fitted = cells._fitted

    def refuse(store, each, report):
        if each.number == 1:
            raise OptionError("the moon", "full", "new")
        if each.number == 2:
            raise RuntimeError("never seen\nbefore")
        return fitted(store, each, report)

    monkeypatch.setattr(cells, "_fitted", refuse)
    rows = sweep(grid(), tmp_path / "store")
    assert [row.status for row in rows] == ["done", "failed", "failed", *["done"] * 9]
    assert rows[1].failure == "the moon is 'full' but must be new."
    assert rows[2].failure.startswith("RuntimeError, which isthmus does not know: never seen before.")
    assert rows[1].rank is rows[1].error is None
    monkeypatch.undo()
    assert sweep(grid(), tmp_path / "store") == rows
    assert timeless(sweep(grid(), tmp_path / "store", retry=True)) == timeless(undisturbed[1])


def test_a_wrong_column_is_a_row(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{i},{i * i}\n" for i in range(30)))
    given = {"data": ["curve:n=20", str(tmp_path / "t.csv")], "target": "c", "options": OPTIONS}
    rows = sweep(specification(given), tmp_path / "store")
    assert {row.status for row in rows} == {"failed"}
    assert "--target" in rows[0].failure
    assert "'c'" in rows[-1].failure


def test_a_missing_package_ends_the_sweep_instead_of_being_a_row(tmp_path, monkeypatch):
    def absent(*arguments):
        raise MissingExtraError("Reading tables", "pandas", "tables")

    monkeypatch.setattr(cells, "_fitted", absent)
    with pytest.raises(MissingExtraError):
        sweep(grid(1), tmp_path / "store")
    monkeypatch.undo()
    assert {row.status for row in sweep(grid(1), tmp_path / "store")} == {"done"}


@posix
def test_a_worker_that_is_killed_costs_nothing(undisturbed, tmp_path):
    import multiprocessing

    killed = []

    def kill_once(fraction, state):
        if not killed:
            killed.extend(worker.pid for worker in multiprocessing.active_children())
            os.kill(killed[0], signal.SIGKILL)

    rows = sweep(grid(), tmp_path / "store", n_jobs=2, report=kill_once)
    assert killed
    assert timeless(rows) == timeless(undisturbed[1])
    assert list((tmp_path / "store" / "started").iterdir()) == []


@posix
def test_a_cell_in_which_every_process_dies_is_given_up_and_takes_no_other_with_it(undisturbed, tmp_path, monkeypatch):
    monkeypatch.setattr(sweeping, "run_cell", deadly(1))
    rows = sweep(grid(), tmp_path / "store", n_jobs=2)
    assert rows[1].status == "failed"
    assert "3 processes died in it" in rows[1].failure
    expected = timeless(undisturbed[1])
    assert timeless(rows)[:1] + timeless(rows)[2:] == expected[:1] + expected[2:]


def test_what_cannot_be_the_store_is_refused_and_left_as_it_is(undisturbed, tmp_path):
    out, rows = undisturbed
    with pytest.raises(StoreConflictError, match=r"store of another specification.*choose another --out"):
        sweep(grid(2), out)
    assert sweep(grid(), out) == rows
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("dear")
    with pytest.raises(ForeignFolderError, match="holds files that isthmus did not write"):
        sweep(grid(), tmp_path / "other")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["letter.txt"]
    with pytest.raises(ForeignFolderError, match="is a file"):
        sweep(grid(), tmp_path / "other" / "letter.txt")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "cells.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(FileFormatError, match="it is no database"):
        sweep(grid(), tmp_path / "damaged")
    with pytest.raises(OptionError, match="n_jobs is 0"):
        sweep(grid(), tmp_path / "none", n_jobs=0)
    assert not (tmp_path / "none").exists()


def test_one_sweep_at_a_time_is_at_work_in_a_store(undisturbed):
    out, rows = undisturbed
    with SweepStore(out, grid()), pytest.raises(BusyFolderError, match="Another isthmus is at work"):
        sweep(grid(), out)
    assert sweep(grid(), out) == rows


def start(folder, *more, steps=20, **options):
    (folder / "spec.toml").write_text(TOML.format(seeds="[0, 1, 2]", steps=steps))
    script = "from isthmus.cli.main import main; main()"
    command = [sys.executable, "-c", script, "sweep", "spec.toml", "--out", "store", *more]
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def ended(process):
    """Status, what was printed, and what was said beside it but for progress."""
    out, error = process.communicate(timeout=120)
    said = [line for line in error.splitlines(keepends=True) if not line.startswith("sweeping spec")]
    return process.returncode, out, "".join(said)


def done_in(store):
    if not (store / "cells.sqlite").is_file():
        return 0
    with closing(sqlite3.connect(store / "cells.sqlite")) as connection:
        try:
            return connection.execute("SELECT count(*) FROM cells WHERE status = 'done'").fetchone()[0]
        except sqlite3.OperationalError:  # not filled yet
            return 0


def test_a_cell_that_another_process_is_at_work_in_is_waited_for(undisturbed, tmp_path):
    held, said = ExitStack(), []
    held.enter_context(locked_folder(cells.run_of(tmp_path, 0)))

    def report(fraction, state):
        if state.startswith("waiting for another process"):
            said.append(state)
            held.close()

    row = cells.run_cell(tmp_path, grid().cells[0], report)
    assert len(said) == 1
    assert timeless([row]) == timeless(undisturbed[1][:1])


def test_a_table_is_read_and_parted_as_the_specification_says(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a;b;who\n" + "".join(f"{i},5;{i * i};{i // 4}\n" for i in range(24)))
    given = {"data": str(path), "target": "b", "group": "who", "sep": ";", "decimal": ",", "options": OPTIONS}
    (row,) = sweep(specification(given | {"options": OPTIONS | {"width": 4}}), tmp_path / "store")
    assert (row.status, row.failure) == ("done", None)
    record = load_run(tmp_path / "store" / "runs" / "00000").record
    assert record.options["group"] == "who"
    assert record.options["table"]["decimal"] == ","
    assert [(column.name, column.kind) for column in record.data.columns] == [
        ("a", "number"),
        ("b", "target"),
        ("who", "group"),
    ]


@posix
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_sweep_that_is_ended_goes_on_and_ends_the_same(undisturbed, tmp_path, jobs, how):
    process = start(tmp_path, "--n-jobs", jobs)
    deadline = time.monotonic() + 60
    while done_in(tmp_path / "store") < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    (os.kill if how == signal.SIGKILL else os.killpg)(process.pid, how)
    status, _, error = ended(process)
    if how == signal.SIGTERM:  # whoever needs the machine tells all processes: no cell has died
        assert status == -signal.SIGTERM
        assert [mark.stat().st_size for mark in (tmp_path / "store" / "started").iterdir() if mark.stat().st_size] == []
    if how == signal.SIGINT:
        assert status == 130
        assert error.strip().endswith("Run the same command again to go on from what was kept.")
        assert "Traceback" not in error
        assert list((tmp_path / "store" / "started").iterdir()) == []
    assert 2 <= done_in(tmp_path / "store") < 12
    assert ended(start(tmp_path, "--n-jobs", jobs, "--json"))[::2] == (0, "")
    assert timeless(sweep(grid(), tmp_path / "store")) == timeless(undisturbed[1])


@posix
@pytest.mark.parametrize(
    ("limit", "sentence"),
    [
        (8_000, "store cannot be written: disk I/O error. What is in it is kept"),
        (20_000, "store cannot be written: disk I/O error. What is in it is kept"),
        (200_000, "Check the path and the free space"),
    ],
)
def test_a_full_disk_is_one_sentence_and_nothing_is_lost(undisturbed, tmp_path, limit, sentence):
    """Files that may not grow stand in: at once, after some cells, when the page is written."""
    import resource

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    status, out, error = ended(start(tmp_path, preexec_fn=limited))
    assert (status, out) == (2, "")
    assert error.startswith("isthmus: ")
    assert error.count("\n") == 1
    assert sentence in error
    assert ended(start(tmp_path))[::2] == (0, "")
    assert timeless(sweep(grid(), tmp_path / "store")) == timeless(undisturbed[1])
