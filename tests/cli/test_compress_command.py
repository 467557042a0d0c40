"""`isthmus compress` as a person runs it."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from commands import call
from isthmus.cli.main import run
from isthmus.compression import path
from isthmus.formats import load
from isthmus.formats.chain_files import Interface, write_chain
from isthmus.networks.chain_conversion import chain_of

KEYS = {"rank", "error", "parameters_before", "parameters_after", "depth_before", "depth_after", "folds"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(path, "_FINAL", 200)
    monkeypatch.setattr(path, "_STEPS", 40)
    torch.manual_seed(0)
    parts = [nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 20), nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 4)]
    model = nn.Sequential(*parts).eval()
    write_chain(chain_of(model), "m.onnx", Interface((6,), "features", "score", 15))
    np.save("x.npy", torch.rand(120, 6).numpy())
    return model


def test_an_approximation_is_not_said_to_keep_f(here, capsys):
    given = ("compress", "m.onnx", "--data", "x.npy", "--box", 0, 1)
    exact = call(capsys, *given, "--out", "e.onnx", "--report", "e.html")[1]
    assert "f is kept on every input from 0 to 1" in " ".join(exact.split())
    assert "f is kept on every input from 0 to 1" in Path("e.html").read_text()
    near = call(capsys, *given, "--out", "n.onnx", "--report", "n.html", "--rank", 1)[1]
    for said in (" ".join(near.split()), Path("n.html").read_text()):
        assert "f is approximated; its exact folds hold on every input from 0 to 1" in said
        assert "f is kept" not in said


def test_a_weight_that_is_no_number_is_named(here, capsys):
    model = onnx.load("m.onnx")
    weight = next(each for each in model.graph.initializer if len(each.dims) == 2)
    values = onnx.numpy_helper.to_array(weight).copy()
    values[1, 2] = np.nan
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    onnx.save(model, "bad.onnx")
    status, _, err = call(capsys, "compress", "bad.onnx", "--data", "x.npy", "--out", "s.onnx")
    assert (status, "weight" in err, "holds NaN or infinity" in err) == (2, True, True)


def test_ctrl_c_promises_nothing_that_is_not_kept(here, capsys, monkeypatch):
    def pressed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("isthmus.compression.compress", pressed)
    status, _, err = call(capsys, "compress", "m.onnx", "--data", "x.npy", "--out", "s.onnx")
    assert (status, err.strip()) == (130, "Interrupted. Run the same command again; it begins anew.")
    assert not Path("s.onnx").exists()


def test_a_smaller_onnx_file_that_computes_the_same(here, capsys):
    status, out, err = call(
        capsys,
        "compress",
        "m.onnx",
        "--data",
        "x.npy",
        "--box",
        0,
        1,
        "--out",
        "s.onnx",
        "--report",
        "r.html",
        "--json",
    )
    assert (status, err) == (0, "")
    record = json.loads(out)
    assert record.keys() >= KEYS
    assert (record["depth_before"], record["depth_after"]) == (4, 3)
    assert record["folds"][0]["kind"] == "linear run"
    model = onnx.load("s.onnx")
    assert (model.graph.input[0].name, model.graph.output[0].name) == ("features", "score")
    assert model.opset_import[0].version == 15
    x = np.random.default_rng(1).random((1000, 6), dtype=np.float32)
    first, second = (onnxruntime.InferenceSession(f).run(None, {"features": x})[0] for f in ("m.onnx", "s.onnx"))
    np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)
    page = Path("r.html").read_text(encoding="utf-8")
    assert "Exact folds" in page
    assert "µs a run of 256" in page


def test_a_tolerance_and_a_rank_and_a_summary_for_people(here, capsys):
    status, out, _ = call(
        capsys, "compress", "m.onnx", "--data", "x.npy", "--tolerance", 0.4, "--rank", 2, "--out", "s.safetensors"
    )
    assert status == 0
    assert "the 120 given rows only" in " ".join(out.split())
    x = torch.from_numpy(np.load("x.npy"))
    wanted = here(x).detach()
    assert float((load("s.safetensors")(x) - wanted).norm() / (wanted - wanted.mean(0)).norm()) < 0.5


BAD = [
    (["--box", "0.5", "1"], "The box does not hold the rows"),
    (["--box", "1", "0"], "empty along column 0"),
    (["--box", "a", "1"], "--box is 'a 1'"),
    (["--data", "wide.npy"], "7 numbers a row, but the model takes 6"),
    (["--tolerance", "1e-9"], "The tolerance is 1e-09, but exact folds alone"),
    (["--tolerance", "2"], "tolerance is 2.0 but must be"),
    (["--rank", "1", "--tolerance", "0.001"], "a network of rank 1 changes f by"),
    (["--rank", "99"], "rank is 99 but must be at most"),
    (["--out", "there.onnx"], "something at there.onnx already"),
    (["--out", "s.pth"], "ends in .onnx, .safetensors, .pt2"),
    (["--out", "m.onnx"], "something at m.onnx already"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_wrong_input_is_one_sentence_and_leaves_nothing(here, capsys, arguments, message):
    np.save("wide.npy", np.ones((5, 7), np.float32))
    Path("there.onnx").write_text("mine")
    before = sorted(path.name for path in Path.cwd().iterdir())
    defaults = [] if "--data" in arguments else ["--data", "x.npy"]
    defaults += [] if "--out" in arguments else ["--out", "s.onnx"]
    status, out, err = call(capsys, "compress", "m.onnx", *defaults, *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in Path.cwd().iterdir()) == before
    assert Path("there.onnx").read_text() == "mine"


def test_a_tensor_that_is_not_there_is_told_without_options_that_are_not_there(here, capsys):
    status, _, err = call(
        capsys, "compress", "m.onnx", "--data", "x.npy", "--out", "s.onnx", "--output", "nope", "--report", "r.html"
    )
    assert status == 2
    assert "there is no tensor 'nope' in its graph. Choose one of features, " in err
    assert "`isthmus measure MODEL --list` names all" in err
    assert "--input" not in err


def test_the_large_numeral_says_what_it_counts(here, capsys):
    call(capsys, "compress", "m.onnx", "--data", "x.npy", "--out", "s.onnx", "--report", "r.html", "--rank", 1)
    assert 'aria-hidden="true">1<small>number at the narrowest layer</small>' in Path("r.html").read_text()


def test_a_graph_that_goes_on_behind_its_layers_is_compressed_up_to_there(here, capsys):
    graph = onnx.load("m.onnx")
    graph.graph.node.append(onnx.helper.make_node("Softmax", ["score"], ["shares"]))
    graph.graph.output[0].name = "shares"
    onnx.save(graph, "soft.onnx")
    given = ("compress", "soft.onnx", "--data", "x.npy", "--box", 0, 1)
    status, out, _ = call(capsys, *given, "--out", "s.onnx", "--report", "r.html", "--json")
    record = json.loads(out)
    assert (status, record["rank"], record["depth_before"], record["depth_after"]) == (0, None, 4, 3)
    assert "times fewer parameters</small>" in Path("r.html").read_text()
    assert onnx.load("s.onnx").graph.node[-1].op_type == "Softmax"
    x = np.random.default_rng(1).random((1000, 6), dtype=np.float32)
    first, second = (onnxruntime.InferenceSession(f).run(None, {"features": x})[0] for f in ("soft.onnx", "s.onnx"))
    np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)
    status, out, _ = call(capsys, *given, "--out", "t.onnx")
    assert (status, "  rank  " in out) == (0, False)
    assert run(["compress", "soft.onnx", "--data", "x.npy", "--out", "u.safetensors"]) == 2
    assert "a graph is written in no other form" in capsys.readouterr().err
    assert run(["compress", "soft.onnx", "--data", "x.npy", "--out", "o.onnx", "--output", "score", "--json"]) == 0
    assert onnx.load("o.onnx").graph.output[0].name == "score"
