"""A fit that was killed goes on to the same numbers, whenever that was, and nothing earlier is lost on the way."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from finished_runs import CONFIG, OPTIONS, WITH_PATH, small_dataset, two_numbers
from isthmus.data import Sample, Split, dataset_from_arrays, folded_rows
from isthmus.errors import ConstantOutputError, FileFormatError, ForeignFolderError, OptionError, RunConflictError
from isthmus.formats import load_network
from isthmus.runs import RunFolder, job, load_run, run_fit, set_aside
from isthmus.runs.record import as_json
from isthmus.selection import seed_from

FILES = ["decoder.safetensors", "encoder.safetensors", "model.safetensors", "run.json"]
TIMES = ("created", "seconds", "training_seconds", "history")
WIDER = replace(OPTIONS, config=replace(CONFIG, width=9))


def stopping_at(fraction):
    """A report that presses Ctrl-C once, when so much is done."""
    pressed = []

    def report(done, state):
        assert 0.0 <= done <= 1.0 + 1e-9
        assert isinstance(state, str)
        if done >= fraction and not pressed:
            pressed.append(done)
            raise KeyboardInterrupt

    return report


def content(folder):
    return {file.name: file.read_bytes() for file in Path(folder).iterdir() if file.is_file()}


def stored(path):
    """Tensors and metadata of a file, whose order there means nothing."""
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


def assert_same_fit(folder, finished):
    """The same numbers, and the same networks to the last bit."""
    record = RunFolder(folder).read()
    assert as_json(record, without=TIMES) == as_json(finished.record, without=TIMES)
    steps = [[(m.step, m.objective, m.norm_per_depth) for m in each.history] for each in (record, finished.record)]
    assert steps[0] == steps[1]
    for name in FILES[:3]:
        tensors, metadata = stored(folder / name)
        expected, described = stored(finished.folder / name)
        assert metadata == described
        assert {key: t.numpy().tobytes() for key, t in tensors.items()} == {
            key: t.numpy().tobytes() for key, t in expected.items()
        }
    assert sorted(file.name for file in folder.iterdir()) == FILES


def test_a_finished_fit_leaves_networks_and_record(finished):
    assert sorted(file.name for file in finished.folder.iterdir()) == FILES
    record = finished.record
    assert record == RunFolder(finished.folder).read()
    assert record.rank > 0
    assert (record.not_done, record.stopped != "interrupted") == ([], True)
    assert record.rank_path is None
    encoder, decoder = load_network(finished.folder / FILES[1]), load_network(finished.folder / FILES[0])
    assert (encoder.network.d_out, decoder.network.d_in) == (record.rank, record.rank)
    assert load_network(finished.folder).network.depth == record.depth == 3


def test_a_path_begins_at_the_ridge_of_the_fit_and_changes_nothing_else(finished, followed):
    record = followed.record
    assert [point.ridge / record.ridge for point in record.rank_path.points] == pytest.approx([1, 2, 4, 8, 16, 32, 64])
    assert all(point.rank == sum(size > 0.1 for size in point.sizes) for point in record.rank_path.points)
    others = (*TIMES, "rank_path", "options", "key")
    assert as_json(record, without=others) == as_json(finished.record, without=others)


def test_the_record_counts_what_is_there(finished):
    record, data = finished.record, finished.dataset
    rows = record.data
    assert (rows.rows, rows.train + rows.test, rows.test) == (60, 60, len(data.split.test))
    assert (rows.inputs, rows.outputs, rows.is_weighted, rows.sha256) == (4, 3, False, data.sha256)
    assert (record.evidence.rows, record.evidence.folds) == (rows.train, 3)
    assert record.test.rows == rows.test
    assert [each.name for each in record.test.comparisons] == [each.name for each in record.verdict.comparisons]


def test_the_test_error_is_that_of_the_halves_on_rows_set_aside(finished):
    record, data, rows = finished.record, finished.dataset, finished.dataset.split.test
    found = load_run(finished.folder)
    deviation = data.y[data.split.train].std(0)
    through = np.square((found.predict(data.x[rows]) - data.y[rows]) / deviation).sum(1)
    assert record.test.at_rank == pytest.approx(through.mean(), rel=1e-5)
    mean = np.square((data.y[data.split.train].mean(0) - data.y[rows]) / deviation).sum(1)
    assert record.test.comparisons[0].name == "the mean"
    assert record.test.comparisons[0].error == pytest.approx(mean.mean(), rel=1e-5)
    assert record.test.comparisons[0].difference == pytest.approx((mean - through).mean(), rel=1e-5)
    error = (mean - through).std(ddof=1) / len(rows) ** 0.5
    assert record.test.comparisons[0].standard_error == pytest.approx(error, rel=1e-5)


def test_errors_through_no_numbers_are_those_of_the_means_of_the_other_rows(finished):
    data, rows = finished.dataset, finished.dataset.split.train
    sample = Sample.merged(data.x[rows], data.y[rows], np.ones(len(rows)), "regression")
    losses = []
    for trained, held_out in folded_rows(sample.x, None, folds=3, seed=seed_from(0)):
        inside, outside = sample.y[trained], sample.y[held_out]
        losses.append(np.square((outside - inside.mean(0)) / inside.std(0)).sum(1))
    assert sum(map(len, losses)) == finished.record.evidence.rows
    assert finished.record.evidence.errors[0] == pytest.approx(np.concatenate(losses).mean(), rel=1e-5)


def test_rows_set_aside_count_by_their_weights(tmp_path):
    x, y = two_numbers()
    weights = np.random.default_rng(3).uniform(0.2, 3.0, len(x))
    data = dataset_from_arrays(x, y, weights=weights, seed=0)
    record = run_fit(data, OPTIONS, tmp_path / "r")
    train, rows = data.split.train, data.split.test
    mean = np.average(y[train], weights=weights[train], axis=0)
    variance = np.average(np.square(y[train] - mean), weights=weights[train], axis=0)
    errors = (np.square(y[rows] - mean) / variance).sum(1)
    assert record.test.comparisons[0].error == pytest.approx(np.average(errors, weights=weights[rows]), rel=1e-5)
    assert abs(record.test.comparisons[0].error - errors.mean()) > 0.01
    through = (np.square(load_run(tmp_path / "r").predict(data.x[rows]) - y[rows]) / variance).sum(1)
    assert record.test.at_rank == pytest.approx(np.average(through, weights=weights[rows]), rel=1e-5)
    assert record.test.at_rank != pytest.approx(through.mean(), rel=1e-3)


def test_of_very_many_rows_set_aside_some_are_judged(tmp_path, monkeypatch):
    monkeypatch.setattr(set_aside, "MOST_ROWS", 4)
    data = small_dataset()
    record = run_fit(data, OPTIONS, tmp_path / "r")
    rows = data.split.test[np.linspace(0, len(data.split.test) - 1, 4).round().astype(int)]
    deviation = data.y[data.split.train].std(0)
    through = np.square((load_run(tmp_path / "r").predict(data.x[rows]) - data.y[rows]) / deviation).sum(1)
    assert record.test.rows == 4
    assert record.test.at_rank == pytest.approx(through.mean(), rel=1e-5)


def test_a_single_row_set_aside_has_an_error_and_no_scatter(tmp_path):
    x, y = two_numbers(25)
    record = run_fit(dataset_from_arrays(x, y, test=0.04), OPTIONS, tmp_path / "r")
    assert record.test.rows == 1
    assert [each.standard_error for each in record.test.comparisons] == [None] * len(record.test.comparisons)
    assert all(each.error > 0 for each in record.test.comparisons)
    assert load_run(tmp_path / "r").record == record


@pytest.mark.parametrize(
    ("fraction", "follows"), [(0.0, 0), (0.1, 0), (0.35, 0), (0.6, 0), (0.79, 0), (0.81, 1), (0.88, 1)]
)
def test_a_fit_that_was_interrupted_goes_on_to_the_same_numbers(request, tmp_path, fraction, follows):
    finished, folder = request.getfixturevalue("followed" if follows else "finished"), tmp_path / "r"
    try:
        early = run_fit(finished.dataset, finished.options, folder, report=stopping_at(fraction))
    except KeyboardInterrupt:
        assert fraction < 0.5  # nothing was known yet
        assert not RunFolder(folder).is_finished
    else:
        assert fraction > 0.3
        assert (early.stopped, early.not_done != []) == ("interrupted", True)
        assert load_run(folder).predict(finished.dataset.x).shape == (60, 3)
        assert RunFolder(folder).unfinished.is_dir()
    done = run_fit(finished.dataset, finished.options, folder)
    assert done.stopped != "interrupted"
    assert_same_fit(folder, finished)


def test_what_ctrl_c_left_undone_is_said(finished, tmp_path):
    early = run_fit(finished.dataset, OPTIONS, tmp_path / "folds", report=stopping_at(0.5))
    assert early.not_done[0] in ("1 of 3 folds", "2 of 3 folds")
    assert early.evidence.folds == 3 - int(early.not_done[0][0])
    assert "Not finished: without" in early.verdict.sentence
    late = run_fit(finished.dataset, OPTIONS, tmp_path / "all rows", report=stopping_at(0.75))
    assert late.not_done == ["the network of all rows, whose place that of the first fold takes"]
    assert late.evidence == finished.record.evidence


def test_ctrl_c_on_the_path_leaves_its_beginning(followed, tmp_path):
    late = run_fit(followed.dataset, WITH_PATH, tmp_path / "path", report=stopping_at(0.9))
    assert late.not_done == ["the ranks over all λ"]
    reached = [] if late.rank_path is None else late.rank_path.points
    assert reached == followed.record.rank_path.points[: len(reached)]
    assert len(reached) < 7
    assert (late.rank, late.evidence) == (followed.record.rank, followed.record.evidence)


def test_what_is_done_is_not_done_again(finished, tmp_path):
    run_fit(finished.dataset, OPTIONS, tmp_path / "r", report=stopping_at(0.6))
    states = []
    run_fit(finished.dataset, OPTIONS, tmp_path / "r", report=lambda done, state: states.append((done, state)))
    whole = []
    run_fit(finished.dataset, OPTIONS, tmp_path / "new", report=lambda done, state: whole.append((done, state)))
    assert sum(0.0 < done < 0.5 for done, _ in states) < 0.2 * sum(0.0 < done < 0.5 for done, _ in whole)


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from finished_runs import OPTIONS, small_dataset
from isthmus.runs import run_fit

def killed(done, state):
    if done > 0.55:
        os.kill(os.getpid(), signal.SIGKILL)

run_fit(small_dataset(), OPTIONS, __import__("pathlib").Path(sys.argv[2]), report=killed)
"""


def test_a_fit_that_was_killed_goes_on_to_the_same_numbers(finished, tmp_path):
    folder, here = tmp_path / "r", str(Path(__file__).parent.parent)
    killed = subprocess.run([sys.executable, "-c", KILLED, here, str(folder)], check=False, env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    assert [file.name for file in folder.iterdir()] == ["unfinished"]
    run_fit(small_dataset(), OPTIONS, folder)
    assert_same_fit(folder, finished)


def test_a_finished_fit_is_not_repeated(finished, monkeypatch):
    monkeypatch.setattr(job, "select_rank_of", None)
    before = content(finished.folder)
    assert run_fit(finished.dataset, OPTIONS, finished.folder) == finished.record
    assert content(finished.folder) == before


def test_another_fit_in_the_folder_is_refused_with_what_differs(finished):
    before = content(finished.folder)
    longer = replace(CONFIG, schedule=replace(CONFIG.schedule, steps=41))
    for options, said in (
        (WIDER, r"\(width: 8 → 9\).*--overwrite"),
        (WITH_PATH, r"\(path: False → True\)"),
        (replace(OPTIONS, config=longer), r"\(schedule\.steps: 40 → 41\)"),
        (replace(OPTIONS, seed=3, cv=None), r"\(cv: 3 → None; seed: 0 → 3\)"),
    ):
        with pytest.raises(RunConflictError, match=said):
            run_fit(finished.dataset, options, finished.folder)
    x, y = two_numbers(61)
    with pytest.raises(RunConflictError, match="the data or the version"):
        run_fit(dataset_from_arrays(x, y, name="two numbers"), OPTIONS, finished.folder)
    assert content(finished.folder) == before


def test_an_unfinished_fit_of_another_kind_is_refused_and_left_alone(finished, tmp_path):
    folder = tmp_path / "r"
    with pytest.raises(KeyboardInterrupt):
        run_fit(finished.dataset, OPTIONS, folder, report=stopping_at(0.1))
    before = content(folder / "unfinished")
    with pytest.raises(
        RunConflictError, match="an unfinished fit of other data, with other options or by another edition"
    ):
        run_fit(finished.dataset, WIDER, folder)
    assert content(folder / "unfinished") == before


def test_overwriting_that_is_interrupted_leaves_the_earlier_result(finished, tmp_path):
    folder = finished.copy(tmp_path / "r")
    before = content(folder)
    with pytest.raises(KeyboardInterrupt):
        run_fit(finished.dataset, WIDER, folder, overwrite=True, report=stopping_at(0.2))
    assert content(folder) == before
    assert load_run(folder).record == finished.record
    assert run_fit(finished.dataset, OPTIONS, folder) == finished.record  # asked for again, it is still there
    run_fit(finished.dataset, WIDER, folder, overwrite=True)
    assert load_run(folder).record.width == 9
    assert sorted(content(folder)) == FILES
    assert not RunFolder(folder).unfinished.exists()


def test_overwriting_forgets_an_unfinished_fit_too(finished, tmp_path):
    folder = tmp_path / "r"
    with pytest.raises(KeyboardInterrupt):
        run_fit(finished.dataset, WIDER, folder, report=stopping_at(0.1))
    run_fit(finished.dataset, OPTIONS, folder, overwrite=True)
    assert_same_fit(folder, finished)


@pytest.mark.parametrize("moved", [0, 2, 3])
def test_a_move_that_was_cut_short_is_ended_by_the_next_look(finished, tmp_path, monkeypatch, moved):
    folder, replace_file, count = finished.copy(tmp_path / "r"), Path.replace, [0]

    def failing(self, target):
        if Path(target).parent == folder:
            if count[0] == moved:
                raise OSError("disk full")
            count[0] += 1
        return replace_file(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(OSError, match="disk full"):
        run_fit(finished.dataset, OPTIONS, folder, overwrite=True)
    monkeypatch.undo()
    assert not (folder / "run.json").exists()  # of two fits, perhaps: it is none
    assert RunFolder(folder).is_finished
    assert RunFolder(folder).read().rank == finished.record.rank
    assert_same_fit(folder, finished)
    run_fit(finished.dataset, OPTIONS, folder)
    assert_same_fit(folder, finished)
    assert not (folder / "unfinished").exists()


def test_damage_to_what_is_unfinished_is_named_with_what_to_do(finished, tmp_path):
    run_fit(finished.dataset, OPTIONS, tmp_path / "r", report=stopping_at(0.6))
    (tmp_path / "r/unfinished/folds.safetensors").write_bytes(b"torn")
    with pytest.raises(FileFormatError, match=r"folds\.safetensors.*Delete it to start from the beginning"):
        run_fit(finished.dataset, OPTIONS, tmp_path / "r")


def test_folders_of_the_first_edition_are_refused_with_what_to_do(finished, tmp_path):
    folder = tmp_path / "r"
    folder.mkdir()
    (folder / "run.json").write_text('{"format": "isthmus-run", "version": 1, "kind": "fit", "rank": 3}')
    (folder / "model.safetensors").write_bytes(b"old")
    for attempt in (lambda: run_fit(finished.dataset, OPTIONS, folder), lambda: load_run(folder)):
        with pytest.raises(
            FileFormatError, match=r"first edition of isthmus.*into another folder, or with --overwrite"
        ):
            attempt()
    run_fit(finished.dataset, OPTIONS, folder, overwrite=True)
    assert_same_fit(folder, finished)


def test_what_isthmus_did_not_write_is_kept(finished, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("precious")
    (tmp_path / "file").write_text("precious")
    for overwrite in (False, True):
        with pytest.raises(ForeignFolderError, match=r"mine holds files that isthmus did not write.*another --out"):
            run_fit(finished.dataset, OPTIONS, tmp_path / "mine", overwrite=overwrite)
        with pytest.raises(ForeignFolderError, match="file is a file, not a RUN folder"):
            run_fit(finished.dataset, OPTIONS, tmp_path / "file", overwrite=overwrite)
    assert (tmp_path / "mine/thesis.txt").read_text() == (tmp_path / "file").read_text() == "precious"


def test_an_empty_folder_or_one_that_was_only_begun_is_free(finished, tmp_path):
    (tmp_path / "r/unfinished").mkdir(parents=True)
    run_fit(finished.dataset, OPTIONS, tmp_path / "r")
    assert_same_fit(tmp_path / "r", finished)


def constant_where_learned():
    """Outputs that vary in the rows set aside only."""
    x, _ = two_numbers()
    y = np.where(np.arange(60) < 50, 1.5, np.arange(60.0))
    return dataset_from_arrays(x, y, split=Split(np.arange(50), np.arange(50, 60)))


def constant_but_for_one():
    """Outputs of which one differs: without it there is nothing to learn."""
    x, _ = two_numbers()
    return dataset_from_arrays(x, (np.arange(60) < 1).astype(float), test=0.0)


@pytest.mark.parametrize("where", ["r", "deep/in/r"])
def test_what_is_refused_leaves_no_folder(finished, tmp_path, where):
    x, y = two_numbers()
    huge = dataset_from_arrays(1e30 * x, y)
    for data, options, error, said in (
        (finished.dataset, replace(OPTIONS, cv=40), OptionError, "cv is 40 but must be between 2 and 25"),
        (constant_where_learned(), OPTIONS, ConstantOutputError, "Every row of y is the same"),
        (
            constant_but_for_one(),
            OPTIONS,
            ConstantOutputError,
            "Every row of y, but for rows held out together, is the",
        ),
        (huge, replace(OPTIONS, config=replace(CONFIG, standardize="none")), Exception, "Standardise the data"),
    ):
        with pytest.raises(error, match=said):
            run_fit(data, options, tmp_path / where)
        assert list(tmp_path.iterdir()) == []


def test_what_is_refused_leaves_what_was_there(finished, tmp_path):
    folder = finished.copy(tmp_path / "r")
    before = content(folder)
    with pytest.raises(OptionError, match="cv is 40"):
        run_fit(finished.dataset, replace(OPTIONS, cv=40), folder, overwrite=True)
    assert content(folder) == before
    assert sorted(file.name for file in folder.iterdir()) == FILES
