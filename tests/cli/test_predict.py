"""`isthmus predict`: a finished run, new rows in, a table out."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from finished_runs import FLAGS, nothing_in_common, two_numbers
from isthmus.cli.main import run
from isthmus.runs import load_run

X, _ = two_numbers()


@pytest.fixture
def rows(here, finished):
    """New rows as a table and as a matrix, and a run `r` of the columns x0 … x3."""
    shutil.copytree(finished.folder, "r")
    new = X[:7] + 0.25
    pd.DataFrame(new, columns=["x0", "x1", "x2", "x3"]).assign(more=1.0).to_csv("new.csv", index=False)
    np.save("new.npy", new)
    return new


def read(path):
    path = Path(path)
    if path.suffix == ".npy":
        return None, np.load(path)
    frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    return list(frame.columns), frame.to_numpy()


@pytest.mark.parametrize("source", ["new.csv", "new.npy"])
@pytest.mark.parametrize("kind", ["csv", "parquet", "npy"])
def test_outputs_are_written_to_every_kind_of_table(rows, command, source, kind):
    status, out, err = command("predict", "r", "--data", source, "--out", f"p.{kind}", "--json")
    assert (status, err) == (0, "")
    names, found = read(f"p.{kind}")
    assert names in (None, ["y0", "y1", "y2"])
    assert (found == load_run("r").predict(rows)).all()
    rank = load_run("r").record.rank
    told = {"out": f"p.{kind}", "rows": 7, "columns": ["y0", "y1", "y2"], "rank": rank, "notes": []}
    assert json.loads(out) == told


@pytest.mark.parametrize("kind", ["csv", "parquet", "npy"])
def test_the_numbers_that_pass_are_written_instead(rows, command, kind):
    status, out, _ = command("predict", "r", "--data", "new.csv", "--latent", "--out", f"z.{kind}", "--json")
    names, found = read(f"z.{kind}")
    assert status == 0
    assert json.loads(out)["columns"] == list(load_run("r").latent_names)
    assert names in (None, ["z1", "z2"][: load_run("r").record.rank])
    assert (found == load_run("r").encode(rows)).all()


def test_people_are_told_what_was_written_and_whether_to_rely_on_it(rows, command):
    status, out, err = command("predict", "r", "--data", "new.csv", "--out", "p.csv")
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "7 rows of y0, y1, y2"
    assert out.splitlines()[-1].split() == ["out", "p.csv"]
    sentence = load_run("r").record.verdict.sentence
    assert sentence not in out
    record = json.loads(Path("r/run.json").read_text())
    record["verdict"]["level"] = "do not rely"
    Path("r/run.json").write_text(json.dumps(record))
    assert sentence in command("predict", "r", "--data", "new.csv", "--out", "p.csv", "--overwrite")[1]


def test_classes_are_named_with_their_probabilities(classes, here, command):
    x = two_numbers(90, seed=1, noise=0.0)[0][:9]
    np.savez("c.npz", x=x)
    folder = Path(classes.record.data.source).parent / "r"
    assert command("predict", folder, "--data", "c.npz", "--out", "p.csv")[0] == 0
    frame = pd.read_csv("p.csv", dtype={"class": str})
    assert list(frame.columns) == ["class", "p(0)", "p(2)", "p(5)"]
    assert frame["class"].tolist() == classes.predict(x).tolist()
    assert (frame.iloc[:, 1:].to_numpy() == classes.predict_proba(x)).all()
    assert command("predict", folder, "--data", "c.npz", "--out", "p.npy")[0] == 0
    assert (np.load("p.npy") == classes.predict_proba(x)).all()  # a matrix has no room for names


def test_a_table_with_texts_is_encoded_as_it_was_and_new_texts_are_refused(here, command):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.standard_normal(60), "colour": rng.choice(["blue", "red"], 60)})
    frame["out"] = frame["a"] + (frame["colour"] == "red")
    frame.to_csv("t.csv", index=False)
    assert run(["fit", "t.csv", "--target", "out", *FLAGS, "--ridge", "0.01", "--out", "r"]) == 0
    frame.iloc[:5][["colour", "a"]].to_csv("new.csv", index=False)  # no target, another order
    assert command("predict", "r", "--data", "new.csv", "--out", "p.csv")[0] == 0
    assert read("p.csv")[1] == pytest.approx(load_run("r").predict(frame)[:5], rel=1e-12)
    frame.iloc[:5].assign(colour="green").to_csv("new.csv", index=False)
    status, out, err = command("predict", "r", "--data", "new.csv", "--out", "q.csv")
    assert (status, out) == (2, "")
    assert err.startswith("isthmus: Column 'colour' holds 'green' in row 1, which the network has never seen.")
    assert not Path("q.csv").exists()


def test_rows_with_missing_values_are_refused_or_dropped(rows, command):
    frame = pd.read_csv("new.csv")
    frame.loc[2, "x1"] = np.nan
    frame.to_csv("holes.csv", index=False)
    status, _, err = command("predict", "r", "--data", "holes.csv", "--out", "p.csv")
    assert status == 2
    assert "x1" in err
    assert command("predict", "r", "--data", "holes.csv", "--missing", "drop", "--out", "p.csv")[0] == 0
    assert len(pd.read_csv("p.csv")) == 6


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["r", "--data", "new.csv", "--out", "p.txt"], "--out is 'p.txt' but must be a file whose name ends in .csv"),
        (["none", "--data", "new.csv", "--out", "p.csv"], "There is no none. RUN is a folder that `isthmus fit` wrote"),
        (["new.csv", "--data", "new.csv", "--out", "p.csv"], "Cannot use new.csv/run.json"),
        (["r", "--data", "none.csv", "--out", "p.csv"], "There is no none.csv"),
        (["r", "--data", "narrow.npy", "--out", "p.csv"], "x has 3 columns"),
        (["r", "--data", "other.csv", "--out", "p.csv"], "'x0' is an input of the network and is not in the data"),
        (["r", "--data", "new.csv"], "Missing option '--out'"),
        (["r", "--data", "new.csv", "--out", "new.npy/p.csv"], "Cannot use"),
    ],
)
def test_wrong_input_is_one_sentence_and_leaves_nothing(rows, command, arguments, said):
    np.save("narrow.npy", rows[:, :3])
    pd.DataFrame(rows, columns=list("abcd")).to_csv("other.csv", index=False)
    before = sorted(Path().rglob("*"))
    status, out, err = command("predict", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert err.startswith("isthmus: ")
    assert err.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


def test_rank_zero_predicts_the_mean_and_has_no_numbers(here, command):
    x, y, weights = nothing_in_common()
    np.savez("noise.npz", x=x, y=y, sample_weight=weights)
    assert run(["fit", "noise.npz", *FLAGS, "--ridge", "0.01,0.03", "--test", "0", "--out", "r"]) == 0
    assert load_run("r").record.rank == 0
    assert command("predict", "r", "--data", "noise.npz", "--out", "p.csv")[0] == 0
    assert (read("p.csv")[1] == load_run("r").record.constant).all()
    assert load_run("r").record.constant == pytest.approx(np.average(y, weights=weights, axis=0), rel=1e-7)
    status, _, err = command("predict", "r", "--data", "noise.npz", "--latent", "--out", "z.npy")
    assert (status, err.count("\n")) == (2, 1)
    assert "the number of columns" in err


def test_an_earlier_file_is_replaced_only_on_request(rows, command):
    before = Path("new.csv").read_bytes()
    status, out, err = command("predict", "r", "--data", "new.csv", "--out", "new.csv")
    assert (status, out, "not replaced" in err) == (2, "", True)
    assert "use --overwrite" in err
    status, _, err = command("predict", "r", "--data", "new.csv", "--out", "new.csv", "--overwrite")
    assert (status, "another file than DATA" in err) == (2, True)
    assert Path("new.csv").read_bytes() == before
    Path("p.csv").write_text("earlier")
    assert command("predict", "r", "--data", "new.csv", "--out", "p.csv", "--overwrite")[0] == 0
    assert len(pd.read_csv("p.csv")) == 7
