"""`fit --folds --path`: the record is that of the decision, made again here from the rows; Ctrl-C and kill go on."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from isthmus.cli.main import run
from isthmus.data import load_dataset
from isthmus.formats import load_network
from isthmus.runs import FitOptions, RunFolder, fit_dataset
from isthmus.selection.posterior import LINEAR_WEIGHTS, WEIGHTS
from isthmus.training import Schedule

ISTHMUS = str(Path(sys.executable).parent / "isthmus")
SMALL = "teacher:k=2,n=150,d=6,width=20"
QUICK = ["--depth", "3", "--width", "10", "--steps", "50", "--rounds", "1"]
OPTIONS = FitOptions(depth=3, width=10, schedule=Schedule(steps=50, rounds=1), folds=3)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A fit with folds and a path, as it is when nothing goes wrong."""
    folder = tmp_path_factory.mktemp("whole") / "r"
    assert run(["fit", SMALL, *QUICK, "--folds", "3", "--path", "--out", str(folder)]) == 0
    return folder, json.loads((folder / "run.json").read_text())


def test_the_record_is_that_of_the_folds(whole):
    folder, record = whole
    cross = record["cross_decision"]
    assert (cross["folds"], cross["rows"]) == (3, record["data"]["train"] + record["data"]["validation"])
    assert [record[f"rank{end}"] for end in ("", "_lower", "_upper")] == [cross[n] for n in ("rank", "lower", "upper")]
    assert list(record["rank_probabilities"].values()) == cross["probabilities"]
    assert sum(cross["probabilities"]) == pytest.approx(1.0)
    assert record["rank_is_undecided"] == (cross["probabilities"][cross["rank"]] <= 0.5)
    errors = [row["projected"] if row["rank"] == 0 else row["refitted"] for row in record["error_curve"]]
    assert errors == cross["errors"]
    assert record["constant_error"] == cross["errors"][0]
    assert record["options"]["folds"] == 3
    # The weighing by hand, for k ≥ 1.
    names = ("errors", "standard_errors", "objectives", "effects", "dependences", "correlations", "linear")
    e, s, o, r, d, rho, t = (np.array(cross[name]) for name in names)
    e -= e.min()
    effects = np.log(r / 0.1 + 0.1)
    significance = np.minimum(np.divide(e, s, where=s > 0, out=np.zeros_like(e)), 4.0)
    columns = [np.ones_like(e), np.log(e / (0.01 * e[0]) + 0.1), significance, effects, np.r_[0.0, np.diff(effects)]]
    columns += [
        np.log(o / o.min() - 0.99),
        d,
        np.r_[0.0, d[:-1]],
        np.clip(t, -2.0, 5.0),
        np.clip(np.r_[t[1:], -2.0], -2.0, 5.0),
    ]
    columns.append(np.log(rho**2 + 0.01))
    without, with_lines = (
        1.0 / (1.0 + np.exp(-np.array(weights["regression"]) @ np.array(columns)))
        for weights in (WEIGHTS, LINEAR_WEIGHTS)
    )
    enough = cross["linear_share"] * with_lines + (1.0 - cross["linear_share"]) * without
    much = (e > 0.1 * e[0]) & (e > 2.0 * s)
    assert much.tolist() == [True, True] + [False] * (len(e) - 2)
    enough[much] = 0.0
    enough[0], enough[-1] = cross["probabilities"][0], 1.0
    chances = enough * np.r_[1.0, np.cumprod(1.0 - enough)[:-1]]
    assert cross["probabilities"] == pytest.approx(chances.tolist(), abs=1e-9)
    assert record["rank"] == int(np.argmax(chances))
    assert any("held out from one of 3 networks" in sentence for sentence in record["rank_evidence"])
    assert sorted(file.name for file in folder.iterdir()) == [
        *("decoder.safetensors", "encoder.safetensors", "model.safetensors", "report.html", "run.json"),
    ]


def test_errors_of_no_numbers_are_those_of_the_means_of_the_other_rows(whole):
    from isthmus.data import folded_rows

    _, record = whole
    data = load_dataset(SMALL, seed=0)
    rows = np.sort(np.concatenate([data.split.train, data.split.validation]))
    losses = []
    for trained, held_out in folded_rows(data.x[rows], None, folds=3, seed=0):
        inside, outside = data.y[rows][trained].astype(float), data.y[rows][held_out].astype(float)
        deviation = inside.std(0) if not data.shares_unit else np.sqrt(inside.var(0).mean())
        losses.append((((outside - inside.mean(0)) / deviation) ** 2).sum(1))
    assert record["cross_decision"]["errors"][0] == pytest.approx(np.concatenate(losses).mean(), rel=0.02)


def test_the_halves_compose_to_the_objective_of_that_rank(whole):
    folder, record = whole
    data = load_dataset(SMALL, seed=0)
    fitted = load_network(folder)
    encoder, decoder = load_network(folder / "encoder.safetensors"), load_network(folder / "decoder.safetensors")
    x, y = (torch.from_numpy(part[data.split.test]).double() for part in (data.x, data.y))
    z = encoder(x)
    assert z.shape[1] == record["rank"]
    error = float(((decoder(z).double() - y) / fitted.outputs.scale).square().sum(1).mean())
    assert error == pytest.approx(record["network_test_error_at_rank"], rel=1e-3)
    assert len(record["cross_decision"]["objectives"]) == len(record["cross_decision"]["errors"])


def test_the_path_begins_at_the_ridge_of_the_fit(whole):
    _, record = whole
    path = record["rank_path"]
    assert [p["ridge"] / record["ridge"] for p in path["points"]] == pytest.approx([1, 2, 4, 8, 16, 32, 64])
    assert path["points"][0]["value"] <= record["objective"] * (1 + 1e-4)
    assert all(p["rank"] == sum(size > 0.1 for size in p["sizes"]) for p in path["points"])


def test_people_see_the_table_and_the_page_the_picture(whole, here, capsys):
    folder, record = whole
    assert run(["fit", SMALL, *QUICK, "--folds", "3", "--path", "--out", str(folder)]) == 0  # it is not done again
    out = capsys.readouterr().out
    assert "bend" in out
    assert f"→ {record['rank']}" in out
    assert "figure-1-evidence" in (folder / "report.html").read_text()


class Interrupting:
    """A report that presses Ctrl-C once, when the state says so."""

    def __init__(self, word):
        self.word = word

    def __call__(self, fraction, state):
        assert 0.0 <= fraction <= 1.0 + 1e-9
        if self.word and self.word in state:
            self.word = None
            raise KeyboardInterrupt


@pytest.mark.parametrize("fold", [1, 3])
def test_ctrl_c_in_a_fold_leaves_a_result_by_the_validation_rows_and_goes_on(whole, here, fold):
    data = load_dataset(SMALL, seed=0)
    early = fit_dataset(data, OPTIONS, Path("r"), report=Interrupting(f"fold {fold} of 3"))
    assert early["stopped"] == "interrupted"
    assert "cross_decision" not in early
    assert any("decided by the validation rows, not by folds" in warning for warning in early["warnings"])
    assert load_network("r").network.depth == 3
    assert RunFolder(Path("r")).folds.is_file() == (fold > 1)
    done = fit_dataset(data, OPTIONS, Path("r"), report=Interrupting(None))
    assert done["stopped"] != "interrupted"
    for name in ("rank", "rank_probabilities", "cross_decision", "error_curve", "objective"):
        assert done[name] == whole[1][name]
    assert not RunFolder(Path("r")).folds.exists()


def test_ctrl_c_on_the_path_leaves_its_beginning_and_goes_on(whole, here):
    data = load_dataset(SMALL, seed=0)
    options = replace(OPTIONS, folds=None, path=True)

    def at_a_half(fraction, state):
        if 0.6 < fraction < 0.8:  # the path takes 0.37 to 0.93
            raise KeyboardInterrupt

    early = fit_dataset(data, options, Path("r"), report=at_a_half)
    reached, points = early["rank_path"]["points"], whole[1]["rank_path"]["points"]
    assert 1 <= len(reached) < 7
    assert reached == points[: len(reached)]
    assert early["stopped"] == "interrupted"
    assert any("ranks over λ are not complete" in warning for warning in early["warnings"])
    done = fit_dataset(data, options, Path("r"), report=Interrupting(None))
    assert done["rank_path"] == whole[1]["rank_path"]
    assert done["stopped"] != "interrupted"
    assert not RunFolder(Path("r")).path_checkpoint.exists()


def test_folds_that_are_done_are_not_done_again(here, monkeypatch):
    from isthmus.runs import folds

    data, trained = load_dataset(SMALL, seed=0), []
    fit_dataset(data, OPTIONS, Path("r"), report=Interrupting("fold 3 of 3"))
    fitted_rows = folds.fitted_rows
    monkeypatch.setattr(folds, "fitted_rows", lambda *a, **k: trained.append(k["key"]) or fitted_rows(*a, **k))
    fit_dataset(data, OPTIONS, Path("r"), report=Interrupting(None))
    assert [key.partition(":")[2] for key in trained] == ["2"]


def test_kill_9_during_the_folds_goes_on(whole, here):
    command = [ISTHMUS, "fit", SMALL, *QUICK, "--folds", "3", "--path", "--threads", "1", "--out", "r", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    end = time.monotonic() + 240
    while not (here / "r" / "folds.safetensors").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert run([*command[1:]]) == 0
    done = json.loads((here / "r" / "run.json").read_text())
    assert done["cross_decision"] == whole[1]["cross_decision"]
    other = ["fit", SMALL, *QUICK, "--folds", "4", "--out", "r"]
    assert run(other) == 2


def test_an_unfinished_fit_with_other_folds_is_left_alone(here, capsys):
    data = load_dataset(SMALL, seed=0)
    fit_dataset(data, OPTIONS, Path("r"), report=Interrupting("fold 2 of 3"))
    Path("r/run.json").unlink()
    before = Path("r/folds.safetensors").read_bytes()
    assert run(["fit", SMALL, *QUICK, "--folds", "4", "--out", "r"]) == 2
    assert "unfinished fit" in capsys.readouterr().err
    assert Path("r/folds.safetensors").read_bytes() == before


def test_a_damaged_file_of_folds_is_named(here, capsys):
    data = load_dataset(SMALL, seed=0)
    fit_dataset(data, OPTIONS, Path("r"), report=Interrupting("fold 2 of 3"))
    Path("r/folds.safetensors").write_bytes(b"torn")
    assert run(["fit", SMALL, *QUICK, "--folds", "3", "--out", "r"]) == 2
    assert "folds.safetensors" in capsys.readouterr().err


def test_classes_are_judged_by_their_probabilities_and_the_test_rows_counted(here):
    assert run(["fit", "inverted-s", *QUICK, "--steps", "40", "--folds", "2", "--out", "r"]) == 0
    record = json.loads(Path("r/run.json").read_text())
    assert record["cross_decision"]["error_name"] == "−log of the class's probability"
    assert record["error_name"] == "misclassified fraction"
    assert any("probabilities of the classes" in warning for warning in record["warnings"])


@pytest.mark.parametrize("folds", ["1", "0", "-3", "many"])
def test_fewer_than_two_folds_are_refused(here, capsys, folds):
    assert run(["fit", SMALL, *QUICK, "--folds", folds, "--out", "r"]) == 2
    assert "--folds" in capsys.readouterr().err
    assert not Path("r").exists()


def test_a_path_without_a_ridge_is_refused_before_anything_is_done(here, capsys):
    assert run(["fit", SMALL, *QUICK, "--ridge", "0", "--path", "--out", "r"]) == 2
    assert "above 0 for a path" in capsys.readouterr().err
    assert not Path("r").exists()


def test_a_fit_without_folds_keeps_its_name():
    data = load_dataset(SMALL, seed=0)
    asked = FitOptions().record(data)
    assert not {"folds", "path"} & set(asked)
    assert FitOptions(folds=3).key(data) != FitOptions().key(data) != FitOptions(path=True).key(data)
