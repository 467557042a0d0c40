"""Records are kept cell by cell, resumed, repeated bit for bit, and refused where they do not fit."""

import copy
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from isthmus.cli.main import run
from isthmus.errors import (
    FileFormatError,
    MissingExtraError,
    OptionError,
    RenamedOptionError,
    RunConflictError,
    WorkerError,
)
from isthmus.experiments import (
    EXPERIMENTS,
    differences,
    experiment_named,
    read_record,
    registry,
    reproduce,
    running,
    verdict,
)
from isthmus.experiments.record import write_record
from isthmus.experiments.report import write_experiments
from isthmus.foundation.progress import silent

LINEAR = experiment_named("linear-networks")
QUICK = replace(LINEAR.smoke, depths=(1, 2))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    return folder, reproduce(LINEAR, settings=QUICK, folder=folder, n_jobs=2)


def test_every_experiment_has_figures_and_a_name_of_its_own():
    names = [e.name for e in EXPERIMENTS]
    assert len(set(names)) == len({e.drawings for e in EXPERIMENTS}) == len(names)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda e: e.name)
@pytest.mark.parametrize("scale", ["smoke", "full"])
def test_settings_survive_their_record(experiment, scale):
    settings = experiment.settings(scale)
    assert experiment.restored(json.loads(json.dumps(asdict(settings)))) == settings
    cells = [json.dumps(dict(cell)) for cell in experiment.cells(settings)]
    assert len(set(cells)) == len(cells) > 0


def test_a_record_reads_back_as_it_was_returned(finished):
    folder, record = finished
    assert read_record(folder / "linear-networks.json") == record
    assert record["is_complete"]
    assert [row["cell"] for row in record["results"]] == [dict(cell) for cell in LINEAR.cells(QUICK)]


def test_processor_time_is_that_of_the_cell(monkeypatch):
    """Waiting is no work, and what another thread does at the time is not the cell's."""

    def waits(settings, cell, device):
        ends = time.monotonic() + 0.3
        busy = threading.Thread(target=lambda: [None for _ in iter(lambda: time.monotonic() < ends, False)])
        busy.start()
        time.sleep(0.3)
        busy.join()
        return {}

    monkeypatch.setattr(registry, "experiment_named", lambda name: replace(LINEAR, work=waits))
    row = running._row("linear-networks", json.loads(json.dumps(asdict(QUICK))), "cpu", {}, silent)
    assert row["seconds"] > 0.29
    assert row["processor_seconds"] < 0.1


def test_times_are_called_what_they_are(finished, tmp_path):
    _, record = finished
    before = [{name: row[name] for name in row if name != "processor_seconds"} for row in record["results"]]
    page = tmp_path / "table.md"
    write_experiments([record], page)
    assert "of one processor in" in page.read_text()
    write_experiments([{**record, "results": before[:1] + record["results"][1:]}], page)  # half of it from before
    assert "of wall time summed over them in" in page.read_text()
    assert "of one processor" not in page.read_text()


def test_the_numbers_do_not_depend_on_how_many_processes_share_the_work(finished, tmp_path):
    _, record = finished
    again = reproduce(LINEAR, settings=QUICK, folder=tmp_path, n_jobs=1)
    assert differences(record, again) == []


def test_an_unfinished_record_is_continued_and_a_finished_one_returned(finished, tmp_path):
    _, record = finished
    path = tmp_path / "linear-networks.json"
    marked = json.loads(json.dumps(record["results"][:2]))
    marked[0]["numbers"]["rank"] = 77  # would be computed otherwise if it were done again
    write_record(path, {**record, "is_complete": False, "claims": [], "results": marked})
    continued = reproduce(LINEAR, settings=QUICK, folder=tmp_path)
    assert continued["results"][0]["numbers"]["rank"] == 77
    assert differences(record, continued) == [(f"{_place(record)}: rank", (77 - 6) / 77)]
    before = path.read_bytes()
    assert reproduce(LINEAR, settings=QUICK, folder=tmp_path) == continued
    assert path.read_bytes() == before


def _place(record):
    return ", ".join(f"{name} = {value}" for name, value in record["results"][0]["cell"].items())


def test_a_record_of_other_settings_is_not_overwritten(finished):
    folder, _ = finished
    before = (folder / "linear-networks.json").read_bytes()
    with pytest.raises(RunConflictError, match=r"settings: .*--overwrite"):
        reproduce(LINEAR, settings=replace(QUICK, ridge=0.1), folder=folder)
    (folder / "other").mkdir(exist_ok=True)
    (folder / "other" / "linear-networks.json").write_text("[1, 2]")
    with pytest.raises(RunConflictError, match="not the record of an experiment"):
        reproduce(LINEAR, settings=QUICK, folder=folder / "other")
    assert (folder / "linear-networks.json").read_bytes() == before


def test_what_is_replaced_stays_until_the_new_record_is_whole(finished, tmp_path, monkeypatch):
    folder, record = finished
    path, aside = tmp_path / "linear-networks.json", tmp_path / ".linear-networks.unfinished.json"
    path.write_bytes((folder / path.name).read_bytes())
    before, rows, begun = path.read_bytes(), running.in_parallel, []

    def stopped(work, cells, **options):
        for count, row in enumerate(rows(work, cells, **options)):
            if count == 1 and not begun:
                begun.append(len(cells))
                raise KeyboardInterrupt
            yield row

    monkeypatch.setattr(running, "in_parallel", stopped)
    with pytest.raises(KeyboardInterrupt):
        reproduce(LINEAR, settings=QUICK, folder=tmp_path, overwrite=True)
    assert path.read_bytes() == before
    assert len(read_record(aside)["results"]) == 1
    seen = []
    monkeypatch.setattr(running, "in_parallel", lambda *args, **options: seen.append(args[1]) or rows(*args, **options))
    again = reproduce(LINEAR, settings=QUICK, folder=tmp_path, overwrite=True)
    assert len(seen[0]) == begun[0] - 1  # the cell that was done is not done again
    assert differences(record, again) == []
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_cell_that_fails_is_recorded_and_the_others_go_on(tmp_path):
    # Rows far beyond single precision are refused by the training, which the record keeps as a sentence.
    settings = replace(QUICK, depths=(1,), spectrum=(1e30, 1e29))
    record = reproduce(LINEAR, settings=settings, folder=tmp_path)
    failed = [row for row in record["results"] if "error" in row]
    assert len(failed) == 1
    assert failed[0]["cell"]["kind"] == "fully connected"
    assert len(record["results"]) == 2
    assert record["is_complete"]


def test_a_missing_package_ends_the_run_instead_of_being_a_result(monkeypatch):
    absent = MissingExtraError("A path", "fast-tsp", "tours")

    def work(settings, cell, device):
        raise absent

    monkeypatch.setattr(registry, "experiment_named", lambda name: replace(LINEAR, work=work))
    with pytest.raises(MissingExtraError):
        running._row("linear-networks", asdict(QUICK), "cpu", {"depth": 1}, silent)
    # It comes from another process, by the protocol that copies use as well.
    there = copy.copy(absent)
    assert type(there) is MissingExtraError
    assert str(there) == str(absent)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"format": "other"}, "not the record of an experiment"),
        ({"version": 99}, "its version is 99"),
        ({"scale": "huge"}, "its scale is 'huge'"),
        ({"results": [{"cell": {}}]}, "no cell or no numbers"),
        ({"results": 3}, "'results' is missing or of the wrong type"),
        ({"claims": [{"claim": "x"}]}, "a claim is damaged"),
    ],
)
def test_damaged_records_are_refused_by_name(finished, tmp_path, change, cause):
    path = tmp_path / "record.json"
    write_record(path, {**finished[1], "results": []})
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(FileFormatError, match=cause):
        read_record(path)


def test_settings_of_another_kind_are_refused(finished):
    written = finished[1]["settings"]
    assert LINEAR.restored(written) == QUICK
    with pytest.raises(ValueError, match="'ridge' has the wrong type"):
        LINEAR.restored({**written, "ridge": "0.1"})
    with pytest.raises(ValueError, match="not those of linear-networks: surprise"):
        LINEAR.restored({**written, "surprise": 1})
    with pytest.raises(ValueError, match="'seeds' has the wrong type"):
        LINEAR.restored({**written, "seeds": [0.5]})


def test_workers_are_counted_and_the_old_name_is_refused(tmp_path, capsys):
    with pytest.raises(OptionError, match="n_jobs is 0 but must be a whole number of workers"):
        reproduce(LINEAR, settings=QUICK, folder=tmp_path, n_jobs=0)
    with pytest.raises(RenamedOptionError, match=r"no parameter 'jobs'\. It is now n_jobs"):
        reproduce(LINEAR, settings=QUICK, folder=tmp_path, jobs=2)
    assert run(["reproduce", "linear-networks", "--out", str(tmp_path), "--jobs", "2"]) == 2
    assert "The option --jobs is now --n-jobs" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_experiment_names_the_known_ones():
    with pytest.raises(OptionError, match=r"one of .*linear-networks.*, or all"):
        experiment_named("nothing")


def test_the_verdict_is_that_of_the_claims_that_were_decided():
    def record(*verdicts):
        return {"claims": [{"agrees": v} for v in verdicts]}

    assert verdict(record(True, None)) is True
    assert verdict(record(True, False)) is False
    assert verdict(record(None)) is None


def test_the_command_repeats_a_record_and_compares(finished, tmp_path, capsys):
    folder, _ = finished
    source = folder / "linear-networks.json"
    assert run(["reproduce", str(source), "--out", str(tmp_path / "again"), "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["compared"] == {"differing": 0, "where": "", "largest": 0.0}
    assert {"name", "claim", "source", "measured", "published", "agrees"} <= set(answer)
    assert Path(answer["report"]).read_text().startswith("<!doctype html>")

    assert run(["reproduce", str(source), "--out", str(folder)]) == 2
    assert "another folder than that of the record" in capsys.readouterr().err


def test_the_bare_command_lists(capsys):
    assert run(["reproduce", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in listed] == [e.name for e in EXPERIMENTS]
    assert all(row["measured"] is None and row["agrees"] is None for row in listed)


def test_records_join_into_a_page_and_a_table(finished, tmp_path, capsys):
    source = str(finished[0] / "linear-networks.json")
    for name, start in (("site.html", "<!doctype html>"), ("claims.md", "# What the slides and follow-ups claim")):
        assert run(["report", source, source, "--out", str(tmp_path / name)]) == 0
        assert (tmp_path / name).read_text().startswith(start)
    assert run(["report", source, str(tmp_path)]) == 2
    assert "all RUN folders or all .json records" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_worker_that_is_killed_is_named_and_what_is_finished_kept(tmp_path):
    path = tmp_path / "linear-networks.json"

    def kill_after_the_first(fraction, state):
        for worker in multiprocessing.active_children():
            os.kill(worker.pid, signal.SIGKILL)

    with pytest.raises(WorkerError, match=r"of 4 jobs.*smaller n_jobs"):
        reproduce(LINEAR, settings=QUICK, folder=tmp_path, n_jobs=2, report=kill_after_the_first)
    assert 1 <= len(read_record(path)["results"]) < 4


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_leaves_what_is_finished_and_no_process_behind(tmp_path, jobs):
    command = [Path(sys.executable).parent / "isthmus", "reproduce", "linear-networks", "--n-jobs", jobs]
    process = subprocess.Popen([*command, "--scale", "full", "--out", tmp_path], stderr=subprocess.PIPE, text=True)
    path = tmp_path / "linear-networks.json"
    deadline = time.monotonic() + 120
    while not path.is_file() and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Run the same command again" in error
    record = read_record(path)
    assert not record["is_complete"]
    assert len(record["results"]) >= 1
