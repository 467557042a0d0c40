"""`isthmus measure` on models of others: files in, one JSON object or one sentence out."""

import json
import re

import numpy as np
import pytest
import torch
from torch import nn

from commands import call
from isthmus import RankProfile


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    modules = {
        "conv": (nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3)), (1, 8, 8)),
        "gelu": (nn.Sequential(nn.Linear(5, 8), nn.GELU(), nn.Linear(8, 2)), (5,)),
    }
    for name, (module, shape) in modules.items():
        dynamic = ({0: torch.export.Dim("n", max=4096)},)
        program = torch.export.export(module.eval(), (torch.zeros(2, *shape),), dynamic_shapes=dynamic)
        torch.export.save(program, f"{name}.pt2")
    rng = np.random.default_rng(0)
    np.save("images.npy", rng.standard_normal((20, 1, 8, 8)).astype(np.float32))
    np.save("rows.npy", rng.standard_normal((20, 5)).astype(np.float32))
    np.save("flat.npy", rng.standard_normal((20, 64)))
    np.save("nan.npy", np.where(np.arange(100).reshape(20, 5) == 13, np.nan, 1.0))
    rows = [",".join(f"{v:.3f}" for v in row) for row in rng.standard_normal((20, 4))]
    (tmp_path / "text.csv").write_text(
        "a,b,c,d,e\n" + "".join(f'{row[:5]},"1,000",{row.rpartition(",")[0]}\n' for row in rows)
    )
    (tmp_path / "bare.csv").write_text("".join(f"0.5,{row}\n" for row in rows))
    np.save("none.npy", np.zeros((0, 5)))
    np.save("objects.npy", np.array([object()]))
    (tmp_path / "m.pt").write_bytes(b"\x80\x04.")
    return tmp_path


def test_a_chain_in_a_file(here, capsys):
    status, out, err = call(capsys, "measure", "conv.pt2", "--data", "images.npy", "--json")
    record = json.loads(out)
    assert (status, err, record["method"]) == (0, "", "chain")
    assert 0 < record["cost_lower"] <= record["norm_per_depth"]
    distances = [layer["isometry_distance"] for layer in record["layers"]]
    assert record["certified_share"] == sum(each <= 0.1 for each in distances) / len(distances)
    squares = record["certificate"]["rank"] * sum(each**2 for each in distances)
    assert 0 < squares <= record["certificate"]["excess"]
    assert [layer["cost_of_identity"] is None for layer in record["layers"]] == [False] * (len(distances) - 1) + [True]
    status, out, _ = call(capsys, "measure", "conv.pt2", "--data", "flat.npy", "--json")
    assert json.loads(out)["rows"] == 20
    # One conv layer too large for a small budget is measured by derivatives.
    assert call(capsys, "measure", "conv.pt2", "--data", "images.npy", "--memory", "1")[0] == 0


def test_any_model_in_a_file(here, capsys):
    arguments = ("measure", "gelu.pt2", "--data", "rows.npy", "--report", "r.html", "--out", "profile")
    status, out, err = call(capsys, *arguments)
    assert (status, err) == (0, "")
    assert "These are local measurements" in " ".join(out.split())
    assert (here / "r.html").is_file()
    assert RankProfile.load(here / "profile").method == "local"
    status, out, _ = call(capsys, "measure", "gelu.pt2", "--data", "rows.npy", "--leading", "1", "--json")
    record = json.loads(out)
    assert (status, record["cost_lower"], record["jacobian"]["is_sketched"]) == (0, None, True)
    assert (record["curve"]["plateau_rank"], record["curve"]["plateau"]) == (None, None)  # of 2 values only 1 is known
    assert (record["certificate"], record["certified_share"]) == (None, None)  # the theory does not cover it


def test_what_is_left_out_of_a_table_is_told(here, capsys):
    lines = (here / "bare.csv").read_text().splitlines()
    table = "\n".join(["Unnamed: 0,a,b,c,d,e", *(f"{i},{line}" for i, line in enumerate(lines)), "Total,1,2,3,4,5"])
    (here / "t.csv").write_text(table + "\n")
    status, out, err = call(capsys, "measure", "gelu.pt2", "--data", "t.csv", "--json")
    assert (status, json.loads(out)["rows"]) == (0, 20)
    assert err.splitlines() == [
        "Data: Row 21 is called 'Total', a summary of the others: left out.",
        "Data: 'Unnamed: 0' was left out: an index, counts the rows.",
    ]


def test_the_operators_are_listed(capsys):
    status, out, err = call(capsys, "measure", "--list-operators")
    assert (status, err) == (0, "")
    assert {"Conv", "LSTM", "Resize"} <= set(out.split())


def test_units_are_chosen_and_said(here, capsys):
    arguments = ["measure", "gelu.pt2", "--data", "rows.npy", "--scale-outputs"]
    said = {}
    for how in ("data", "unit", "none"):
        status, out, _ = call(capsys, *arguments, how, "--scale-inputs", "none", "--json")
        assert status == 0
        said[how] = json.loads(out)["units"]
    assert said == {
        "data": "Units: inputs as they are, each output by its spread over the rows.",
        "unit": "Units: inputs as they are, all outputs by one number.",
        "none": "Units: inputs as they are, outputs as they are.",
    }
    assert "Units: each input by its spread" in " ".join(call(capsys, *arguments, "none")[1].split())


BAD = {
    "a pickle": (
        ["m.pt", "--data", "rows.npy"],
        "pickles, which may run code and are never loaded. Save the model with",
    ),
    "other columns": (["gelu.pt2", "--data", "flat.npy"], r"64 numbers a row, but the model takes 5 of shape \(5,\)"),
    "nan": (["gelu.pt2", "--data", "nan.npy"], "nan.npy holds NaN or infinity .first at row 2, column 3"),
    "no rows": (["gelu.pt2", "--data", "none.npy"], "none.npy has shape .0, 5.: it is empty"),
    "objects": (["gelu.pt2", "--data", "objects.npy"], "never loaded"),
    "no output": (["gelu.pt2", "--data", "rows.npy", "--output", "y"], "has no output 'y'. Choose one"),
    "a text column": (["gelu.pt2", "--data", "text.csv"], "'b' holds numbers, but '1,000' in row 1"),
    "gaps to indicate": (
        ["gelu.pt2", "--data", "text.csv", "--missing", "indicate"],
        "must be refuse or drop for a net",
    ),
    "a header that is none": (["gelu.pt2", "--data", "bare.csv"], "line 1 holds data .* Use --no-header"),
    "a format of texts": (["gelu.pt2", "--data", "rows.npy", "--sep", ";"], "--sep is ';' but must be left out for"),
    "gaps of arrays": (
        ["gelu.pt2", "--data", "nan.npy", "--missing", "drop"],
        "--missing is 'drop' but must be left out for arrays",
    ),
    "a budget without differences": (
        ["gelu.pt2", "--data", "rows.npy", "--evaluations", "9"],
        "--evaluations is a budget of differences. Give --by-differences as well",
    ),
    "too little memory": (["gelu.pt2", "--data", "rows.npy", "--memory", "0"], "Invalid value for '--memory'"),
}


@pytest.mark.parametrize("name", BAD)
def test_wrong_input_is_one_sentence(here, capsys, name):
    arguments, message = BAD[name]
    status, out, err = call(capsys, "measure", *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert re.search(message, err), err


def test_a_choice_that_there_is_not_and_a_folder_for_a_page_are_one_sentence(here, capsys):
    status, _, err = call(capsys, "measure", "gelu.pt2", "--data", "rows.npy", "--scale-outputs", "foo")
    assert (status, "'--scale-outputs': 'foo' is not one of 'data', 'unit', 'none'" in err) == (2, True)
    (here / "folder.html").mkdir()
    before = (here / "rows.npy").read_bytes()
    for page in ("folder.html", "rows.npy"):
        status, _, err = call(capsys, "measure", "gelu.pt2", "--data", "rows.npy", "--report", page)
        assert (status, err.count("\n"), "ends in .html" in err) == (2, 1, True)
    assert (here / "rows.npy").read_bytes() == before


def test_an_input_held_at_a_row_for_each_that_varies_is_named(here, capsys):
    pytest.importorskip("onnx")
    from onnx import TensorProto, helper, save

    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in "ab"]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])
    graph = helper.make_graph([helper.make_node("Mul", ["a", "b"], ["y"])], "g", inputs, [output])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), "two.onnx")
    rng = np.random.default_rng(0)
    np.savez("ab.npz", a=rng.standard_normal((20, 3)).astype("f4"), b=rng.standard_normal((20, 3)).astype("f4"))
    status, _, err = call(capsys, "measure", "two.onnx", "--data", "ab.npz", "--input", "a")
    assert (status, err.count("\n")) == (2, 1)
    assert "a,b, to vary them together: b is held at a row for each of a" in err
    assert call(capsys, "measure", "two.onnx", "--data", "ab.npz", "--input", "a,b")[0] == 0
