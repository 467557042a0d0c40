"""What was loaded is compared with the file's own runtime before anything is measured."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from commands import call
from isthmus import bottleneck_rank, jacobian_rank, measure
from isthmus.errors import DisagreementError
from isthmus.formats import load
from isthmus.formats.reference import CannotRunError, Reference

X = torch.randn(80, 4, generator=torch.Generator().manual_seed(0))


def exported(module, path, x=X, *, is_free=True):
    shapes = ({0: torch.export.Dim("n", max=4096)},) if is_free else None
    torch.export.save(torch.export.export(module.eval(), (x[:4],), dynamic_shapes=shapes), path)
    return load(path)


def loaded(run, *, precision=2.0**-23):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))
    module.reference = Reference("oracle 1.0", lambda x: {"y": run(module(x).detach())}, precision, "m.onnx")
    return module


def at(row, column, change):
    def run(y):
        y = y.clone()
        y[row, column] += change
        return y

    return run


def test_agreement_is_told():
    profile = measure(loaded(lambda y: y), X)
    assert profile.notes == (
        "It computes what oracle 1.0 computes from the file on 64 rows, to 0 of the size of the outputs.",
    )
    assert profile.record()["notes"] == list(profile.notes)


WRONG = {
    "a number": (
        at(63, 2, 0.1),
        r"m\.onnx is not computed as oracle 1\.0 computes it: 'output' is .* at row 79, entry \(2,\)",
    ),
    "a shape": (lambda y: y[:, :2], r"has shape \(64, 3\) here and \(64, 2\) there"),
    "not a number": (at(0, 0, float("nan")), "not finite in the same places"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("question", [measure, jacobian_rank, bottleneck_rank])
def test_a_difference_is_an_error_that_shows_it(name, question):
    run, message = WRONG[name]
    with pytest.raises(DisagreementError, match=message):
        question(loaded(run), X)
    assert measure(loaded(run), X, check=False).notes == ()


def test_rounding_is_no_difference():
    measure(loaded(lambda y: y * (1 + 1e-6)), X)
    measure(loaded(lambda y: y.half().float(), precision=2.0**-10), X)
    with pytest.raises(DisagreementError):
        measure(loaded(lambda y: y * 1.01), X)


def test_a_runtime_that_refuses_its_file_is_told():
    def refuse(y):
        raise CannotRunError("no kernel for this.")

    (note,) = measure(loaded(refuse), X).notes
    assert note == "Not compared: oracle 1.0 does not run it (no kernel for this)."


class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        h = self.linear(x)
        y = h.view(-1, 2, 2).relu_().view(-1, 4)
        return h + 3 * y  # h has been changed too


POOLS = {
    "padding not counted": nn.AvgPool2d(3, 1, 1, count_include_pad=False),
    "another divisor": nn.AvgPool2d(2, divisor_override=1),
    "a last window that reaches out": nn.AvgPool2d(2, ceil_mode=True),
    "an approximation": nn.GELU(approximate="tanh"),
}


@pytest.mark.parametrize("name", POOLS)
def test_every_argument_of_an_exported_layer_counts(name, tmp_path):
    x = torch.randn(60, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    module = nn.Sequential(POOLS[name], nn.Flatten())
    model = exported(module, tmp_path / "m.pt2", x)
    assert torch.equal(model(x), module(x))
    assert "computes what torch.export" in measure(model, x).notes[0]


def test_a_call_in_place_that_others_see_stays_one(tmp_path):
    torch.manual_seed(0)
    module = InPlace()
    model = exported(module, tmp_path / "m.pt2")
    torch.testing.assert_close(model(X), module(X))
    assert measure(model, X).jacobian_rank.lower == measure(module, X).jacobian_rank.lower


@pytest.fixture
def onnx_file(tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from onnx_graphs import initializer, node, saved

    nodes = [node("MatMul", "x w", "h"), node("Tanh", "h", "t"), node("Mul", "t h")]
    np.save(tmp_path / "x.npy", X.numpy())
    return saved(tmp_path / "m.onnx", nodes, (4,), [initializer("w", 4, 3)])


def test_onnx_files_are_compared_with_onnxruntime(onnx_file, monkeypatch, capsys):
    from isthmus.formats.onnx_operators import OPERATORS
    from isthmus.formats.onnx_operators.translation import plain

    (note,) = measure(load(onnx_file), X).notes
    assert note.startswith("It computes what onnxruntime ")
    monkeypatch.setitem(OPERATORS, "Mul", plain(torch.add))
    arguments = ("measure", str(onnx_file), "--data", str(onnx_file.parent / "x.npy"))
    status, _, err = call(capsys, *arguments)
    assert status == 2
    assert "is not computed as onnxruntime" in err
    assert err.count("\n") == 1
    status, out, _ = call(capsys, *arguments, "--no-check", "--json")
    assert status == 0
    assert json.loads(out)["notes"] == []
