"""The commands as a person runs them: output, exit status, files, and every kind of wrong input."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from isthmus.cli.main import run
from isthmus.formats import load_network
from isthmus.reports import headline

ISTHMUS = str(Path(sys.executable).parent / "isthmus")
QUICK = ["--depth", "4", "--width", "16", "--steps", "120", "--rounds", "1"]
SMALL = "teacher:k=2,n=120,d=6,width=20"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(capsys, *arguments):
    status = run([str(a) for a in arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_fit_measure_and_report_hang_together(here, capsys):
    status, out, err = call(capsys, "fit", SMALL, *QUICK, "--out", "r", "--json")
    assert (status, err) == (0, "")
    record = json.loads(out)
    for key in (
        "rank",
        "rank_lower",
        "rank_upper",
        "tolerance",
        "depth",
        "objective",
        "train_error",
        "test_error",
        "norm_per_depth",
        "seconds",
        "layers",
    ):
        assert key in record
    assert record["rank_lower"] <= record["rank"] <= record["rank_upper"]
    assert list(record["rank_probabilities"]) == [str(row["rank"]) for row in record["error_curve"]]
    assert sum(record["rank_probabilities"].values()) == pytest.approx(1.0, abs=1e-12)
    assert record["attribution"]["inputs"] == record["data"]["input_names"]
    assert [len(row) for row in record["attribution"]["effects"]] == [6] * record["rank"]
    assert sorted(p.name for p in Path("r").iterdir()) == [
        "decoder.safetensors",
        "encoder.safetensors",
        "model.safetensors",
        "report.html",
        "run.json",
    ]
    status, out, err = call(capsys, "measure", "r", "--data", SMALL, "--json")
    assert (status, err) == (0, "")
    profile = json.loads(out)
    assert set(profile["layers"][0]) == {
        "layer",
        "weight_singular_values",
        "activation_singular_values",
        "nonlinearity_impact",
    }
    for key in (
        "jacobian_rank",
        "bottleneck_rank",
        "bottleneck_layer",
        "bottleneck_error",
        "norm_per_depth",
        "cost_lower",
    ):
        assert key in profile
    assert profile["norm_per_depth"] == pytest.approx(record["norm_per_depth"])
    assert profile["cost_lower"] <= profile["norm_per_depth"]
    status, out, err = call(capsys, "report", "r", "r", "--out", "both.html", "--json")
    assert (status, json.loads(out)) == (0, {"path": "both.html"})
    assert Path("both.html").stat().st_size < 6_000_000


def test_the_two_halves_are_files_that_compose(here, capsys):
    call(capsys, "fit", SMALL, *QUICK, "--out", "r", "--json")
    record = json.loads(Path("r/run.json").read_text())
    x = torch.randn(5, 6, dtype=torch.float64)
    encoder, decoder = load_network("r/encoder.safetensors"), load_network("r/decoder.safetensors")
    z = encoder(x)
    assert z.shape == (5, record["rank"])
    assert decoder(z).shape == (5, 6)


def test_people_get_words_and_paths(here, capsys):
    status, out, _ = call(capsys, "fit", SMALL, *QUICK, "--out", "r")
    record = json.loads(Path("r/run.json").read_text())
    assert status == 0
    assert headline(record) in " ".join(out.split())
    assert "r/report.html" in out
    assert f"→ {record['rank']}" in out
    status, out, _ = call(capsys, "measure", "r", "--data", SMALL)
    assert status == 0
    assert "This network passes through" in out


@pytest.mark.parametrize(
    ("data", "task"), [("digits", "classification"), ("curve", "autoencoder"), ("inverted-s", "classification")]
)
def test_every_task_runs(here, capsys, data, task):
    status, out, _ = call(capsys, "fit", data, *QUICK, "--steps", "40", "--out", "r", "--json")
    record = json.loads(out)
    assert (status, record["task"]) == (0, task)
    assert Path("r/report.html").is_file()


def test_depth_auto_tries_several(here, capsys):
    status, out, _ = call(
        capsys,
        "fit",
        "curve",
        "--depth",
        "auto",
        "--width",
        "8",
        "--steps",
        "20",
        "--rounds",
        "0",
        "--out",
        "r",
        "--json",
    )
    assert status == 0
    assert json.loads(out)["depth"] in (4, 7, 13, 20)


def test_a_finished_run_is_not_repeated_and_not_overwritten(here, capsys):
    call(capsys, "fit", SMALL, *QUICK, "--out", "r", "--json")
    created = json.loads(Path("r/run.json").read_text())["created"]
    before = Path("r/model.safetensors").read_bytes()
    status, out, _ = call(capsys, "fit", SMALL, *QUICK, "--out", "r", "--json")
    assert (status, json.loads(out)["created"]) == (0, created)
    status, out, err = call(capsys, "fit", SMALL, *QUICK, "--out", "r", "--width", "17", "--json")
    assert (status, out) == (2, "")
    assert "width: 16 → 17" in err
    assert "--overwrite" in err
    assert Path("r/model.safetensors").read_bytes() == before
    status, _, _ = call(capsys, "fit", SMALL, *QUICK, "--out", "r", "--width", "17", "--overwrite", "--json")
    assert status == 0
    assert Path("r/model.safetensors").read_bytes() != before


def test_a_folder_of_someone_else_is_left_alone(here, capsys):
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("precious")
    for more in ([], ["--overwrite"]):
        status, _, err = call(capsys, "fit", SMALL, *QUICK, "--out", "mine", *more)
        assert Path("mine/thesis.txt").read_text() == "precious"
        if not more:
            assert status == 2
            assert "files that isthmus did not write" in err


def killed_command(out):
    return [
        ISTHMUS,
        "fit",
        "teacher:k=2,n=300",
        "--depth",
        "8",
        "--width",
        "60",
        "--steps",
        "400",
        "--rounds",
        "2",
        "--seed",
        "3",
        "--threads",
        "1",
        "--out",
        out,
        "--json",
    ]


def waited_for(path, seconds=60):
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.02)


def test_kill_9_in_the_middle_resumes_to_the_same_answer(here):
    environment = {**os.environ, "ISTHMUS_SAVE_EVERY": "0.3"}
    whole = json.loads(subprocess.run(killed_command("whole"), check=True, capture_output=True).stdout)
    process = subprocess.Popen(
        killed_command("r"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    waited_for(here / "r" / "checkpoint.safetensors")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (here / "r" / "run.json").exists()
    resumed = json.loads(subprocess.run(killed_command("r"), check=True, capture_output=True).stdout)
    assert not (here / "r" / "checkpoint.safetensors").exists()
    for name in ("rank", "rank_lower", "rank_upper", "objective", "test_error", "norm_per_depth", "error_curve"):
        assert resumed[name] == whole[name]
    pairs = zip(load_network(here / "r").network.weights, load_network(here / "whole").network.weights, strict=True)
    assert all(bool((a == b).all()) for a, b in pairs)


def test_ctrl_c_leaves_a_usable_result_that_can_be_continued(here):
    environment = {**os.environ, "ISTHMUS_SAVE_EVERY": "0.3"}
    process = subprocess.Popen(killed_command("r"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    waited_for(here / "r" / "checkpoint.safetensors")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    record = json.loads(out)
    assert record["stopped"] == "interrupted"
    assert any("interrupted" in warning for warning in record["warnings"])
    assert load_network(here / "r").network.depth == 8
    done = json.loads(subprocess.run(killed_command("r"), check=True, capture_output=True).stdout)
    assert done["stopped"] == "budget"
    assert done["objective"] < record["objective"]


def test_an_unfinished_fit_of_other_data_is_not_touched(here, capsys):
    environment = {**os.environ, "ISTHMUS_SAVE_EVERY": "0.3"}
    process = subprocess.Popen(
        killed_command("r"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    waited_for(here / "r" / "checkpoint.safetensors")
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = (here / "r" / "checkpoint.safetensors").read_bytes()
    status, _, err = call(capsys, "fit", SMALL, *QUICK, "--out", "r")
    assert status == 2
    assert "unfinished fit" in err
    assert (here / "r" / "checkpoint.safetensors").read_bytes() == before


X = np.random.default_rng(0).standard_normal((60, 3))

BAD = {
    "no command": ([], "Usage|Missing command|Commands"),
    "unknown command": (["fti", "teacher"], "No such command 'fti'"),
    "no data": (["fit"], "Missing argument"),
    "unknown option": (["fit", "teacher", "--depht", "3"], "No such option"),
    "unknown data": (["fit", "techer"], "There is no techer. Did you mean teacher"),
    "missing file": (["fit", "none.csv"], r"There is no none\.csv"),
    "unknown setting": (["fit", "teacher:rank=2"], "a setting of teacher is 'rank'"),
    "depth": (["fit", "teacher", "--depth", "0"], "--depth is '0' but must be a whole number from 1, or auto"),
    "depth text": (["fit", "teacher", "--depth", "deep"], "--depth is 'deep'"),
    "width": (["fit", "teacher", "--width", "0"], "width is 0"),
    "width text": (["fit", "teacher", "--width", "wide"], "Invalid value for '--width'"),
    "ridge": (["fit", "teacher", "--ridge", "-1"], "ridge is -1.0"),
    "ridge nan": (["fit", "teacher", "--ridge", "nan"], "ridge is nan"),
    "tolerance": (["fit", "teacher", "--tolerance", "2"], "tolerance is 2.0 but must be a number strictly between"),
    "activation": (["fit", "teacher", "--activation", "gelu"], "'gelu' is not positively homogeneous"),
    "device": (["fit", "teacher", "--device", "abacus"], "--device is 'abacus'"),
    "seed": (["fit", "teacher", "--seed", "-1"], "--seed is -1"),
    "task": (["fit", "teacher", "--task", "clustering"], "Invalid value for '--task'"),
    "task of data": (["fit", "curve", "--task", "regression"], "autoencoder for the curve"),
    "validation": (["fit", "digits", "--validation", "0.9"], "--validation is 0.9"),
    "rounds": (["fit", "teacher", "--rounds", "-2"], "rounds is -2"),
    "learning rate": (["fit", "teacher", "--learning-rate", "0"], "learning_rate is 0.0"),
    "threads": (["fit", "teacher", "--threads", "0"], "Invalid value for '--threads'"),
    "nan": (["fit", "nan.npz"], "y holds NaN or infinity .first at row 3, column 1."),
    "constant": (["fit", "constant.npz"], "Every row of y is the same"),
    "one row": (["fit", "one.npz"], "has 1 row; at least 20"),
    "lengths": (["fit", "lengths.npz"], "x has 60 rows but y has 59"),
    "pickle": (["fit", "pickle.npy"], "never loaded"),
    "huge": (["fit", "huge.npz", "--no-standardize"], "Standardise the data"),
    "measure nothing": (["measure", "none", "--data", "teacher"], "There is no none"),
    "measure without data": (["measure", "."], "Missing option '--data'"),
    "measure a pickle": (["measure", "pickle.npy", "--data", "teacher"], "damaged or not a safetensors file"),
    "report of nothing": (["report", "none"], r"There is no none/run\.json"),
    "report of junk": (["report", "junk"], "not valid JSON"),
    "report of another json": (["report", "other"], "not a record of isthmus"),
    "out is a file": (["fit", SMALL, *QUICK, "--out", "nan.npz"], "files that isthmus did not write"),
}


@pytest.mark.parametrize("name", BAD)
def test_wrong_input_is_one_sentence_and_leaves_nothing(here, capsys, name):
    np.savez("nan.npz", x=X, y=np.where(np.arange(120).reshape(60, 2) == 7, np.nan, X[:, :2]))
    np.savez("constant.npz", x=X, y=np.ones(60))
    np.savez("one.npz", x=X[:1], y=X[:1])
    np.savez("lengths.npz", x=X, y=X[:-1])
    np.savez("huge.npz", x=X * 1e30, y=X)
    np.save("pickle.npy", np.array([object()]))
    for folder, content in (("junk", "{"), ("other", "[1]")):
        Path(folder).mkdir()
        Path(folder, "run.json").write_text(content)
    before = sorted(here.rglob("*"))
    arguments, message = BAD[name]
    status, out, err = call(capsys, *arguments)
    assert status == 2
    if name != "no command":
        assert out == ""
        assert err.startswith("isthmus: ")
        assert err.count("\n") == 1
    assert "Traceback" not in err
    assert re.search(message, err + out), err
    assert sorted(here.rglob("*")) == before


def test_version_and_help(here, capsys):
    status, out, _ = call(capsys, "--version")
    assert status == 0
    assert out.startswith("isthmus 0.")
    status, out, _ = call(capsys, "fit", "--help")
    assert status == 0
    assert "--ridge" in out
