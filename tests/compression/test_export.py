"""A fitted function in onnxruntime: the numbers that it predicts itself."""

import json

import numpy as np
import onnxruntime
import pytest
import torch

from cases import random_layers
from estimators.data import KINDS, QUICK, fitted_on_table, table
from finished_runs import finished, two_numbers  # noqa: F401 - a fixture
from isthmus.compression import export_halves
from isthmus.errors import TargetExistsError
from isthmus.estimators import RankRegressor
from isthmus.networks import RELU, StandardizedNetwork
from isthmus.networks.scaling import Affine
from isthmus.runs import load_run


def in_onnxruntime(path, x):
    session = onnxruntime.InferenceSession(path)
    (given,) = session.get_inputs()
    kind = np.float64 if given.type == "tensor(double)" else np.float32
    (found,) = session.run(None, {given.name: np.asarray(x, kind)})
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_an_estimator_is_exported(kind, tmp_path):
    rows, _ = table(kind)
    fitted = fitted_on_table(kind)
    path = fitted.export(tmp_path / "f.onnx")
    wanted = fitted.selection_.decode(torch.from_numpy(fitted.encode(rows))).numpy()
    np.testing.assert_allclose(in_onnxruntime(path, rows), wanted, rtol=1e-4, atol=1e-4)
    with pytest.raises(TargetExistsError, match="not replaced"):
        fitted.export(path)


def test_of_rank_zero_the_constant_is(tmp_path):
    rows, y = table(RankRegressor)
    fitted = RankRegressor(**QUICK).fit(0.0 * rows, y)
    found = in_onnxruntime(fitted.export(tmp_path / "f.onnx"), rows)
    np.testing.assert_allclose(found, fitted.predict(0.0 * rows), rtol=1e-5)


def test_a_run_is_exported(finished, tmp_path):  # noqa: F811
    run = load_run(finished.folder)
    x, _ = two_numbers(seed=3)
    np.testing.assert_allclose(in_onnxruntime(run.export(tmp_path / "f.onnx"), x), run.predict(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("offset", "kind"), [(0.0, "tensor(float)"), (1e7, "tensor(double)")])
def test_double_precision_is_written_where_single_precision_does_not_hold_the_columns(tmp_path, offset, kind):
    encoder = StandardizedNetwork(
        random_layers((4, 9, 2), RELU, 0),
        Affine(torch.full((4,), offset).double(), torch.ones(4).double()),
        Affine.identity(2),
    )
    decoder = StandardizedNetwork(random_layers((2, 9, 3), RELU, 1), Affine.identity(2), Affine.identity(3))
    path = export_halves(encoder, decoder, torch.zeros(3), 4, tmp_path / "f.onnx")
    assert onnxruntime.InferenceSession(path).get_inputs()[0].type == kind
    x = offset + torch.randn(50, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    np.testing.assert_allclose(in_onnxruntime(path, x), decoder(encoder(x)).numpy(), rtol=1e-4, atol=1e-4)


def test_fit_exports_what_it_found_and_looks_at_the_target_first(tmp_path, monkeypatch, capsys):
    from finished_runs import FLAGS
    from isthmus.cli.main import run

    monkeypatch.chdir(tmp_path)
    x, y = two_numbers()
    np.savez("d.npz", x=x, y=y)
    arguments = ["fit", "d.npz", *FLAGS, "--ridge", "0.01", "--out", "r", "--export", "f.onnx", "--json"]
    assert run(arguments) == 0
    assert json.loads(capsys.readouterr().out)["export"] == "f.onnx"
    np.testing.assert_allclose(in_onnxruntime("f.onnx", x), load_run("r").predict(x), rtol=1e-4, atol=1e-5)
    assert run(arguments) == 2
    assert "something at f.onnx already" in capsys.readouterr().err
