"""The commands hang together, and every kind of wrong input to `isthmus fit` and `isthmus report` is one sentence."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from finished_runs import FLAGS, two_numbers
from isthmus.formats import load_network
from isthmus.reports import headline
from isthmus.runs import RunFolder
from isthmus.runs.record import RECORD_VERSION

QUICK = [*FLAGS, "--ridge", "0.01"]
SMALL = "teacher:k=2,n=60,d=4,width=10"


@pytest.fixture
def folders(here, finished):
    """Two finished runs, and one that has only begun."""
    for name in ("a", "b"):
        shutil.copytree(finished.folder, here / "runs" / name)
    (here / "runs/begun/unfinished").mkdir(parents=True)
    (here / "runs/begun/unfinished/key").write_text("key")
    return finished


def test_a_run_is_measured_as_it_was_when_it_was_made(here, command):
    status, out, err = command("fit", SMALL, *QUICK, "--out", "r", "--json")
    assert (status, err) == (0, "")
    record = json.loads(out)
    status, out, err = command("measure", "r", "--data", SMALL, "--json")
    assert (status, err) == (0, "")
    profile = json.loads(out)
    assert set(profile["layers"][0]) == {
        *("layer", "name", "weight_singular_values", "activation_singular_values", "nonlinearity_impact"),
        *("isometry_distance", "cost_of_identity", "identity_residual", "kinetic_energy"),
    }
    for key in ("jacobian_rank", "bottleneck_rank", "bottleneck_layer", "bottleneck_error", "cost_lower"):
        assert key in profile
    assert profile["norm_per_depth"] == pytest.approx(record["norm_per_depth"])
    assert profile["cost_lower"] <= profile["norm_per_depth"]
    singular = [row["weight_singular_values"] for row in profile["layers"]]
    assert singular == [pytest.approx(row["weight_singular_values"]) for row in record["layers"]]


def test_the_two_halves_are_files_that_compose(folders):
    x = torch.randn(5, 4, dtype=torch.float64)
    encoder, decoder = load_network("runs/a/encoder.safetensors"), load_network("runs/a/decoder.safetensors")
    z = encoder(x)
    assert z.shape == (5, folders.record.rank)
    assert decoder(z).shape == (5, 3)


def test_people_get_words_of_a_measurement(folders, command):
    np.save("x.npy", folders.dataset.x)
    status, out, _ = command("measure", "runs/a", "--data", "x.npy", "--report", "m.html")
    assert status == 0
    assert "This network passes through" in out
    assert "activation s₁…s₅" in " ".join(out.split())
    assert "m.html" in out
    assert Path("m.html").is_file()


def test_one_run_gets_its_page_and_several_one_together(folders, command):
    assert command("report", "runs/a") == (0, "report  runs/a/report.html\n", "")
    assert headline(folders.record) in Path("runs/a/report.html").read_text()
    status, out, err = command("report", "runs/a", "runs/b", "--out", "both.html", "--json")
    assert (status, json.loads(out), err) == (0, {"path": "both.html"}, "")
    page = Path("both.html").read_text()
    assert ("2 runs – isthmus" in page, len(page.encode()) < 1.5e6) == (True, True)
    assert command("report", "runs/a", "runs/b")[:2] == (0, "report  isthmus-report.html\n")


def test_unfinished_runs_among_others_are_left_out_with_a_note(folders, command):
    status, out, err = command("report", *sorted(Path("runs").iterdir()), "--out", "all.html", "--json")
    assert (status, json.loads(out)) == (0, {"path": "all.html"})
    assert err == "isthmus: runs/begun is left out: it has no record, so its fit is unfinished.\n"
    assert "2 runs" in Path("all.html").read_text()
    status, out, err = command("report", "runs/begun")
    assert (status, out) == (2, "")
    assert err.startswith("isthmus: There is no runs/begun/run.json.")
    status, out, err = command("report", "runs/begun", "runs/begun")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "None of these fits is finished" in err


def test_version_and_help(here, command):
    status, out, _ = command("--version")
    assert (status, re.fullmatch(r"isthmus \d+\.\d+\.\d+\S*\n", out) is not None) == (0, True)
    status, out, _ = command("fit", "--help")
    assert status == 0
    for option in ("--test", "--quick", "--cv", "--n-init", "--standardize", "--weights", "--overwrite", "--json"):
        assert option in out


X, Y = two_numbers()
BAD = {
    "no command": ([], "Usage"),
    "unknown command": (["fti", "teacher"], r"No such command 'fti'\. Did you mean 'fit'\? See isthmus --help\.$"),
    "no data": (["fit"], "Missing argument 'DATA'"),
    "unknown option": (["fit", "teacher", "--depht", "3"], "No such option: --depht"),
    "folds": (["fit", "teacher", "--folds", "3"], r"The option --folds is now --cv\. See isthmus fit --help"),
    "validation": (
        ["fit", "teacher", "--validation", "0.2"],
        "--validation is now --test; all other rows are held out",
    ),
    "starts": (["fit", "teacher", "--starts", "3"], "The option --starts is now --n-init"),
    "starts of window": (["window", "teacher", "--starts", "3"], "The option --starts is now --n-init"),
    "no-standardize": (["fit", "teacher", "--no-standardize"], "--no-standardize is now --standardize none"),
    "scaling": (["fit", "teacher", "--scaling", "global"], r"--scaling is now --standardize columns\|global"),
    "unknown data": (["fit", "techer"], "There is no techer. Did you mean teacher"),
    "missing file": (["fit", "none.csv"], r"There is no none\.csv"),
    "unknown setting": (["fit", "teacher:rank=2"], "a setting of teacher is 'rank'"),
    "depth": (["fit", SMALL, "--depth", "0"], "depth is 0 but must be at least 1"),
    "depth text": (["fit", SMALL, "--depth", "deep"], "--depth is 'deep' but must be a whole number, or several"),
    "depth auto": (["fit", SMALL, "--depth", "auto"], "left out, it is chosen by held-out rows"),
    "depth of depths": (["fit", SMALL, "--depth", "3,,6"], "--depth is '3,,6'"),
    "width": (["fit", SMALL, "--width", "0"], "width is 0"),
    "width text": (["fit", SMALL, "--width", "wide"], "Invalid value for '--width'"),
    "ridge": (["fit", SMALL, "--ridge", "-1"], "ridge is -1.0"),
    "ridge nan": (["fit", SMALL, "--ridge", "nan"], "ridge is nan"),
    "ridges": (["fit", SMALL, "--ridge", "1,x"], "--ridge is '1,x' but must be a number, or several"),
    "a path without ridge": (["fit", SMALL, "--ridge", "0", "--path"], "ridge is 0.0 but must be above 0 for a path"),
    "tolerance": (["fit", SMALL, "--tolerance", "2"], "tolerance is 2.0 but must be a number strictly between"),
    "activation": (["fit", SMALL, "--activation", "gelu"], "'gelu' is not positively homogeneous"),
    "device": (["fit", SMALL, "--device", "abacus"], "--device is 'abacus'"),
    "seed": (["fit", SMALL, "--seed", "-1"], "--seed is -1"),
    "cv": (["fit", SMALL, "--cv", "1"], "Invalid value for '--cv'"),
    "more folds than rows": (["fit", SMALL, "--cv", "400"], "cv is 400 but must be between 2 and 30"),
    "task": (["fit", SMALL, "--task", "clustering"], "Invalid value for '--task'"),
    "task of data": (["fit", "curve", "--task", "regression"], "autoencoder for the curve"),
    "test": (["fit", "digits", "--test", "0.9"], "--test is 0.9 but must be 0, or a share between 0.02 and 0.45"),
    "rounds": (["fit", SMALL, "--rounds", "-2"], "rounds is -2"),
    "learning rate": (["fit", SMALL, "--learning-rate", "0"], "learning_rate is 0.0"),
    "batch size": (["fit", SMALL, "--batch-size", "0"], "batch_size is 0"),
    "n-jobs": (["fit", SMALL, "--n-jobs", "0"], "--n-jobs is 0 but must be a whole number of workers"),
    "nan": (["fit", "nan.npz"], "y holds NaN or infinity .first at row 3, column 1."),
    "constant": (["fit", "constant.npz"], "Every row of y is the same"),
    "one row": (["fit", "one.npz"], "has 1 row; at least 20"),
    "lengths": (["fit", "lengths.npz"], "x has 60 rows but y has 59"),
    "pickle": (["fit", "pickle.npy"], "never loaded"),
    "huge": (["fit", "huge.npz", "--standardize", "none"], "Standardise the data"),
    "huge in a new folder": (["fit", "huge.npz", "--standardize", "none", "--out", "new/r"], "Standardise the data"),
    "beyond double precision": (["fit", "beyond.npz"], r"y \(row 0, column 'y1'\) reaches 1e\+200"),
    "no target": (["fit", "t.csv"], "--target is missing. Name one or more of the columns a, b, out"),
    "weights": (["fit", "t.csv", "--target", "out", "--weights", "a"], "Column 'a' holds the weight -"),
    "out is a file": (["fit", SMALL, *QUICK, "--out", "nan.npz"], "nan.npz is a file, not a RUN folder"),
    "out is not ours": (["fit", SMALL, *QUICK, "--out", "mine"], "mine holds files that isthmus did not write"),
    "out over not ours": (
        ["fit", SMALL, "--out", "mine", "--overwrite"],
        "mine holds files that isthmus did not write",
    ),
    "out is damaged": (["fit", SMALL, *QUICK, "--out", "junk"], r"junk/run\.json: it is not valid JSON"),
    "out of the first edition": (
        ["fit", SMALL, *QUICK, "--out", "first"],
        "first edition.*another folder, or with --ov",
    ),
    "measure nothing": (["measure", "none", "--data", "teacher"], "There is no none"),
    "measure without data": (["measure", "."], "Missing option '--data'"),
    "measure a pickle": (["measure", "pickle.npy", "--data", "teacher"], "damaged or not a safetensors file"),
    "report of nothing": (["report", "none"], "There is no none"),
    "report of junk": (["report", "junk"], "not valid JSON"),
    "report of another json": (["report", "other"], "not a record of isthmus"),
    "report of the first edition": (["report", "first"], "by the first edition of isthmus"),
    "report of runs and experiments": (["report", "first", "e.json"], "all RUN folders or all .json records"),
}


@pytest.mark.parametrize("name", BAD)
def test_wrong_input_is_one_sentence_and_leaves_nothing(here, command, name):
    np.savez("nan.npz", x=X, y=np.where(np.arange(180).reshape(60, 3) == 10, np.nan, Y))
    np.savez("constant.npz", x=X, y=np.ones(60))
    np.savez("one.npz", x=X[:1], y=X[:1])
    np.savez("lengths.npz", x=X, y=X[:-1])
    np.savez("huge.npz", x=X * 1e30, y=X)
    np.savez("beyond.npz", x=X, y=np.where(np.arange(180).reshape(60, 3) == 1, 1e200, Y))
    np.save("pickle.npy", np.array([object()]))
    pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "out": Y[:, 0]}).to_csv("t.csv", index=False)
    old = '{"format": "isthmus-run", "version": 1, "kind": "fit", "rank": 3}'
    for folder, content in (("junk", "{"), ("other", "[1]"), ("first", old)):
        Path(folder).mkdir()
        Path(folder, "run.json").write_text(content)
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("precious")
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    arguments, message = BAD[name]
    status, out, err = command(*arguments)
    assert status == 2
    if name != "no command":
        assert out == ""
        assert err.startswith("isthmus: ")
        assert err.count("\n") == 1
    assert "Traceback" not in err
    assert re.search(message, err + out), err
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before
    assert not Path("new").exists()
    assert not Path("runs").exists()


def test_folders_of_the_first_edition_can_be_overwritten(here, command):
    Path("first").mkdir()
    Path("first/run.json").write_text('{"format": "isthmus-run", "version": 1, "kind": "fit", "rank": 3}')
    assert command("fit", SMALL, *QUICK, "--out", "first", "--overwrite")[0] == 0
    assert RunFolder(Path("first")).read().version == RECORD_VERSION


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["fit", "t.csv", "--target", "y", "--group", "a", "--group", "b"],
            "--group is given more than once. Give it once.",
        ),
        (
            ["fit", "t.csv", "--target", "y", "--depth", "2", "--depth=3"],
            "--depth is given more than once. Give it once, several values separated by commas.",
        ),
        (["fit", "t.csv", "--overwrite", "--no-overwrite"], "--overwrite is given more than once. Give it once."),
        (["regions", "m.onnx", "--box", "0", "1", "--box", "0", "2"], "--box is given more than once. Give it once."),
    ],
)
def test_an_option_of_one_value_is_given_once(here, command, arguments, said):
    assert command(*arguments) == (2, "", f"isthmus: {said}\n")


def test_lists_are_given_again(here, command):
    status, _, err = command("fit", "none.csv", "--target", "y", "--target", "z", "--drop", "a", "--drop", "b")
    assert (status, "There is no none.csv" in err) == (2, True)
