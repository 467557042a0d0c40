"""`isthmus fit` as a person runs it: what is printed, what is written, and how it goes on."""

import json
import signal
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from finished_runs import FLAGS, two_numbers
from isthmus.cli import fit as fit_module
from isthmus.data import load_dataset
from isthmus.formats import load_network
from isthmus.reports import evidence_table, headline
from isthmus.reports.answer import answer_of
from isthmus.runs import RunFolder, load_run
from isthmus.selection import SelectionConfig

QUICK = [*FLAGS, "--ridge", "0.01"]
FILES = ["decoder.safetensors", "encoder.safetensors", "model.safetensors", "report.html", "run.json"]
NOT_PRINTED = {"history", "latent", "reconstructions", "traversals", "arrows"}


def quick(**changes):
    """`QUICK` with other values: an option is given once."""
    values = dict(zip(QUICK[::2], QUICK[1::2], strict=True)) | {f"--{name}": value for name, value in changes.items()}
    return [part for pair in values.items() for part in pair]


def words(text):
    return " ".join(text.split())


@pytest.fixture
def data(here):
    x, y = two_numbers()
    np.savez("d.npz", x=x, y=y)
    return "d.npz"


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A folder with a table and its run, and what was printed of it."""
    folder = tmp_path_factory.mktemp("fitted")
    x, y = two_numbers()
    table = pd.DataFrame(x, columns=["a", "b", "c, d", "e"]).assign(out=y[:, 0], other=y[:, 1], counted=1.0)
    table.loc[[3, 8], "a"] = np.nan
    table.loc[5, "counted"] = 0.0
    table.to_csv(folder / "t.csv", index=False)
    return folder


ASKED = ["fit", "t.csv", "--target", "out", "--target", "other", "--weights", "counted", "--missing", "drop", *QUICK]


def test_one_object_is_printed_and_holds_the_record(fitted, command, monkeypatch):
    monkeypatch.chdir(fitted)
    status, out, err = command(*ASKED, "--out", "r", "--json")
    assert (status, err) == (0, "")
    assert out.count("\n") == 1
    printed = json.loads(out)
    record = json.loads(Path("r/run.json").read_text())
    assert record["options"]["missing"] == "drop"
    assert record["options"]["drop"] == []
    assert record["options"]["table"]["header"] is True
    assert printed == {
        **{name: value for name, value in record.items() if name not in NOT_PRINTED},
        "run": "r",
        "report": "r/report.html",
    }
    assert sorted(file.name for file in Path("r").iterdir()) == FILES
    assert printed["rank_lower"] <= printed["rank"] <= printed["rank_upper"]
    # Keys of the first edition that mean the same.
    for key in ("tolerance", "depth", "objective", "train_error", "norm_per_depth", "seconds", "layers", "jacobian"):
        assert key in printed
    assert printed["options"]["target"] == ["out", "other"]
    assert printed["data"]["is_weighted"]
    assert printed["data"]["rows"] == 58
    assert printed["data"]["input_names"] == ["a", "b", "c, d", "e"]


def test_people_get_the_verdict_first_then_words_tables_and_paths(fitted, command, monkeypatch):
    monkeypatch.chdir(fitted)
    monkeypatch.setenv("COLUMNS", "200")
    status, out, _ = command(*ASKED, "--out", "r")  # finished by the test before, or done now
    record, said = RunFolder(Path("r")).read(), words(out)
    assert status == 0
    assert said.startswith(record.verdict.sentence)
    assert said.index(record.verdict.sentence) < said.index(headline(record))
    assert "Data: 2 rows" in said
    assert [note for note in record.data.notes if words(note) not in said] == []
    rows = [row.split() for row in out.splitlines()]
    for is_answer, (k, error, *_) in evidence_table.rows(answer_of(record)):
        assert any(row[:3] == ["→", k, error] if is_answer else row[:2] == [k, error] for row in rows)
    assert words(evidence_table.legend(answer_of(record))) in said
    for each in record.verdict.comparisons:
        assert each.name in said
    assert "more than the network" in said
    assert "rows set aside" in said
    assert out.rstrip().endswith("report  r/report.html")


def test_eighty_characters_are_enough(fitted, command, monkeypatch):
    monkeypatch.chdir(fitted)
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = command(*ASKED, "--out", "r")
    assert max(map(len, out.splitlines())) <= 80
    assert "…" not in out


def test_the_command_is_kept_for_repeating_it(data, command, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["isthmus", "fit", data, *QUICK])
    assert command("fit", data, *QUICK)[0] == 0
    (folder,) = Path("runs").iterdir()
    assert folder.name.startswith("d-")
    record = RunFolder(folder).read()
    assert record.command == ["isthmus", "fit", data, *QUICK]
    assert folder.name == f"d-{record.key[:8]}"


def test_flags_arrive_where_they_belong(data, command):
    more = ["--width", "7", "--tolerance", "0.2", "--activation", "absolute", "--n-init", "2", "--standardize", "none"]
    rates = ["--learning-rate", "0.02", "--batch-size", "16", "--quick", "--path", "--seed", "4"]
    asked = ["fit", data, "--depth", "2,3", "--ridge", "0.01,0.03", "--steps", "30", "--rounds", "0", "--test", "0.2"]
    status, out, _ = command(*asked, *more, *rates, "--out", "r", "--json")
    record = json.loads(out)
    options = record["options"]
    assert status == 0
    assert (options["depth"], options["ridge"], options["width"]) == ([2, 3], [0.01, 0.03], 7)
    assert (options["tolerance"], options["activation"], options["n_init"]) == (0.2, "absolute", 2)
    assert (options["standardize"], options["path"], options["seed"], options["cv"]) == ("none", True, 4, None)
    schedule = options["schedule"]
    assert [schedule[n] for n in ("steps", "rounds", "learning_rate", "batch_size")] == [30, 0, 0.02, 16]
    assert record["depth"] in (2, 3)
    assert record["data"]["test"] == 12
    assert len(record["rank_path"]["points"]) == 7
    # Two of the five folds: the same rule with less evidence.
    assert (options["max_folds"], record["evidence"]["folds"]) == (2, 2)
    assert record["evidence"]["rows"] < record["data"]["train"]


def test_what_data_come_with_is_used_unless_other_values_are_asked_for(here, command, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "isthmus.runs.run_fit", lambda data, options, *_, **__: seen.append(options.for_data(data)) or 1
    )
    monkeypatch.setattr("isthmus.reports.write_report", lambda *_: None)
    monkeypatch.setattr("isthmus.cli.output.print_summary", lambda *_, **__: None)
    carried = load_dataset("digits", task="classification").defaults
    for flags in ([], ["--width", "9"]):
        assert command("fit", "digits", *flags)[0] == 0
    plain, asked = (options.config for options in seen)
    assert [getattr(plain, name) for name in carried] == list(carried.values())
    assert (plain.standardize, asked.width) == ("global", 9)
    assert seen[0].cv is None
    assert plain.schedule == SelectionConfig().schedule


@pytest.mark.parametrize(
    ("data", "task"), [("curve:n=40", "autoencoder"), ("inverted-s:n=30", "classification"), ("digits", None)]
)
def test_every_task_runs(here, command, data, task):
    if data == "digits":
        x = load_dataset("digits", seed=0).x[:90]
        np.save("images.npy", x.reshape(-1, 8, 8)[:, ::2, ::2])
        data, task = "images.npy", "autoencoder"
    status, out, _ = command("fit", data, *quick(steps="20"), "--out", "r", "--json")
    assert (status, json.loads(out)["task"]) == (0, task)
    page = Path("r/report.html").read_text()
    drawn = {"curve:n=40": "arrows", "images.npy": "pictures"}.get(data, "evidence")
    assert f'id="figure-1-{drawn}"' in page


def test_a_finished_run_is_printed_again_and_not_repeated_nor_overwritten(data, command):
    assert command("fit", data, *QUICK, "--out", "r")[0] == 0
    before = json.loads(Path("r/run.json").read_text())
    status, out, _ = command("fit", data, *QUICK, "--out", "r", "--json")
    assert (status, json.loads(out)["created"]) == (0, before["created"])
    status, out, err = command("fit", data, *quick(width="9"), "--out", "r", "--json")
    assert (status, out) == (2, "")
    assert err.startswith(
        "isthmus: r holds a run with other options (width: 8 → 9). Choose another --out, or add --ove"
    )
    assert json.loads(Path("r/run.json").read_text()) == before
    status, out, _ = command("fit", data, *quick(width="9"), "--out", "r", "--overwrite", "--json")
    assert (status, json.loads(out)["width"]) == (0, 9)
    assert load_network("r").network.weights[0].shape[0] <= 9


def pressed_at(fraction):
    """A progress bar that presses Ctrl-C when so much is done."""

    @contextmanager
    def bar(title, **_):
        left = [fraction]

        def report(done, state):
            if left and done >= left[0]:
                left.pop()
                signal.raise_signal(signal.SIGINT)

        yield report

    return bar


def test_ctrl_c_after_a_fold_prints_what_is_known_and_what_was_not_done(data, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(fit_module, "progress_bar", pressed_at(0.5))
    status, out, err = command("fit", data, *QUICK, "--out", "r")
    assert (status, err) == (0, "")
    early = load_run("r").record
    (undone,) = early.not_done
    assert f"Not done: {undone}. Run the same command again to go on." in words(out)
    assert "so far: it was interrupted" in words(out)


def test_after_ctrl_c_the_same_command_goes_on(data, command, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(fit_module, "progress_bar", pressed_at(0.5))
        status, out, _ = command("fit", data, *QUICK, "--out", "r", "--json")
    early = json.loads(out)
    assert (status, early["stopped"]) == (0, "interrupted")
    assert early["not_done"] != []
    status, out, _ = command("fit", data, *QUICK, "--out", "r", "--json")
    late = json.loads(out)
    assert (status, late["not_done"]) == (0, [])
    assert late["evidence"]["folds"] == 3 > early["evidence"]["folds"]
    assert not Path("r/unfinished").exists()


def test_ctrl_c_before_anything_is_known_says_that_it_goes_on(data, command, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(fit_module, "progress_bar", pressed_at(0.3))
        status, out, err = command("fit", data, *QUICK, "--out", "r")
    assert (status, out) == (130, "")
    assert "Interrupted. Run the same command again" in err
    assert [file.name for file in Path("r").iterdir()] == ["unfinished"]
    assert command("fit", data, *QUICK, "--out", "r")[0] == 0


def test_a_wrong_column_gives_near_names(here, command):
    x = np.random.default_rng(0).standard_normal((40, 30))
    pd.DataFrame(x, columns=[f"column {i}" for i in range(29)] + ["wind, gusts"]).to_csv("many.csv", index=False)
    for flags, said in (
        (["--target", "colum 17"], r"--target is 'colum 17' but must be among the 30 columns; nearest are 'column 17'"),
        (["--target", "column 1", "--drop", "Column_2"], "--drop is 'Column_2' but must be among the 30 columns"),
        (["--target", "column 1", "--weights", "weight"], "--weights is 'weight' but must be among the 30 columns"),
        (["--target", "wind, gust"], "nearest are 'wind, gusts'"),
    ):
        status, _, err = command("fit", "many.csv", *flags)
        assert status == 2
        assert said in err
        assert err.count("\n") == 1


def test_names_with_a_comma_are_names(here, command, monkeypatch):
    seen = []
    monkeypatch.setattr("isthmus.runs.run_fit", lambda data, *_, **__: seen.append(data) or 1)
    monkeypatch.setattr("isthmus.reports.write_report", lambda *_: None)
    monkeypatch.setattr("isthmus.cli.output.print_summary", lambda *_, **__: None)
    x = np.random.default_rng(0).standard_normal((40, 5))
    pd.DataFrame(x, columns=["a", "b", "c, d", "e, f", "g"]).to_csv("t.csv", index=False)
    for flags in (["--target", "c, d", "--target", "a,b", "--drop", "e, f"], ["--target", "a, b", "--target", "c, d"]):
        assert command("fit", "t.csv", *flags)[0] == 0
    assert [data.output_names for data in seen] == [("c, d", "a", "b"), ("a", "b", "c, d")]
    assert [data.input_names for data in seen] == [("g",), ("e, f", "g")]
