"""`isthmus cost` as a person runs it."""

import json
import re
from pathlib import Path

import pytest
import torch

from commands import call
from isthmus.formats import load_network, save
from isthmus.networks.catalogue import catalogue


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    network = next(e.network for e in catalogue(0) if e.name == "fold of the square")
    save(network, "fold.safetensors")
    return network


def test_a_json_list_with_one_object_a_depth(model, capsys):
    status, out, err = call(
        capsys, "cost", "fold.safetensors", "--box", -1, 1, "--depth", "1,2", "--depth", 50, "--out", "nets", "--json"
    )
    assert (status, err) == (0, "")
    rows = json.loads(out)
    assert [row["depth"] for row in rows] == [1, 2, 50]
    assert all({"lower", "upper", "lower_by", "upper_by"} <= row.keys() for row in rows)
    assert rows[0]["upper"] is None
    assert rows[2]["lower"] <= rows[2]["upper"] < 2.2
    x = torch.rand(50, 2, dtype=torch.float64) * 2 - 1
    net = load_network("nets/depth-50.safetensors")
    assert net.depth == 50
    assert net.norm_per_depth == pytest.approx(rows[2]["upper"])
    torch.testing.assert_close(net(x), model(x), rtol=1e-5, atol=1e-5)


def test_a_summary_and_a_page(model, capsys):
    status, out, _ = call(
        capsys, "cost", "fold.safetensors", "--box", -1, 1, "--depth", "2,13,200", "--report", "cost.html"
    )
    assert status == 0
    assert "In the limit of infinite depth the function costs 2 per layer." in out
    assert "all 4 linear regions" in out
    text = Path("cost.html").read_text(encoding="utf-8")
    assert "Cost per layer over the depth" in text
    assert not re.search(r"<(?:script|link|img)[^>]+https?:", text)


def test_the_bounds_of_an_empty_box_are_said_as_they_were_given(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    call(
        capsys, "fit", "teacher:k=1,n=40,d=2,width=4", "--depth", 3, "--ridge", 0.01, "--width", 4, "--steps", 5,
        "--rounds", 1, "--quick", "--out", "r", "--json",
    )  # fmt: skip
    status, _, err = call(capsys, "cost", "r", "--box", 1, 0)
    assert (status, "its lower bound 1 is not below its upper bound 0" in err) == (2, True)


def test_a_fitted_run_at_its_own_depth(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    data = "teacher:k=1,n=80,d=4,width=10"
    call(capsys, "fit", data, "--depth", 4, "--width", 8, "--steps", 60, "--rounds", 1, "--out", "r", "--json")
    status, out, err = call(capsys, "cost", "r", "--data", data, "--json", "--points", 20)
    assert (status, err) == (0, "")
    (row,) = json.loads(out)
    assert row["depth"] == 4
    fitted = json.loads((tmp_path / "r" / "run.json").read_text())
    assert row["lower"] <= row["upper"] <= fitted["norm_per_depth"] * (1 + 1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fold.safetensors"], "No domain was given.*Pass --data DATA or --box LO HI"),
        (["fold.safetensors", "--data", "curve", "--box", "-1", "1"], "Two domains were given"),
        (["fold.safetensors", "--box", "1", "-1"], "box is empty along dimension 0"),
        (["fold.safetensors", "--box", "-1", "1", "--depth", "0"], "whole numbers from 1, separated by commas"),
        (["fold.safetensors", "--box", "-1", "1", "--depth", "2.5"], "whole numbers from 1"),
        (["fold.safetensors", "--box", "-1", "1", "--tolerance", "2"], "tolerance is 2.0 but must be"),
        (["fold.safetensors", "--box", "-1", "1", "--search", "3"], "0 for a box"),
        (["fold.safetensors", "--box", "-1", "1", "--missing", "drop"], "left out for a box, which needs no rows"),
        (["fold.safetensors", "--box", "-1", "1", "--points", "9"], "--points is 9 but must be left out for a box"),
        (["fold.safetensors", "--box", "-1", "1", "--drop", "a"], "--drop is 'a' but must be left out for a box"),
        (["fold.safetensors", "--data", "teacher:d=5,n=30"], "has 5 numbers a row|has 5 columns"),
        (["fold.safetensors", "--box", "-1", "1", "--depth", "20000", "--out", "n"], "at most 10000 with --out"),
        (["fold.safetensors", "--box", "-1", "1", "--seed", "-1"], "--seed is -1 but must be between"),
        (["missing.safetensors", "--box", "-1", "1"], "no missing.safetensors"),
    ],
)
def test_wrong_input_is_one_sentence(model, capsys, arguments, message):
    status, out, err = call(capsys, "cost", *arguments)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert re.search(message, err), err


def test_a_network_with_a_smooth_activation_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)).eval()
    torch.export.save(torch.export.export(module, (torch.zeros(4, 2),)), "m.pt2")
    status, _, err = call(capsys, "cost", "m.pt2", "--box", -1, 1)
    assert status == 2
    assert "cannot be converted exactly" in err
